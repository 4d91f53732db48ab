"""A correction: a clerk proposes it, another person allows it, across the year's end a third one too (processes.md 1.P).

It decides nothing about money: the loan says what moves, bidding moves it, and this stream remembers how far that has come.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, assert_never

from libs.events.codec import record
from libs.events.corrections import (
    Correction,
    CorrectionAdmitted,
    CorrectionAuthorised,
    CorrectionBooked,
    CorrectionBooking,
    CorrectionClosed,
    CorrectionProposed,
    CorrectionRefused,
    CorrectionRole,
    CorrectionSigned,
    counts_from,
)
from libs.events.deciding import Aggregate, Context, Refused, WakeOn
from services.repayment.commands.corrections import (
    AdmitCorrection,
    AuthoriseCorrection,
    CloseCorrection,
    DeclineCorrection,
    ProposeCorrection,
    RecordCorrectionBooked,
    RefuseCorrection,
)
from services.repayment.domain.himself import require_no_part

#: The loan's refusal of what was allowed within the year in which something counts, and comes to it after that.
YEAR_ENDED = "year_ended"


@record
class Signature:
    """Who allowed it, as what."""

    role: CorrectionRole
    signed_by: str


@record
class NotProposed:
    """Nobody has asked for it."""

    kind: Literal["not_proposed"] = "not_proposed"


@record
class Parties:
    """Who has a part in the loan, as of the day of the proposal; `guarantor` is empty for none."""

    borrower: str
    guarantor: str
    holders: tuple[str, ...]


@record
class Proposed:
    """It waits for signatures."""

    kind: Literal["proposed"] = "proposed"
    correction: Correction
    proposed_by: str
    signatures: tuple[Signature, ...] = ()
    people: tuple[str, ...] = ()
    """All of them, the clerk too, as customers: whether one has a part in the loan, the loan says when it is put right."""
    parties: Parties | None = None
    """Who has, once the loan has said so."""


@record
class Authorised:
    """The loan is to be put right."""

    kind: Literal["authorised"] = "authorised"
    correction: Correction
    signatures: tuple[Signature, ...]
    proposed_by: str
    people: tuple[str, ...] = ()
    parties: Parties | None = None


@record
class Booked:
    """The loan is right, money is on its way."""

    kind: Literal["booked"] = "booked"
    correction: Correction
    signatures: tuple[Signature, ...]


@record
class Ended:
    """All is settled, or it was refused."""

    kind: Literal["ended"] = "ended"
    correction: Correction
    signatures: tuple[Signature, ...]
    refused: bool


CorrectionState = NotProposed | Proposed | Authorised | Booked | Ended
CorrectionEvent = (
    CorrectionProposed
    | CorrectionAdmitted
    | CorrectionSigned
    | CorrectionAuthorised
    | CorrectionRefused
    | CorrectionBooked
    | CorrectionClosed
)
CorrectionCommand = (
    ProposeCorrection
    | AdmitCorrection
    | AuthoriseCorrection
    | RefuseCorrection
    | DeclineCorrection
    | RecordCorrectionBooked
    | CloseCorrection
)


def decide(command: CorrectionCommand, state: CorrectionState, context: Context) -> Sequence[CorrectionEvent]:
    """What a command does to a correction. Refusals stand on the commands."""
    if isinstance(command, ProposeCorrection):
        return _propose(command, state, context)
    if isinstance(state, NotProposed):
        raise Refused("unknown_correction")
    asked = state.correction
    match command:
        case AdmitCorrection():
            return _admit(command, state)
        case AuthoriseCorrection():
            return _authorise(command, state, context)
        case RefuseCorrection() if isinstance(state, Ended) and state.refused:
            return []
        case RefuseCorrection():
            _require_no_part(_waiting(state), command.himself)
            return [_refused(asked, command.code, context.principal, context)]
        case DeclineCorrection():
            return _declined(command, state, context)
        case RecordCorrectionBooked():
            if not isinstance(state, Authorised):
                return []
            return [
                CorrectionBooked(
                    correction_id=asked.correction_id, loan_id=asked.loan_id, open_fen=command.open_fen
                )
            ]
        case CloseCorrection():
            if isinstance(state, Ended):
                return []
            return [
                CorrectionClosed(
                    correction_id=asked.correction_id,
                    loan_id=asked.loan_id,
                    closed_on=context.business_date,
                )
            ]
        case _:
            assert_never(command)


def _propose(
    command: ProposeCorrection, state: CorrectionState, context: Context
) -> Sequence[CorrectionProposed]:
    correction = Correction(
        correction_id=command.correction_id,
        loan_id=command.loan_id,
        payment_id=command.payment_id,
        kind=command.kind,
        reason=command.reason,
        value_date=command.value_date,
        to_date=command.to_date,
    )
    if not isinstance(state, NotProposed):
        if state.correction == correction:
            return []
        raise Refused("correction_exists")
    if (command.kind == "redate") != (command.to_date is not None):
        raise Refused("invalid_date")
    if command.to_date is not None and command.to_date > context.business_date:
        raise Refused("date_in_future")
    return [
        CorrectionProposed(
            correction=correction,
            proposed_by=context.principal,
            proposed_on=context.business_date,
            signatures=len(_asked_of(correction, context)),
            himself=command.himself or "",
        )
    ]


def _admit(
    command: AdmitCorrection, state: Proposed | Authorised | Booked | Ended
) -> Sequence[CorrectionAdmitted]:
    if not isinstance(state, Proposed) or state.parties is not None:
        return []
    return [
        CorrectionAdmitted(
            correction_id=state.correction.correction_id,
            loan_id=state.correction.loan_id,
            borrower=command.borrower,
            guarantor=command.guarantor,
            holders=command.holders,
        )
    ]


def _require_no_part(state: Proposed, himself: str | None) -> None:
    """As far as it is known: one who signs before the loan has said it is declined by the loan."""
    if (known := state.parties) is not None:
        require_no_part(himself, borrower=known.borrower, guarantor=known.guarantor, holders=known.holders)


def _authorise(
    command: AuthoriseCorrection, state: Proposed | Authorised | Booked | Ended, context: Context
) -> Sequence[CorrectionSigned | CorrectionAuthorised]:
    """Every signature is another person's."""
    correction, role, who = state.correction, command.role, context.principal
    if any(signature == Signature(role=role, signed_by=who) for signature in state.signatures):
        return []
    state = _waiting(state)
    if who == state.proposed_by or any(signature.signed_by == who for signature in state.signatures):
        raise Refused("same_person")
    _require_no_part(state, command.himself)
    asked = _asked_of(correction, context)
    if role not in asked:
        raise Refused("not_asked")
    missing = [other for other in asked if all(other != signature.role for signature in state.signatures)]
    if role not in missing:
        return []
    if len(missing) > 1:
        return [
            CorrectionSigned(
                correction_id=correction.correction_id,
                loan_id=correction.loan_id,
                role=role,
                signed_by=who,
                signed_on=context.business_date,
                himself=command.himself or "",
            )
        ]
    return [
        CorrectionAuthorised(
            correction=correction,
            booking=_booking(correction, context),
            role=role,
            authorised_by=who,
            authorised_on=context.business_date,
            people=(*state.people, *_as_customer(command.himself)),
        )
    ]


