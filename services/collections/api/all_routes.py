"""All routes of collections: importing this module declares them on the service's one router."""

from services.collections.api import planning, routes
from services.collections.api.routes import router

__all__ = ["planning", "router", "routes"]
