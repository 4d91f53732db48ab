"""What the register remembers of a guarantor: what he may, what is proposed of him, which loans he stands in for; and how events change it."""

from dataclasses import replace
from datetime import date
from typing import Literal, assert_never

from libs.events.codec import record
from libs.events.guarantees import (
    GuaranteeDeclined,
    GuaranteeReduced,
    GuaranteeReserved,
    GuarantorAdmitted,
    GuarantorProposed,
    GuarantorRefused,
    GuarantorSuspended,
    Liability,
)
from libs.events.money import Count, PositiveFen
from libs.events.onboarding import Reference
from libs.events.reopening import GuaranteeRestored
from services.repayment.domain import guaranteed
from services.repayment.domain.guaranteed import with_loan


@record
class Terms:
    """What is proposed or admitted: up to `limit_fen` of all his loans together, until the end of `valid_to`; by whom, when, and until
    when somebody else may agree."""

    limit_fen: PositiveFen
    valid_to: date
    proposed_by: str
    liability: Liability = "joint"
    proposed_on: date | None = None
    file: Reference | None = None
    net_assets_fen: PositiveFen | None = None
    elsewhere_fen: Count = 0
    sign_until: date | None = None


@record
class NotProposed:
    """Nobody of that name, or one whose only proposal was refused."""

    kind: Literal["not_proposed"] = "not_proposed"
    refused: bool = False


@record
class Proposed:
    """Somebody read its file; nobody else agreed yet."""

    kind: Literal["proposed"] = "proposed"
    guarantor: str
    proposal: Terms


@record
class Admitted:
    """Guarantees `loans`, each for what still counts of it, `guaranteed_fen` together, and new ones. `proposal` are terms that nobody
    agreed to yet."""

    kind: Literal["admitted"] = "admitted"
    guarantor: str
    terms: Terms
    loans: guaranteed.Lines = guaranteed.NONE
    guaranteed_fen: Count = 0
    proposal: Terms | None = None


@record
class Suspended:
    """Guarantees the loans that stand, and no new ones."""

    kind: Literal["suspended"] = "suspended"
    guarantor: str
    terms: Terms
    loans: guaranteed.Lines = guaranteed.NONE
    guaranteed_fen: Count = 0
    proposal: Terms | None = None


GuarantorState = NotProposed | Proposed | Admitted | Suspended
GuarantorEvent = (
    GuarantorProposed
    | GuarantorAdmitted
    | GuarantorRefused
    | GuarantorSuspended
    | GuaranteeReserved
    | GuaranteeDeclined
    | GuaranteeReduced
    | GuaranteeRestored
)


def evolve(state: GuarantorState, event: GuarantorEvent) -> GuarantorState:
    """The state after one event."""
    match event:
        case GuarantorProposed():
            if isinstance(state, NotProposed | Proposed):
                return Proposed(guarantor=event.guarantor, proposal=terms_of(event))
            return replace(state, proposal=terms_of(event))
        case GuarantorAdmitted():
            return _admitted(state, event)
        case GuarantorRefused():
            if isinstance(state, NotProposed | Proposed):
                return NotProposed(refused=True)
            return replace(state, proposal=None)
        case GuaranteeDeclined():
            return state
        case GuarantorSuspended() | GuaranteeReserved() | GuaranteeReduced() | GuaranteeRestored():
            assert isinstance(state, Admitted | Suspended), "only who was admitted guarantees"
            return _stood(state, event)
        case _:
            assert_never(event)


def _admitted(state: GuarantorState, event: GuarantorAdmitted) -> Admitted:
    terms = Terms(
        limit_fen=event.limit_fen,
        valid_to=event.valid_to,
        proposed_by=event.proposed_by,
        liability=event.liability,
    )
    if isinstance(state, NotProposed | Proposed):
        return Admitted(guarantor=event.guarantor, terms=terms)
    return Admitted(
        guarantor=event.guarantor, terms=terms, loans=state.loans, guaranteed_fen=state.guaranteed_fen
    )


def _stood(
    state: Admitted | Suspended,
    event: GuarantorSuspended | GuaranteeReserved | GuaranteeReduced | GuaranteeRestored,
) -> Admitted | Suspended:
    match event:
        case GuarantorSuspended():
            return Suspended(
                guarantor=state.guarantor,
                terms=state.terms,
                loans=state.loans,
                guaranteed_fen=state.guaranteed_fen,
            )
        case GuaranteeReserved():
            return _counting(state, event.loan_id, event.amount_fen, event.guaranteed_fen)
        case GuaranteeRestored() | GuaranteeReduced():
            return _counting(state, event.loan_id, event.left_fen, event.guaranteed_fen)
        case _:
            assert_never(event)


def _counting(
    state: Admitted | Suspended, loan_id: str, fen: int, guaranteed_fen: int
) -> Admitted | Suspended:
    return replace(state, loans=with_loan(state.loans, loan_id, fen), guaranteed_fen=guaranteed_fen)


def terms_of(event: GuarantorProposed) -> Terms:
    """What was proposed."""
    return Terms(
        limit_fen=event.limit_fen,
        valid_to=event.valid_to,
        proposed_by=event.proposed_by,
        liability=event.liability,
        proposed_on=event.proposed_on,
        file=event.file,
        net_assets_fen=event.net_assets_fen,
        elsewhere_fen=event.elsewhere_fen,
        sign_until=event.sign_until,
    )
