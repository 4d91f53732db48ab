"""What the loan says to a correction: the golden case of a reversal, the loan's own refusals, and never twice."""

from dataclasses import replace
from typing import Any

import pytest

from libs.events.corrections import LoanRestated
from libs.events.measures import LoanMoved
from libs.events.repayment import LoanClassified
from services.repayment.commands.corrections import CorrectPayment
from tests.unit.given import given
from tests.unit.repayment.correction_story import CORRECT, PAID, PAID_ON, RESTATED, REVERSED, WRONG
from tests.unit.repayment.stories import FIRST_DUE, LOAN, OPENED, amended, days, line, on


def test_a_reversed_payment_goes_back_and_the_loan_stands_without_it() -> None:
    """Before anything fell due by it: the holders give back what they got less the fee, the platform its fee, the payer gets 30.00."""
    given(LOAN, OPENED, *PAID).when(CORRECT, on(FIRST_DUE)).then(
        REVERSED,
        RESTATED,
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"payment_id": "pay_9"}, "unknown_payment"),
        ({"value_date": days(PAID_ON, 1)}, "value_date_differs"),
        ({"kind": "redate", "to_date": days(FIRST_DUE, 9)}, "date_in_future"),
        ({"kind": "redate", "to_date": days(OPENED.funded_on, -1)}, "before_funding"),
        ({"kind": "redate", "to_date": PAID_ON}, "changes_nothing"),
    ],
)
def test_the_loan_refuses_by_name(change: dict[str, Any], code: str) -> None:
    """What it does not have, what is not so, what cannot be."""
    asked = replace(CORRECT, correction=replace(WRONG, **change))
    given(LOAN, OPENED, *PAID).when(asked, on(FIRST_DUE)).then_refused(code)
    assert f"`{code}`" in (CorrectPayment.__doc__ or "")


def test_only_what_a_replay_would_miss_stands_in_the_way() -> None:
    """A loan is corrected whichever branch looks after it, and says which: of one that never moved its region. One whose class was given
    by hand is not."""
    which: dict[str, Any] = {"loan_id": "loan_7", "borrower": "usr_bo", "measure_id": "msr_1"}
    moved = LoanMoved(from_branch="CN-31", to_branch="CN-44", moved_on=FIRST_DUE, **which)
    plain, elsewhere = (
        given(LOAN, amended(OPENED, region="CN-31"), *PAID, *before).when(CORRECT, on(FIRST_DUE))
        for before in ((), (moved,))
    )
    assert [said.branch for said in plain.events if isinstance(said, LoanRestated)] == ["CN-31"]
    elsewhere.then(
        *(replace(said, branch="CN-44") if isinstance(said, LoanRestated) else said for said in plain.events)
    )
    doubted = LoanClassified(
        classified_on=FIRST_DUE,
        from_class="normal",
        to_class="doubtful",
        dpd=0,
        principal_fen=98_000,
        **which,
    )
    given(LOAN, OPENED, *PAID, doubted).when(CORRECT, on(FIRST_DUE)).then_refused("loan_measured")


def test_a_payment_is_reversed_once() -> None:
    """The same correction again says nothing; another one of the same payment is refused: what was reversed stays reversed."""
    history = given(LOAN, OPENED, *PAID).when(CORRECT, on(FIRST_DUE)).events
    again = given(LOAN, OPENED, *PAID, *history)
    again.when(CORRECT, on(FIRST_DUE)).then_nothing()
    other = replace(CORRECT, correction=replace(WRONG, correction_id="cor_2"))
    again.when(other, on(FIRST_DUE)).then_refused("payment_reversed")


def test_a_loan_that_its_journal_does_not_give_is_left_alone() -> None:
    """A payment that took more than the rules give is history of other rules: nobody's money is moved by a guess."""
    (paid, shared) = PAID
    lines = (line(1, 1_001, 1_999),)
    told = (replace(paid, allocation=lines), shared)
    given(LOAN, OPENED, *told).when(CORRECT, on(FIRST_DUE)).then_refused("history_differs")
