"""Bugs of the reconciliation with the bank: differences that are lost, kept, settled by what does not settle them, or by one person."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import services.bidding.domain.bank_day_files as files
import services.bidding.domain.bank_day_wholes as wholes
import services.bidding.domain.bank_days as bank_days
import services.bidding.projections.account_proof as account_proof
import services.bidding.reconciler as reconciler
from services.bidding.domain.bank_day_records import Break
from services.bidding.matching import Matcher
from tools.simulator import finance
from tools.simulator.planted.plant import CROWDED, ROUGH, Plant, instead, together

#: A fortnight with much money in and out, on a log that only takes its time.
FORTNIGHT: Final = replace(
    ROUGH,
    plan=replace(CROWDED, days=14, busy_days=14, actions_on_busy_days=60),
    crashes=0.0,
    log_faults=replace(ROUGH.log_faults, fails=0.0, vanishes=0.0),
)


def _but_the_last(real: Any) -> Any:
    def breaks(self: Any, at_most: int) -> Any:
        found = real(self, at_most)
        return found and found[:-1]

    return breaks


def _listed_but_the_last(real: Any) -> Any:
    def listing(self: Any, day: Any, **limits: int) -> Any:
        found = real(self, day, **limits)
        return replace(found, new=found.new[:-1])

    return listing


def _nothing(_real: Any) -> Any:
    return lambda *_arguments: []


def _each_half_by_itself(_real: Any) -> Any:
    return lambda *_arguments: {}


def _held_forgotten(real: Any) -> Any:
    return lambda event: getattr(event, "available_after_fen", real(event))


def _nothing_waits(real: Any) -> Any:
    def finished(said: Any, state: Any, told: Any, ended: Any, **rest: Any) -> Any:
        *events, done = real(said, state, told, ended, **rest) or [None]
        return [*events, replace(done, unlisted=0, unlisted_fen=0)] if done else []

    return finished


def _nothing_ends(_real: Any) -> Any:
    return lambda *_arguments: ([], ())


def _never_again(real: Any) -> Any:
    """Only the first look at a date tells anything of it."""

    def listing(self: Any, day: Any, **limits: int) -> Any:
        if self.told.breaks:
            limits |= {"new_max": 0}
        return real(self, day, **limits)

    return listing


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


#: No bug: people who match by amount alone, so that there are pairs.
_BY_AMOUNT: Final = instead(finance, "_BY_AMOUNT", lambda _real: 1.0)

PLANTS = (
    Plant(
        "difference-lost",
        "The matching loses a difference between the bank's file and the books.",
        together(
            instead(Matcher, "breaks", _but_the_last), instead(Matcher, "listing", _listed_but_the_last)
        ),
        ("is refused: breaks_do_not_add_up", "and nobody says so"),
        config=FORTNIGHT,
    ),
    Plant(
        "difference-kept",
        "A later file has what was missing, and it stays on the work list.",
        together(instead(files, "_gone", _nothing), instead(files, "_ended", _nothing_ends)),
        ("does not differ by", "told is", "differences of"),
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
        instead(wholes, "_is_mended", lambda _real: lambda *_amounts: False),
        ("stand, and balances of",),
        config=FORTNIGHT,
        seeds=range(32),
    ),
    Plant(
        "nothing-waits",
        "A day does not say what its work list has no room for.",
        instead(files, "_finished", _nothing_waits),
        ("and nobody says so",),
        config=FORTNIGHT,
    ),
    Plant(
        "the-rest-never-comes",
        "What waits is not told when there is room.",
        instead(Matcher, "listing", _never_again),
        ("not at rest: people", "wait, and there is room"),
        config=FORTNIGHT,
    ),
    Plant(
        "settled-by-amount",
        "Two differences of one amount settle each other, whoever's they are.",
        instead(bank_days, "_pairs", _by_amount_alone),
        ("is not settled by",),
        config=FORTNIGHT,
        seeds=range(54, 57),
    ),
    Plant(
        "half-rests-on-nothing",
        "What was resolved by another difference stays so when that one is shown no more.",
        together(_BY_AMOUNT, instead(files, "freed", _nothing), instead(bank_days, "freed", _nothing)),
        ("is over by what is not there",),
        config=FORTNIGHT,
        seeds=range(5, 9),
    ),
    Plant(
        "explained-by-what-is-gone",
        "Who resolves a difference does not ask whether the one that explains it is there.",
        together(_BY_AMOUNT, instead(bank_days, "stands", lambda _real: lambda *_arguments: True)),
        ("is resolved by what is not there", "is over by what is not there"),
        config=FORTNIGHT,
        seeds=range(20, 24),
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
        seeds=range(13, 17),
    ),
    Plant(
        "balance-of-tomorrow",
        "The ledger's balance of a date contains what was booked on the next.",
        instead(reconciler, "_sums_until", _of_all_days),
        ("the ledger's side is",),
        config=FORTNIGHT,
    ),
)
