"""Bank days: what a day's file opens and closes, and how a difference ends: by a file, by another one, or by two people."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from libs.events.bank_days import BankBreakClosed, BankBreakOpened, BankDayReconciled, Claims
from libs.events.codec import encode
from libs.events.money import MAX_INTEGER
from libs.events.topics import COMMAND_BYTES_MAX, DECISION_BYTES_MAX
from services.bidding.commands.bank_days import ExplainBreak, MatchBreaks, ReconcileBankDay, ResolveBreak
from services.bidding.domain.bank_day_files import BREAKS_MAX, PART_MAX
from services.bidding.domain.bank_day_records import Books, Break
from services.bidding.domain.bank_days import AGGREGATE
from services.bidding.domain.bank_days_state import DAYS_KEPT
from services.bidding.domain.buckets import number_of
from tests.unit.bidding.bank_day_story import (
    ALL_DONE,
    BEGUN,
    CLAIMS,
    DONE,
    FILE,
    FIRST,
    GROWN,
    GROWN_DONE,
    HERE,
    IN_FLIGHT,
    IN_PARTS,
    LANDED_DONE,
    LATE,
    LIN,
    MATCHED,
    MONDAY,
    NEXT,
    NEXT_DONE,
    RECONCILED,
    RESOLVED,
    SECOND,
    SETTLED_BY_FILE,
    THERE,
    THIRD,
    TUESDAY,
    TWO_DAYS,
    UFA,
    H,
    L,
    T,
    closed,
    explained,
    line,
    listed,
    name,
    opened,
    part,
    side,
    told,
)
from tests.unit.bidding.specs import ANN, Spec, on
from tests.unit.given import TODAY, fold, given

EXPLAIN = ExplainBreak(break_id=H, code="booked_later")
RESOLVE = ResolveBreak(break_id=H, code="booked_later")
MATCH = MatchBreaks(by="reference")
BY_AMOUNT = MatchBreaks(by="amount")


def spec(says: str, history: tuple[Any, ...], when: Any, then: Any, who: str = UFA) -> Spec:
    """A rule of bank days, for whoever acts."""
    return Spec(says, history, when, then, on(principal=who))


def whole(break_id: str, kind: Any, bank_fen: int, ledger_fen: int) -> BankBreakOpened:
    """A difference of the whole on Tuesday."""
    return BankBreakOpened(
        break_id=break_id,
        business_date=TUESDAY,
        kind=kind,
        reference="",
        account_id="",
        bank_fen=bank_fen,
        ledger_fen=ledger_fen,
    )


#: B2 once more under another reference, so that only the amount speaks for it.
OTHER = replace(LATE, reference="B9")
OTHER_DAY = (*SETTLED_BY_FILE, opened(TUESDAY, OTHER), NEXT_DONE)
BY_UFA: dict[str, Any] = {"code": "timing", "explained_by": UFA}

REUSED = line("reference_reused", "B5", 0, 25_00)
BEGUN_AND_ONE = (BEGUN, opened(MONDAY, HERE), listed(0, H))

SPECS = [
    spec("what differs is put on the work list", (), FILE, RECONCILED),
    spec("the same file says nothing", RECONCILED, replace(FILE, begins_at=2, begins_with=FIRST), ()),
    spec("a grown file closes what came late", RECONCILED, GROWN, (closed(T), GROWN_DONE)),
    spec("a day that agrees is reconciled, too", (), replace(FILE, bank=FILE.ledger, breaks=()),
        (replace(DONE, bank=FILE.ledger, opened=0, open_after=0),)),
    spec("another file of the day is none", RECONCILED, replace(GROWN, begins_with=SECOND), "file_differs"),
    spec("nor a shorter one", RECONCILED, replace(GROWN, begins_at=1), "file_differs"),
    spec("a day has a file when it is over", (), replace(FILE, business_date=on().business_date), "day_not_over"),
    spec("no difference is left out", (), replace(FILE, breaks=(HERE,)), "breaks_do_not_add_up"),
    spec("nor one that costs nothing", (), replace(FILE, bank=side(3, 700_00)), "breaks_do_not_add_up"),
    spec("none is told twice", (), replace(FILE, breaks=(HERE, THERE, THERE)), "invalid_breaks"),
    spec(
        "a day with too many is no work list",
        (),
        replace(FILE, breaks=tuple(line("account_differs", f"B{n}", 1, 1) for n in range(PART_MAX + 1))),
        "too_many_breaks",
    ),
    spec(
        "a difference can be said",
        (),
        replace(FILE, bank=replace(FILE.bank, closing_fen=-MAX_INTEGER), accounts_fen=MAX_INTEGER,
            ledger=replace(FILE.ledger, closing_fen=MAX_INTEGER)),
        "amount_too_large",
    ),
    spec("what was in flight at midnight is one difference", SETTLED_BY_FILE, NEXT, (IN_FLIGHT, LANDED_DONE)),
    spec("once", (*SETTLED_BY_FILE, IN_FLIGHT, LANDED_DONE), replace(NEXT, begins_with=THIRD), ()),
    spec(
        "another account's is another",
        SETTLED_BY_FILE,
        replace(NEXT, breaks=(replace(LATE, account_id="acc_cem"),)),
        (opened(TUESDAY, replace(LATE, account_id="acc_cem")), NEXT_DONE),
    ),
    spec(
        "of two that say the same each is one",
        (),
        replace(FILE, breaks=(HERE, REUSED, replace(REUSED, number=1)), ledger=side(3, 550_00), bank=side(2, 700_00)),
        (
            opened(MONDAY, HERE),
            opened(MONDAY, REUSED),
            opened(MONDAY, replace(REUSED, number=1)),
            replace(DONE, ledger=side(3, 550_00), bank=side(2, 700_00), opened=3, open_after=3),
        ),
    ),
    spec("a long day begins with what its parts come to", (), IN_PARTS, (BEGUN,)),
    spec("once", (BEGUN,), IN_PARTS, ()),
    spec("its parts add up", (), replace(IN_PARTS, parts=IN_PARTS.parts[:1]), "breaks_do_not_add_up"),
    spec("one part after the other", (BEGUN,), part(0, HERE), (opened(MONDAY, HERE), listed(0, H))),
    spec("once", BEGUN_AND_ONE, part(0, HERE), ()),
    spec("the last one ends the day", BEGUN_AND_ONE, part(1, THERE),
        (opened(MONDAY, THERE), listed(1, T), ALL_DONE)),
    spec("what another day opens meanwhile is not counted as its own",
        (*BEGUN_AND_ONE, opened(TUESDAY, OTHER), NEXT_DONE), part(1, THERE),
        (opened(MONDAY, THERE), listed(1, T), replace(ALL_DONE, open_after=3))),
    spec("none is left out", (BEGUN,), part(1, THERE), "part_missing"),
    spec("each is what was told of it", (BEGUN,), part(0, THERE), "part_differs"),
    spec("of a day that began", RECONCILED, part(0, HERE), "listing_not_begun"),
    spec("a day that nobody looks at any more", (replace(DONE, business_date=TODAY),),
        replace(FILE, business_date=TODAY - timedelta(days=DAYS_KEPT)), "day_too_old"),
    spec("somebody says why", RECONCILED, EXPLAIN, (explained(),)),
    spec("once", (*RECONCILED, explained()), EXPLAIN, ()),
    spec("or otherwise", (*RECONCILED, explained(code="bank_error")), EXPLAIN, (explained(),)),
    spec("by staff", RECONCILED, EXPLAIN, "forbidden_not_staff", ANN),
    spec("nobody about his own account", RECONCILED, replace(EXPLAIN, himself=ANN), "forbidden_holder"),
    spec("of what is there", RECONCILED, replace(EXPLAIN, break_id="brk_none"), "break_not_open"),
    spec("not of what is closed", SETTLED_BY_FILE, replace(EXPLAIN, break_id=T), "break_not_open"),
    spec("another one resolves it", (*RECONCILED, explained()), RESOLVE, (RESOLVED,), LIN),
    spec("once", (*RECONCILED, explained(), RESOLVED), RESOLVE, (), LIN),
    spec("not twice", (*RECONCILED, explained(), RESOLVED), replace(RESOLVE, code="timing"), "break_resolved", LIN),
    spec("not who explained it", (*RECONCILED, explained()), RESOLVE, "forbidden_second_signature"),
    spec("not what nobody explained", RECONCILED, RESOLVE, "break_not_explained", LIN),
    spec("not what is not there", RECONCILED, replace(RESOLVE, break_id="brk_none"), "break_not_open", LIN),
    spec("by staff", (*RECONCILED, explained()), RESOLVE, "forbidden_not_staff", ANN),
    spec("nobody about his own account", (*RECONCILED, explained()), replace(RESOLVE, himself=ANN), "forbidden_holder", LIN),
    spec("one reference on two days settles itself", TWO_DAYS, MATCH, (MATCHED,)),
    spec("once", (*TWO_DAYS, MATCHED), MATCH, ()),
    spec("by staff", TWO_DAYS, MATCH, "forbidden_not_staff", ANN),
    spec("his own are left to others", TWO_DAYS, replace(MATCH, himself=ANN), ()),
    spec("another reference does not", OTHER_DAY, MATCH, ()),
    spec("another account's does not", (*SETTLED_BY_FILE, opened(TUESDAY, replace(LATE, account_id="acc_cem"))), MATCH, ()),
    spec(
        "one amount on two days is explained by it",
        OTHER_DAY,
        BY_AMOUNT,
        (
            explained(counterpart=name(TUESDAY, OTHER), **BY_UFA),
            explained(name(TUESDAY, OTHER), TUESDAY, counterpart=H, **BY_UFA),
        ),
    ),
    spec("of two that fit nobody could say which", (*TWO_DAYS, opened(TUESDAY, OTHER)), BY_AMOUNT, ()),
]  # fmt: skip


@pytest.mark.parametrize("row", SPECS, ids=lambda row: row.says)
def test_a_bank_day(row: Spec) -> None:
    """Each rule of bank days, one row each."""
    row.check(AGGREGATE)


def test_what_was_settled_is_not_told_again() -> None:
    """A later file of the day shows it still, and it stays settled; so does a pair that was matched."""
    resolved = (*RECONCILED, explained(), RESOLVED)
    given(AGGREGATE, *resolved).when(GROWN, on()).then(closed(T), replace(GROWN_DONE, open_after=0))
    matched = replace(GROWN, begins_at=3, begins_with=SECOND)
    given(AGGREGATE, *TWO_DAYS, MATCHED).when(matched, on()).then_nothing()


def test_a_balance_that_no_booking_explains_is_one_difference_until_it_changes() -> None:
    """The bank took 5 yuan without a line: said once, not on every later day; said anew when it is another amount; gone with it."""
    short = replace(NEXT, bank=replace(NEXT.bank, closing_fen=745_00))
    first, second = given(AGGREGATE, *SETTLED_BY_FILE).when(short, on()), None
    found = next(event for event in first.events if getattr(event, "kind", "") == "balance_differs")
    assert found == whole(found.break_id, "balance_differs", 745_00, 750_00)
    history = (*SETTLED_BY_FILE, *first.events)
    given(AGGREGATE, *history).when(replace(short, begins_with="3" * 64), on()).then_nothing()
    more = replace(short, begins_with="3" * 64, bank=replace(NEXT.bank, closing_fen=740_00))
    second = given(AGGREGATE, *history).when(more, on())
    assert [getattr(event, "bank_fen", None) for event in second.events[:2]] == [None, 740_00]
    healed = replace(short, begins_with="3" * 64, bank=NEXT.bank)
    given(AGGREGATE, *history).when(healed, on()).then(
        closed(found.break_id, TUESDAY),
        replace(NEXT_DONE, revision=2, opened=0, closed=1, open_after=0),
    )
    signed = (*history, explained(found.break_id, TUESDAY), replace(
        RESOLVED, break_id=found.break_id, business_date=TUESDAY, code="bank_corrected"))  # fmt: skip
    given(AGGREGATE, *signed).when(replace(short, begins_with="3" * 64), on()).then_nothing()


@pytest.mark.parametrize(
    ("changed", "kind", "amounts"),
    [
        ({"accounts_fen": 749_00}, "accounts_differ", (749_00, 750_00)),
        ({"claims": Claims(ledger_fen=900_00, register_fen=899_00)}, "claims_differ", (899_00, 900_00)),
    ],
)
def test_the_accounts_and_the_claims_are_the_third_side(
    changed: dict[str, Any], kind: str, amounts: tuple[int, int]
) -> None:
    """What customers and others have must be what the ledger has at the bank, and lenders' claims what was paid for them."""
    outcome = given(AGGREGATE, *SETTLED_BY_FILE).when(replace(NEXT, **changed), on())
    found = [event for event in outcome.events if isinstance(event, BankBreakOpened) and not event.reference]
    assert found == [whole(found[0].break_id, kind, *amounts)]
    given(AGGREGATE, *SETTLED_BY_FILE).when(replace(NEXT, claims=CLAIMS), on()).then(
        IN_FLIGHT, replace(LANDED_DONE, claims=CLAIMS)
    )


