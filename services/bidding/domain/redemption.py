"""Emergency redemption 赎回: after his own offer stayed unsold, a lender asks that four people look at it and a fifth releases a sale.

It ends as a sale on the secondary market or not at all: no step of it moves money, and none can (processes.md 1.J; red lines 1
and 2). The clock runs from the complete form, not from the last signature (processes.md A35). Which post a step belongs to, the
API asks the staff.
"""

from collections.abc import Sequence
from functools import partial
from typing import assert_never, get_args

from libs.events.deciding import Aggregate, Context, Refused, Wake, WakeOn
from libs.events.redemption import (
    RedemptionApproved,
    RedemptionAsked,
    RedemptionDeclined,
    RedemptionFormCompleted,
    RedemptionLapsed,
    RedemptionRefused,
    RedemptionReleased,
    RedemptionReleaseRefused,
    RedemptionSold,
    RedemptionStep,
)
from services.bidding.commands.redemption import (
    AskRedemption,
    CompleteForm,
    CompleteRedemption,
    DeclineRedemption,
    LapseRedemption,
    ReleaseRedemption,
    SignRedemption,
)
from services.bidding.domain.ids import account_of, require_offer, require_staff, sale_offer_of
from services.bidding.domain.profile import Profile
from services.bidding.domain.redemption_state import (
    STEPS,
    Asked,
    Ended,
    Form,
    InWork,
    NotAsked,
    RedemptionEvent,
    RedemptionState,
    Released,
    Signed,
    evolve,
)

#: The phase of a day in which a deadline passes (design.md 2.7): the one that ends the day here.
DEADLINE_PHASE = 1

#: The days of its clock are not published yet, so its deadline could only be guessed.
_CALENDAR_ENDS = "calendar_ends"

_Signing = SignRedemption | ReleaseRedemption
_Decision = RedemptionApproved | RedemptionRefused | RedemptionReleaseRefused | RedemptionReleased
_Answer = CompleteForm | DeclineRedemption
_End = CompleteRedemption | LapseRedemption
RedemptionCommand = AskRedemption | _Answer | _Signing | _End


def decide(
    command: RedemptionCommand | Wake, state: RedemptionState, context: Context, *, profile: Profile
) -> Sequence[RedemptionEvent]:
    """What a command does to a redemption. Refusals stand on the commands."""
    match command:
        case Wake():
            return _pass(command, state)
        case AskRedemption():
            return _ask(command, state, context, profile)
        case CompleteForm() | DeclineRedemption():
            return _answer(command, state, context, profile)
        case SignRedemption() | ReleaseRedemption():
            return _sign(command, state, context, profile)
        case CompleteRedemption() | LapseRedemption():
            return _end(command, state, context, profile)
        case _:
            assert_never(command)


# --- the form ------------------------------------------------------------------------------------------------------


def _ask(
    command: AskRedemption, state: RedemptionState, context: Context, profile: Profile
) -> Sequence[RedemptionAsked]:
    form = Form(
        redemption_id=command.redemption_id,
        investor=context.principal,
        account_id=account_of(context.principal),
        offer_id=command.offer_id,
        reason=command.reason,
        price_permille=command.price_permille,
        principal_fen=command.principal_fen,
    )
    if not isinstance(state, NotAsked):
        if state.form == form:
            return []
        raise Refused("redemption_exists")
    require_offer(command.offer_id)
    if not profile.may_cost(command.price_permille, context.business_date):
        raise Refused("invalid_price")
    if profile.redeemed_by(context.business_date) is None:
        raise Refused(_CALENDAR_ENDS)
    return [
        RedemptionAsked(
            redemption_id=form.redemption_id,
            investor=form.investor,
            account_id=form.account_id,
            offer_id=form.offer_id,
            reason=form.reason,
            price_permille=form.price_permille,
            principal_fen=form.principal_fen,
            asked_on=context.business_date,
        )
    ]


def _answer(
    command: _Answer, state: RedemptionState, context: Context, profile: Profile
) -> Sequence[RedemptionFormCompleted | RedemptionDeclined]:
    """What the offer says: the clock starts, or nothing does."""
    if isinstance(state, NotAsked):
        raise Refused("unknown_redemption")
    if not isinstance(state, Asked):
        return []
    form, on = state.form, context.business_date
    deadline = profile.redeemed_by(on)
    if isinstance(command, DeclineRedemption) or deadline is None:
        return [
            RedemptionDeclined(
                redemption_id=form.redemption_id,
                investor=form.investor,
                offer_id=form.offer_id,
                code=command.code if isinstance(command, DeclineRedemption) else _CALENDAR_ENDS,
                declined_on=on,
            )
        ]
    return [
        RedemptionFormCompleted(
            redemption_id=form.redemption_id,
            investor=form.investor,
            account_id=form.account_id,
            offer_id=form.offer_id,
            claim_id=command.claim_id,
            loan_id=command.loan_id,
            reason=form.reason,
            price_permille=form.price_permille,
            principal_fen=form.principal_fen,
            completed_on=on,
            deadline=deadline,
            next_step=STEPS[0],
        )
    ]


# --- signatures ----------------------------------------------------------------------------------------------------


