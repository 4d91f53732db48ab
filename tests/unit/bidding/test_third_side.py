"""The third side of a bank day: accounts and claims are held against theirs one by one, so that two errors never cancel."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from libs.events.bank_days import BankBreakClosed, BankBreakOpened, BankDayReconciled, Claims
from services.bidding.account_proof import PROOF, drift_fen
from services.bidding.claims_proof import LOANS_SHOWN, claims_at_rest
from services.bidding.domain.bank_days import AGGREGATE
from services.bidding.projections.bank_days import DAYS
from services.bidding.reconciler import says_nothing
from tests.unit.bidding.bank_day_story import CLAIMS, LANDED_DONE, NEXT, SETTLED_BY_FILE, THIRD
from tests.unit.bidding.specs import on
from tests.unit.documents import documents, history, nested
from tests.unit.given import given
from tests.unit.runtime.edge_world import MemoryViews

#: How each loan's two sums stand at one moment: paid for, registered.
Moment = Mapping[str, tuple[int, int]]


async def test_accounts_that_are_wrong_in_opposite_ways_are_both_wrong() -> None:
    """One says 5 yuan too much, another 5 too little: 10 yuan are said wrongly."""
    views = MemoryViews()
    views.documents[PROOF] = {
        "acc_ann": {"says_fen": 15_00, "posted_fen": 10_00},
        "acc_bob": {"says_fen": 5_00, "posted_fen": 10_00},
        "acc_cem": {"says_fen": 7_00, "posted_fen": 7_00},
    }
    assert await drift_fen(views) == 10_00


async def _at_rest(moments: Sequence[Moment], looks: int = 3) -> Claims | None:
    """What is found when each look is at the next of these moments, and then at the last one."""
    views, left = MemoryViews(), [*moments]

    def show() -> None:
        loans = {
            f"loan:{loan}": {"ledger_fen": one, "register_fen": two} for loan, (one, two) in left[0].items()
        }
        sums = [sum(pair) for pair in zip(*left[0].values(), strict=True)]
        views.documents["bidding.lent"] = loans | {"all": {"ledger_fen": sums[0], "register_fen": sums[1]}}

    async def pause() -> None:
        if len(left) > 1:
            left.pop(0)
        show()

    show()
    return await claims_at_rest(views, pause, looks=looks)


RIGHT: Moment = {"loan_1": (9, 9), "loan_2": (4, 4)}
WRONG: Moment = {"loan_1": (9, 7), "loan_2": (4, 6)}


@pytest.mark.parametrize(
    ("moments", "expected"),
    [
        ([RIGHT], Claims(ledger_fen=13, register_fen=13)),
        ([WRONG], Claims(ledger_fen=13, register_fen=13, apart_fen=4, loans=("loan_1", "loan_2"))),
        ([WRONG, RIGHT], Claims(ledger_fen=13, register_fen=13)),
        (
            [WRONG, WRONG, {"loan_1": (8, 7), "loan_2": (5, 6)}],
            Claims(ledger_fen=13, register_fen=13),
        ),
        (
            [WRONG, {"loan_1": (9, 7), "loan_2": (4, 4)}, {"loan_1": (9, 7), "loan_2": (4, 4)}],
            None,
        ),
        (
            [{"loan_1": (9, 7), "loan_2": (4, 4)}],
            Claims(ledger_fen=13, register_fen=11, apart_fen=2, loans=("loan_1",)),
        ),
    ],
)
async def test_each_loan_is_compared_at_rest(moments: Sequence[Moment], expected: Claims | None) -> None:
    """A loan whose two sums stay apart is named; what moves is on its way."""
    assert await _at_rest(moments) == expected


async def test_so_many_loans_are_named() -> None:
    """The sum is that of all, the names are the first ones."""
    found = await _at_rest([{f"loan_{number:04}": (2, 1) for number in range(LOANS_SHOWN + 5)}])
    assert found is not None
    assert (found.apart_fen, len(found.loans)) == (LOANS_SHOWN + 5, LOANS_SHOWN)


def test_claims_that_cancel_are_a_difference_until_each_loan_agrees() -> None:
    """The sums agree and two loans do not: that is told, stays, and ends when they do."""
    apart = replace(CLAIMS, apart_fen=4, loans=("loan_1", "loan_2"))
    wrong = replace(NEXT, claims=apart)
    first = given(AGGREGATE, *SETTLED_BY_FILE).when(wrong, on()).events
    [found] = [event for event in first if isinstance(event, BankBreakOpened)]
    assert (found.kind, found.bank_fen - found.ledger_fen) == ("claims_differ", 4)
    assert first[-1] == replace(LANDED_DONE, claims=apart, opened=1, open_after=1)
    shown = documents(DAYS, history("bankdays", *first))
    known = {doc: nested(doc, fields) for doc, fields in shown.items()}[str(NEXT.business_date)]
    assert known["claims_apart_fen"] == 4
    assert known["loans_apart"] == ["loan_1", "loan_2"]
    mended = replace(NEXT, claims=CLAIMS, begins_with=THIRD)
    assert not says_nothing(mended, known), "it was told, so its end is asked"
    last = given(AGGREGATE, *SETTLED_BY_FILE, *first).when(mended, on()).events
    assert [type(event) for event in last] == [BankBreakClosed, BankDayReconciled]


def _differs(claims: Claims) -> Any:
    outcome = given(AGGREGATE, *SETTLED_BY_FILE).when(replace(NEXT, claims=claims), on())
    return [event.bank_fen - event.ledger_fen for event in outcome.events if getattr(event, "kind", "")]


def test_a_difference_of_claims_is_as_large_as_its_loans_are_wrong() -> None:
    """In the direction of the sums."""
    assert _differs(Claims(ledger_fen=9, register_fen=7, apart_fen=2, loans=("loan_1",))) == [-2]
    assert _differs(Claims(ledger_fen=9, register_fen=7, apart_fen=6, loans=("loan_1",))) == [-6]
    assert _differs(Claims(ledger_fen=7, register_fen=9, apart_fen=6, loans=("loan_1",))) == [6]
