"""The view of the staff: who holds which roles. Every service that lets people in by their posts keeps one of its own.

It stands here, because a service reads its own views only and the same event types make the same documents everywhere.
"""

from collections.abc import Sequence
from typing import Any

from libs.events.onboarding import StaffAppointed, StaffDismissed
from libs.events.records import RecordedEvent
from libs.events.views import Op, Set, View


def staff_view(service: str) -> View:
    """The view `<service>.staff`. Every document is written by its own stream alone."""
    return View(
        name=f"{service}.staff",
        version=2,
        reads=(StaffAppointed, StaffDismissed),
        project=_project,
        indexes=("state", "region"),
    )


def _project(event: RecordedEvent) -> Sequence[Op]:
    """A member of staff after an appointment or a dismissal; who left has no roles."""
    data: StaffAppointed | StaffDismissed = event.data
    is_employed = isinstance(data, StaffAppointed)
    fields: dict[str, Any] = {
        "staff_id": data.staff_id,
        "state": "employed" if is_employed else "dismissed",
        "roles": [*data.roles] if is_employed else [],
        "region": data.region,
        **({"user_id": data.user_id} if isinstance(data, StaffAppointed) else {}),
        f"src.{event.stream}": event.address,
    }
    return [Set(data.staff_id, field, value) for field, value in fields.items()]
