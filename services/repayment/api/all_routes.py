"""All routes of repayment: importing this module declares them on the service's one router."""

from services.repayment.api import measures, portfolio, prepayments, routes
from services.repayment.api.routes import router

__all__ = ["measures", "portfolio", "prepayments", "router", "routes"]
