"""Events of `bidding` about the papers of a loan: its e-contract and the certificate of each claim, known by their hashes.

They stand beside the others because one file of all would be too long to read; `libs.events.bidding` gives them on. Those of the
deal packs are in `libs.events.deal_packs`.
"""

from datetime import date

from libs.events.codec import event, record
from libs.events.money import AnnualRate, Count, PositiveFen
from libs.events.onboarding import Code, TextHash
from libs.events.schedules.row import ScheduleRow
from libs.events.schedules.terms import RepaymentTerms


@record
class Certificate:
    """One claim's certificate: who lent how much, and the hash of the certificate's text; `order` is the claim's."""

    order: int
    claim_id: str
    account_id: str
    investor: str
    principal_fen: PositiveFen
    certificate_hash: TextHash


@event("bidding.ContractIssued.v1")
class ContractIssued:
    """A loan's e-contract exists: everything that its text and its certificates are written from, and their hashes.

    The text itself is written again from these fields, the same for ever: `version` of `template` is never edited.
    `guarantor` is None where the loan has none. Each claim's deal pack is due by the end of `packs_due_on`, None where the
    certificate is all that a lender gets. `rows` are the schedule that the text says: a calendar of holidays grows from year to
    year, so it is never made again.
    """

    contract_id: str
    loan_id: str
    borrower: str
    amount_fen: PositiveFen
    annual_rate: AnnualRate
    tenor_months: int
    method: Code
    grade: str
    origination_fee_fen: Count
    interest_fee_permille: int
    funded_on: date
    guarantor: str | None
    template: Code
    version: int
    content_hash: TextHash
    claims: tuple[Certificate, ...]
    packs_due_on: date | None
    repayment: RepaymentTerms | None = None
    rows: tuple[ScheduleRow, ...] = ()
