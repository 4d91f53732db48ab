"""All routes of bidding: importing this module declares them on the service's one router."""

from services.bidding.api import (
    bank_days,
    deal_packs,
    market,
    papers,
    publishing,
    redemptions,
    routes,
    standing,
    vouchers,
    worklists,
)
from services.bidding.api.router import router

__all__ = [
    "bank_days",
    "deal_packs",
    "market",
    "papers",
    "publishing",
    "redemptions",
    "router",
    "routes",
    "standing",
    "vouchers",
    "worklists",
]
