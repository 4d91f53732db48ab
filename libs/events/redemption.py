"""Events of `bidding` about an emergency redemption 赎回: a lender who needs his money, and could not sell his claim by himself.

Its form is read by four posts, one after the other, and a cashier then releases a sale on the secondary market; the money is
that of whoever buys the claim, never the platform's (processes.md 1.J, red lines 1 and 2). What the failed offer says stands in
the offer's stream, all else in a stream of its own (`rdm_…`). They stand in a file of their own, and whoever needs them names it.
"""

from datetime import date
from typing import Literal

from libs.events.codec import event
from libs.events.money import Count, PositiveFen
from libs.events.onboarding import Code

RedemptionReason = Literal["illness", "bereavement", "job_loss", "housing", "education", "disaster", "other"]
"""Why the lender needs his money (chosen); what he writes beside it is not for the log."""

Approval = Literal["market_specialist", "department_head", "branch_general_manager", "market_director"]
RedemptionStep = Literal[
    "market_specialist", "department_head", "branch_general_manager", "market_director", "release"
]
"""What is done to a complete form, in this order: each post's approval, and then a cashier's release of the sale."""

RedemptionStage = Literal[
    "market_specialist", "department_head", "branch_general_manager", "market_director", "release", "sale"
]
"""What a redemption waits for: a step, or that somebody buys the claim."""


# --- the failed offer ----------------------------------------------------------------------------------------------


@event("bidding.UnsoldConfirmed.v1")
class UnsoldConfirmed:
    """The holder's own offer stood long enough and nobody bought: the evidence that a redemption asks for."""

    offer_id: str
    redemption_id: str
    seller: str
    claim_id: str
    loan_id: str
    opened_on: date
    ended_on: date


@event("bidding.UnsoldDeclined.v1")
class UnsoldDeclined:
    """The offer is no evidence (`code`): it stands, it was sold, its loan ended it, it stood for too short a time, too long ago, or for
    less than is to be redeemed."""

    offer_id: str
    redemption_id: str
    seller: str
    code: Code


# --- redemption ----------------------------------------------------------------------------------------------------


@event("bidding.RedemptionAsked.v1")
class RedemptionAsked:
    """A lender handed in the form F20: his own offer that stayed unsold (`offer_id`), what of its claim he wants sold (None: all
    of it) and at which price, in per mille of its outstanding principal. It is paid out to `account_id`, his own, from where
    money leaves only to his own-name card. The offer answers next."""

    redemption_id: str
    investor: str
    account_id: str
    offer_id: str
    reason: RedemptionReason
    price_permille: Count
    principal_fen: PositiveFen | None
    asked_on: date


@event("bidding.RedemptionDeclined.v1")
class RedemptionDeclined:
    """The offer that was named is no evidence (`code`): the form is not complete, and no clock runs."""

    redemption_id: str
    investor: str
    offer_id: str
    code: Code
    declined_on: date


@event("bidding.RedemptionFormCompleted.v1")
class RedemptionFormCompleted:
    """The form is complete and its clock runs: it ends with `deadline`, the 15th working day after `completed_on`."""

    redemption_id: str
    investor: str
    account_id: str
    offer_id: str
    claim_id: str
    loan_id: str
    reason: RedemptionReason
    price_permille: Count
    principal_fen: PositiveFen | None
    completed_on: date
    deadline: date
    next_step: RedemptionStep


@event("bidding.RedemptionApproved.v1")
class RedemptionApproved:
    """One of four posts approved it; `days_left` are the working days after this one until the deadline."""

    redemption_id: str
    investor: str
    step: Approval
    signer: str
    approved_on: date
    days_left: Count
    next_step: RedemptionStep


@event("bidding.RedemptionRefused.v1")
class RedemptionRefused:
    """One of four posts refused it for a reason (`code`): that is its end."""

    redemption_id: str
    investor: str
    step: Approval
    signer: str
    code: Code
    refused_on: date
    days_left: Count


@event("bidding.RedemptionReleaseRefused.v1")
class RedemptionReleaseRefused:
    """Four had approved it, and the cashier does not release the sale, for a reason (`code`): that is its end."""

    redemption_id: str
    investor: str
    signer: str
    code: Code
    refused_on: date
    days_left: Count


@event("bidding.RedemptionReleased.v1")
class RedemptionReleased:
    """A cashier, the fifth person, releases the sale: a new offer of the claim, until the end of `deadline`."""

    redemption_id: str
    investor: str
    signer: str
    sale_offer_id: str
    claim_id: str
    loan_id: str
    price_permille: Count
    principal_fen: PositiveFen | None
    released_on: date
    deadline: date
    days_left: Count


@event("bidding.RedemptionSold.v1")
class RedemptionSold:
    """The claim is sold and the lender paid: `amount_fen` is price + interest − fee, all of it its buyer's. `days_used` are the
    working days from the complete form to the sale."""

    redemption_id: str
    investor: str
    sale_offer_id: str
    buyer: str
    principal_fen: PositiveFen
    amount_fen: PositiveFen
    sold_on: date
    days_used: Count


@event("bidding.RedemptionLapsed.v1")
class RedemptionLapsed:
    """It ended unsold (`code`) while it waited for `stage`: its deadline passed, or the sale that was released came to nothing."""

    redemption_id: str
    investor: str
    stage: RedemptionStage
    code: Code
    lapsed_on: date
