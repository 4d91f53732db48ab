"""Two differences that explain or settle each other: neither rests on one that is not there, and nobody is paired with whom he does not fit."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from libs.events.bank_days import BankBreakOpened
from services.bidding.commands.bank_days import ExplainBreak, MatchBreaks, ResolveBreak
from services.bidding.domain.bank_days import AGGREGATE
from services.bidding.domain.buckets import all_kept, kept
from tests.unit.bidding.bank_day_story import (
    FILE,
    HERE,
    LATE,
    LIN,
    MONDAY,
    NEXT,
    NEXT_DONE,
    RECONCILED,
    RESOLVED,
    SETTLED_BY_FILE,
    THIRD,
    TUESDAY,
    UFA,
    H,
    closed,
    explained,
    line,
    name,
    opened,
    side,
)
from tests.unit.bidding.specs import Spec, on
from tests.unit.given import fold, given

BY_AMOUNT = MatchBreaks(by="amount")
WEDNESDAY = TUESDAY + timedelta(days=1)

#: B2 once more under another reference, so that only the amount speaks for it.
OTHER = replace(LATE, reference="B9")
B9 = name(TUESDAY, OTHER)
TWO = (*SETTLED_BY_FILE, opened(TUESDAY, OTHER), NEXT_DONE)
BY_UFA: dict[str, Any] = {"code": "timing", "explained_by": UFA}
PAIR = (explained(counterpart=B9, **BY_UFA), explained(B9, TUESDAY, counterpart=H, **BY_UFA))
RESOLVE = ResolveBreak(break_id=H, code="timing")
HALF = replace(RESOLVED, code="timing")
#: Both say of each other what they are, and only Monday's was resolved.
ONE_OVER = (*TWO, *PAIR, HALF)
#: Tuesday's is booked by the bank after all.
BOOKED_TOO = replace(
    NEXT, bank=side(1, 200_00, closing_fen=950_00), breaks=(), begins_with=THIRD, lines_hash="4" * 64
)
BOOKED_DONE = replace(NEXT_DONE, revision=2, lines_hash="4" * 64, bank=BOOKED_TOO.bank, closed=1, opened=0)
#: Wednesday's half under Tuesday's own reference: that is what Tuesday's really is.
TRUE_HALF = line("missing_here", "B9", 200_00, 0)
WEDNESDAYS = replace(
    NEXT,
    business_date=WEDNESDAY,
    bank=side(1, 200_00, closing_fen=950_00),
    ledger=side(0, 0, closing_fen=750_00),
    breaks=(TRUE_HALF,),
)


def spec(says: str, history: tuple[Any, ...], when: Any, then: Any, who: str = UFA) -> Spec:
    """A rule of pairs, for whoever acts."""
    return Spec(says, history, when, then, on(principal=who))


SAME_DAY = (*RECONCILED, opened(MONDAY, line("missing_there", "B2", 0, 200_00)))
SAY_ERROR = ExplainBreak(break_id=B9, code="bank_error")
BY_ERROR = explained(B9, TUESDAY, code="bank_error")

SPECS = [
    spec("the other half of what is over is over by it", ONE_OVER, replace(RESOLVE, break_id=B9),
        (replace(HALF, break_id=B9, business_date=TUESDAY),), LIN),
    spec("a half stands again when its other one is shown no more", ONE_OVER, BOOKED_TOO,
        (closed(B9, TUESDAY), opened(MONDAY, HERE), replace(BOOKED_DONE, opened=1, open_after=1))),
    spec("or is something else", ONE_OVER, SAY_ERROR, (BY_ERROR, opened(MONDAY, HERE))),
    spec("nobody resolves by a half that is shown no more", (*TWO, *PAIR, closed(B9, TUESDAY)), RESOLVE,
        "explanation_lapsed", LIN),
    spec("nor by one that is something else", (*TWO, *PAIR, BY_ERROR), RESOLVE, "explanation_lapsed", LIN),
    spec("who says it once more says it of the one alone", (*TWO, *PAIR, closed(B9, TUESDAY)),
        ExplainBreak(break_id=H, code="timing"), (explained(**BY_UFA),)),
    spec("what stands is not said again", (*TWO, *PAIR), ExplainBreak(break_id=H, code="timing"), ()),
    spec("one date has no two halves by reference", SAME_DAY, MatchBreaks(by="reference"), ()),
    spec("nor by amount", SAME_DAY, BY_AMOUNT, ()),
    spec("what somebody explained is no half by amount", (*TWO, explained()), BY_AMOUNT, ()),
]  # fmt: skip


@pytest.mark.parametrize("row", SPECS, ids=lambda row: row.says)
def test_a_pair(row: Spec) -> None:
    """Each rule of pairs, one row each."""
    row.check(AGGREGATE)


def after(history: tuple[Any, ...], command: Any, who: str = UFA) -> tuple[Any, ...]:
    """The history with what the command does."""
    return (*history, *given(AGGREGATE, *history).when(command, on(principal=who)).events)


def on_the_list(history: tuple[Any, ...]) -> set[str]:
    """The bookings that somebody has to look at."""
    return {break_id for break_id, each in all_kept(fold(AGGREGATE, history).breaks) if each.reference}


def test_a_half_stands_again_when_its_other_one_was_in_flight() -> None:
    """Tuesday's has a half of its own reference on Wednesday: Monday's, which it had settled by its amount, is open again, and the true
    two stay together whatever becomes of that."""
    history = after(ONE_OVER, WEDNESDAYS)
    assert on_the_list(history) == {H}
    settled = fold(AGGREGATE, history).settled
    two = B9, name(WEDNESDAY, TRUE_HALF)
    assert [getattr(kept(settled, each), "counterpart", None) for each in two] == [*two[::-1]]
    history = after(history, replace(FILE, begins_at=3, begins_with="2" * 64, bank=FILE.ledger, breaks=()))
    assert [kept(fold(AGGREGATE, history).settled, each) is not None for each in two] == [True, True]


def test_a_half_that_was_explained_lapses_when_its_other_one_was_in_flight() -> None:
    """Nobody resolves Monday's by what turned out to be another's half."""
    history = after((*TWO, *PAIR), WEDNESDAYS)
    given(AGGREGATE, *history).when(RESOLVE, on(principal=LIN)).then_refused("explanation_lapsed")


def test_a_half_stands_again_when_its_other_one_is_settled_by_reference() -> None:
    """On Thursday, two days later, the bank books Tuesday's under its own reference: those two are one."""
    thursday = replace(WEDNESDAYS, business_date=WEDNESDAY + timedelta(days=1))
    history = after(ONE_OVER, thursday)
    assert on_the_list(history) == {B9, name(thursday.business_date, TRUE_HALF)}, "two days are no night"
    history = after(history, MatchBreaks(by="reference"))
    assert on_the_list(history) == {H}


def test_a_half_that_is_over_and_shown_no_more_explains_nothing() -> None:
    """Monday's was resolved, and our side of it came after all: Tuesday's stands, and needs another explanation."""
    monday = replace(FILE, begins_at=3, begins_with="2" * 64, lines_hash="5" * 64)
    mended = replace(monday, bank=side(3, 750_00), ledger=side(3, 750_00), accounts_fen=750_00, breaks=())
    history = after(ONE_OVER, mended)
    assert history[-1].gone == (H,)
    assert on_the_list(history) == {B9}
    resolve = replace(RESOLVE, break_id=B9)
    given(AGGREGATE, *history).when(resolve, on(principal=LIN)).then_refused("explanation_lapsed")
    history = after(history, BOOKED_TOO)
    assert on_the_list(history) == set(), "what is shown no more is not opened for another's sake"


def test_two_days_are_no_night() -> None:
    """What the bank has on Monday and we on Wednesday is two differences until somebody matches them."""
    wednesday = replace(NEXT, business_date=WEDNESDAY)
    events = given(AGGREGATE, *SETTLED_BY_FILE).when(wednesday, on()).events
    assert [type(event) for event in events[:-1]] == [BankBreakOpened]
    assert events[0] == opened(WEDNESDAY, LATE)