#: Tuesday's balance has 50 yuan that a late order of Monday will explain, and no line does yet.
AHEAD = replace(NEXT, bank=side(0, 0, closing_fen=750_00), ledger=side(1, 200_00, closing_fen=750_00))


def test_a_late_line_of_an_earlier_day_ends_the_difference_of_the_balance() -> None:
    """The latest balance had it before any line explained it: the earlier day's file says so, and nobody waits for the next day."""
    first = given(AGGREGATE, *RECONCILED).when(AHEAD, on())
    [found] = [event for event in first.events if getattr(event, "kind", "") == "balance_differs"]
    assert found == whole(found.break_id, "balance_differs", 750_00, 700_00)
    again = given(AGGREGATE, *RECONCILED, *first.events).when(GROWN, on())
    assert again.events[:2] == (closed(T), closed(found.break_id, TUESDAY))
    assert isinstance(again.events[-1], BankDayReconciled)
    assert (again.events[-1].closed, again.events[-1].open_after) == (2, 0)


def test_what_people_settled_and_the_bank_mends_opens_nothing() -> None:
    """The bank took 5 yuan, two people settled it, the bank gives it back: no opposite difference; taken once more, it is told anew."""
    short = replace(NEXT, bank=replace(NEXT.bank, closing_fen=745_00))
    first = given(AGGREGATE, *SETTLED_BY_FILE).when(short, on())
    [found] = [event for event in first.events if getattr(event, "kind", "") == "balance_differs"]
    history = (
        *SETTLED_BY_FILE,
        *first.events,
        explained(found.break_id, TUESDAY),
        replace(RESOLVED, break_id=found.break_id, business_date=TUESDAY, code="bank_corrected"),
    )
    mended = replace(NEXT, begins_with=THIRD)
    done = replace(LANDED_DONE, revision=2, corrected=("balance_differs",))
    given(AGGREGATE, *history).when(mended, on()).then(done)
    anew = given(AGGREGATE, *history, done).when(replace(short, begins_with=THIRD), on())
    assert [type(event) for event in anew.events] == [BankBreakOpened, BankDayReconciled]
    more = replace(short, begins_with=THIRD, bank=replace(NEXT.bank, closing_fen=743_00))
    second = given(AGGREGATE, *history).when(more, on())
    [another] = [event for event in second.events if isinstance(event, BankBreakOpened)]
    assert (another.bank_fen, another.ledger_fen) == (743_00, 745_00)
    half = replace(more, bank=replace(NEXT.bank, closing_fen=748_00))
    last = given(AGGREGATE, *history, *second.events).when(half, on()).events[-1]
    assert isinstance(last, BankDayReconciled)
    assert (last.corrected, last.closed, last.opened) == (("balance_differs",), 0, 0)


