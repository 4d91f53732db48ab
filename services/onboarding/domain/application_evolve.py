"""How an application's events change its situation."""

from dataclasses import replace
from typing import assert_never

from libs.events.application import (
    ApplicantRecorded,
    ApplicationApproved,
    ApplicationDeclined,
    ApplicationLapsed,
    ApplicationRejected,
    ApplicationResubmitted,
    ApplicationReviewed,
    ApplicationSubmitted,
    CommitteeAgreed,
    CommitteeConvened,
    CommitteeVoted,
    ConditionFulfilled,
    ExposureRequested,
    GuaranteeRequested,
    IntakeChecked,
    InterviewHeld,
    InvestigationReported,
    PapersReturned,
    PrecedentsChecked,
    TermsAccepted,
    TermsDeclined,
)
from libs.events.onboarding import PrecedentsMet
from services.onboarding.domain.application_state import (
    Accepted,
    ApplicationEvent,
    ApplicationState,
    Approved,
    AtCapCheck,
    AtCommittee,
    AtGuarantor,
    AtIntake,
    AtInterview,
    AtInvestigation,
    AtReservation,
    AtReview,
    Ballot,
    Borrower,
    Case,
    Closed,
    Conditional,
    EarlyEvent,
    LateEvent,
    Open,
    Ready,
    Report,
    Reported,
    Request,
    Returned,
    Signature,
    Step,
    Submitted,
    request_of,
)


def evolve(state: ApplicationState, event: ApplicationEvent) -> ApplicationState:
    """Fold one event. Never refuses: what happened, happened."""
    match event:
        case ApplicationSubmitted():
            return Submitted(request=_request(event))
        case ApplicantRecorded():
            assert isinstance(state, Submitted), "the applicant is recorded once"
            borrower = Borrower(
                kind=event.kind, region=event.region, owner=event.owner, related=event.related
            )
            return AtIntake(case=Case(request=state.request, borrower=borrower))
        case PrecedentsMet():
            return Ready(request=request_of(state))
        case ApplicationDeclined():
            return Closed(request=request_of(state), outcome="declined")
        case ApplicationRejected():
            return Closed(request=request_of(state), outcome="rejected")
        case TermsDeclined():
            return Closed(request=request_of(state), outcome="terms_declined")
        case ApplicationLapsed():
            return Closed(request=request_of(state), outcome="lapsed")
        case _:
            assert isinstance(state, Open), "a step follows an open situation"
            return _step(state, event)


def _step(state: Open, event: EarlyEvent | LateEvent) -> ApplicationState:
    case_ = state.case
    match event:
        case ApplicantRecorded():
            raise AssertionError("handled before")
        case PapersReturned():
            return Returned(case=case_, papers=event.papers, lapses_on=event.lapses_on)
        case ApplicationResubmitted():
            request = replace(case_.request, documents=event.documents)
            return AtIntake(case=replace(case_, request=request))
        case IntakeChecked():
            return AtInterview(case=_signed(case_, "intake", event.checked_by))
        case InterviewHeld():
            return AtReview(case=_signed(case_, "interview", event.held_by))
        case ApplicationReviewed():
            return AtInvestigation(case=_signed(case_, "review", event.reviewed_by))
        case InvestigationReported():
            report = Report(grade=event.grade, limit_fen=event.limit_fen, reported_on=event.reported_on)
            return Reported(case=_signed(case_, "report", event.investigator), report=report)
        case _:
            return _late_step(state, event)


def _late_step(state: Open, event: LateEvent) -> ApplicationState:
    case_ = state.case
    match event:
        case CommitteeConvened():
            return AtCommittee(
                case=_signed(case_, "convene", event.convened_by),
                terms=event.terms,
                conditions=event.conditions,
                ballots=(),
            )
        case CommitteeVoted():
            assert isinstance(state, AtCommittee), "only a convened committee votes"
            ballot = Ballot(office=event.office, member=event.member, vote=event.vote, reason=event.reason)
            return replace(state, case=_signed(case_, "vote", event.member), ballots=(*state.ballots, ballot))
        case CommitteeAgreed():
            conditions = event.conditions
            return Conditional(
                case=case_,
                terms=event.terms,
                conditions=conditions,
                missing=conditions,
                lapses_on=event.lapses_on,
            )
        case ConditionFulfilled():
            assert isinstance(state, Conditional), "only an agreed application has conditions"
            missing = tuple(each for each in state.missing if each != event.condition)
            return replace(state, case=_signed(case_, "condition", event.marked_by), missing=missing)
        case ExposureRequested():
            assert isinstance(state, Conditional), "only an agreed application asks for exposure"
            return AtReservation(case=case_, terms=state.terms)
        case ApplicationApproved():
            borrower = replace(case_.borrower, owner=event.owner, related=event.related)
            return Approved(
                case=replace(case_, borrower=borrower),
                terms=event.terms,
                terms_hash=event.terms_hash,
                lapses_on=event.lapses_on,
            )
        case TermsAccepted():
            assert isinstance(state, Approved), "only offered terms are accepted"
            return Accepted(
                case=case_,
                terms=state.terms,
                text_hash=event.text_hash,
                evidence=event.evidence,
                lapses_on=event.lapses_on,
            )
        case PrecedentsChecked():
            assert isinstance(state, Accepted), "precedents are checked once the terms are signed"
            return AtCapCheck(case=case_, terms=state.terms, checks=event.checks, checked_by=event.checked_by)
        case GuaranteeRequested():
            assert isinstance(state, AtCapCheck), "a guarantor is asked once the caps are kept"
            return AtGuarantor(
                case=case_,
                terms=state.terms,
                checks=state.checks,
                checked_by=state.checked_by,
                exposure_fen=event.exposure_fen,
                related_to_staff=event.related_to_staff,
            )
        case _:
            assert_never(event)


def _signed(case_: Case, step: Step, who: str) -> Case:
    return replace(case_, signed=(*case_.signed, Signature(step=step, who=who)))


def _request(event: ApplicationSubmitted) -> Request:
    return Request(
        application_id=event.application_id,
        loan_id=event.loan_id,
        applicant=event.applicant,
        product=event.product,
        purpose=event.purpose,
        amount_fen=event.amount_fen,
        tenor_months=event.tenor_months,
        method=event.method,
        documents=event.documents,
    )
