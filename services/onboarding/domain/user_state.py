"""What a user's stream remembers: who he is by codes, his assessment, and which loans count against his cap."""

from dataclasses import replace
from datetime import date
from typing import Literal, assert_never

from libs.events.card import CardRef
from libs.events.codec import record
from libs.events.money import PositiveFen
from libs.events.onboarding import (
    ApplicantConfirmed,
    ApplicantDeclined,
    ApplicantReleased,
    CardBound,
    Code,
    ErasureDeclined,
    ErasureRequested,
    ExposureConfirmed,
    ExposureDeclined,
    ExposureReduced,
    ExposureReleased,
    ExposureReserved,
    ExposureRevoked,
    Kind,
    Level,
    OwnerBound,
    ReferralCredited,
    RelationDeclared,
    StaffTieRecorded,
    SuitabilityAssessed,
    SuitabilityLapsed,
    UserErased,
    UserRegistered,
    UserVerified,
    VerificationFailed,
)
from libs.events.reopening import ExposureRestored


@record
class StaffTie:
    """The user is this member of staff, or related to him."""

    staff_id: str
    himself: bool


@record
class Customer:
    """Who the user is to the platform; `owner` is the staff who owns him.

    `related` are those whom he declared, `related_by` those who declared him, both in their order. `is_leaving`: he asked to be
    forgotten, and his account has not answered yet. `ties` are those with staff, in their order.
    """

    user_id: str
    kind: Kind
    region: Code
    referrer: str | None
    owner: str | None
    related: tuple[str, ...] = ()
    related_by: tuple[str, ...] = ()
    is_leaving: bool = False
    ties: tuple[StaffTie, ...] = ()

    @property
    def is_staff(self) -> tuple[str, ...]:
        """Which members of staff he is himself: one, unless somebody was appointed under two ids."""
        return tuple(tie.staff_id for tie in self.ties if tie.himself)


@record
class Suitability:
    """The level in force until the end of `valid_to`."""

    level: Level
    assessed_on: date
    valid_to: date


@record
class Exposure:
    """What a loan counts against the cap: reserved at approval, less the principal that came back."""

    loan_id: str
    application_id: str
    amount_fen: PositiveFen


@record
class NotRegistered:
    """Nobody yet; staff may be known as a customer, or be related to him, before he comes."""

    kind: Literal["not_registered"] = "not_registered"
    ties: tuple[StaffTie, ...] = ()


@record
class Registered:
    """Known, not verified."""

    kind: Literal["registered"] = "registered"
    customer: Customer


@record
class Verified:
    """Verified: may invest when assessed, may apply. Exposures stand in the order of their reservation.

    `applications` are those under way for which nothing is reserved yet. `card_ref` names his own-name card, None where none was
    compared.
    """

    kind: Literal["verified"] = "verified"
    customer: Customer
    suitability: Suitability | None
    exposures: tuple[Exposure, ...]
    applications: tuple[str, ...] = ()
    card_ref: CardRef | None = None

    @property
    def exposure_fen(self) -> int:
        """All that counts against the cap, in fen."""
        return sum(exposure.amount_fen for exposure in self.exposures)

    def exposure_of(self, loan_id: str) -> Exposure | None:
        """What one loan counts."""
        return next((exposure for exposure in self.exposures if exposure.loan_id == loan_id), None)


@record
class Erased:
    """Forgotten: the id stays, and means nobody."""

    kind: Literal["erased"] = "erased"
    user_id: str


UserState = NotRegistered | Registered | Verified | Erased
UserEvent = (
    UserRegistered
    | ReferralCredited
    | OwnerBound
    | UserVerified
    | CardBound
    | VerificationFailed
    | SuitabilityAssessed
    | SuitabilityLapsed
    | RelationDeclared
    | StaffTieRecorded
    | ApplicantConfirmed
    | ApplicantDeclined
    | ApplicantReleased
    | ExposureReserved
    | ExposureDeclined
    | ExposureReduced
    | ExposureRestored
    | ExposureReleased
    | ExposureConfirmed
    | ExposureRevoked
    | ErasureRequested
    | ErasureDeclined
    | UserErased
)

_CustomersEvent = OwnerBound | RelationDeclared | ErasureRequested | ErasureDeclined
_BorrowersEvent = (
    ApplicantConfirmed
    | ApplicantReleased
    | ExposureReserved
    | ExposureDeclined
    | ExposureReduced
    | ExposureRestored
    | ExposureReleased
    | ExposureRevoked
)


