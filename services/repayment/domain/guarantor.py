"""The register of guarantors 担保方: who may stand in for loans, up to which sum together, and for which he does.

The platform strictly reviews whom it brings in (processes.md 1.J) and guarantees nothing itself (domain.md section 9, red line 2). Two
people admit a guarantor, for a year at most *(chosen: it is reviewed yearly)*. A loan counts from before its listing opens, because only
this stream sees all of them (docs/decisions/0009), until it is repaid, compensated or never came about.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Literal, assert_never, get_args

from libs.events.codec import record
from libs.events.deciding import Aggregate, Context, Refused, WakeOn
from libs.events.guarantees import (
    GuaranteeDeclined,
    GuaranteeReduced,
    GuaranteeReserved,
    GuarantorAdmitted,
    GuarantorProposed,
    GuarantorSuspended,
)
from libs.events.money import Count, PositiveFen
from libs.events.reopening import GuaranteeRestored
from services.repayment.commands.guarantees import (
    AdmitGuarantor,
    ProposeGuarantor,
    ReduceGuarantee,
    ReserveGuarantee,
    RestoreGuarantee,
    SuspendGuarantor,
)
from services.repayment.domain.ids import staff, user_of_guarantor

#: A guarantor is reviewed at least once a year (processes.md 1.J).
_VALID_DAYS_MAX = 366


@record
class Terms:
    """What is proposed or admitted: up to `limit_fen` of all his loans together, until the end of `valid_to`."""

    limit_fen: PositiveFen
    valid_to: date
    proposed_by: str


@record
class NotProposed:
    """Nobody of that name."""

    kind: Literal["not_proposed"] = "not_proposed"


@record
class Proposed:
    """Somebody read its file; nobody else agreed yet."""

    kind: Literal["proposed"] = "proposed"
    guarantor: str
    proposal: Terms


@record
class Admitted:
    """Guarantees `loans`, each for what still counts of it (fen), and new ones. `proposal` are terms that nobody agreed to yet."""

    kind: Literal["admitted"] = "admitted"
    guarantor: str
    terms: Terms
    loans: dict[str, Count]
    proposal: Terms | None = None

    @property
    def guaranteed_fen(self) -> int:
        """All that he guarantees."""
        return sum(self.loans.values())


@record
class Suspended:
    """Guarantees the loans that stand, and no new ones."""

    kind: Literal["suspended"] = "suspended"
    guarantor: str
    terms: Terms
    loans: dict[str, Count]
    proposal: Terms | None = None

    @property
    def guaranteed_fen(self) -> int:
        """All that he guarantees."""
        return sum(self.loans.values())


GuarantorState = NotProposed | Proposed | Admitted | Suspended
GuarantorCommand = (
    ProposeGuarantor
    | AdmitGuarantor
    | SuspendGuarantor
    | ReserveGuarantee
    | ReduceGuarantee
    | RestoreGuarantee
)
GuarantorEvent = (
    GuarantorProposed
    | GuarantorAdmitted
    | GuarantorSuspended
    | GuaranteeReserved
    | GuaranteeDeclined
    | GuaranteeReduced
    | GuaranteeRestored
)


def decide(command: GuarantorCommand, state: GuarantorState, context: Context) -> Sequence[GuarantorEvent]:
    """The register's answer to a command. Refusals stand on the commands."""
    if isinstance(command, ProposeGuarantor):
        return _propose(command, state, context)
    if isinstance(state, NotProposed):
        if isinstance(command, ReduceGuarantee | RestoreGuarantee):
            return []  # a loan opened by hand may name one who is not in the register
        raise Refused("unknown_guarantor")
    match command:
        case AdmitGuarantor():
            return _admit(state, context)
        case SuspendGuarantor():
            return _suspend(command, state, context)
        case ReserveGuarantee():
            return _reserve(command, state, context)
        case ReduceGuarantee():
            return _reduce(command, state)
        case RestoreGuarantee():
            return _restore(command, state)
        case _:
            assert_never(command)


