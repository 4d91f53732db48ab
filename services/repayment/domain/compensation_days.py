"""How long a compensation waits for its signatures: a request that nobody finishes comes to nothing, and is made anew on new figures.

The manuals name no days for it, so they are the profile's (`compensation_days`, chosen). What is asked of the guarantor's account is
answered at once and waits for nobody.
"""

from collections.abc import Sequence

from libs.events.compensation import CompensationDeclined
from libs.events.deciding import Context, Refused, Wake, WakeOn
from services.repayment.domain.guarantee import Approved, Guarantee, Proposed
from services.repayment.domain.loan_state import LoanState, NotOpened, Repaid, Running

#: The last phase that repayment has in a day: a signature of the day itself is in time.
EXPIRY_PHASE = 4


def expires_on(state: LoanState) -> WakeOn:
    """The end of the last day on which what is proposed of a loan's guarantor is signed; None where nothing waits."""
    waiting = _waiting(state)
    return None if waiting is None or waiting.sign_until is None else (waiting.sign_until, EXPIRY_PHASE)


def expired(call: Wake, state: LoanState) -> Sequence[CompensationDeclined]:
    """What was not signed in time comes to nothing, of a loan that was repaid meanwhile as well."""
    due, guarantee, waiting = expires_on(state), _guarantee(state), _waiting(state)
    if due is None or guarantee is None or waiting is None or (call.business_date, call.phase) < due:
        return []
    assert not isinstance(state, NotOpened), "only a loan has a guarantor"
    return [
        CompensationDeclined(
            loan_id=state.loan_id,
            compensation_id=waiting.compensation_id,
            guarantor=guarantee.guarantor,
            code="expired",
            declined_on=call.business_date,
        )
    ]


def require_in_time(waiting: Proposed | Approved, context: Context) -> None:
    """Refused `compensation_expired` after the last day, for the date may be past before the tick has reached this stream."""
    if waiting.sign_until is not None and context.business_date > waiting.sign_until:
        raise Refused("compensation_expired")


def _waiting(state: LoanState) -> Proposed | Approved | None:
    guarantee = _guarantee(state)
    under_way = guarantee.under_way if guarantee else None
    return under_way if isinstance(under_way, Proposed | Approved) else None


def _guarantee(state: LoanState) -> Guarantee | None:
    match state:
        case NotOpened():
            return None
        case Running():
            return state.guarantee
        case Repaid():
            return state.last.guarantee
