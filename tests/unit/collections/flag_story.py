"""Bo has died, or disputes loan 7: what collections is told of it."""

from libs.events.flags import DebtorFlagged, DebtorUnflagged, FlagKind, LoanFlagged, LoanUnflagged
from services.collections.commands import RecordFlag, RecordUnflag
from tests.unit.collections.stories import BORROWER, DEBTOR, LOAN
from tests.unit.given import TODAY


def flag(kind: FlagKind, loan_id: str = LOAN) -> RecordFlag:
    """It stands."""
    return RecordFlag(loan_id=loan_id, borrower=BORROWER, flag=kind, flagged_on=TODAY)


def unflag(kind: FlagKind, loan_id: str = LOAN) -> RecordUnflag:
    """It does not."""
    return RecordUnflag(loan_id=loan_id, borrower=BORROWER, flag=kind, unflagged_on=TODAY)


def flagged(kind: FlagKind, loan_id: str = LOAN) -> DebtorFlagged:
    """The debtor knows."""
    return DebtorFlagged(debtor_id=DEBTOR, borrower=BORROWER, loan_id=loan_id, flag=kind, flagged_on=TODAY)


def unflagged(kind: FlagKind, loan_id: str = LOAN) -> DebtorUnflagged:
    """The debtor knows that as well."""
    return DebtorUnflagged(
        debtor_id=DEBTOR, borrower=BORROWER, loan_id=loan_id, flag=kind, unflagged_on=TODAY
    )


#: What repayment says.
RAISED = LoanFlagged(loan_id=LOAN, borrower=BORROWER, measure_id="msr_1", flag="death", flagged_on=TODAY)
LIFTED = LoanUnflagged(loan_id=LOAN, borrower=BORROWER, measure_id="msr_2", flag="death", unflagged_on=TODAY)
