"""The view `reporting.investors`: how far every user has come as an investor, one document per user.

The funnel of domain.md section 6 (registered, verified, topped up, first bid, first funded) is the number of documents that
have each field: a user counts once, whatever he does again.
"""

from collections.abc import Sequence

from libs.events.bidding import FundsDeposited, FundsHeld, HoldCaptured
from libs.events.onboarding import SuitabilityAssessed, UserRegistered, UserVerified
from libs.events.records import RecordedEvent
from libs.events.views import Add, Op, Set, View

#: The stages of the funnel in their order, as fields of a document.
STAGES = ("registered_on", "verified_on", "assessed_on", "top_ups", "bids", "funded")


def project(event: RecordedEvent) -> Sequence[Op]:
    """A date where the user's own stream says it, a count where his account's does; each with the last event behind it."""
    changes = _changes(event)
    return [*changes, Set(changes[0].doc, f"src.{event.stream}", event.address)] if changes else []


def _changes(event: RecordedEvent) -> Sequence[Op]:
    match event.data:
        case UserRegistered() as registered:
            return [
                Set(registered.user_id, "region", registered.region),
                Set(registered.user_id, "kind", registered.kind),
                Set(registered.user_id, "registered_on", _date(event)),
            ]
        case UserVerified() as verified:
            return [Set(verified.user_id, "verified_on", verified.verified_on.isoformat())]
        case SuitabilityAssessed() as assessed:
            return [
                Set(assessed.user_id, "assessed_on", assessed.assessed_on.isoformat()),
                Set(assessed.user_id, "level", assessed.level),
            ]
        case FundsDeposited() as deposited:
            return [Add(deposited.owner, "top_ups", 1)]
        case FundsHeld() as held:
            return [Add(held.owner, "bids", 1)]
        case HoldCaptured() as captured:
            return [Add(captured.owner, "funded", 1)]
        case _:
            return []


def _date(event: RecordedEvent) -> str:
    """The business date; before the calendar opens, the day on which it was said."""
    day = event.business_date or (event.at.date() if event.at else None)
    return "" if day is None else day.isoformat()


VIEW = View(
    name="reporting.investors",
    version=2,
    reads=(UserRegistered, UserVerified, SuitabilityAssessed, FundsDeposited, FundsHeld, HoldCaptured),
    project=project,
)
