"""What a measure remembers: what was proposed, who has signed it, what its lenders said, and how its events change that."""

from dataclasses import replace
from datetime import date
from typing import Literal, assert_never

from libs.events.codec import record
from libs.events.mandate import MandateAsked, MandateVoted, Voter
from libs.events.measures import (
    MeasureAdmitted,
    MeasureApproved,
    MeasureExecuted,
    MeasureFailed,
    MeasureProposed,
    MeasureRefused,
    MeasureSigned,
    MeasureStep,
    MeasureTerms,
)
from libs.events.money import Count
from libs.events.onboarding import Code, Reference
from services.repayment.domain.mandate import Ballot, Need, counted


@record
class Proposal:
    """What was proposed, and by whom."""

    measure_id: str
    loan_id: str
    terms: MeasureTerms
    reason: Code
    evidence: tuple[Reference, ...]
    proposed_by: str
    debtor_id: str = ""


@record
class Signature:
    """Who did a step; `refused` where he refused."""

    step: MeasureStep
    signer: str
    refused: bool = False


@record
class NotProposed:
    """No such measure."""

    kind: Literal["not_proposed"] = "not_proposed"


@record
class Proposed:
    """The loan is asked whether it could do it; it always answers."""

    kind: Literal["proposed"] = "proposed"
    proposal: Proposal


@record
class InWork:
    """It waits for the signature of the first of `steps_left` until the end of `sign_until`; after the last, for its lenders' word where
    `need` says so. `guarantor` (empty for none) and `holders` sign nothing of it; `waivable_fen` as in MeasureAdmitted."""

    kind: Literal["in_work"] = "in_work"
    proposal: Proposal
    borrower: str
    need: Need
    steps_left: tuple[MeasureStep, ...]
    signed: tuple[Signature, ...] = ()
    guarantor: str = ""
    holders: tuple[str, ...] = ()
    sign_until: date | None = None
    waivable_fen: Count | None = None


@record
class Voting:
    """All have signed; its lenders vote."""

    kind: Literal["voting"] = "voting"
    proposal: Proposal
    signed: tuple[Signature, ...]
    ballot: Ballot


@record
class Approved:
    """The loan is to do it; whether it did, it says."""

    kind: Literal["approved"] = "approved"
    proposal: Proposal
    signed: tuple[Signature, ...]
    ballot: Ballot | None


@record
class Ended:
    """Done, refused, or come to nothing."""

    kind: Literal["ended"] = "ended"
    proposal: Proposal
    signed: tuple[Signature, ...]
    ballot: Ballot | None


MeasureState = NotProposed | Proposed | InWork | Voting | Approved | Ended
MeasureEvent = (
    MeasureProposed
    | MeasureAdmitted
    | MeasureSigned
    | MeasureRefused
    | MandateAsked
    | MandateVoted
    | MeasureApproved
    | MeasureExecuted
    | MeasureFailed
)


def evolve(state: MeasureState, event: MeasureEvent) -> MeasureState:
    """Fold one event. Never refuses: what happened, happened."""
    match event:
        case MeasureProposed():
            return Proposed(proposal=_proposal(event))
        case MeasureAdmitted():
            assert isinstance(state, Proposed), "only what was proposed is admitted"
            need = Need(by=event.mandate, voters=event.voters, silence_consents=event.silence_consents)
            return InWork(
                proposal=state.proposal,
                borrower=event.borrower,
                need=need,
                steps_left=event.steps,
                guarantor=event.guarantor,
                holders=event.holders,
                sign_until=event.sign_until,
                waivable_fen=event.waivable_fen,
            )
        case MeasureSigned():
            assert isinstance(state, InWork), "only what is in work is signed"
            given = Signature(step=event.step, signer=event.signer)
            return replace(state, steps_left=state.steps_left[1:], signed=(*state.signed, given))
        case MandateAsked():
            assert isinstance(state, InWork), "lenders are asked after the last signature"
            ballot = Ballot(voters=event.voters, until=event.until, silence_consents=event.silence_consents)
            return Voting(proposal=state.proposal, signed=state.signed, ballot=ballot)
        case MandateVoted():
            assert isinstance(state, Voting), "a vote is open"
            voter = Voter(investor=event.investor, principal_fen=event.principal_fen)
            return replace(state, ballot=counted(state.ballot, voter, agrees=event.agrees))
        case MeasureApproved():
            assert isinstance(state, InWork | Voting), "what has its signatures is approved"
            return Approved(proposal=state.proposal, signed=state.signed, ballot=_ballot(state))
        case MeasureRefused() | MeasureExecuted() | MeasureFailed():
            return _ended(state, event)
        case _:
            assert_never(event)


def _ended(state: MeasureState, event: MeasureRefused | MeasureExecuted | MeasureFailed) -> Ended:
    match state:
        case Proposed():
            return Ended(proposal=state.proposal, signed=(), ballot=None)
        case InWork() | Voting() | Approved() | Ended():
            signed = state.signed
            if isinstance(event, MeasureRefused):
                signed = (*signed, Signature(step=event.step, signer=event.signer, refused=True))
            return Ended(proposal=state.proposal, signed=signed, ballot=_ballot(state))
        case NotProposed():
            raise AssertionError("only what was proposed ends")
        case _:
            assert_never(state)


def _ballot(state: InWork | Voting | Approved | Ended) -> Ballot | None:
    return None if isinstance(state, InWork) else state.ballot


def _proposal(event: MeasureProposed) -> Proposal:
    return Proposal(
        measure_id=event.measure_id,
        loan_id=event.loan_id,
        terms=event.terms,
        reason=event.reason,
        evidence=event.evidence,
        proposed_by=event.proposed_by,
        debtor_id=event.debtor_id,
    )
