"""Bidding, declared: the one place where its rooms are put together. Importing it starts nothing."""

from typing import TYPE_CHECKING

from libs.runtime.service import Service
from services.bidding.domain import aggregates
from services.bidding.domain.profile import profile_named
from services.bidding.policies import POLICIES, SAGAS
from services.bidding.projections import VIEWS

if TYPE_CHECKING:
    from libs.runtime.http import ServiceRouter
    from libs.runtime.process import Role
    from libs.runtime.settings import Settings


#: Raised by hand whenever deciding changes (design.md 2.3). 2: suitability, related parties, review, applications, penalty.
#: 3: limits on users' ids and on listings whose loan could not be said. 4: under the law only applications
#: are listed. 5: only staff reviews; relations, closing, caps and ceiling looked at again. 6: the own-name card; papers; bids
#: taken in part, cancelling, publication, published fees, who pays out. 7: what was reviewed lapses; a closed account pays out what
#: came late; a voucher changes its loan; an account remembers the last hundred answers of the bank; the secondary market and
#: emergency redemption; newcomer listings, days to open by hand, staff's loans; bank days; standing orders; a manner of repayment,
#: with the schedule in the contract. 8: bank days of any size, what was in flight at midnight, requests that may wait; orders that
#: nobody waits for, cannot pay, or stand at their investor's cap; the listing tells the market who is related to its borrower; nobody
#: signs about himself; evidence of a redemption has an age and a size; contract and disclosure say who may pay; a payment says that
#: it prepays a part; no flat interest on principal that is gone, no payment in an order that is none; a guarantor pays and has a claim;
#: what corrections move is collected first and owed meanwhile.
#: 9: blank contracts; a contract that is void before its money moves; an asset is paid for, and who has a share in it gets his part.
#: 10: papers of a contract that is void after its money moved; an offer that opens after its window ends at once.
#: 11: nothing is taken from the account of who has died; differences that a work list has no room for wait, and halves of a pair
#: stand together; the paper of a void contract is void; the caps, and whether the borrower is near to staff, are looked at
#: once more when a loan is paid out; nobody grants himself a voucher; one that its loan was funded in time for is paid, however
#: late that is told; one may ask for a term; a cashier may refuse a redemption, of which no deadline is promised that the
#: calendar does not know; the law of the day on which a listing opens, windows of whole days, no look after its last day,
#: nobody in two steps of a listing. 12: who would be paid a recovery's cost says whether he could be;
#: of payments that no loan knew, an account remembers the last; no fee hides in what the ceiling leaves to rounding;
#: an asking that comes more than a day after its day takes nothing. 13: a payment names the one that it replaces.
RULES = 13


def build(profile: str) -> Service:
    """The service under the rules of a profile. Raises ValueError for a profile that does not exist."""
    return Service(
        name="bidding",
        rules=RULES,
        aggregates=aggregates(profile_named(profile)),
        policies=POLICIES,
        sagas=SAGAS,
        views=VIEWS,
        router=_router,
        courier=_courier,
    )


def _router() -> "ServiceRouter":
    # Imported on call: processes without the api role never load the web room.
    from services.bidding.api.all_routes import router

    return router


def _courier(settings: "Settings") -> "Role":
    from services.bidding.courier import CourierRole  # brings the bank's client and the log's along

    return CourierRole(settings)
