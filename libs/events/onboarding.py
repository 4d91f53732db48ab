"""Events of `onboarding` that other services read: who works for the platform."""

from libs.events.codec import event


@event("onboarding.StaffAppointed.v1")
class StaffAppointed:
    """A person of the staff has these roles from now on, in one region or (None) in all."""

    staff_id: str
    roles: tuple[str, ...]
    region: str | None


@event("onboarding.StaffDismissed.v1")
class StaffDismissed:
    """A person of the staff has left; `roles` are those that end with it."""

    staff_id: str
    roles: tuple[str, ...]
    region: str | None
