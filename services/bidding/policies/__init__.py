"""What bidding does next about an event of its own, of repayment or of onboarding, and the table of its sagas.

Pure: an event carries all that the next step needs. A step that can be declined says who undoes it.
"""

import services.bidding.policies.adjusting as adjusting
import services.bidding.policies.assets as assets
import services.bidding.policies.compensation as compensation
import services.bidding.policies.custody as custody
import services.bidding.policies.lending as lending
import services.bidding.policies.market as market
import services.bidding.policies.papers as papers
import services.bidding.policies.redemption as redemption
import services.bidding.policies.repaying as repaying
import services.bidding.policies.standing as standing
import services.bidding.policies.vouchers as vouchers
from libs.events.records import RecordedEvent
from libs.events.sagas import Send


def on_onboarding(event: RecordedEvent) -> list[Send]:
    """In this order: who is verified by a card has an account that knows it from its first moment."""
    return [*custody.on_onboarding(event), *lending.on_onboarding(event)]


def _on_bidding(event: RecordedEvent) -> list[Send]:
    return [
        *lending.on_bidding(event),
        *papers.on_bidding(event),
        *vouchers.on_bidding(event),
        *market.on_bidding(event),
        *redemption.on_bidding(event),
        *standing.on_bidding(event),
        *adjusting.on_bidding(event),
    ]


def _on_repayment(event: RecordedEvent) -> list[Send]:
    return [
        *repaying.on_repayment(event),
        *market.on_repayment(event),
        *compensation.on_repayment(event),
        *assets.on_repayment(event),
        *adjusting.on_repayment(event),
        *papers.on_repayment(event),
    ]


POLICIES = {
    "bidding": _on_bidding,
    "repayment": _on_repayment,
    "onboarding": on_onboarding,
}
SAGAS = (
    *lending.SAGAS,
    *papers.SAGAS,
    *vouchers.SAGAS,
    *standing.SAGAS,
    *repaying.SAGAS,
    *custody.SAGAS,
    *market.SAGAS,
    *redemption.SAGAS,
    *compensation.SAGAS,
    *assets.SAGAS,
    *adjusting.SAGAS,
)
