"""The user: registered, verified, assessed, related; and the only one who knows how much he may still borrow.

Exposure lives here because a cap is a rule about one borrower: two applications of his meet in this stream, one after the
other, whichever committee was quicker.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import assert_never, get_args

from libs.events.deciding import Aggregate, Context, Refused, Wake, WakeOn
from libs.events.money import MAX_INTEGER
from libs.events.onboarding import (
    ApplicantConfirmed,
    ApplicantDeclined,
    ExposureDeclined,
    ExposureReduced,
    ExposureReleased,
    ExposureReserved,
    OwnerBound,
    ReferralCredited,
    RelationDeclared,
    SuitabilityAssessed,
    SuitabilityLapsed,
    UserErased,
    UserRegistered,
    UserVerified,
    VerificationFailed,
)
from services.onboarding.commands import (
    AssessSuitability,
    BindOwner,
    ConfirmApplicant,
    CreditReferral,
    DeclareRelation,
    EraseUser,
    RecordRelation,
    ReduceExposure,
    RefuseVerification,
    RegisterUser,
    ReleaseExposure,
    ReserveExposure,
    VerifyUser,
)
from services.onboarding.domain.ids import require_id
from services.onboarding.domain.profile import Profile, level_of
from services.onboarding.domain.user_state import (
    Erased,
    NotRegistered,
    Registered,
    UserEvent,
    UserState,
    Verified,
    evolve,
)

#: The phase of a day in which validities end (design.md 2.7).
VALIDITY_PHASE = 5

_KnownCommand = (
    VerifyUser | RefuseVerification | AssessSuitability | DeclareRelation | ConfirmApplicant | ReserveExposure
)
_NoticeCommand = CreditReferral | BindOwner | RecordRelation | ReduceExposure | ReleaseExposure
UserCommand = RegisterUser | EraseUser | _NoticeCommand | _KnownCommand


def decide(
    command: UserCommand | Wake, state: UserState, context: Context, *, profile: Profile
) -> Sequence[UserEvent]:
    """What a command does to a user. Refusals stand on the commands."""
    match command:
        case Wake():
            return _lapse(command, state)
        case RegisterUser():
            return _register(command, state)
        case EraseUser():
            return _erase(command, state, context)
        case CreditReferral() | BindOwner() | RecordRelation() | ReduceExposure() | ReleaseExposure():
            return _note(command, state, profile)
        case _:
            if not isinstance(state, Registered | Verified):
                raise Refused("unknown_user")
            return _decide_known(command, state, context, profile)


def _decide_known(
    command: _KnownCommand, state: Registered | Verified, context: Context, profile: Profile
) -> Sequence[UserEvent]:
    match command:
        case VerifyUser():
            return _verify(command, state, context)
        case RefuseVerification():
            return _refuse(command, state, context)
        case AssessSuitability():
            return _assess(command, state, context, profile)
        case DeclareRelation():
            return _relate(command, state, profile)
        case ConfirmApplicant():
            return [_answer_application(command, state)]
        case ReserveExposure():
            return _reserve(command, state, context, profile)
        case _:
            assert_never(command)


def _note(command: _NoticeCommand, state: UserState, profile: Profile) -> Sequence[UserEvent]:
    """What other streams tell: true whether or not somebody is known here, so it has no effect where it means nobody."""
    if not isinstance(state, Registered | Verified):
        return []
    customer = state.customer
    match command:
        case CreditReferral():
            credited = ReferralCredited(
                user_id=customer.user_id, referred=command.referred, owner=customer.owner
            )
            return [credited]
        case BindOwner():
            require_id(command.owner, "stf", "invalid_owner")
            bound = OwnerBound(user_id=customer.user_id, owner=command.owner)
            return [bound] if customer.owner is None else []
        case RecordRelation():
            return _relate(command, state, profile)
        case ReduceExposure():
            return _reduce(command, state)
        case ReleaseExposure():
            return _release(command, state)
        case _:
            assert_never(command)


def wake_on(state: UserState) -> WakeOn:
    """An assessed user wakes when the last day of his assessment is closed."""
    if not isinstance(state, Verified) or state.suitability is None:
        return None
    return (state.suitability.valid_to, VALIDITY_PHASE)


# --- who he is -----------------------------------------------------------------------------------------------------


def _register(command: RegisterUser, state: UserState) -> Sequence[UserEvent]:
    match state:
        case NotRegistered():
            _check_registration(command)
            return [
                UserRegistered(
                    user_id=command.user_id,
                    kind=command.kind,
                    region=command.region,
                    referrer=command.referrer,
                    owner=command.owner,
                )
            ]
        case Registered() | Verified():
            known = state.customer
            asked = (command.kind, command.region, command.referrer)
            if asked == (known.kind, known.region, known.referrer) and command.owner in (None, known.owner):
                return []
            raise Refused("user_exists")
        case Erased():
            raise Refused("user_exists")
        case _:
            assert_never(state)


def _check_registration(command: RegisterUser) -> None:
    require_id(command.user_id, "usr", "invalid_user")
    if command.referrer is not None:
        require_id(command.referrer, "usr", "invalid_referrer")
        if command.referrer == command.user_id:
            raise Refused("invalid_referrer")
    if command.owner is not None:
        require_id(command.owner, "stf", "invalid_owner")


def _verify(command: VerifyUser, state: Registered | Verified, context: Context) -> Sequence[UserVerified]:
    if isinstance(state, Verified):
        return []
    customer = state.customer
    return [
        UserVerified(
            user_id=customer.user_id,
            kind=customer.kind,
            region=customer.region,
            owner=customer.owner,
            provider=command.provider,
            reference=command.reference,
            verified_on=context.business_date,
        )
    ]


def _refuse(
    command: RefuseVerification, state: Registered | Verified, context: Context
) -> Sequence[VerificationFailed]:
    if isinstance(state, Verified):
        raise Refused("already_verified")
    return [
        VerificationFailed(
            user_id=state.customer.user_id,
            provider=command.provider,
            reference=command.reference,
            code=command.code,
            failed_on=context.business_date,
        )
    ]


def _assess(
    command: AssessSuitability, state: Registered | Verified, context: Context, profile: Profile
) -> Sequence[SuitabilityAssessed]:
    if not isinstance(state, Verified):
        raise Refused("not_verified")
    try:
        level = level_of(command.answers)
    except ValueError:
        raise Refused("invalid_answers") from None
    known = state.suitability
    if known is not None and (known.level, known.assessed_on) == (level, context.business_date):
        return []
    return [
        SuitabilityAssessed(
            user_id=state.customer.user_id,
            level=level,
            assessed_on=context.business_date,
            valid_to=context.business_date + timedelta(days=profile.suitability_days),
        )
    ]


def _lapse(wake: Wake, state: UserState) -> Sequence[SuitabilityLapsed]:
    due = wake_on(state)
    if due is None or (wake.business_date, wake.phase) < due:
        return []
    assert isinstance(state, Verified), "only an assessed user wakes"
    assert state.suitability is not None, "only an assessed user wakes"
    return [
        SuitabilityLapsed(
            user_id=state.customer.user_id, level=state.suitability.level, lapsed_on=wake.business_date
        )
    ]


def _relate(
    command: DeclareRelation | RecordRelation, state: Registered | Verified, profile: Profile
) -> Sequence[RelationDeclared]:
    customer = state.customer
    require_id(command.related, "usr", "invalid_related")
    if command.related == customer.user_id:
        raise Refused("invalid_related")
    if command.related in customer.related:
        return []
    if len(customer.related) >= profile.relations_max:
        raise Refused("too_many_relations")
    return [RelationDeclared(user_id=customer.user_id, related=command.related)]


def _erase(command: EraseUser, state: UserState, context: Context) -> Sequence[UserErased]:
    match state:
        case NotRegistered():
            raise Refused("unknown_user")
        case Erased():
            return []
        case Verified() if state.exposures:
            raise Refused("has_exposure")
        case Registered() | Verified():
            return [UserErased(user_id=command.user_id, erased_on=context.business_date)]
        case _:
            assert_never(state)


# --- what he may borrow --------------------------------------------------------------------------------------------


def _answer_application(
    command: ConfirmApplicant, state: Registered | Verified
) -> ApplicantConfirmed | ApplicantDeclined:
    customer = state.customer
    if not isinstance(state, Verified):
        return ApplicantDeclined(
            user_id=customer.user_id, application_id=command.application_id, code="not_verified"
        )
    return ApplicantConfirmed(
        user_id=customer.user_id,
        application_id=command.application_id,
        kind=customer.kind,
        region=customer.region,
        owner=customer.owner,
        related=customer.related,
    )


def _reserve(
    command: ReserveExposure, state: Registered | Verified, context: Context, profile: Profile
) -> Sequence[ExposureReserved | ExposureDeclined]:
    """All of the borrower's loans together stay at or below the cap of the day (rules.md 1.8)."""
    customer = state.customer
    cap_fen = profile.cap_fen(customer.kind, context.business_date)
    before_fen = state.exposure_fen if isinstance(state, Verified) else 0
    after_fen = before_fen + command.amount_fen
    if not isinstance(state, Verified):
        code = "not_verified"
    elif state.exposure_of(command.loan_id) is not None:
        return []
    elif after_fen > (MAX_INTEGER if cap_fen is None else cap_fen):
        code = "exposure_cap_exceeded"
    else:
        return [
            ExposureReserved(
                user_id=customer.user_id,
                application_id=command.application_id,
                loan_id=command.loan_id,
                amount_fen=command.amount_fen,
                exposure_after_fen=after_fen,
                cap_fen=cap_fen,
                owner=customer.owner,
                related=customer.related,
            )
        ]
    return [
        ExposureDeclined(
            user_id=customer.user_id,
            application_id=command.application_id,
            loan_id=command.loan_id,
            amount_fen=command.amount_fen,
            exposure_fen=before_fen,
            cap_fen=cap_fen,
            code=code,
        )
    ]


