"""Bank days: what a day's file opens and closes, and how a difference ends: by a file, by another one, or by two people."""

from dataclasses import replace
from typing import Any

import pytest

from libs.events.bank_days import BankBreakOpened, Claims
from libs.events.codec import encode
from libs.events.money import MAX_INTEGER
from libs.events.topics import COMMAND_BYTES_MAX
from services.bidding.commands.bank_days import ExplainBreak, MatchBreaks, ReconcileBankDay, ResolveBreak
from services.bidding.domain.bank_day_files import BREAKS_MAX, PART_MAX
from services.bidding.domain.bank_days import AGGREGATE
from services.bidding.domain.bank_days_state import Books, Break
from tests.unit.bidding.bank_day_story import (
    CLAIMS,
    DONE,
    FILE,
    FIRST,
    GROWN,
    GROWN_DONE,
    HERE,
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
    TUESDAY,
    TWO_DAYS,
    UFA,
    H,
    L,
    T,
    closed,
    explained,
    line,
    name,
    opened,
    side,
)
from tests.unit.bidding.specs import ANN, Spec, on
from tests.unit.given import fold, given

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
    spec("a booking may be a day late", SETTLED_BY_FILE, NEXT, (opened(TUESDAY, LATE), NEXT_DONE)),
    spec("somebody says why", RECONCILED, EXPLAIN, (explained(),)),
    spec("once", (*RECONCILED, explained()), EXPLAIN, ()),
    spec("or otherwise", (*RECONCILED, explained(code="bank_error")), EXPLAIN, (explained(),)),
    spec("by staff", RECONCILED, EXPLAIN, "forbidden_not_staff", ANN),
    spec("of what is there", RECONCILED, replace(EXPLAIN, break_id="brk_none"), "break_not_open"),
    spec("not of what is closed", SETTLED_BY_FILE, replace(EXPLAIN, break_id=T), "break_not_open"),
    spec("another one resolves it", (*RECONCILED, explained()), RESOLVE, (RESOLVED,), LIN),
    spec("once", (*RECONCILED, explained(), RESOLVED), RESOLVE, (), LIN),
    spec("not twice", (*RECONCILED, explained(), RESOLVED), replace(RESOLVE, code="timing"), "break_resolved", LIN),
    spec("not who explained it", (*RECONCILED, explained()), RESOLVE, "forbidden_second_signature"),
    spec("not what nobody explained", RECONCILED, RESOLVE, "break_not_explained", LIN),
    spec("not what is not there", RECONCILED, replace(RESOLVE, break_id="brk_none"), "break_not_open", LIN),
    spec("by staff", (*RECONCILED, explained()), RESOLVE, "forbidden_not_staff", ANN),
    spec("one reference on two days settles itself", TWO_DAYS, MATCH, (MATCHED,)),
    spec("once", (*TWO_DAYS, MATCHED), MATCH, ()),
    spec("by staff", TWO_DAYS, MATCH, "forbidden_not_staff", ANN),
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
        replace(NEXT_DONE, revision=2, opened=0, closed=1, open_after=2),
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
        opened(TUESDAY, LATE), replace(NEXT_DONE, claims=CLAIMS)
    )


def test_a_day_and_a_work_list_that_are_full_can_be_said() -> None:
    """As many differences as a day may have fit into its command, and no more are open than may be."""
    longest = [line("direction_differs", f"{number:064}", MAX_INTEGER, -MAX_INTEGER, "a" * 44) for number in range(PART_MAX)]  # fmt: skip
    command = replace(FILE, breaks=tuple(longest), claims=CLAIMS)
    assert len(encode(ReconcileBankDay, command)) + 2_000 < COMMAND_BYTES_MAX
    old = Break(
        business_date=MONDAY, kind="missing_here", reference="B", account_id="", bank_fen=1, ledger_fen=0
    )
    full = fold(AGGREGATE, ())
    full = replace(full, breaks={"": {f"brk_{number}": old for number in range(BREAKS_MAX)}})
    assert isinstance(full, Books)
    with pytest.raises(Exception, match="too_many_breaks"):
        AGGREGATE.decide(NEXT, full, on())
    assert AGGREGATE.wake_on(full) is None
    assert L != H
