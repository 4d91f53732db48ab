"""The rules of collections: the debtor, the collector, and the profile they obey. Pure: no clock, no chance, no I/O."""

from libs.events.deciding import Aggregate
from services.collections.domain.collector import collector_aggregate
from services.collections.domain.debtor import debtor_aggregate
from services.collections.domain.profile import Profile


def aggregates(profile: Profile) -> tuple[Aggregate, ...]:
    """The service's aggregates under a profile's rules."""
    return (debtor_aggregate(profile), collector_aggregate(profile))
