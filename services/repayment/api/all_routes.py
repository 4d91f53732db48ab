"""All routes of repayment: importing this module declares them on the service's one router."""

from services.repayment.api import guarantees, measures, portfolio, prepayments, routes
from services.repayment.api.routes import router

__all__ = ["guarantees", "measures", "portfolio", "prepayments", "router", "routes"]
