"""The views of reporting, each a pure function from events to changes of documents it never reads."""

from libs.events.views import View
from services.reporting.projections.funnel import VIEW as FUNNEL
from services.reporting.projections.statement import VIEW as STATEMENT

VIEWS: tuple[View, ...] = (STATEMENT, FUNNEL)