def test_a_pair_of_which_a_file_has_one_half_no_more_is_a_difference_again() -> None:
    """Ours of Monday was on the bank's Tuesday; Monday's file grows by it, too: then Tuesday's line stands alone."""
    ours = replace(THERE, reference="B8")
    tuesdays = replace(HERE, reference="B8", bank_fen=50_00)
    monday = replace(FILE, bank=side(0, 0), ledger=side(1, 50_00), accounts_fen=50_00, breaks=(ours,))
    first = given(AGGREGATE).when(monday, on()).events
    tuesday = replace(
        NEXT,
        bank=side(1, 50_00),
        ledger=side(0, 0, closing_fen=50_00),
        breaks=(tuesdays,),
        accounts_fen=50_00,
    )
    second = given(AGGREGATE, *first).when(tuesday, on()).events
    assert [type(event).__name__ for event in second] == ["BankBreakInFlight", "BankDayReconciled"]
    grown = replace(monday, bank=side(1, 50_00), breaks=(), begins_at=0, begins_with=FIRST)
    third = given(AGGREGATE, *first, *second).when(grown, on()).events
    assert third[0] == opened(TUESDAY, tuesdays)
    assert third[-1].open_after == number_of(fold(AGGREGATE, (*first, *second, *third)).breaks)


