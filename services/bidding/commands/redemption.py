"""Commands of `bidding` about emergency redemptions. Whoever asks or signs is the command's principal, never a field."""

from datetime import date

from libs.events.codec import command
from libs.events.money import Count, PositiveFen
from libs.events.onboarding import Code
from libs.events.redemption import Approval, RedemptionReason

# --- the failed offer ----------------------------------------------------------------------------------------------


@command("bidding.ConfirmUnsold")
class ConfirmUnsold:
    """Did this holder's offer stay unsold, for as long as the profile asks for, lately, and of as much of the claim as is to be redeemed
    (`principal_fen`, None: all)? Answered by event, each time again.

    Declined: `offer_open` (or taken), `offer_sold`, `offer_closed` (by its loan), `offered_too_short`, `offered_too_long_ago`,
    `offered_less`, `offer_of_redemption`. Refused: `unknown_offer` (also another's).
    """

    redemption_id: str
    investor: str
    principal_fen: PositiveFen | None = None


# --- redemption ----------------------------------------------------------------------------------------------------


@command("bidding.AskRedemption")
class AskRedemption:
    """A lender needs his money and his own offer stayed unsold. No effect for the same form again.

    Refused: `invalid_owner` (he is no customer), `unknown_offer` (the id is no offer's), `invalid_price` (outside the profile's
    band), `redemption_exists` (another form), `calendar_ends` (its working days are not published yet). What his offer says against it declines it by the event RedemptionDeclined.
    """

    redemption_id: str
    offer_id: str
    reason: RedemptionReason
    price_permille: Count
    principal_fen: PositiveFen | None = None


@command("bidding.CompleteForm")
class CompleteForm:
    """The offer stayed unsold: the form is complete; or, where its working days are not published yet, it is declined (`calendar_ends`).
    No effect when it is, or the redemption has ended.

    Refused: `unknown_redemption`.
    """

    claim_id: str
    loan_id: str


@command("bidding.DeclineRedemption")
class DeclineRedemption:
    """The offer is no evidence (`code`). No effect when the form is complete, or the redemption has ended.

    Refused: `unknown_redemption`.
    """

    code: Code


@command("bidding.SignRedemption")
class SignRedemption:
    """A post approves the redemption, or refuses it for a reason (`refused`), which ends it. `himself` is the signer as a customer,
    None where the staff's register knows him as none. No effect when he has signed this step like this.

    Refused: `unknown_redemption`, `form_incomplete`, `forbidden_not_staff`, `forbidden_holder` (he would sign for himself),
    `forbidden_second_signature`, `step_signed` (by another, or otherwise), `step_out_of_order`, `deadline_passed`,
    `redemption_ended`.
    """

    step: Approval
    refused: Code | None = None
    himself: str | None = None


@command("bidding.ReleaseRedemption")
class ReleaseRedemption:
    """A cashier, who has not approved it, releases the sale, or refuses it for a reason (`refused`), which ends the redemption. No
    effect when he has done so.

    Refused: `unknown_redemption`, `form_incomplete`, `forbidden_not_staff`, `forbidden_holder`, `forbidden_second_signature`,
    `step_signed` (by another, or otherwise), `step_out_of_order`, `deadline_passed`, `redemption_ended`.
    """

    himself: str | None = None
    refused: Code | None = None


@command("bidding.CompleteRedemption")
class CompleteRedemption:
    """The sale that was released is settled. No effect when the redemption has ended.

    Refused: `unknown_redemption`, `redemption_not_released`.
    """

    buyer: str
    principal_fen: PositiveFen
    amount_fen: PositiveFen
    sold_on: date


@command("bidding.LapseRedemption")
class LapseRedemption:
    """The sale that was released came to nothing (`code`). No effect when the redemption has ended.

    Refused: `unknown_redemption`, `redemption_not_released`.
    """

    code: Code
