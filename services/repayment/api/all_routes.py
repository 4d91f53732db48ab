"""All routes of repayment: importing this module declares them on the service's one router."""

from services.repayment.api import (
    approvals,
    assets,
    cash_history,
    corrections,
    guarantees,
    loan_page,
    measures,
    off_balance,
    overdue,
    portfolio,
    prepayments,
    routes,
)
from services.repayment.api.routes import router

__all__ = [
    "approvals",
    "assets",
    "cash_history",
    "corrections",
    "guarantees",
    "loan_page",
    "measures",
    "off_balance",
    "overdue",
    "portfolio",
    "prepayments",
    "router",
    "routes",
]