def test_what_people_matched_stands_alone_again_when_a_half_is_gone() -> None:
    """The bank books Tuesday's B2 a second time: then Monday's is none of ours. Whoever matched them, by reference or by amount."""
    twice = replace(NEXT, bank=side(1, 200_00, closing_fen=950_00), breaks=(), begins_with=THIRD)
    by_amount = (
        explained(counterpart=name(TUESDAY, OTHER), **BY_UFA),
        explained(name(TUESDAY, OTHER), TUESDAY, counterpart=H, **BY_UFA),
        replace(RESOLVED, code="timing"),
        replace(RESOLVED, break_id=name(TUESDAY, OTHER), business_date=TUESDAY, code="timing"),
    )
    for history in ((*TWO_DAYS, MATCHED), (*OTHER_DAY, *by_amount)):
        first, done = given(AGGREGATE, *history).when(twice, on()).events
        assert (first, done.open_after) == (opened(MONDAY, HERE), 1)


def test_a_beginning_that_died_is_not_finished_with_old_claims() -> None:
    """Who begins anew says what is in, and the day is that of the new beginning."""
    anew = replace(IN_PARTS, claims=CLAIMS, known=told(HERE), parts=IN_PARTS.parts[1:])
    (other,) = given(AGGREGATE, *BEGUN_AND_ONE).when(anew, on()).events
    assert (other.claims, other.listing != BEGUN.listing) == (CLAIMS, True)
    last = replace(part(0, THERE), listing=other.listing)
    done = given(AGGREGATE, *BEGUN_AND_ONE, other).when(last, on()).events[-1]
    assert done == replace(ALL_DONE, claims=CLAIMS, opened=1)


