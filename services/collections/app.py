"""What `collections` is made of: its aggregates under a rule profile, its policies, sagas, views and routes."""

from typing import TYPE_CHECKING

from libs.runtime.service import Service
from services.collections.domain import aggregates
from services.collections.domain.profile import profile_named
from services.collections.policies import POLICIES, SAGAS
from services.collections.projections import VIEWS

if TYPE_CHECKING:
    from libs.runtime.http import ServiceRouter

#: Raised by hand whenever deciding changes (design.md 2.3). 3: who is appointed before the
#: calendar opens has a desk. 4: that a debtor rings up is no attempt in vain to reach him.
#: 5: an instalment is known by its due date, because a restructured loan counts anew; penalty is given up; a loan that a correction
#: makes late again has its case again; a case that is written off leaves its bucket; repayment plans.
#: 6: a promise is kept no more when the payments that kept it are corrected; a plan brings the consent of whoever answers for the loan,
#: and says who asks for it as a customer; flags on a debtor's loans. 7: a promise that was broken is kept once enough counts as of its date.
#: 8: a miss says all that is overdue with it, because no payment before it has counted the instalment.
RULES = 8


def build(profile: str) -> Service:
    """The service for a rule profile. Raises ValueError for a profile that does not exist."""
    return Service(
        name="collections",
        rules=RULES,
        aggregates=aggregates(profile_named(profile)),
        policies=POLICIES,
        sagas=SAGAS,
        views=VIEWS,
        router=_router,
    )


def _router() -> "ServiceRouter":
    from services.collections.api.routes import router  # only the api role loads the web room

    return router
