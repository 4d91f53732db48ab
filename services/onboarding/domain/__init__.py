"""The rules of onboarding: three aggregates and the profile they obey. Pure: no clock, no chance, no I/O."""

import services.onboarding.domain.application as application
import services.onboarding.domain.staff as staff
import services.onboarding.domain.user as user
from libs.events.deciding import Aggregate
from services.onboarding.domain.profile import Profile


def aggregates(profile: Profile) -> tuple[Aggregate, ...]:
    """The service's aggregates, closed over the profile whose caps and limits they apply."""
    return (user.aggregate(profile), application.aggregate(profile), staff.AGGREGATE)