# --- two people ----------------------------------------------------------------------------------------------------


def _propose(
    command: ProposeGuarantor, state: GuarantorState, context: Context
) -> Sequence[GuarantorProposed]:
    user_of_guarantor(command.guarantor)
    who, on = staff(context), context.business_date
    if not on < command.valid_to <= on + timedelta(days=_VALID_DAYS_MAX):
        raise Refused("invalid_date")
    asked = Terms(limit_fen=command.limit_fen, valid_to=command.valid_to, proposed_by=who)
    if not isinstance(state, NotProposed) and state.proposal == asked:
        return []
    return [
        GuarantorProposed(
            guarantor=command.guarantor,
            limit_fen=command.limit_fen,
            valid_to=command.valid_to,
            file=command.file,
            proposed_by=who,
            proposed_on=on,
        )
    ]


def _admit(state: Proposed | Admitted | Suspended, context: Context) -> Sequence[GuarantorAdmitted]:
    who, proposal = staff(context), state.proposal
    if proposal is None:
        if isinstance(state, Suspended):
            raise Refused("nothing_proposed")
        return []
    if who == proposal.proposed_by:
        raise Refused("forbidden_same_person")
    if context.business_date > proposal.valid_to:
        raise Refused("too_late")
    return [
        GuarantorAdmitted(
            guarantor=state.guarantor,
            limit_fen=proposal.limit_fen,
            valid_to=proposal.valid_to,
            guaranteed_fen=0 if isinstance(state, Proposed) else state.guaranteed_fen,
            proposed_by=proposal.proposed_by,
            admitted_by=who,
            admitted_on=context.business_date,
        )
    ]


def _suspend(
    command: SuspendGuarantor, state: Proposed | Admitted | Suspended, context: Context
) -> Sequence[GuarantorSuspended]:
    who = staff(context)
    match state:
        case Proposed():
            raise Refused("unknown_guarantor")
        case Suspended():
            return []
        case Admitted():
            return [
                GuarantorSuspended(
                    guarantor=state.guarantor,
                    code=command.code,
                    suspended_by=who,
                    suspended_on=context.business_date,
                )
            ]
        case _:
            assert_never(state)


# --- loans ---------------------------------------------------------------------------------------------------------


def _reserve(
    command: ReserveGuarantee, state: Proposed | Admitted | Suspended, context: Context
) -> Sequence[GuaranteeReserved | GuaranteeDeclined]:
    if not isinstance(state, Proposed) and command.loan_id in state.loans:
        return []
    code = _why_not(command, state, context.business_date)
    if code is not None or not isinstance(state, Admitted):
        return [
            GuaranteeDeclined(
                guarantor=state.guarantor,
                application_id=command.application_id,
                loan_id=command.loan_id,
                amount_fen=command.amount_fen,
                code=code or "guarantor_not_admitted",
            )
        ]
    return [
        GuaranteeReserved(
            guarantor=state.guarantor,
            application_id=command.application_id,
            loan_id=command.loan_id,
            amount_fen=command.amount_fen,
            guaranteed_fen=state.guaranteed_fen + command.amount_fen,
            limit_fen=state.terms.limit_fen,
        )
    ]


def _why_not(command: ReserveGuarantee, state: Proposed | Admitted | Suspended, on: date) -> str | None:
    if isinstance(state, Proposed):
        return "guarantor_not_admitted"
    if isinstance(state, Suspended):
        return "guarantor_suspended"
    if command.borrower == user_of_guarantor(state.guarantor):
        return "guarantor_is_borrower"
    if on > state.terms.valid_to:
        return "guarantor_expired"
    is_above = state.guaranteed_fen + command.amount_fen > state.terms.limit_fen
    return "guarantor_limit_exceeded" if is_above else None


