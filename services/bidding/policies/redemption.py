"""From a lender's form to the end of a redemption: his failed offer is asked, a sale is released, and what became of it is told.

No policy here sends a command to an account: the money is that of whoever takes the offer (red lines 1 and 2).
"""

from typing import Final

from libs.events.codec import name_of
from libs.events.market import (
    OfferClosed,
    OfferExpired,
    OfferRefused,
    OfferSettled,
    OfferWithdrawn,
)
from libs.events.records import RecordedEvent
from libs.events.redemption import (
    RedemptionAsked,
    RedemptionDeclined,
    RedemptionFormCompleted,
    RedemptionLapsed,
    RedemptionReleased,
    RedemptionSold,
    UnsoldConfirmed,
    UnsoldDeclined,
)
from libs.events.sagas import Saga, Send, Step
from libs.events.system import CommandRefused
from services.bidding.commands.market import OpenOffer
from services.bidding.commands.redemption import (
    CompleteForm,
    CompleteRedemption,
    ConfirmUnsold,
    DeclineRedemption,
    LapseRedemption,
)

_Unsold = OfferRefused | OfferExpired | OfferWithdrawn | OfferClosed
_HOW: Final[dict[type, str]] = {
    OfferRefused: "sale_refused",
    OfferExpired: "sale_expired",
    OfferWithdrawn: "sale_withdrawn",
    OfferClosed: "sale_closed",
}


def on_bidding(event: RecordedEvent) -> list[Send]:
    """The next step of a redemption, or its end."""
    match event.data:
        case RedemptionAsked() as asked:
            confirm = ConfirmUnsold(
                redemption_id=asked.redemption_id, investor=asked.investor, principal_fen=asked.principal_fen
            )
            return [Send("unsold", asked.offer_id, confirm, {"redemption_id": asked.redemption_id})]
        case UnsoldConfirmed() as confirmed:
            complete = CompleteForm(claim_id=confirmed.claim_id, loan_id=confirmed.loan_id)
            return [Send("form", confirmed.redemption_id, complete)]
        case UnsoldDeclined() as declined:
            return [Send("form", declined.redemption_id, DeclineRedemption(code=declined.code))]
        case RedemptionReleased() as released:
            return [_sale(released)]
        case OfferSettled(redemption_id=str() as redemption_id) as settled:
            return [Send("redemption", redemption_id, _sold(settled))]
        case OfferRefused() | OfferExpired() | OfferWithdrawn() | OfferClosed() as ended:
            return _unsold(ended)
        case CommandRefused() as refused:
            return _undo(refused)
        case _:
            return []


def _sale(released: RedemptionReleased) -> Send:
    offer = OpenOffer(
        offer_id=released.sale_offer_id,
        seller=released.investor,
        claim_id=released.claim_id,
        loan_id=released.loan_id,
        price_permille=released.price_permille,
        principal_fen=released.principal_fen,
        until=released.deadline,
        redemption_id=released.redemption_id,
    )
    return Send("sale", released.sale_offer_id, offer, {"redemption_id": released.redemption_id})


def _sold(settled: OfferSettled) -> CompleteRedemption:
    sale = settled.sale
    return CompleteRedemption(
        buyer=settled.buyer,
        principal_fen=sale.principal_fen,
        amount_fen=sale.price_fen + sale.interest_fen - sale.fee_fen,
        sold_on=sale.transferred_on,
    )


def _unsold(ended: _Unsold) -> list[Send]:
    if ended.redemption_id is None:
        return []
    return [Send("redemption", ended.redemption_id, LapseRedemption(code=_HOW[type(ended)]))]


def _undo(refused: CommandRefused) -> list[Send]:
    """No such offer of his; or a sale that came too late for its day, or for the price band of that day."""
    redemption_id = refused.about.get("redemption_id")
    if redemption_id is None:
        return []
    if refused.command_type == name_of(ConfirmUnsold):
        return [Send("form", redemption_id, DeclineRedemption(code=refused.code))]
    if refused.command_type == name_of(OpenOffer):
        return [Send("redemption", redemption_id, LapseRedemption(code=refused.code))]
    return []


SAGAS = (
    Saga(
        name="redemption form",
        why="Only the lender's own offer knows that it stayed unsold; without that there is no emergency redemption.",
        opened_by={RedemptionAsked: lambda asked: asked.redemption_id},
        closed_by={
            RedemptionFormCompleted: lambda completed: completed.redemption_id,
            RedemptionDeclined: lambda declined: declined.redemption_id,
        },
        steps=(
            Step(
                on=RedemptionAsked,
                send=ConfirmUnsold,
                declined_by=(UnsoldDeclined, CommandRefused),
                compensation=DeclineRedemption,
            ),
            Step(on=UnsoldConfirmed, send=CompleteForm),
        ),
        expected_refusals=(ConfirmUnsold,),
    ),
    Saga(
        name="redemption sale",
        why="What was released ends as a sale to another customer or not at all; the platform buys nothing.",
        opened_by={RedemptionReleased: lambda released: released.redemption_id},
        closed_by={
            RedemptionSold: lambda sold: sold.redemption_id,
            RedemptionLapsed: lambda lapsed: (lapsed.redemption_id,) if lapsed.stage == "sale" else (),
        },
        steps=(
            Step(
                on=RedemptionReleased,
                send=OpenOffer,
                declined_by=(OfferRefused, OfferExpired, OfferWithdrawn, OfferClosed, CommandRefused),
                compensation=LapseRedemption,
            ),
            Step(on=OfferSettled, send=CompleteRedemption),
        ),
        expected_refusals=(OpenOffer,),
    ),
)
