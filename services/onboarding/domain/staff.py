"""Staff: who holds which roles, so that nobody holds two that separation of duties keeps apart (processes.md 1.A)."""

from collections.abc import Sequence
from typing import Literal, assert_never, get_args

from libs.events.codec import record
from libs.events.deciding import Aggregate, Context, Refused, WakeOn
from libs.events.onboarding import Code, StaffAppointed, StaffDismissed
from services.onboarding.commands import AppointStaff, DismissStaff
from services.onboarding.domain.ids import require_id

#: Every role, with the post that it belongs to. Two posts never meet in one person: who brings the customer does not assess
#: the risk; approval, disbursement and recovery differ; who writes claim papers (risk) does not review them (legal). The four posts that a redemption passes are one
#: line of the market: nobody signs two steps of one all the same.
POSTS: dict[Code, str] = {
    "customer_manager": "sales",
    "sales_director": "sales",
    "risk": "assessment",
    "risk_assessor": "assessment",
    "general_manager": "approval",
    "finance_supervisor": "approval",
    "legal": "disbursement",
    "disbursement": "disbursement",
    "cashier": "cash",
    "accountant": "confirmation",
    "collector": "recovery",
    "collections_supervisor": "recovery",
    "customer_service": "service",
    "loan_clerk": "files",
    "admin": "administration",
    "market_specialist": "market",
    "department_head": "market",
    "branch_general_manager": "market",
    "market_director": "market",
}

StaffCommand = AppointStaff | DismissStaff
StaffEvent = StaffAppointed | StaffDismissed


@record
class NotAppointed:
    """Nobody yet."""

    kind: Literal["not_appointed"] = "not_appointed"


@record
class Employed:
    """Holds these roles, sorted; `user_id` is he himself as a customer, None while he is not known to be one."""

    kind: Literal["employed"] = "employed"
    staff_id: str
    roles: tuple[Code, ...]
    region: Code | None
    user_id: str | None = None


@record
class Dismissed:
    """Has left; may come back by a new appointment."""

    kind: Literal["dismissed"] = "dismissed"
    staff_id: str
    user_id: str | None = None


StaffState = NotAppointed | Employed | Dismissed


def decide(command: StaffCommand, state: StaffState, context: Context) -> Sequence[StaffEvent]:
    """What a command does to a member of staff. Refusals stand on the commands."""
    require_id(
        command.staff_id, "stf", "invalid_staff" if isinstance(command, AppointStaff) else "unknown_staff"
    )
    if context.principal == command.staff_id:
        raise Refused("forbidden_self")
    match command:
        case AppointStaff():
            return _appoint(command, state)
        case DismissStaff():
            return _dismiss(command, state)
        case _:
            assert_never(command)


def _appoint(command: AppointStaff, state: StaffState) -> Sequence[StaffAppointed]:
    roles = tuple(sorted(command.roles))
    if not roles or len(set(roles)) != len(roles) or any(role not in POSTS for role in roles):
        raise Refused("invalid_roles")
    if len({POSTS[role] for role in roles}) > 1:
        raise Refused("conflicting_roles")
    user_id = _user_of(command, state)
    appointed = StaffAppointed(staff_id=command.staff_id, roles=roles, region=command.region, user_id=user_id)
    return [] if evolve(state, appointed) == state else [appointed]


def _user_of(command: AppointStaff, state: StaffState) -> str | None:
    """Who he is as a customer: said once, because the register of those related to staff rests on it."""
    known = None if isinstance(state, NotAppointed) else state.user_id
    if command.user_id is None:
        return known
    require_id(command.user_id, "usr", "invalid_user")
    if known not in (None, command.user_id):
        raise Refused("user_differs")
    return command.user_id


def _dismiss(command: DismissStaff, state: StaffState) -> Sequence[StaffDismissed]:
    match state:
        case NotAppointed():
            raise Refused("unknown_staff")
        case Dismissed():
            return []
        case Employed():
            return [StaffDismissed(staff_id=command.staff_id, roles=state.roles, region=state.region)]
        case _:
            assert_never(state)


def evolve(state: StaffState, event: StaffEvent) -> StaffState:
    """Fold one event. Never refuses: what happened, happened."""
    match event:
        case StaffAppointed():
            return Employed(
                staff_id=event.staff_id, roles=event.roles, region=event.region, user_id=event.user_id
            )
        case StaffDismissed():
            known = None if isinstance(state, NotAppointed) else state.user_id
            return Dismissed(staff_id=event.staff_id, user_id=known)
        case _:
            assert_never(event)


def wake_on(_state: StaffState) -> WakeOn:
    """Time does nothing to an appointment."""
    return None


AGGREGATE = Aggregate(
    name="staff",
    prefix="stf",
    commands=get_args(StaffCommand),
    events=get_args(StaffEvent),
    state=StaffState,
    initial=NotAppointed(),
    decide=decide,
    evolve=evolve,
    wake_on=wake_on,
    dateless=True,
)
