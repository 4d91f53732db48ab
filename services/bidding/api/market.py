"""Routes of the secondary market: a holder offers his claim, the order book, a buyer takes an offer.

Refusals of the log are listed on the commands (services/bidding/commands/market.py); what a loan says against an offer, or an
offer against its buyer, follows in the views.
"""

from typing import Annotated, Any

from fastapi import Depends, Query, Request

from libs.events import market as events
from libs.events.searches import Span
from libs.runtime.http import (
    DayField,
    NoFields,
    Order,
    RateField,
    ThisCall,
    ThisPage,
    ThisPrincipal,
    ViewReader,
    edge_of,
    id_path,
    not_found,
    scopes,
    view_reader,
)
from services.bidding.api.market_shapes import (
    OfferIn,
    OfferOut,
    OfferRequestedOut,
    OffersOut,
    OwnOfferOut,
    OwnOffersOut,
    TakeIn,
    TakeOut,
    TransferFeesOut,
    WithdrawnOut,
)
from services.bidding.api.router import router
from services.bidding.api.routes import OwnAccount
from services.bidding.commands import market as commands
from services.bidding.domain.profile import profile_named
from services.bidding.projections.rates import rate_units

OfferId = Annotated[str, id_path("offer")]
Offers = Annotated[ViewReader, Depends(view_reader("bidding.offers"))]


@router.command(
    "/offers",
    scopes("claim:own"),
    answer=OfferRequestedOut,
    answers={events.OfferRequested: OfferRequestedOut.of},
)
async def open_offer(body: OfferIn, call: ThisCall) -> Order:
    """Offer one's own claim, whole or in part. It stands in the order book once its loan has reserved the claim."""
    offer_id = call.mint("offer")
    suffix = body.claim_id.removeprefix("clm_").rpartition("_")[0]
    offer = commands.OpenOffer(
        offer_id=offer_id,
        seller=call.principal.subject,
        claim_id=body.claim_id,
        loan_id=f"loan_{suffix}",
        price_permille=body.price_permille,
        principal_fen=body.principal_fen,
        window_days=body.window_days,
    )
    return Order(offer_id, offer)


@router.command(
    "/offers/{open_offer}/take",
    scopes("bid:own"),
    answer=TakeOut,
    answers={events.PurchaseHeld: TakeOut.of},
)
async def take_offer(open_offer: OfferId, body: TakeIn, call: ThisCall) -> Order:
    """Buy what is offered, whole: the caller's money is held, and the first buyer in the order of the log gets the claim."""
    if not call.principal.subject.startswith("usr_"):
        raise not_found("unknown_account")
    account = f"acc_{call.principal.subject.removeprefix('usr_')}"
    take = commands.TakeOffer(hold_id=call.mint("hold"), offer_id=open_offer, maximum_fen=body.maximum_fen)
    return Order(account, take)


@router.command(
    "/offers/{offer}/withdrawal",
    scopes("claim:own"),
    answer=WithdrawnOut,
    answers={events.OfferWithdrawn: WithdrawnOut.of},
)
async def withdraw_offer(offer: OfferId, body: NoFields | None = None) -> Order:  # noqa: ARG001  # its shape is checked
    """Take one's own offer back while nobody has taken it. Other people's offers do not exist for the caller."""
    return Order(offer, commands.WithdrawOffer())


# --- reading -------------------------------------------------------------------------------------------------------

GradeQuery = Annotated[
    str | None, Query(pattern="^[A-Z][A-Z0-9]{0,7}$", description="Only this grade.", examples=["B"])
]
RateQuery = Annotated[RateField | None, Query(description="At least this annual rate, 0.12 for 12 %.")]
MaturityQuery = Annotated[
    DayField | None, Query(description="The last instalment due on this day at the latest.")
]
PriceQuery = Annotated[
    int | None, Query(ge=1, le=10_000, description="At most this price, in per mille of the principal.")
]


@router.read("/offers", scopes("listing:read", "operator"), answer=OffersOut)
async def read_offers(
    offers: Offers,
    page: ThisPage,
    grade: GradeQuery = None,
    rate_min: RateQuery = None,
    matures_by: MaturityQuery = None,
    price_max: PriceQuery = None,
) -> OffersOut:
    """The order book: claims that are for sale, by what a buyer looks for."""
    where: dict[str, Any] = {"state": "open"}
    if grade is not None:
        where["grade"] = grade
    if rate_min is not None:
        where["rate_units"] = Span(low=rate_units(rate_min))
    if matures_by is not None:
        where["matures_on"] = Span(high=matures_by.isoformat())
    if price_max is not None:
        where["price_permille"] = Span(high=price_max)
    found, following = await offers.page(page, where=where)
    return OffersOut(items=[OfferOut.of(document) for document in found], next=following)


@router.read("/accounts/{account}/offers", scopes("claim:own"), answer=OwnOffersOut)
async def read_own_offers(
    account: OwnAccount,  # noqa: ARG001  # that it is his own
    offers: Offers,
    page: ThisPage,
    principal: ThisPrincipal,
) -> OwnOffersOut:
    """The caller's own offers, those that ended among them."""
    found, following = await offers.page(page, where={"seller": principal.subject})
    return OwnOffersOut(items=[OwnOfferOut.of(document) for document in found], next=following)


@router.read("/transfer-fees", scopes("listing:read", "claim:own", "operator"), answer=TransferFeesOut)
async def read_transfer_fees(request: Request) -> TransferFeesOut:
    """The published fee on a sale, version by version: the one of the day on which an offer opens is its seller's."""
    return TransferFeesOut.of(profile_named(edge_of(request).settings.profile).transfer_fees)
