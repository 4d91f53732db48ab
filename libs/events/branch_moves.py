"""A loan that another branch looks after 贷款划转: what it says of it. `libs.events.measures` gives it on."""

from datetime import date

from libs.events.codec import event
from libs.events.onboarding import Code


@event("repayment.LoanMoved.v1")
class LoanMoved:
    """Another branch looks after the loan; the region that it is counted by is the borrower's, and stays."""

    loan_id: str
    borrower: str
    measure_id: str
    from_branch: Code
    to_branch: Code
    moved_on: date
