"""Commands of `bidding` about the papers of a funded loan. Whoever signs is the command's principal, never a field."""

from datetime import date

from libs.events.bidding import ClaimTerms
from libs.events.codec import command
from libs.events.money import AnnualRate, Count, PositiveFen
from libs.events.onboarding import Code

# --- contract ------------------------------------------------------------------------------------------------------


@command("bidding.IssueContract")
class IssueContract:
    """Write the e-contract of a loan whose money is collected, and a certificate per claim. No effect when it is written.

    Refused: `rate_missing` (a contract without a stated rate bears no interest, so none is built: processes.md 1.G.1; a rate
    of zero is stated), `invalid_claims` (they must be 1 to 1,000, distinct, and sum to the amount), `invalid_loan`,
    `contract_exists` (on other terms).
    """

    loan_id: str
    borrower: str
    amount_fen: PositiveFen
    annual_rate: AnnualRate | None
    tenor_months: int
    grade: str
    origination_fee_fen: Count
    interest_fee_permille: int
    funded_on: date
    claims: tuple[ClaimTerms, ...]
    method: Code = "equal_instalments"
    guarantor: str | None = None