def _as_customer(himself: str | None) -> tuple[str, ...]:
    return (himself,) if himself else ()


def _booking(correction: Correction, context: Context) -> CorrectionBooking:
    """By today and the first day on which anything counts otherwise."""
    first = counts_from(correction)
    if first >= context.business_date:
        return "same_day"
    return "same_year" if first.year == context.business_date.year else "prior_year"


def _asked_of(correction: Correction, context: Context) -> tuple[CorrectionRole, ...]:
    if _booking(correction, context) == "prior_year":
        return ("supervisor", "finance_head")
    return ("supervisor",)


def _declined(
    command: DeclineCorrection, state: Proposed | Authorised | Booked | Ended, context: Context
) -> Sequence[CorrectionSigned | CorrectionRefused]:
    """The loan said no: that is its end, unless the year has ended since it was allowed. Then it waits for the finance head as if it had been
    allowed after that."""
    if not isinstance(state, Proposed if command.examined else Authorised):
        return []
    if command.code != YEAR_ENDED:
        return [_refused(state.correction, command.code, "", context)]
    return [
        CorrectionSigned(
            correction_id=state.correction.correction_id,
            loan_id=state.correction.loan_id,
            role=signature.role,
            signed_by=signature.signed_by,
            signed_on=context.business_date,
        )
        for signature in state.signatures
    ]


