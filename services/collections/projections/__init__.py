"""The views of collections, each a pure function from events to changes of documents it never reads."""

from libs.events.staff import staff_view
from libs.events.views import View
from services.collections.projections.case_file import VIEW as CASE_FILES
from services.collections.projections.collectors import VIEW as COLLECTORS
from services.collections.projections.queue import VIEW as QUEUE
from services.collections.projections.stages import VIEW as STAGES

VIEWS: tuple[View, ...] = (QUEUE, CASE_FILES, STAGES, COLLECTORS, staff_view("collections"))
