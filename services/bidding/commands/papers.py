"""Commands of `bidding` about the papers of a funded loan. Whoever signs is the command's principal, never a field."""

from datetime import date

from libs.events.bidding import (
    ClaimTerms,
)
from libs.events.codec import command
from libs.events.deal_packs import (
    Channel,
    Seal,
)
from libs.events.money import AnnualRate, Count, PositiveFen
from libs.events.onboarding import Code, TextHash
from libs.events.schedules.terms import RepaymentTerms
from libs.events.void_papers import SignedBlank
from libs.events.voiding import VoidingCode

# --- contract ------------------------------------------------------------------------------------------------------


@command("bidding.IssueContract")
class IssueContract:
    """Write the e-contract of a loan whose money is collected, and a certificate per claim. No effect when it is written.

    Refused: `rate_missing` (a contract without a stated rate bears no interest, so none is built: processes.md 1.G.1; a rate
    of zero is stated), `invalid_claims` (they must be 1 to 1,000, distinct, and sum to the amount), `invalid_loan`,
    `contract_exists` (on other terms), and what `libs.events.schedules.terms.require_sound` names: its schedule stands in it.
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
    repayment: RepaymentTerms | None = None


@command("bidding.VoidContract")
class VoidContract:
    """The loan's contract is void, written or not, with the papers of `claims`: by a measure, or with its listing (`measure_id`). No effect
    when it is."""

    loan_id: str
    borrower: str
    measure_id: str
    ground: VoidingCode
    voided_on: date
    claims: tuple[str, ...] = ()
    knew: tuple[str, ...] = ()


@command("bidding.RecordSignedBlank")
class RecordSignedBlank:
    """The loan's contract was signed on this paper of the stock. No effect when that is known. Never refused."""

    loan_id: str
    blank: SignedBlank


# --- deal pack -----------------------------------------------------------------------------------------------------


@command("bidding.OpenDealPack")
class OpenDealPack:
    """The papers of a claim are to be made, and delivered by the end of `due_on`. No effect when the pack is open.

    Refused: `invalid_claim` (the id is no claim's).
    """

    contract_id: str
    loan_id: str
    claim_id: str
    account_id: str
    investor: str
    principal_fen: PositiveFen
    certificate_hash: TextHash
    guarantor: str | None
    due_on: date
    borrower: str = ""


@command("bidding.VoidDealPack")
class VoidDealPack:
    """Its loan's contract is void. No effect when the pack is, or where there is none. Refused: `invalid_claim`."""

    loan_id: str
    claim_id: str
    measure_id: str
    voided_on: date


@command("bidding.ChooseDelivery")
class ChooseDelivery:
    """The investor says how he wants his papers. No effect for what he chose already.

    Refused: `unknown_pack` (also to everybody else), `pack_delivered`, `pack_voided`.
    """

    channel: Channel


@command("bidding.ConfirmReceipt")
class ConfirmReceipt:
    """The claim's money has arrived; `himself` is whoever signs as a customer, of this step and the others, None where the staff's
    register names none. Refused: `unknown_pack`, `pack_voided`, `forbidden_not_staff`, `forbidden_holder` (it is his own claim),
    `forbidden_borrower` (he owes it), `forbidden_guarantor` (he stands in for it), `forbidden_second_signature`.
    """

    himself: str | None = None


@command("bidding.IssueClaimList")
class IssueClaimList:
    """The list of claims is written. Refused: `unknown_pack`, `forbidden_not_staff`, `forbidden_holder`, `forbidden_borrower`, `forbidden_guarantor`, `pack_voided`,
    `forbidden_second_signature`,
    `step_out_of_order`.
    """

    himself: str | None = None


@command("bidding.ReviewDealPack")
class ReviewDealPack:
    """The pack is right, or with a code goes back to its first step.

    Refused: `unknown_pack`, `forbidden_not_staff`, `forbidden_holder`, `forbidden_borrower`, `forbidden_guarantor`, `pack_voided`,
    `forbidden_second_signature`, `step_out_of_order`, `pack_reviewed` (it was
    found right).
    """

    sent_back: Code | None = None
    himself: str | None = None


@command("bidding.SealDealPack")
class SealDealPack:
    """One seal is set, in the order of the legal representative, the company and the guarantor.

    Refused: `unknown_pack`, `forbidden_not_staff`, `forbidden_holder`, `forbidden_borrower`, `forbidden_guarantor`, `pack_voided`,
    `forbidden_second_signature`, `step_out_of_order`, `seal_not_needed` (the
    loan has no guarantor).
    """

    seal: Seal
    himself: str | None = None


@command("bidding.DeliverDealPack")
class DeliverDealPack:
    """The pack is sent, as the investor wishes. Refused: `unknown_pack`, `forbidden_not_staff`, `forbidden_holder`, `forbidden_borrower`, `forbidden_guarantor`, `pack_voided`,
    `forbidden_second_signature`,
    `step_out_of_order`, `delivery_not_chosen`.
    """

    himself: str | None = None