def _waiting(state: Proposed | Authorised | Booked | Ended) -> Proposed:
    if not isinstance(state, Proposed):
        raise Refused("correction_ended")
    return state


def _refused(correction: Correction, code: str, who: str, context: Context) -> CorrectionRefused:
    return CorrectionRefused(
        correction_id=correction.correction_id,
        loan_id=correction.loan_id,
        code=code,
        refused_by=who,
        refused_on=context.business_date,
    )


def evolve(state: CorrectionState, event: CorrectionEvent) -> CorrectionState:
    """Fold one event. Never refuses: what happened, happened."""
    if isinstance(event, CorrectionProposed):
        return Proposed(
            correction=event.correction,
            proposed_by=event.proposed_by,
            people=_as_customer(event.himself),
        )
    assert not isinstance(state, NotProposed), "only what was proposed has a history"
    match event:
        case CorrectionAdmitted():
            assert isinstance(state, Proposed), "only what waits is admitted"
            parties = Parties(borrower=event.borrower, guarantor=event.guarantor, holders=event.holders)
            return replace(state, parties=parties)
        case CorrectionSigned():
            signature = Signature(role=event.role, signed_by=event.signed_by)
            if isinstance(state, Authorised):
                state = Proposed(
                    correction=state.correction,
                    proposed_by=state.proposed_by,
                    people=state.people,
                    parties=state.parties,
                )
            assert isinstance(state, Proposed), "only what waits is signed"
            people = (*state.people, *_as_customer(event.himself))
            return replace(state, signatures=(*state.signatures, signature), people=people)
        case CorrectionAuthorised():
            signature = Signature(role=event.role, signed_by=event.authorised_by)
            signatures = (*state.signatures, signature)
            assert isinstance(state, Proposed), "only what waits is allowed"
            return Authorised(
                correction=event.correction,
                signatures=signatures,
                proposed_by=state.proposed_by,
                people=event.people,
                parties=state.parties,
            )
        case CorrectionBooked():
            return Booked(correction=state.correction, signatures=state.signatures)
        case CorrectionRefused() | CorrectionClosed():
            is_refused = isinstance(event, CorrectionRefused)
            return Ended(correction=state.correction, signatures=state.signatures, refused=is_refused)
        case _:
            assert_never(event)


def wake_on(_state: CorrectionState) -> WakeOn:
    """Time does nothing to a correction."""
    return None


AGGREGATE = Aggregate(
    name="correction",
    prefix="cor",
    commands=(
        ProposeCorrection,
        AdmitCorrection,
        AuthoriseCorrection,
        RefuseCorrection,
        DeclineCorrection,
        RecordCorrectionBooked,
        CloseCorrection,
    ),
    events=(
        CorrectionProposed,
        CorrectionAdmitted,
        CorrectionSigned,
        CorrectionAuthorised,
        CorrectionRefused,
        CorrectionBooked,
        CorrectionClosed,
    ),
    state=CorrectionState,
    initial=NotProposed(),
    decide=decide,
    evolve=evolve,
    wake_on=wake_on,
)
