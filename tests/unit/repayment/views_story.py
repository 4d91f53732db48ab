"""Two loans as the views of repayment are told of them, and the documents that come of it."""

from dataclasses import replace
from typing import Any

from libs.events.repayment import (
    LoanRepaid,
    OverdueBucketChanged,
    PaymentMissed,
)
from tests.unit.repayment.stories import (
    FIRST_PAID,
    INSTALLMENT,
    OPENED,
    SECOND_DUE,
    amended,
    days,
    distributed,
    due,
    line,
    received,
    split,
)

LATE = days(SECOND_DUE, 1)


def moved(
    before: str,
    after: str,
    principal_fen: int,
    overdue_fen: int,
    loan: str = "loan_7",
    late_fen: tuple[int, int] | None = None,
) -> Any:
    """The loan is counted elsewhere; `late_fen` of its principal was overdue, and is."""
    return OverdueBucketChanged(
        loan_id=loan,
        borrower="usr_bo",
        changed_on=LATE,
        from_bucket=before,
        to_bucket=after,
        dpd=1,
        principal_fen=principal_fen,
        overdue_fen=overdue_fen,
        overdue_principal=None if late_fen is None else split(before, after, *late_fen),
    )


#: First instalment in time, second missed and partly paid, then everything settled early.
STORY = (
    OPENED,
    *FIRST_PAID,
    due(2),
    PaymentMissed(
        loan_id="loan_7", borrower="usr_bo", number=2, due_on=SECOND_DUE, open_fen=INSTALLMENT, dpd=1
    ),
    moved("current", "M1", 66_998, INSTALLMENT, late_fen=(0, 33_332)),
    replace(
        received(
            "pay_1", LATE, (line(2, 670, 330),), (66_998, 66_668), bucket="M1", overdue_after_fen=33_002
        ),
        overdue_principal=split("M1", "M1", 33_332, 33_002),
    ),
    distributed("pay_1", LATE, (1, 165, 335, 34), (2, 99, 201, 20), (3, 66, 134, 13)),
)
SETTLEMENT = (
    received("pay_2", LATE, (line(2, 0, 33_002), line(0, 11, 33_666)), (66_668, 0), early=True, bucket="M1"),
    distributed("pay_2", LATE, (1, 33_334, 6, 1), (2, 20_000, 3, 0), (3, 13_334, 2, 0)),
    moved("M1", "current", 0, 0, late_fen=(33_002, 0)),
    LoanRepaid(loan_id="loan_7", borrower="usr_bo", repaid_on=LATE, early=True),
)
OTHER = (
    amended(OPENED, loan_id="loan_8", borrower="usr_cy"),
    moved("current", "M1", 100_000, INSTALLMENT, loan="loan_8"),
    moved("M1", "M2", 100_000, 2 * INSTALLMENT, loan="loan_8"),
)

TERMS = {
    "loan_id": "loan_7",
    "listing_id": "lst_7",
    "borrower": "usr_bo",
    "borrower_account": "acc_bo",
    "principal_fen": 100_000,
    "tenor_months": 3,
    "grade": "B",
    "interest_fee_permille": 100,
    "installment_fen": INSTALLMENT,
    "annual_rate": "0.12",
    "funded_on": "2024-01-31",
    "claims": 3,
    "product": "",
    "region": "",
    "guarantor": "",
    "penalty_rate": "0",
    "repayment": None,
    "accrual": "accruing",
    "non_accrual_since": None,
    "written_off_on": None,
    "voided_on": None,
    "branch": "",
    "recovered_fen": 0,
    "waived_fen": 0,
    "cost_fen": 0,
    "paid_cost_fen": 0,
    "rows_to": 3,
}


def row(
    number: int, due_on: str, contracted: tuple[int, int], paid: tuple[int, int], missed: bool
) -> dict[str, Any]:
    """The fields of one instalment: (principal, interest) contracted and paid."""
    return {
        f"rows.{number}.due_on": due_on,
        f"rows.{number}.principal_fen": contracted[0],
        f"rows.{number}.interest_fen": contracted[1],
        f"rows.{number}.paid_principal_fen": paid[0],
        f"rows.{number}.paid_interest_fen": paid[1],
        f"rows.{number}.missed": missed,
        f"rows.{number}.penalty_fen": 0,
        f"rows.{number}.paid_penalty_fen": 0,
        f"rows.{number}.fee_fen": 0,
        f"rows.{number}.paid_fee_fen": 0,
    }


def paid(payment_id: str, day: str, parts: tuple[int, int, int], *, early: bool = False) -> dict[str, Any]:
    """The line of one payment: (penalty, interest, principal)."""
    names = ("penalty_fen", "interest_fen", "principal_fen")
    fields = {"value_date": day, "amount_fen": sum(parts), "cost_fen": 0, "fee_fen": 0, "early": early}
    fields |= dict(zip(names, parts, strict=True))
    return {f"payments.{payment_id}.{name}": value for name, value in fields.items()}


#: What both stories have: one payment in time, one in part, one day late by the close of the first of April.
LATE_ONCE = {
    "loan_class": "normal",
    "penalty_fen": 0,
    "dpd": 1,
    "dpd_on": "2024-04-01",
    **paid("dbt_7_20240229", "2024-02-29", (0, 1_000, 33_002)),
    **paid("pay_1", "2024-04-01", (0, 670, 330)),
}


def without_source(document: dict[str, Any]) -> dict[str, Any]:
    """A document without the address of the last event behind it."""
    return {name: value for name, value in document.items() if not name.startswith("src.")}
