"""Commands of a compensation 代偿 to its loan: three people of finance, then the answer of the guarantor's account.

`himself` is a member of staff as a customer, None where the register names none: whoever owes, answers for the loan or is owed has no part
in it (`forbidden_borrower`, `forbidden_guarantor`, `forbidden_holder`).

To a loan that is repaid they are refused `loan_repaid`, to none `unknown_loan`.
"""

from datetime import date

from libs.events.codec import command
from libs.events.money import PositiveFen
from libs.events.onboarding import Code


@command("repayment.ProposeCompensation")
class ProposeCompensation:
    """The guarantor is to pay. No effect for the one that is under way under this id.

    Refused: `forbidden_not_staff`, `no_guarantor`, `compensation_open` (another one), `debit_unanswered` (the loan may have been paid
    in time), `not_overdue_enough` (fewer days than the contract's), `nothing_overdue` (that is not compensated).
    """

    loan_id: str
    compensation_id: str
    himself: str | None = None


@command("repayment.ApproveCompensation")
class ApproveCompensation:
    """Another person agrees. No effect when it is approved. Refused: `compensation_not_open`, `forbidden_not_staff`,
    `forbidden_same_person`, `compensation_expired` (its days to be signed are over)."""

    loan_id: str
    compensation_id: str
    himself: str | None = None


@command("repayment.RefuseCompensation")
class RefuseCompensation:
    """It is not done (`code`), as long as no money is asked for. No effect where it is not under way. Refused:
    `forbidden_not_staff`, `compensation_executed`."""

    loan_id: str
    compensation_id: str
    code: Code
    himself: str | None = None


@command("repayment.ExecuteCompensation")
class ExecuteCompensation:
    """A third person asks the guarantor's account for what it comes to today, or it is declined by event: `nothing_overdue`,
    `not_overdue_enough` (the contract's days count again on this day). No effect when it was asked for.

    Refused: `compensation_not_open`, `not_approved`, `forbidden_not_staff`, `forbidden_same_person`, `compensation_expired`,
    `debit_unanswered`.
    """

    loan_id: str
    compensation_id: str
    himself: str | None = None


@command("repayment.RecordCompensation")
class RecordCompensation:
    """The guarantor's money was taken. No effect for what is not asked for. Refused: `unknown_loan`.

    What the loan does not take comes back by event (PaymentReturned: `nothing_overdue`, `loan_repaid`; OverpaymentReturned).
    """

    compensation_id: str
    account_id: str
    amount_fen: PositiveFen
    value_date: date


@command("repayment.DeclineCompensation")
class DeclineCompensation:
    """The guarantor's account did not pay (`code`). No effect for what is not asked for. Refused: `unknown_loan`."""

    compensation_id: str
    code: Code
