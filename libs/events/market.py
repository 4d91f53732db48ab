"""Events of `bidding` about the secondary market 债权转让: a holder's offer of a claim, and the money that its buyer pays for it.

An offer is a stream of its own (`offer_…`); the claim stays in its loan's stream (`libs.events.claims`), where it is reserved
before the offer opens and changes hands once it is taken. Money goes from the buyer's `held:<account>` to
`clearing:offer:<offer>` and from there to the seller and `fees:platform`. They stand in a file of their own, and whoever needs
them names it: `libs.events.bidding` is as long as a file may be.
"""

from datetime import date

from libs.events.account import RiskLevel
from libs.events.bank import Posting
from libs.events.codec import event, record
from libs.events.money import AnnualRate, Count, PositiveFen, divide_fen
from libs.events.onboarding import Code, TextHash
from libs.events.schedules.terms import Method

_PERMILLE = 1_000


def permille_fen(amount_fen: int, permille: int) -> int:
    """So many per mille of an amount, in fen, half-up: the price of a principal and the fee on a price, wherever they are asked."""
    return divide_fen(amount_fen * permille, _PERMILLE)


@record
class Sale:
    """What the loan fixed when a claim changed hands: the buyer pays price + interest, the seller gets that less the fee.

    `claim_id` is the buyer's new claim, `sold_claim_id` the seller's, of which it was the whole or a part. The interest is what
    had accrued on the principal up to `transferred_on`, the first day of the buyer's.
    """

    claim_id: str
    sold_claim_id: str
    principal_fen: PositiveFen
    price_fen: PositiveFen
    interest_fen: Count
    fee_fen: Count
    transferred_on: date


# --- offer ---------------------------------------------------------------------------------------------------------


@event("bidding.OfferRequested.v1")
class OfferRequested:
    """A holder wants to sell a claim, whole (`principal_fen` None) or in part; its loan answers next.

    The price is in per mille of the principal that is outstanding when it changes hands. Its window runs until the end of `until` (None:
    of the last of `window_days` after it opened). `redemption_id` names the emergency redemption that the offer was released for.
    """

    offer_id: str
    seller: str
    account_id: str
    claim_id: str
    loan_id: str
    principal_fen: PositiveFen | None
    price_permille: Count
    window_days: Count
    requested_on: date
    until: date | None = None
    redemption_id: str | None = None


@event("bidding.OfferRefused.v1")
class OfferRefused:
    """The loan does not reserve the claim (`code`): there is no offer."""

    offer_id: str
    seller: str
    account_id: str
    claim_id: str
    loan_id: str
    refused_on: date
    code: Code
    redemption_id: str | None = None


@event("bidding.OfferOpened.v1")
class OfferOpened:
    """The claim is reserved and the offer stands in the order book until the end of `expires_on`; it is taken whole.

    `principal_fen` is what is offered today; repayments make it less until it is taken. `maximum_fen` is the most that a buyer
    can have to pay, accrued interest included: so much is held of his money. The seller bears a fee of `fee_permille` of the
    price, from version `fees_version` of the published table (0: none is published). The loan is repaid by `method` (None: nobody
    said, in equal instalments); `related` are those whom its listing knew as related to the borrower.
    """

    offer_id: str
    seller: str
    account_id: str
    claim_id: str
    loan_id: str
    borrower: str
    principal_fen: PositiveFen
    price_permille: Count
    maximum_fen: PositiveFen
    fee_permille: Count
    fees_version: Count
    grade: str
    annual_rate: AnnualRate
    matures_on: date
    opened_on: date
    expires_on: date
    product: str = ""
    region: str = ""
    redemption_id: str | None = None
    method: Method | None = None
    related: tuple[str, ...] = ()


@event("bidding.OfferTaken.v1")
class OfferTaken:
    """The first buyer in the log took the offer and his money is held; the loan transfers the claim next, or refuses.

    `investor_cap_fen` is the most that one investor may have in one loan, None where nothing is said.
    """

    offer_id: str
    loan_id: str
    claim_id: str
    hold_id: str
    buyer: str
    buyer_account: str
    price_permille: Count
    fee_permille: Count
    held_fen: PositiveFen
    taken_on: date
    investor_cap_fen: PositiveFen | None = None


