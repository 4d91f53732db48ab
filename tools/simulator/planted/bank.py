"""Bugs of the reconciliation with the bank: differences that are lost, kept, settled by what does not settle them, or by one person."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import services.bidding.domain.bank_day_files as files
import services.bidding.domain.bank_days as bank_days
import services.bidding.projections.account_proof as account_proof
import services.bidding.reconciler as reconciler
from services.bidding.domain.bank_days_state import Break
from services.bidding.matching import Matcher
from tools.simulator import finance
from tools.simulator.planted.plant import CROWDED, ROUGH, Plant, instead

#: A fortnight with much money in and out, on a log that only takes its time.
FORTNIGHT: Final = replace(
    ROUGH,
    plan=replace(CROWDED, days=14, busy_days=14, actions_on_busy_days=60),
    crashes=0.0,
    log_faults=replace(ROUGH.log_faults, fails=0.0, vanishes=0.0),
)


def _but_the_last(real: Any) -> Any:
    def breaks(self: Any, *limits: Any) -> Any:
        found, unlisted = real(self, *limits)
        return found[:-1], unlisted

    return breaks


def _nothing(_real: Any) -> Any:
    return lambda *_arguments: []


def _each_half_by_itself(_real: Any) -> Any:
    return lambda *_arguments: {}


def _held_forgotten(real: Any) -> Any:
    return lambda event: getattr(event, "available_after_fen", real(event))


def _from_the_first(real: Any) -> Any:
    """A day is finished with what its last part showed."""

    def finished(said: Any, state: Any, told: Any, reported: Any, opened: int) -> Any:
        return real(said, state, told, reported[-1:], opened)

    return finished


def _by_amount_alone(real: Any) -> Any:
    def pairs(breaks: Any, _name_of: Callable[[Break], tuple[str, ...]]) -> Any:
        return real(breaks, lambda _each: ())

    return pairs


def _a_day_ahead(real: Any) -> Any:
    async def dates_over(views: Any, partitions: int) -> Any:
        found = await real(views, partitions)
        return found and replace(found, last=found.last + timedelta(days=1))

    return dates_over


def _of_all_days(real: Any) -> Any:
    return lambda views, day: real(views, day + timedelta(days=1))


PLANTS = (
    Plant(
        "difference-lost",
        "The matching loses a difference between the bank's file and the books.",
        instead(Matcher, "breaks", _but_the_last),
        ("is refused: breaks_do_not_add_up", "and nobody says so"),
        config=FORTNIGHT,
    ),
    Plant(
        "difference-kept",
        "A later file has what was missing, and it stays on the work list.",
        instead(files, "_gone", _nothing),
        ("does not differ by", "told is"),
        config=FORTNIGHT,
    ),
    Plant(
        "halves-by-themselves",
        "What was in flight at midnight is two differences.",
        instead(files, "_halves", _each_half_by_itself),
        ("is told twice",),
        config=FORTNIGHT,
        seeds=range(16),
    ),
    Plant(
        "held-money-not-said",
        "What accounts say that they have lacks what they hold.",
        instead(account_proof, "_says_fen", _held_forgotten),
        ("accounts have",),
        config=FORTNIGHT,
    ),
    Plant(
        "mended-told-as-the-opposite",
        "The bank gives back what people had settled, and an opposite difference opens.",
        instead(files, "_is_mended", lambda _real: lambda *_amounts: False),
        ("stand, and balances of",),
        config=FORTNIGHT,
        seeds=range(32),
    ),
    Plant(
        "last-part-alone",
        "A day that comes in parts is finished with what the last one showed.",
        instead(files, "_finished", _from_the_first),
        ("and nobody says so",),
        config=FORTNIGHT,
    ),
    Plant(
        "settled-by-amount",
        "Two differences of one amount settle each other, whoever's they are.",
        instead(bank_days, "_pairs", _by_amount_alone),
        ("is not settled by",),
        config=FORTNIGHT,
        seeds=range(40, 44),
    ),
    Plant(
        "one-accountant-resolves",
        "Who explained a difference resolves it.",
        instead(bank_days, "_require_another", lambda _real: lambda *_arguments: None),
        (" alone",),
        config=FORTNIGHT,
    ),
    Plant(
        "day-reconciled-too-early",
        "A date's file is compared while bookings of the date may still come.",
        instead(finance, "dates_over", _a_day_ahead),
        ("the ledger's side is", "is refused: day_not_over", "the bank's side is"),
        config=FORTNIGHT,
        seeds=range(8, 13),
    ),
    Plant(
        "balance-of-tomorrow",
        "The ledger's balance of a date contains what was booked on the next.",
        instead(reconciler, "_sums_until", _of_all_days),
        ("the ledger's side is",),
        config=FORTNIGHT,
    ),
)
