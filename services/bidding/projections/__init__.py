"""The views of bidding, each a pure function from events to changes of documents it never reads."""

from libs.events.staff import staff_view
from libs.events.views import View
from services.bidding.projections.account_proof import VIEW as ACCOUNT_PROOF
from services.bidding.projections.balances import VIEW as BALANCES
from services.bidding.projections.bank_bookings import VIEW as BANK_BOOKINGS
from services.bidding.projections.bank_days import BREAKS as BANK_BREAKS
from services.bidding.projections.bank_days import DAYS as BANK_DAYS
from services.bidding.projections.bank_requests import VIEW as BANK_REQUESTS
from services.bidding.projections.bids import VIEW as BIDS
from services.bidding.projections.contract_stock import VIEW as CONTRACT_STOCK
from services.bidding.projections.custody import VIEW as CUSTODY
from services.bidding.projections.lent import VIEW as LENT
from services.bidding.projections.listings import VIEW as LISTINGS
from services.bidding.projections.market import OFFERS, TRANSFERS
from services.bidding.projections.papers import CONTRACTS, PACKS
from services.bidding.projections.redemptions import VIEW as REDEMPTIONS
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
    OFFERS,
    TRANSFERS,
    REDEMPTIONS,
    BANK_BOOKINGS,
    BANK_DAYS,
    BANK_BREAKS,
    ACCOUNT_PROOF,
    LENT,
    ORDERS,
    LOG,
    SERVICES,
    CONTRACT_STOCK,
    staff_view("bidding"),
)
