"""What `onboarding` is made of: its aggregates under a rule profile, its policies, sagas, views and routes."""

from typing import TYPE_CHECKING

from libs.runtime.service import Service
from services.onboarding.domain import aggregates
from services.onboarding.domain.profile import profile_named
from services.onboarding.policies import POLICIES, SAGAS
from services.onboarding.projections import VIEWS

if TYPE_CHECKING:
    from libs.runtime.http import ServiceRouter

#: Raised by hand whenever deciding changes (design.md 2.3). 4: a verified user's other card is bound; fees from the published table.
#: 5: ties with staff; a manner of repayment, whose real cash flows the ceiling looks at.
#: 6: terms keep to the product's amounts; a product names its order of payment; a guarantor signs and has room.
#: 7: what a correction makes owed again counts again. 8: no terms whose instalments no event could say.
#: 9: no fee hides in what the ceiling leaves to rounding.
RULES = 9


def build(profile: str) -> Service:
    """The service for a rule profile. Raises ValueError for a profile that does not exist."""
    return Service(
        name="onboarding",
        rules=RULES,
        aggregates=aggregates(profile_named(profile)),
        policies=POLICIES,
        sagas=SAGAS,
        views=VIEWS,
        router=_router,
    )


def _router() -> "ServiceRouter":
    from services.onboarding.api.routes import router  # only the api role loads the web room

    return router
