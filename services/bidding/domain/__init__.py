"""The rules of bidding: its aggregates and the profile they obey. Pure: no clock, no chance, no I/O."""

import services.bidding.domain.account as account
import services.bidding.domain.bank_days as bank_days
import services.bidding.domain.contract as contract
import services.bidding.domain.deal_pack as deal_pack
import services.bidding.domain.listing as listing
import services.bidding.domain.marketing as marketing
import services.bidding.domain.offer as offer
import services.bidding.domain.redemption as redemption
import services.bidding.domain.settling as settling
import services.bidding.domain.standing as standing
import services.bidding.domain.stock as stock
import services.bidding.domain.unrequested as unrequested
from libs.events.deciding import Aggregate
from services.bidding.domain.profile import Profile


def aggregates(profile: Profile) -> tuple[Aggregate, ...]:
    """The service's aggregates, closed over the profile whose caps and ceilings they apply."""
    return (
        account.aggregate(profile),
        listing.aggregate(profile),
        unrequested.AGGREGATE,
        contract.aggregate(profile),
        deal_pack.AGGREGATE,
        marketing.AGGREGATE,
        offer.aggregate(profile),
        redemption.aggregate(profile),
        bank_days.AGGREGATE,
        standing.aggregate(profile),
        settling.AGGREGATE,
        stock.aggregate(profile),
    )
