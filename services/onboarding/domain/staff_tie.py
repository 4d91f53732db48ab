"""Who is staff of the platform as a customer, or related to somebody who is: red line 3 marks what he borrows (domain.md section 9).

A tie is only ever added. Who left the staff stays in the register, and so do those related to him (chosen): otherwise a loan that
was prepared while he was there would be clean on the day after.
"""

from collections.abc import Sequence

from libs.events.onboarding import StaffTieRecorded
from services.onboarding.commands import RecordStaffTie
from services.onboarding.domain.user_state import Erased, NotRegistered, StaffTie, UserState


def record(command: RecordStaffTie, state: UserState) -> Sequence[StaffTieRecorded]:
    """One more tie; whoever is staff himself names those who have to hear of it."""
    if isinstance(state, Erased):
        return []
    known = state if isinstance(state, NotRegistered) else state.customer
    if StaffTie(staff_id=command.staff_id, himself=command.himself) in known.ties:
        return []
    told = () if isinstance(state, NotRegistered) else (*state.customer.related, *state.customer.related_by)
    return [
        StaffTieRecorded(
            user_id=command.user_id,
            staff_id=command.staff_id,
            himself=command.himself,
            related=tuple(dict.fromkeys(told)) if command.himself else (),
        )
    ]
