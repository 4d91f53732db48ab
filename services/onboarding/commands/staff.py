"""Commands to a member of staff's stream."""

from libs.events.codec import command
from libs.events.onboarding import Code


@command("onboarding.AppointStaff")
class AppointStaff:
    """Give a member of staff exactly these roles; `user_id` is he himself as a customer, None leaves what is known of it. No effect
    when he holds them.

    Refused: `invalid_staff`, `invalid_roles`, `conflicting_roles`, `forbidden_self`, `invalid_user`, `user_differs` (he is
    known to be another one).
    """

    staff_id: str
    roles: tuple[Code, ...]
    region: Code | None = None
    user_id: str | None = None


@command("onboarding.DismissStaff")
class DismissStaff:
    """A member of staff leaves. No effect when he has left. Refused: `unknown_staff`, `forbidden_self`."""

    staff_id: str
