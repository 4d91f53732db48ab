"""Events about flags on a loan, raised and lifted as measures (libs.events.measures): its debtor has died, or he disputes the debt.

A flag changes nothing of the debt: it changes who is contacted how, and whether his account is debited. Reasons are codes and evidence
is references, on the measure.
"""

from datetime import date
from typing import Literal

from libs.events.codec import event, record

FlagKind = Literal["death", "dispute"]
"""`death`: the debtor has died, and only letters go to his estate; our debits stop. `dispute`: he says that he does not owe it."""


@record
class Flag:
    """The flag is raised."""

    flag: FlagKind
    kind: Literal["flag"] = "flag"


@record
class Unflag:
    """The flag is lifted."""

    flag: FlagKind
    kind: Literal["unflag"] = "unflag"


@event("repayment.LoanFlagged.v1")
class LoanFlagged:
    """One has raised the flag and another has confirmed it."""

    loan_id: str
    borrower: str
    measure_id: str
    flag: FlagKind
    flagged_on: date
    product: str = ""
    region: str = ""


@event("repayment.LoanUnflagged.v1")
class LoanUnflagged:
    """The flag does not stand any more."""

    loan_id: str
    borrower: str
    measure_id: str
    flag: FlagKind
    unflagged_on: date
    product: str = ""
    region: str = ""


# --- collections ---------------------------------------------------------------------------------------------------


@event("collections.DebtorFlagged.v1")
class DebtorFlagged:
    """A flag stands on one of his loans: `death` binds whoever would reach for him, `dispute` the work on this loan's case."""

    debtor_id: str
    borrower: str
    loan_id: str
    flag: FlagKind
    flagged_on: date


@event("collections.DebtorUnflagged.v1")
class DebtorUnflagged:
    """The flag on this loan is lifted."""

    debtor_id: str
    borrower: str
    loan_id: str
    flag: FlagKind
    unflagged_on: date
