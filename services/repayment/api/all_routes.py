"""All routes of repayment: importing this module declares them on the service's one router."""

from services.repayment.api import corrections, guarantees, measures, portfolio, prepayments, routes
from services.repayment.api.routes import router

__all__ = ["corrections", "guarantees", "measures", "portfolio", "prepayments", "router", "routes"]
