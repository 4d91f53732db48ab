"""The user: registered, verified, assessed, related, forgotten; what he may borrow stands in `exposure`."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import assert_never, get_args

from libs.events.deciding import Aggregate, Context, Refused, Wake, WakeOn
from libs.events.onboarding import (
    ApplicantConfirmed,
    ApplicantDeclined,
    ApplicantReleased,
    CardBound,
    ErasureDeclined,
    ErasureRequested,
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
    CompleteErasure,
    ConfirmApplicant,
    ConfirmExposure,
    CreditReferral,
    DeclareRelation,
    DeclineErasure,
    EraseUser,
    RecordRelation,
    RecordStaffTie,
    ReduceExposure,
    RefuseVerification,
    RegisterUser,
    ReleaseApplicant,
    ReleaseExposure,
    ReserveExposure,
    RestoreExposure,
    VerifyUser,
)
from services.onboarding.domain import exposure, staff_tie
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
_NoticeCommand = (
    CreditReferral
    | BindOwner
    | RecordRelation
    | ReleaseApplicant
    | ReduceExposure
    | RestoreExposure
    | ReleaseExposure
    | CompleteErasure
    | DeclineErasure
)
UserCommand = RegisterUser | EraseUser | ConfirmExposure | RecordStaffTie | _NoticeCommand | _KnownCommand


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
        case ConfirmExposure():
            return exposure.confirm(command, state, context, profile)
        case RecordStaffTie():
            return staff_tie.record(command, state)
        case (
            VerifyUser()
            | RefuseVerification()
            | AssessSuitability()
            | DeclareRelation()
            | ConfirmApplicant()
            | ReserveExposure()
        ):
            if not isinstance(state, Registered | Verified):
                raise Refused("unknown_user")
            return _decide_known(command, state, context, profile)
        case _:
            return _note(command, state, context, profile)


def _decide_known(
    command: _KnownCommand, state: Registered | Verified, context: Context, profile: Profile
) -> Sequence[UserEvent]:
    if state.customer.is_leaving and not isinstance(command, ConfirmApplicant | ReserveExposure):
        raise Refused("erasure_requested")
    match command:
        case VerifyUser():
            return _verify(command, state, context)
        case RefuseVerification():
            return _refuse(command, state, context)
        case AssessSuitability():
            return _assess(command, state, context, profile)
        case DeclareRelation():
            return _declare(command, state, profile)
        case ConfirmApplicant():
            return [_answer_application(command, state)]
        case ReserveExposure():
            return exposure.reserve(command, state, context, profile)
        case _:
            assert_never(command)


def _note(
    command: _NoticeCommand, state: UserState, context: Context, profile: Profile
) -> Sequence[UserEvent]:
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
            return _record(command, state, profile)
        case ReleaseApplicant():
            return _release_applicant(command, state)
        case ReduceExposure():
            return exposure.reduce(command, state)
        case RestoreExposure():
            return exposure.restore(command, state)
        case ReleaseExposure():
            return exposure.release(command, state)
        case CompleteErasure():
            erased = UserErased(user_id=customer.user_id, erased_on=context.business_date)
            return [erased] if customer.is_leaving else []
        case DeclineErasure():
            kept = ErasureDeclined(user_id=customer.user_id, code=command.code)
            return [kept] if customer.is_leaving else []
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


def _verify(
    command: VerifyUser, state: Registered | Verified, context: Context
) -> Sequence[UserVerified | CardBound]:
    if isinstance(state, Verified):
        return _bind_card(command, state)
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
            related=customer.related_by,
            card_ref=command.card_ref,
        )
    ]


def _bind_card(command: VerifyUser, state: Verified) -> Sequence[CardBound]:
    if command.card_ref is None or command.card_ref == state.card_ref:
        return []
    return [CardBound(user_id=state.customer.user_id, card_ref=command.card_ref)]


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


def _declare(
    command: DeclareRelation, state: Registered | Verified, profile: Profile
) -> Sequence[RelationDeclared]:
    customer = state.customer
    require_id(command.related, "usr", "invalid_related")
    if command.related == customer.user_id:
        raise Refused("invalid_related")
    if not isinstance(state, Verified):
        raise Refused("not_verified")
    if command.related in customer.related:
        return []
    if len(customer.related) >= profile.relations_max:
        raise Refused("too_many_relations")
    return [RelationDeclared(user_id=customer.user_id, related=command.related, staff=customer.is_staff)]


def _record(
    command: RecordRelation, state: Registered | Verified, profile: Profile
) -> Sequence[RelationDeclared]:
    customer = state.customer
    if command.related in (*customer.related, *customer.related_by):
        return []
    if len(customer.related_by) >= profile.declared_by_max:
        raise Refused("too_many_relations")
    return [
        RelationDeclared(
            user_id=customer.user_id, related=command.related, by_other=True, staff=customer.is_staff
        )
    ]


# --- his applications ----------------------------------------------------------------------------------------------


def _answer_application(
    command: ConfirmApplicant, state: Registered | Verified
) -> ApplicantConfirmed | ApplicantDeclined:
    customer = state.customer
    if not isinstance(state, Verified) or customer.is_leaving:
        return ApplicantDeclined(
            user_id=customer.user_id,
            application_id=command.application_id,
            code="erasure_requested" if customer.is_leaving else "not_verified",
        )
    return ApplicantConfirmed(
        user_id=customer.user_id,
        application_id=command.application_id,
        kind=customer.kind,
        region=customer.region,
        owner=customer.owner,
        related=customer.related,
    )


def _release_applicant(
    command: ReleaseApplicant, state: Registered | Verified
) -> Sequence[ApplicantReleased]:
    if not isinstance(state, Verified) or command.application_id not in state.applications:
        return []
    return [ApplicantReleased(user_id=state.customer.user_id, application_id=command.application_id)]


# --- leaving -------------------------------------------------------------------------------------------------------


def _erase(command: EraseUser, state: UserState, context: Context) -> Sequence[ErasureRequested]:
    match state:
        case NotRegistered():
            raise Refused("unknown_user")
        case Erased():
            return []
        case Verified() if state.exposures:
            raise Refused("has_exposure")
        case Verified() if state.applications:
            raise Refused("has_application")
        case Registered() | Verified():
            asked = ErasureRequested(user_id=command.user_id, requested_on=context.business_date)
            return [] if state.customer.is_leaving else [asked]
        case _:
            assert_never(state)


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
        dateless_commands=(RecordStaffTie,),  # staff are appointed before the calendar opens
    )
