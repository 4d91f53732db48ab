"""Views of the secondary market. `bidding.offers`: each offer and where it stands, the order book among them. `bidding.transfers`:
each claim that was bought, as its sale's event tells it, so that its certificate can be written again.

Every document is written by its offer's stream alone.
"""

from collections.abc import Sequence
from typing import Any

from libs.events.codec import encode, parse_json
from libs.events.market import (
    OfferClosed,
    OfferExpired,
    OfferOpened,
    OfferRefused,
    OfferReopened,
    OfferRequested,
    OfferSettled,
    OfferTaken,
    OfferWithdrawn,
)
from libs.events.records import RecordedEvent
from libs.events.schedules.terms import PLAIN
from libs.events.views import Op, Set, View
from services.bidding.projections.rates import rate_units


def project_offer(event: RecordedEvent) -> Sequence[Op]:
    """An offer's document after one of its events. Amounts in fen, of the day on which it opened; the rate as a decimal's text."""
    offer_id = event.data.offer_id
    changed = [Set(offer_id, field, value) for field, value in _fields(event.data).items()]
    return [*changed, Set(offer_id, f"src.{event.stream}", event.address)]


def _fields(data: Any) -> dict[str, Any]:
    match data:
        case OfferRequested():
            return {
                "offer_id": data.offer_id,
                "seller": data.seller,
                "claim_id": data.claim_id,
                "loan_id": data.loan_id,
                "price_permille": data.price_permille,
                "redemption_id": data.redemption_id,
                "state": "requested",
                "code": None,
                "buyer": None,
            }
        case OfferRefused():
            return {"state": "refused", "code": data.code}
        case OfferOpened():
            return _opened(data)
        case OfferTaken():
            return {"state": "taken", "buyer": data.buyer}
        case OfferReopened():
            return {"state": "open", "buyer": None, "code": data.code}
        case OfferWithdrawn():
            return {"state": "withdrawn"}
        case OfferExpired():
            return {"state": "expired"}
        case OfferClosed():
            return {"state": "closed", "code": data.code, "buyer": None}
        case OfferSettled():
            sale = data.sale
            return {
                "state": "settled",
                "sale.claim_id": sale.claim_id,
                "sale.principal_fen": sale.principal_fen,
                "sale.price_fen": sale.price_fen,
                "sale.interest_fen": sale.interest_fen,
                "sale.fee_fen": sale.fee_fen,
                "sale.transferred_on": sale.transferred_on.isoformat(),
            }
        case _:
            raise TypeError(f"{type(data).__name__} is not read by this view")


def _opened(data: OfferOpened) -> dict[str, Any]:
    return {
        "state": "open",
        "principal_fen": data.principal_fen,
        "maximum_fen": data.maximum_fen,
        "fee_permille": data.fee_permille,
        "grade": data.grade,
        "annual_rate": f"{data.annual_rate:f}",
        "rate_units": rate_units(data.annual_rate),
        "matures_on": data.matures_on.isoformat(),
        "opened_on": data.opened_on.isoformat(),
        "expires_on": data.expires_on.isoformat(),
        "product": data.product,
        "region": data.region,
        "method": data.method or PLAIN.method,
    }


OFFERS = View(
    name="bidding.offers",
    version=2,
    reads=(
        OfferRequested,
        OfferRefused,
        OfferOpened,
        OfferTaken,
        OfferReopened,
        OfferWithdrawn,
        OfferExpired,
        OfferClosed,
        OfferSettled,
    ),
    project=project_offer,
    owner_field="seller",
    indexes=("seller", "state"),
)


def project_transfer(event: RecordedEvent) -> Sequence[Op]:
    """The sale under the bought claim's id; `sold` is the event's data as JSON."""
    sold: OfferSettled = event.data
    claim_id = sold.sale.claim_id
    return [
        Set(claim_id, "claim_id", claim_id),
        Set(claim_id, "loan_id", sold.loan_id),
        Set(claim_id, "buyer", sold.buyer),
        Set(claim_id, "sold", parse_json(encode(OfferSettled, sold))),
        Set(claim_id, f"src.{event.stream}", event.address),
    ]


TRANSFERS = View(
    name="bidding.transfers",
    version=1,
    reads=(OfferSettled,),
    project=project_transfer,
    owner_field="buyer",
    indexes=("buyer", "loan_id"),
)
