"""What `reporting` is made of: views of other services' events, figures and routes. It decides nothing."""

from typing import TYPE_CHECKING

from libs.runtime.service import Service
from services.reporting.figures import FIGURES
from services.reporting.projections import VIEWS

if TYPE_CHECKING:
    from libs.runtime.http import ServiceRouter


def build(_profile: str) -> Service:
    """The service; no rule parameter decides anything here."""
    return Service(name="reporting", views=VIEWS, figures=FIGURES, router=_router)


def _router() -> "ServiceRouter":
    from services.reporting.api.routes import router  # only the api role loads the web room

    return router
