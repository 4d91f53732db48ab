"""Who may sign which step of an application: separation of duties by person (processes.md 1.A, 1.F).

Roles are the API's scopes and the staff stream's business; here only the person counts, because one token may carry two roles.
"""

from datetime import date

from libs.events.deciding import Context, Refused
from services.onboarding.domain.application_state import ApplicationState, Case, NotSubmitted, Step, Waiting
from services.onboarding.domain.ids import is_id

#: The steps of those who bring the customer, who never assess him (rule 1).
SALES: tuple[Step, ...] = ("intake", "interview")

#: Every step before the money is released: approval and disbursement posts differ (rules 2 and 5).
BEFORE_DISBURSEMENT: tuple[Step, ...] = (*SALES, "review", "report", "convene", "vote", "condition")


def staff(context: Context) -> str:
    """The member of staff who acts. Refused: `forbidden_not_staff`."""
    if not is_id(context.principal, "stf"):
        raise Refused("forbidden_not_staff")
    return context.principal


def independent_staff(context: Context, case: Case, *steps: Step) -> str:
    """The member of staff who acts, if he neither owns the customer nor signed one of these steps.

    Refused: `forbidden_not_staff`, `forbidden_owner`, `forbidden_same_person`.
    """
    who = staff(context)
    if who == case.borrower.owner:
        raise Refused("forbidden_owner")
    if who in case.signers(*steps):
        raise Refused("forbidden_same_person")
    return who


def misplaced(state: ApplicationState) -> Refused:
    """Why a step does not fit: there is no such application, or it stands elsewhere."""
    return Refused("unknown_application" if isinstance(state, NotSubmitted) else "wrong_stage")


def require_in_time(state: Waiting, on: date) -> None:
    """Refused `too_late` when the time limit is over, though the day that says so has not come to this stream yet."""
    if on > state.lapses_on:
        raise Refused("too_late")
