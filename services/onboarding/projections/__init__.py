"""The views of onboarding, each a pure function from events to changes of documents it never reads."""

from libs.events.staff import staff_view
from libs.events.views import View
from services.onboarding.projections.applications import VIEW as APPLICATIONS
from services.onboarding.projections.pipeline import VIEW as PIPELINE
from services.onboarding.projections.users import VIEW as USERS

VIEWS: tuple[View, ...] = (USERS, APPLICATIONS, PIPELINE, staff_view("onboarding"))
