"""Commands of `bidding` about the secondary market: offers of claims, and the money that changes hands for them."""

from datetime import date

from libs.events.bidding import RiskLevel
from libs.events.codec import command
from libs.events.market import Sale
from libs.events.money import AnnualRate, Count, PositiveFen
from libs.events.onboarding import Code
from libs.events.schedules.terms import Method

# --- offer ---------------------------------------------------------------------------------------------------------


@command("bidding.OpenOffer")
class OpenOffer:
    """The holder offers a claim, whole (`principal_fen` None) or in part, at a price in per mille of its outstanding principal;
    it opens when the loan has reserved the claim. No effect when this offer was asked for. By his own hand it stands for
    `window_days`; one that a redemption released (`redemption_id`) until the end of `until`.

    Refused: `invalid_owner`, `invalid_claim` (the claim is none, or not this loan's), `unknown_claim` (another asks),
    `invalid_price` (outside the profile's band), `invalid_window`.
    What the loan says against it (see repayment's ReserveClaim) ends it by the event OfferRefused.
    """

    offer_id: str
    seller: str
    claim_id: str
    loan_id: str
    price_permille: Count
    principal_fen: PositiveFen | None = None
    window_days: Count = 10
    until: date | None = None
    redemption_id: str | None = None


@command("bidding.ConfirmReservation")
class ConfirmReservation:
    """The loan reserved a claim for an offer: its listing says who is related to the borrower. Never refused: a loan without a
    listing knows of nobody.
    """

    offer_id: str
    loan_id: str
    borrower: str
    principal_fen: PositiveFen
    interest_max_fen: Count
    grade: str
    annual_rate: AnnualRate
    matures_on: date
    product: str = ""
    region: str = ""
    method: Method | None = None


@command("bidding.RecordReservation")
class RecordReservation:
    """The loan reserved the claim: the offer opens. No effect when it has. Refused: `unknown_offer`."""

    borrower: str
    principal_fen: PositiveFen
    interest_max_fen: Count
    grade: str
    annual_rate: AnnualRate
    matures_on: date
    product: str = ""
    region: str = ""
    method: Method | None = None
    related: tuple[str, ...] = ()


@command("bidding.RefuseOffer")
class RefuseOffer:
    """The loan does not reserve the claim (`code`). No effect for an offer that was answered. Refused: `unknown_offer`."""

    code: Code


@command("bidding.RecordTake")
class RecordTake:
    """A buyer whose money is held takes the offer, whole. No effect for the buyer who has it.

    Refused: `unknown_offer`, `offer_not_open`, `offer_taken` (by another), `offer_ended`, `own_offer`, `own_loan`,
    `related_party` (of the borrower), `suitability_expired`, `unsuitable`, `below_maximum` (he holds less than it can cost).
    """

    hold_id: str
    account_id: str
    buyer: str
    held_fen: PositiveFen
    suitability_level: RiskLevel | None = None
    suitability_valid_to: date | None = None
    related: tuple[str, ...] = ()


@command("bidding.ReopenOffer")
class ReopenOffer:
    """The loan did not transfer the claim (`code`): the offer is open for others, or closed where the loan has ended it. No effect
    unless this hold has it. Refused: `unknown_offer`.
    """

    hold_id: str
    code: Code


@command("bidding.CloseOffer")
class CloseOffer:
    """The loan has released the claim (`code`): one that is not open yet is refused. No effect for an offer that ended, nor for one
    that is taken: its transfer is refused next. Refused: `unknown_offer`.
    """

    code: Code


@command("bidding.WithdrawOffer")
class WithdrawOffer:
    """The seller takes his offer back. No effect when he has.

    Refused: `unknown_offer` (also to everybody else), `offer_not_open` (the loan has not answered), `offer_taken`, `offer_ended`.
    """


@command("bidding.SettleOffer")
class SettleOffer:
    """The seller has his money: the sale is complete and certified. No effect when it is. Refused: `unknown_offer`,
    `offer_not_taken`.
    """

    sale: Sale


# --- account -------------------------------------------------------------------------------------------------------


@command("bidding.TakeOffer")
class TakeOffer:
    """The owner wants to buy what is offered and holds the most that it can cost. No effect while this hold stands.

    Refused: `insufficient_available`. What the offer says against it (see RecordTake) releases the hold.
    """

    hold_id: str
    offer_id: str
    maximum_fen: PositiveFen


@command("bidding.ReleasePurchase")
class ReleasePurchase:
    """The owner does not get the claim; `reason` is a code. No effect when the hold is gone."""

    hold_id: str
    reason: Code


@command("bidding.CapturePurchase")
class CapturePurchase:
    """The claim is the owner's: he pays, and what was held beyond it is released. Never refused for an existing hold.

    Refused: `unknown_hold`.
    """

    hold_id: str
    loan_id: str
    seller: str
    seller_account: str
    sale: Sale


@command("bidding.CreditSale")
class CreditSale:
    """Pay the seller of a claim: price + interest − fee. Refused: `invalid_fee` (nothing would be left).

    Only the source rule recognises the same sale again: an account keeps no list of them.
    """

    offer_id: str
    loan_id: str
    sale: Sale
