"""What `repayment` is made of: its aggregates under a rule profile, its policies, sagas, views and routes."""

from typing import TYPE_CHECKING

from libs.events.staff import staff_view
from libs.runtime.service import Service
from services.repayment.domain import correction
from services.repayment.domain.asset import asset_aggregate
from services.repayment.domain.business_calendar import calendar_aggregate
from services.repayment.domain.guarantor import guarantor_aggregate
from services.repayment.domain.loan import loan_aggregate
from services.repayment.domain.measure import measure_aggregate
from services.repayment.domain.profile import profile_named
from services.repayment.policies import POLICIES, SAGAS
from services.repayment.projections import (
    assets,
    calendar,
    claims,
    corrections,
    guarantees,
    loan_history,
    loans,
    measures,
    off_balance,
    overdue_buckets,
)

if TYPE_CHECKING:
    from libs.runtime.http import ServiceRouter

#: Raised by hand whenever deciding changes (design.md 2.3). 2: penalty interest and five classes.
#: 3: a miss says what is overdue with it. 4: claims are reserved and change hands; a manner of repayment, with a fee of each period;
#: a loan is not judged while a debit has no answer. 5: claims of every manner are sold; a part is prepaid, and payments are allocated
#: in the order of the loan's terms; measures, the lenders' mandate, non-accrual; corrections; guarantors pay and are owed.
#: 6: assets are taken in settlement, kept and sold. 7: a waiver counts those before it, nobody signs about himself, consent of a
#: guarantor, proposals expire; terms of a guarantor; a contract is void after its money moved; days are paused, and loans flagged;
#: measures and late days are inputs of a loan.
#: 8: a measure waits for the answer of a debit that is on its way; arrears of a pause are restructured, or settled
#: in kind; what comes to a loan that was judged, while others are, comes after its judgement; a guarantor's
#: money is an input; the sale of an asset that nobody signs expires, and a guarantor's terms; who is known to have a part in a loan
#: signs no correction of it; a lender who knew of an illegal purpose is not protected; a restructuring is no payment, and
#: non-accrual by hand ends by hand; a move between branches is signed on its day; an asset is acquired after its loan was lent,
#: and valued lately; loans that are repaid at once, by the day or on days that move are extended and restructured; a
#: correction says what of a loss is owed, and goes behind a sale; no penalty behind a debit that has no answer;
#: a prepayment of a loss asks for no interest again.
#: 9: a payment that paid what a recovery cost is an input of its loan; what settles a loan after a restructuring, or is paid for a claim of it, is
#: what was in arrears and what has run since that day; penalty that was charged before is asked with it; no schedule begins anew before what a
#: grace has deferred is due; whoever has a part in an asset, or sells it, is not paid what its sale costs, and that is a fifth at most;
#: no waiver gives up what the guarantor has paid for; lenders whose principal came first vote by what they were owed last; a thing
#: is taken also where the guarantor has paid for all of it, or was asked and cannot; a pause is of days
#: of the loan, to come; a loan that was observed is told of its better class on the day after;
#: a payment that was taken is known for good; events say what of the principal is overdue;
#: what was paid late while a debit had no answer is judged with it; what was told late is placed by its own date; the first row
#: after a restructuring asks for no interest of days on which its principal bore penalty.
#: 10: an instalment that is paid in full while an older one is open is in no day's way; a payment says what lapses by it; a new row has the
#: contract's fee also where it asks for nothing else; what is entered in the place of a voided payment names it; a date from before the
#: calendar is refused where it is to be closed; penalty up to a day is cut where the close cuts it, whoever asks and whenever it is said;
#: overdue is what is open of instalments that were missed, and not of those that the evening has not judged yet; what is owed of a loss is all of an instalment that a
#: payment dated to its day has touched; an instalment of penalty alone is asked, and missed, as any other;
#: in the place of a voided payment only its payer and the borrower enter one.
RULES = 10


def build(profile: str) -> Service:
    """The service for a rule profile. Raises ValueError for a profile that does not exist."""
    return Service(
        name="repayment",
        rules=RULES,
        aggregates=(
            loan_aggregate(profile_named(profile)),
            calendar_aggregate(),
            measure_aggregate(profile_named(profile)),
            guarantor_aggregate(profile_named(profile)),
            asset_aggregate(profile_named(profile)),
            correction.AGGREGATE,
        ),
        policies=POLICIES,
        sagas=SAGAS,
        views=(
            loans.VIEW,
            claims.VIEW,
            overdue_buckets.VIEW,
            calendar.VIEW,
            loan_history.VIEW,
            measures.VIEW,
            guarantees.GUARANTORS,
            guarantees.COMPENSATIONS,
            corrections.VIEW,
            assets.VIEW,
            off_balance.VIEW,
            staff_view("repayment"),
        ),
        router=_router,
    )


def _router() -> "ServiceRouter":
    from services.repayment.api.all_routes import router  # only the api role loads the web room

    return router