def _reduce(command: ReduceExposure, state: UserState) -> Sequence[ExposureReduced | ExposureReleased]:
    """A loan that was repaid to the last fen does not count any more, so it is released at once."""
    exposure = state.exposure_of(command.loan_id) if isinstance(state, Verified) else None
    if exposure is None or not isinstance(state, Verified):
        return []
    if command.amount_fen >= exposure.amount_fen:
        return _release(
            ReleaseExposure(user_id=command.user_id, loan_id=command.loan_id, reason="repaid"), state
        )
    return [
        ExposureReduced(
            user_id=state.customer.user_id,
            loan_id=command.loan_id,
            amount_fen=command.amount_fen,
            loan_exposure_after_fen=exposure.amount_fen - command.amount_fen,
            exposure_after_fen=state.exposure_fen - command.amount_fen,
        )
    ]


def _release(command: ReleaseExposure, state: UserState) -> Sequence[ExposureReleased]:
    exposure = state.exposure_of(command.loan_id) if isinstance(state, Verified) else None
    if exposure is None or not isinstance(state, Verified):
        return []
    return [
        ExposureReleased(
            user_id=state.customer.user_id,
            loan_id=command.loan_id,
            amount_fen=exposure.amount_fen,
            exposure_after_fen=state.exposure_fen - exposure.amount_fen,
            reason=command.reason,
        )
    ]


def aggregate(profile: Profile) -> Aggregate:
    """The user aggregate under a profile's caps and validities."""
    return Aggregate(
        name="user",
        prefix="usr",
        commands=get_args(UserCommand),
        events=get_args(UserEvent),
        state=UserState,
        initial=NotRegistered(),
        decide=partial(decide, profile=profile),
        evolve=evolve,
        wake_on=wake_on,
    )
