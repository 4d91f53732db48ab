"""Bugs of standing orders: somebody is served before his turn, asked for more than he wrote, or never told why he was not."""

from dataclasses import replace
from typing import Any

import services.bidding.domain.standing as standing
import services.bidding.domain.standing_answers as standing_answers
import services.bidding.domain.standing_considering as considering
import services.bidding.domain.standing_lines as standing_lines
import services.bidding.domain.standing_state as standing_state
from libs.events.standing import OrderAnsweredLate
from services.bidding.commands.standing import HoldForOrder, RecordBids, ReturnSpent
from services.bidding.policies import POLICIES as BIDDING
from tools.simulator.planted.plant import CROWDED, LAWFUL, ROUGH, Plant, changing, forgetting, instead, policy


def _last_first(real: Any) -> Any:
    return lambda lines, turn: iter([*real(lines, turn)][::-1])


def _keeps_its_place(_real: Any) -> Any:
    """Who spends stays where he is."""
    return lambda lines, order: standing_lines.with_changed(lines, order)


def _without_its_reasons(real: Any) -> Any:
    def consider(*arguments: Any) -> Any:
        looked = real(*arguments)
        return looked and replace(looked, passed=())

    return consider


def _whatever_it_spent(real: Any) -> Any:
    return lambda order, *limits: real(replace(order, spent_fen=0), *limits)


def _never_paused(real: Any) -> Any:
    return lambda order, target: real(replace(order, is_paused=False), target)


def _keeps_late_holds(real: Any) -> Any:
    def react(event: Any) -> Any:
        return [] if isinstance(event.data, OrderAnsweredLate) else real(event)

    return react


def _as_if_answered(real: Any) -> Any:
    return lambda *arguments, **_unanswered: real(*arguments)


#: So many listings that somebody misses five in a row.
BEGGARS = replace(ROUGH, plan=replace(CROWDED, listings=40, actions_on_busy_days=200))

PLANTS = (
    Plant(
        "orders-last-first",
        "Who spent last is served first.",
        instead(considering, "behind", _last_first),
        ("out of turn", "the queue hears", "passed over are"),
    ),
    Plant(
        "spender-keeps-his-place",
        "An order that spends is served first again.",
        instead(standing_state, "with_order", _keeps_its_place),
        ("out of turn", "passed over are"),
        seeds=range(16),
    ),
    Plant(
        "bids-as-they-come",
        "The orders' bids reach the listing in the order in which accounts answered.",
        policy(BIDDING, "bidding", changing(RecordBids, bids=lambda command: command.bids[::-1])),
        ("out of turn",),
        seeds=range(16),
    ),
    Plant(
        "keep-back-forgotten",
        "A standing order takes what its owner wants to keep.",
        policy(BIDDING, "bidding", changing(HoldForOrder, keep_back_fen=lambda _command: 0)),
        ("leaves less than it keeps back",),
        seeds=range(16),
    ),
    Plant(
        "total-cap-forgotten",
        "A standing order forgets what it has spent.",
        instead(considering, "_most_fen", _whatever_it_spent),
        ("out of turn", "passed over are"),
        config=LAWFUL,
        seeds=range(54, 56),
    ),
    Plant(
        "paused-order-bids",
        "An order that is paused is asked all the same.",
        instead(considering, "why_not", _never_paused),
        ("out of turn", "passed over are"),
        config=LAWFUL,
        seeds=range(8),
    ),
    Plant(
        "passed-over-in-silence",
        "An order is passed over, and nothing says why.",
        instead(standing, "consider", _without_its_reasons),
        ("passed over are",),
    ),
    Plant(
        "spent-for-nothing",
        "A listing comes to nothing, and its money still counts towards an order's total cap.",
        policy(BIDDING, "bidding", forgetting(ReturnSpent)),
        ("still counts as spent",),
        seeds=range(24, 28),
    ),
    Plant(
        "beggar-asked-for-ever",
        "Who cannot pay is asked for every listing.",
        instead(standing_answers, "COULD_NOT_PAY", lambda _real: ()),
        ("cannot pay and are asked again",),
        config=BEGGARS,
        seeds=range(16),
    ),
    Plant(
        "late-hold-kept",
        "Money that an account holds when nobody waits for it any more stays held.",
        policy(BIDDING, "bidding", _keeps_late_holds),
        ("held for nobody", "is held for nothing"),
        config=BEGGARS,
        seeds=range(16),
    ),
    Plant(
        "silence-taken-for-an-answer",
        "Who has not answered when a listing closes is taken for somebody who holds nothing.",
        instead(standing_answers, "dropped", _as_if_answered),
        ("is dropped and holds", "is answered twice", "was never asked for", "served out of its turn"),
        config=BEGGARS,
        seeds=range(16),
    ),
)