def evolve(state: UserState, event: UserEvent) -> UserState:
    """Fold one event. Never refuses: what happened, happened."""
    match event:
        case UserRegistered():
            return _registered(state, event)
        case StaffTieRecorded():
            return _tied(state, event)
        case UserErased():
            return Erased(user_id=event.user_id)
        case UserVerified():
            assert isinstance(state, Registered), "a user is verified once"
            return Verified(customer=state.customer, suitability=None, exposures=(), card_ref=event.card_ref)
        case CardBound():
            assert isinstance(state, Verified), "only a verified user has a card"
            return replace(state, card_ref=event.card_ref)
        case ReferralCredited() | VerificationFailed() | ApplicantDeclined() | ExposureConfirmed():
            return state
        case OwnerBound() | RelationDeclared() | ErasureRequested() | ErasureDeclined():
            assert isinstance(state, Registered | Verified), "only a user is owned, related or leaving"
            return replace(state, customer=_known(state.customer, event))
        case SuitabilityAssessed() | SuitabilityLapsed():
            assert isinstance(state, Verified), "only a verified user is assessed"
            return replace(state, suitability=_assessed(event))
        case _:
            # An answer about a loan that counts for nobody leaves no trace in who is not verified.
            return _borrowed(state, event) if isinstance(state, Verified) else state


def _registered(state: UserState, event: UserRegistered) -> Registered:
    assert isinstance(state, NotRegistered), "a user registers once"
    customer = Customer(
        user_id=event.user_id,
        kind=event.kind,
        region=event.region,
        referrer=event.referrer,
        owner=event.owner,
        ties=state.ties,
    )
    return Registered(customer=customer)


def _tied(state: UserState, event: StaffTieRecorded) -> UserState:
    tie = StaffTie(staff_id=event.staff_id, himself=event.himself)
    match state:
        case NotRegistered():
            return replace(state, ties=(*state.ties, tie))
        case Registered() | Verified():
            return replace(state, customer=replace(state.customer, ties=(*state.customer.ties, tie)))
        case Erased():
            return state
        case _:
            assert_never(state)


def _borrowed(state: Verified, event: _BorrowersEvent) -> Verified:
    match event:
        case ApplicantConfirmed():
            return replace(state, applications=(*state.applications, event.application_id))
        case ApplicantReleased() | ExposureDeclined():
            return _without_application(state, event.application_id)
        case ExposureReserved():
            return replace(
                _without_application(state, event.application_id),
                exposures=_exposures(state.exposures, event),
            )
        case ExposureReduced() | ExposureRestored() | ExposureReleased() | ExposureRevoked():
            return replace(state, exposures=_exposures(state.exposures, event))
        case _:
            assert_never(event)


def _without_application(state: Verified, application_id: str) -> Verified:
    return replace(state, applications=tuple(each for each in state.applications if each != application_id))


def _known(customer: Customer, event: _CustomersEvent) -> Customer:
    match event:
        case OwnerBound():
            return replace(customer, owner=event.owner)
        case RelationDeclared() if event.by_other:
            return replace(customer, related_by=(*customer.related_by, event.related))
        case RelationDeclared():
            return replace(customer, related=(*customer.related, event.related))
        case ErasureRequested() | ErasureDeclined():
            return replace(customer, is_leaving=isinstance(event, ErasureRequested))
        case _:
            assert_never(event)


def _assessed(event: SuitabilityAssessed | SuitabilityLapsed) -> Suitability | None:
    match event:
        case SuitabilityAssessed():
            return Suitability(level=event.level, assessed_on=event.assessed_on, valid_to=event.valid_to)
        case SuitabilityLapsed():
            return None
        case _:
            assert_never(event)


def _exposures(
    exposures: tuple[Exposure, ...],
    event: ExposureReserved | ExposureReduced | ExposureRestored | ExposureReleased | ExposureRevoked,
) -> tuple[Exposure, ...]:
    match event:
        case ExposureReserved():
            reserved = Exposure(
                loan_id=event.loan_id, application_id=event.application_id, amount_fen=event.amount_fen
            )
            return (*exposures, reserved)
        case ExposureReduced():
            return tuple(
                replace(each, amount_fen=event.loan_exposure_after_fen)
                if each.loan_id == event.loan_id
                else each
                for each in exposures
            )
        case ExposureRestored():
            # which application led to a loan that was repaid is forgotten, and nobody asks
            known = next((each.application_id for each in exposures if each.loan_id == event.loan_id), "")
            owed = Exposure(
                loan_id=event.loan_id, application_id=known, amount_fen=event.loan_exposure_after_fen
            )
            return (*(each for each in exposures if each.loan_id != event.loan_id), owed)
        case ExposureReleased() | ExposureRevoked():
            return tuple(each for each in exposures if each.loan_id != event.loan_id)
        case _:
            assert_never(event)