def test_the_state_keeps_the_last_days_and_what_they_need() -> None:
    """After a year of days with a settled difference each there are sixty days and their sixty differences; the sums stay right."""
    state = fold(AGGREGATE, ())
    for number in range(365):
        day = MONDAY - timedelta(days=365 - number)
        each = line("account_differs", f"B{number}", 1, 1)
        settled = (
            opened(day, each),
            explained(name(day, each), day),
            replace(RESOLVED, break_id=name(day, each), business_date=day),
            replace(DONE, business_date=day, bank=side(1, 3), ledger=side(1, 2)),
        )
        for event in settled:
            state = AGGREGATE.evolve(state, event)
    assert (len(state.days), sum(map(len, state.settled.values())), state.left_fen) == (60, 60, 305)
    assert state.breaks == {}


def test_a_day_and_a_work_list_that_are_full_can_be_said() -> None:
    """As many differences as a command may have fit into it, as many as may be open end in one decision, and no more are open."""
    longest = [line("direction_differs", f"{number:064}", MAX_INTEGER, -MAX_INTEGER, "a" * 44) for number in range(PART_MAX)]  # fmt: skip
    command = replace(FILE, breaks=tuple(longest), claims=CLAIMS)
    assert len(encode(ReconcileBankDay, command)) + 2_000 < COMMAND_BYTES_MAX
    an_end = len(encode(BankBreakClosed, closed(H))) + 150
    assert BREAKS_MAX * an_end < DECISION_BYTES_MAX
    old = Break(
        business_date=MONDAY, kind="missing_here", reference="B", account_id="", bank_fen=1, ledger_fen=0
    )
    full = fold(AGGREGATE, ())
    full = replace(full, breaks={"00": {f"brk_00{number}": old for number in range(BREAKS_MAX)}})
    assert isinstance(full, Books)
    with pytest.raises(Exception, match="too_many_breaks"):
        AGGREGATE.decide(replace(NEXT, breaks=(replace(LATE, reference="B0"),)), full, on())
    assert AGGREGATE.wake_on(full) is None
    assert L != H
