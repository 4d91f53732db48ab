"""Bugs of measures: one person for all, a post left out, lenders not asked, and loans that do something else."""

from dataclasses import replace
from typing import Any

import services.bidding.policies.repaying as repaying
import services.repayment.domain.loan as loan
import services.repayment.domain.loan_day as loan_day
import services.repayment.domain.measure as measure
import services.repayment.domain.paying as paying
import services.repayment.domain.restructuring as restructuring
import services.repayment.domain.trouble as trouble
import services.repayment.domain.troubled as troubled
import services.repayment.policies.measures as measures
from libs.events.deciding import Refused
from libs.events.recovery_costs import RecoveryCostPaid
from libs.events.repayment import PaymentReceived
from services.bidding.policies import POLICIES as BIDDING
from services.repayment.commands.measures import CompleteMeasure
from services.repayment.domain.accrual import ended
from services.repayment.policies import POLICIES as REPAYMENT
from tools.simulator.planted.plant import WHOLE, Plant, forgetting, instead, policy, together


def _nobody_is_asked(real: Any) -> Any:
    return lambda *arguments: replace(real(*arguments), by="clause", voters=())


def _a_month_more(real: Any) -> Any:
    """The loan says that it was agreed on."""

    def reschedule(*arguments: Any) -> Any:
        return [
            replace(event, months=event.months + 1) if hasattr(event, "floor_class") else event
            for event in real(*arguments)
        ]

    return reschedule


def _ends_at_once(_real: Any) -> Any:
    def deferred(refused: Refused, *_arguments: Any) -> Any:
        raise refused

    return deferred


def _income_again(real: Any) -> Any:
    return lambda rules, state, book, on: [
        *real(rules, state, book, on),
        *([ended(state, book, on)] if state.trouble.non_accrual else []),
    ]


def _debt_first(real: Any) -> Any:
    def cost_first(state: Any, money: Any, take: Any, *, is_whole: bool = False) -> Any:
        taken = take(money)
        is_taken = any(isinstance(event, PaymentReceived) for event in taken)
        return taken if is_taken else real(state, money, take, is_whole=is_whole)

    return cost_first


def _open_as_before(real: Any) -> Any:
    def recovered(known: Any, event: Any) -> Any:
        after = real(known, event)
        return replace(after, cost=known.cost) if isinstance(event, RecoveryCostPaid) else after

    return recovered


def _to_the_borrower(real: Any) -> Any:
    def sends(event: Any) -> Any:
        return [
            replace(send, stream_id=f"acc_{event.data.borrower.removeprefix('usr_')}")
            if send.slot == "cost"
            else send
            for send in real(event)
        ]

    return sends


#: Runs in which something is paid of what a loss has cost.
_COSTLY = range(26, 27)

PLANTS = (
    Plant(
        "measure-by-one-person",
        "Whoever proposed a measure signs it, and whoever signed it signs again.",
        instead(measure, "_require_another", lambda _real: lambda *_arguments: None),
        ("a second time",),
        seeds=range(24),
    ),
    Plant(
        "measure-skips-a-post",
        "The first signature is the last.",
        instead(measure, "steps_of", lambda real: lambda *arguments: real(*arguments)[-1:]),
        ("goes to",),
        seeds=range(24),
    ),
    Plant(
        "lenders-are-not-asked",
        "Whatever the contract says, the house decides.",
        instead(troubled, "need_of", _nobody_is_asked),
        ("the mandate of",),
        seeds=range(24),
    ),
    Plant(
        "extended-otherwise-than-agreed",
        "The loan is extended by a month more than was signed.",
        instead(troubled, "reschedule", _a_month_more),
        ("agreed was",),
        seeds=range(40),
    ),
    Plant(
        "measure-done-in-silence",
        "A loan does a measure, and the measure never hears of it.",
        policy(REPAYMENT, "repayment", forgetting(CompleteMeasure)),
        ("was agreed and nothing came of it", "never ends"),
        config=WHOLE,
        seeds=range(12),
    ),
    Plant(
        "recovery-in-silence",
        "What is paid after a write-off is a payment like others.",
        instead(paying, "recovered", lambda _real: lambda *_arguments: []),
        ("is no recovery",),
        config=WHOLE,
        seeds=range(24),
    ),
    Plant(
        "recovery-cost-last",
        "The debt is paid first, and what its pursuit cost when nothing is left of that.",
        instead(paying, "cost_first", _debt_first),
        ("of cost is left, and the debt is paid",),
        config=WHOLE,
        seeds=_COSTLY,
    ),
    Plant(
        "recovery-cost-twice",
        "A cost that was paid is open as before.",
        instead(trouble, "_recovered", _open_as_before),
        ("owes its cost to nobody", "for a cost of", "more of the cost"),
        config=WHOLE,
        seeds=_COSTLY,
    ),
    Plant(
        "recovery-cost-to-its-payer",
        "What of a payment is its cost's goes back to the borrower.",
        policy(BIDDING, "repayment", _to_the_borrower),
        ("is given of",),
        config=WHOLE,
        seeds=_COSTLY,
    ),
    Plant(
        "recovery-cost-not-given",
        "What was paid of a cost stays in the clearing of its loan.",
        policy(BIDDING, "repayment", lambda real: lambda event: [s for s in real(event) if s.slot != "cost"]),
        ("keeps", "never come to"),
        config=WHOLE,
        seeds=_COSTLY,
    ),
    Plant(
        "recovery-cost-to-nobody",
        "A loan takes on a cost whose payee nobody has asked.",
        together(
            *(instead(room, "payee_of", lambda _real: lambda _terms: "") for room in (measures, repaying))
        ),
        ("and was not asked",),
        config=WHOLE,
        seeds=range(32, 33),
    ),
    Plant(
        "income-by-restructuring",
        "New days for what is in arrears make its interest income again, with nothing paid.",
        instead(restructuring, "better_bucket", _income_again),
        ("is income while it is behind", "two people said no"),
        config=WHOLE,
        seeds=range(40),
    ),
    Plant(
        "cured-under-observation",
        "A class gets as good as ever once all arrears are met, whatever a measure left.",
        instead(loan_day, "floor_on", lambda _real: lambda *_arguments: "normal"),
        ("at best",),
        config=WHOLE,
        seeds=range(24),
    ),
    Plant(
        "signatures-lost-behind-a-debit",
        "A measure that all have signed ends because a debit is on its way that day.",
        instead(loan, "deferred", _ends_at_once),
        ("ends for a reason that passes",),
        config=WHOLE,
        seeds=range(7, 8),
    ),
    Plant(
        "waits-behind-a-debit-for-ever",
        "The answer of a debit calls for nothing that has waited for it.",
        instead(loan, "resumed", lambda _real: lambda _state, _context, answer: answer),
        ("was agreed and nothing came of it", "never ends"),
        config=WHOLE,
        seeds=range(7, 8),
    ),
)