@event("bidding.OfferReopened.v1")
class OfferReopened:
    """The loan did not transfer the claim to this buyer, or not today (`code`): his hold is released, others may take the offer."""

    offer_id: str
    loan_id: str
    hold_id: str
    buyer: str
    buyer_account: str
    code: Code


@event("bidding.OfferWithdrawn.v1")
class OfferWithdrawn:
    """The seller took an offer back that nobody had taken; the claim is no longer reserved."""

    offer_id: str
    seller: str
    account_id: str
    claim_id: str
    loan_id: str
    principal_fen: PositiveFen
    opened_on: date
    expires_on: date
    withdrawn_on: date
    redemption_id: str | None = None


@event("bidding.OfferExpired.v1")
class OfferExpired:
    """The offer's window ended and nobody had taken it; the claim is no longer reserved."""

    offer_id: str
    seller: str
    account_id: str
    claim_id: str
    loan_id: str
    principal_fen: PositiveFen
    opened_on: date
    expires_on: date
    expired_on: date
    redemption_id: str | None = None


@event("bidding.OfferClosed.v1")
class OfferClosed:
    """The loan ended the offer (`code`): an instalment was missed or all is repaid, and the claim is no longer reserved.

    `hold_id` is that of the buyer who had taken it, None where nobody had: it is to be released.
    """

    offer_id: str
    seller: str
    account_id: str
    claim_id: str
    loan_id: str
    principal_fen: PositiveFen
    opened_on: date
    expires_on: date
    closed_on: date
    code: Code
    redemption_id: str | None = None
    hold_id: str | None = None
    buyer_account: str | None = None


@event("bidding.OfferSettled.v1")
class OfferSettled:
    """The buyer has the claim and the seller his money. Everything that the buyer's certificate is written from, and its hash.

    `claim_id` and `principal_fen` are what was offered, `sale` what was sold. The text is written again from these fields, the
    same for ever: `version` of `template` is never edited.
    """

    offer_id: str
    seller: str
    account_id: str
    buyer: str
    buyer_account: str
    claim_id: str
    loan_id: str
    borrower: str
    principal_fen: PositiveFen
    price_permille: Count
    grade: str
    annual_rate: AnnualRate
    matures_on: date
    opened_on: date
    expires_on: date
    sale: Sale
    template: Code
    version: int
    certificate_hash: TextHash
    redemption_id: str | None = None


# --- account -------------------------------------------------------------------------------------------------------


@event("bidding.PurchaseHeld.v1")
class PurchaseHeld:
    """A buyer's money is held for an offer, as much as it can cost; the offer has not answered yet.

    `suitability_level` is the buyer's risk level as his account knows it, None when nobody has assessed him; `related` are
    the users whom it knows as related to him.
    """

    account_id: str
    owner: str
    hold_id: str
    offer_id: str
    amount_fen: PositiveFen
    available_after_fen: Count
    held_after_fen: Count
    postings: tuple[Posting, ...]
    suitability_level: RiskLevel | None = None
    suitability_valid_to: date | None = None
    related: tuple[str, ...] = ()


@event("bidding.PurchaseReleased.v1")
class PurchaseReleased:
    """The buyer does not get the claim (`reason`, a code): all that was held is available again."""

    account_id: str
    owner: str
    hold_id: str
    offer_id: str
    amount_fen: PositiveFen
    reason: Code
    available_after_fen: Count
    held_after_fen: Count
    postings: tuple[Posting, ...]


@event("bidding.PurchaseCaptured.v1")
class PurchaseCaptured:
    """The buyer paid `amount_fen` for his claim; `released_fen`, the rest of what was held, is available again."""

    account_id: str
    owner: str
    hold_id: str
    offer_id: str
    loan_id: str
    seller: str
    seller_account: str
    sale: Sale
    amount_fen: PositiveFen
    released_fen: Count
    available_after_fen: Count
    held_after_fen: Count
    postings: tuple[Posting, ...]


@event("bidding.SaleCredited.v1")
class SaleCredited:
    """The seller received price + interest − fee for his claim; the principal is no longer his."""

    account_id: str
    owner: str
    offer_id: str
    loan_id: str
    sale: Sale
    amount_fen: PositiveFen
    available_after_fen: Count
    held_after_fen: Count
    postings: tuple[Posting, ...]