def _reduce(command: ReduceGuarantee, state: Proposed | Admitted | Suspended) -> Sequence[GuaranteeReduced]:
    before_fen = 0 if isinstance(state, Proposed) else state.loans.get(command.loan_id, 0)
    if isinstance(state, Proposed) or before_fen <= command.left_fen:
        return []
    amount_fen = before_fen - command.left_fen
    return [
        GuaranteeReduced(
            guarantor=state.guarantor,
            loan_id=command.loan_id,
            amount_fen=amount_fen,
            left_fen=command.left_fen,
            guaranteed_fen=state.guaranteed_fen - amount_fen,
        )
    ]


def _restore(
    command: RestoreGuarantee, state: Proposed | Admitted | Suspended
) -> Sequence[GuaranteeRestored | GuaranteeReduced]:
    """A correction says what is so: nobody is asked whether there is room, and a suspended guarantor stands in for it as before."""
    before_fen = 0 if isinstance(state, Proposed) else state.loans.get(command.loan_id, 0)
    if isinstance(state, Proposed) or command.owed_fen == before_fen:
        return []
    if command.owed_fen < before_fen:
        less = ReduceGuarantee(
            guarantor=command.guarantor, loan_id=command.loan_id, left_fen=command.owed_fen
        )
        return _reduce(less, state)
    amount_fen = command.owed_fen - before_fen
    return [
        GuaranteeRestored(
            guarantor=state.guarantor,
            loan_id=command.loan_id,
            amount_fen=amount_fen,
            left_fen=command.owed_fen,
            guaranteed_fen=state.guaranteed_fen + amount_fen,
        )
    ]


# --- the fold ------------------------------------------------------------------------------------------------------


def evolve(state: GuarantorState, event: GuarantorEvent) -> GuarantorState:
    """The state after one event."""
    match event:
        case GuarantorProposed():
            terms = Terms(limit_fen=event.limit_fen, valid_to=event.valid_to, proposed_by=event.proposed_by)
            if isinstance(state, NotProposed | Proposed):
                return Proposed(guarantor=event.guarantor, proposal=terms)
            return replace(state, proposal=terms)
        case GuarantorAdmitted():
            terms = Terms(limit_fen=event.limit_fen, valid_to=event.valid_to, proposed_by=event.proposed_by)
            return Admitted(guarantor=event.guarantor, terms=terms, loans=_loans(state))
        case GuaranteeDeclined():
            return state
        case GuarantorSuspended() | GuaranteeReserved() | GuaranteeReduced() | GuaranteeRestored():
            assert isinstance(state, Admitted | Suspended), "only who was admitted guarantees"
            return _stood(state, event)
        case _:
            assert_never(event)


def _loans(state: GuarantorState) -> dict[str, Count]:
    return state.loans if isinstance(state, Admitted | Suspended) else {}


def _stood(
    state: Admitted | Suspended,
    event: GuarantorSuspended | GuaranteeReserved | GuaranteeReduced | GuaranteeRestored,
) -> Admitted | Suspended:
    match event:
        case GuarantorSuspended():
            return Suspended(guarantor=state.guarantor, terms=state.terms, loans=state.loans)
        case GuaranteeReserved():
            return replace(state, loans=state.loans | {event.loan_id: event.amount_fen})
        case GuaranteeRestored():
            return replace(state, loans=state.loans | {event.loan_id: event.left_fen})
        case GuaranteeReduced():
            left = {loan: fen for loan, fen in state.loans.items() if loan != event.loan_id}
            return replace(state, loans=left | {event.loan_id: event.left_fen} if event.left_fen else left)
        case _:
            assert_never(event)


def wake_on(_state: GuarantorState) -> WakeOn:
    """Time does nothing to a guarantor: whether he is still valid is asked when it counts."""
    return None


AGGREGATE = Aggregate(
    name="guarantor",
    prefix="gua",
    commands=get_args(GuarantorCommand),
    events=get_args(GuarantorEvent),
    state=GuarantorState,
    initial=NotProposed(),
    decide=decide,
    evolve=evolve,
    wake_on=wake_on,
)
