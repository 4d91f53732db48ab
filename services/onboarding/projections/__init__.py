"""The views of onboarding, each a pure function from events to changes of documents it never reads."""

from libs.events.views import View
from services.onboarding.projections.applications import VIEW as APPLICATIONS
from services.onboarding.projections.pipeline import VIEW as PIPELINE
from services.onboarding.projections.staff import VIEW as STAFF
from services.onboarding.projections.users import VIEW as USERS

VIEWS: tuple[View, ...] = (USERS, APPLICATIONS, PIPELINE, STAFF)
