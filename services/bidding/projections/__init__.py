"""The views of bidding, each a pure function from events to changes of documents it never reads."""

from libs.events.staff import staff_view
from libs.events.views import View
from services.bidding.projections.balances import VIEW as BALANCES
from services.bidding.projections.bank_requests import VIEW as BANK_REQUESTS
from services.bidding.projections.bids import VIEW as BIDS
from services.bidding.projections.custody import VIEW as CUSTODY
from services.bidding.projections.listings import VIEW as LISTINGS
from services.bidding.projections.papers import CONTRACTS, PACKS
from services.bidding.projections.standing import LOG, ORDERS, SERVICES
from services.bidding.projections.vouchers import VIEW as VOUCHERS

VIEWS: tuple[View, ...] = (
    BALANCES,
    LISTINGS,
    BIDS,
    CUSTODY,
    BANK_REQUESTS,
    CONTRACTS,
    PACKS,
    VOUCHERS,
    ORDERS,
    LOG,
    SERVICES,
    staff_view("bidding"),
)