def _sign(
    command: _Signing, state: RedemptionState, context: Context, profile: Profile
) -> Sequence[_Decision]:
    require_staff(context.principal)
    wanted = _wanted(command, context.principal)
    match state:
        case NotAsked():
            raise Refused("unknown_redemption")
        case Asked():
            raise Refused("form_incomplete")
        case InWork() | Released() | Ended() if wanted in state.signed:
            return []
        case Ended():
            raise Refused("redemption_ended")
        case InWork() | Released():
            _require_unsigned(state, wanted)
        case _:
            assert_never(state)
    assert isinstance(state, InWork), "whatever was released is signed to the end"
    _require_another(state, wanted.signer, command.himself)
    if wanted.step != state.next_step:
        raise Refused("step_out_of_order")
    # The date may be past before the tick has reached this stream: it ends with its day all the same.
    if context.business_date > state.deadline:
        raise Refused("deadline_passed")
    days_left = profile.working_days_to(context.business_date, state.deadline)
    return [_signed(command, state, context, days_left)]


def _wanted(command: _Signing, signer: str) -> Signed:
    if isinstance(command, ReleaseRedemption):
        return Signed(step="release", signer=signer, refused=command.refused is not None)
    return Signed(step=command.step, signer=signer, refused=command.refused is not None)


def _require_unsigned(state: InWork | Released, wanted: Signed) -> None:
    if any(given.step == wanted.step for given in state.signed):
        raise Refused("step_signed")


def _require_another(state: InWork, signer: str, himself: str | None) -> None:
    """Five people, none of them the holder."""
    if himself == state.form.investor:
        raise Refused("forbidden_holder")
    if any(given.signer == signer for given in state.signed):
        raise Refused("forbidden_second_signature")


def _signed(command: _Signing, state: InWork, context: Context, days_left: int) -> _Decision:
    form, signer, on = state.form, context.principal, context.business_date
    match command:
        case SignRedemption(refused=None):
            return RedemptionApproved(
                redemption_id=form.redemption_id,
                investor=form.investor,
                step=command.step,
                signer=signer,
                approved_on=on,
                days_left=days_left,
                next_step=_after(command.step),
            )
        case SignRedemption():
            assert command.refused is not None, "the case above"
            return RedemptionRefused(
                redemption_id=form.redemption_id,
                investor=form.investor,
                step=command.step,
                signer=signer,
                code=command.refused,
                refused_on=on,
                days_left=days_left,
            )
        case ReleaseRedemption(refused=str() as code):
            return RedemptionReleaseRefused(
                redemption_id=form.redemption_id,
                investor=form.investor,
                signer=signer,
                code=code,
                refused_on=on,
                days_left=days_left,
            )
        case ReleaseRedemption():
            return RedemptionReleased(
                redemption_id=form.redemption_id,
                investor=form.investor,
                signer=signer,
                sale_offer_id=sale_offer_of(form.redemption_id),
                claim_id=state.claim_id,
                loan_id=state.loan_id,
                price_permille=form.price_permille,
                principal_fen=form.principal_fen,
                released_on=on,
                deadline=state.deadline,
                days_left=days_left,
            )
        case _:
            assert_never(command)


def _after(step: RedemptionStep) -> RedemptionStep:
    return STEPS[STEPS.index(step) + 1]


# --- its end -------------------------------------------------------------------------------------------------------


def _end(
    command: _End, state: RedemptionState, context: Context, profile: Profile
) -> Sequence[RedemptionSold | RedemptionLapsed]:
    match state:
        case NotAsked():
            raise Refused("unknown_redemption")
        case Ended():
            return []
        case Asked() | InWork():
            raise Refused("redemption_not_released")
        case Released():
            pass
        case _:
            assert_never(state)
    form = state.form
    if isinstance(command, LapseRedemption):
        return [
            RedemptionLapsed(
                redemption_id=form.redemption_id,
                investor=form.investor,
                stage="sale",
                code=command.code,
                lapsed_on=context.business_date,
            )
        ]
    return [
        RedemptionSold(
            redemption_id=form.redemption_id,
            investor=form.investor,
            sale_offer_id=state.sale_offer_id,
            buyer=command.buyer,
            principal_fen=command.principal_fen,
            amount_fen=command.amount_fen,
            sold_on=command.sold_on,
            days_used=profile.working_days_to(state.completed_on, command.sold_on),
        )
    ]


def _pass(wake: Wake, state: RedemptionState) -> Sequence[RedemptionLapsed]:
    due = wake_on(state)
    if due is None or (wake.business_date, wake.phase) < due:
        return []
    assert isinstance(state, InWork), "only a complete form has a deadline"
    return [
        RedemptionLapsed(
            redemption_id=state.form.redemption_id,
            investor=state.form.investor,
            stage=state.next_step,
            code="deadline_passed",
            lapsed_on=wake.business_date,
        )
    ]


def wake_on(state: RedemptionState) -> WakeOn:
    """The end of its deadline; what was released ends with its offer, whose window is the same."""
    return (state.deadline, DEADLINE_PHASE) if isinstance(state, InWork) else None


def aggregate(profile: Profile) -> Aggregate:
    """The redemption aggregate under a profile's calendar, price band and days."""
    return Aggregate(
        name="redemption",
        prefix="rdm",
        commands=get_args(RedemptionCommand),
        events=get_args(RedemptionEvent),
        state=RedemptionState,
        initial=NotAsked(),
        decide=partial(decide, profile=profile),
        evolve=evolve,
        wake_on=wake_on,
    )
