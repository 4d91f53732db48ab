"""All routes of bidding: importing this module declares them on the service's one router."""

from services.bidding.api import (
    bank_days,
    contract_stock,
    deal_packs,
    market,
    papers,
    publishing,
    redemptions,
    routes,
    standing,
    voiding,
    vouchers,
    worklists,
)
from services.bidding.api.router import router

__all__ = [
    "bank_days",
    "contract_stock",
    "deal_packs",
    "market",
    "papers",
    "publishing",
    "redemptions",
    "router",
    "routes",
    "standing",
    "voiding",
    "vouchers",
    "worklists",
]
