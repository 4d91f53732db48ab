"""The view `onboarding.users`: what is known of a user by codes, and how much counts against his cap.

Every document is written by its user's stream alone. It holds no personal data: that is the vault's (design.md 2.10).
"""

from collections.abc import Sequence

from libs.events.onboarding import (
    ErasureDeclined,
    ErasureRequested,
    ExposureReduced,
    ExposureReleased,
    ExposureReserved,
    ExposureRevoked,
    OwnerBound,
    RelationDeclared,
    SuitabilityAssessed,
    SuitabilityLapsed,
    UserErased,
    UserRegistered,
    UserVerified,
    VerificationFailed,
)
from libs.events.records import RecordedEvent
from libs.events.reopening import ExposureRestored
from libs.events.views import Add, Op, Set, View


def project(event: RecordedEvent) -> Sequence[Op]:
    """A user's document after one of his events. Amounts in fen."""
    if isinstance(event.data, ExposureRevoked) and not event.data.amount_fen:
        return []  # it counted for nobody, perhaps for nobody who is known
    user_id = event.data.user_id
    changed = [Set(user_id, field, value) for field, value in _fields(event.data).items()]
    return [*changed, *_counts(event.data), Set(user_id, f"src.{event.stream}", event.address)]


def _counts(data: object) -> list[Op]:
    match data:
        case UserRegistered():
            return [Add(data.user_id, "relations", 0), Add(data.user_id, "failed_verifications", 0)]
        case RelationDeclared():
            return [Add(data.user_id, "relations", 1)]
        case VerificationFailed():
            return [Add(data.user_id, "failed_verifications", 1)]
        case _:
            return []


def _fields(data: object) -> dict[str, str | int | None]:
    match data:
        case UserRegistered():
            return {
                "user_id": data.user_id,
                "state": "registered",
                "kind": data.kind,
                "region": data.region,
                "referrer": data.referrer,
                "owner": data.owner,
                "verified_on": None,
                "suitability": None,
                "suitability_valid_to": None,
                "exposure_fen": 0,
                "cap_fen": None,
                "erasure": None,
            }
        case OwnerBound():
            return {"owner": data.owner}
        case UserVerified():
            return {"state": "verified", "verified_on": data.verified_on.isoformat()}
        case SuitabilityAssessed():
            return {"suitability": data.level, "suitability_valid_to": data.valid_to.isoformat()}
        case SuitabilityLapsed():
            return {"suitability": None, "suitability_valid_to": None}
        case ExposureReserved():
            return {"exposure_fen": data.exposure_after_fen, "cap_fen": data.cap_fen}
        case ExposureReduced() | ExposureRestored() | ExposureReleased() | ExposureRevoked():
            return {"exposure_fen": data.exposure_after_fen}
        case ErasureRequested():
            return {"erasure": "requested"}
        case ErasureDeclined():
            return {"erasure": data.code}
        case UserErased():
            return {"state": "erased", "erasure": None}
        case RelationDeclared() | VerificationFailed():
            return {}
        case _:
            raise TypeError(f"{type(data).__name__} is not read by this view")


VIEW = View(
    name="onboarding.users",
    version=3,
    reads=(
        UserRegistered,
        OwnerBound,
        UserVerified,
        VerificationFailed,
        SuitabilityAssessed,
        SuitabilityLapsed,
        RelationDeclared,
        ExposureReserved,
        ExposureReduced,
        ExposureRestored,
        ExposureReleased,
        ExposureRevoked,
        ErasureRequested,
        ErasureDeclined,
        UserErased,
    ),
    project=project,
    owner_field="user_id",
    indexes=("owner", "state"),
)
