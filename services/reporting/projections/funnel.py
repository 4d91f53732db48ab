"""The view `reporting.funnel`: how far every user has come as an investor, one document per user.

The funnel of domain.md section 6 is, for each stage, the number of documents that have it: a user counts once, whatever he
does again. A bid counts when its listing has accepted it.
"""

from collections.abc import Sequence

from libs.events.bidding import BidPlaced, FundsDeposited, HoldCaptured
from libs.events.onboarding import SuitabilityAssessed, UserRegistered, UserVerified
from libs.events.records import RecordedEvent
from libs.events.views import Add, Op, Set, View

#: The stages in their order. A document's field of that name says how often the user has reached it.
STAGES = ("registered", "verified", "assessed", "topped_up", "bid", "funded")


def project(event: RecordedEvent) -> Sequence[Op]:
    """One more time at a stage, with the last event of each stream behind it; whoever registers says who he is."""
    user_id, stage = _reached(event.data)
    changes: list[Op] = [Add(user_id, stage, 1), Set(user_id, f"src.{event.stream}", event.address)]
    if isinstance(event.data, UserRegistered):
        changes += [Set(user_id, "region", event.data.region), Set(user_id, "kind", event.data.kind)]
    return changes


def _reached(data: object) -> tuple[str, str]:
    """(user, stage)."""
    match data:
        case UserRegistered():
            return data.user_id, "registered"
        case UserVerified():
            return data.user_id, "verified"
        case SuitabilityAssessed():
            return data.user_id, "assessed"
        case FundsDeposited():
            return data.owner, "topped_up"
        case BidPlaced():
            return data.bid.investor, "bid"
        case HoldCaptured():
            return data.owner, "funded"
        case _:
            raise TypeError(f"{type(data).__name__} is not read by this view")


VIEW = View(
    name="reporting.funnel",
    version=1,
    reads=(UserRegistered, UserVerified, SuitabilityAssessed, FundsDeposited, BidPlaced, HoldCaptured),
    project=project,
)
