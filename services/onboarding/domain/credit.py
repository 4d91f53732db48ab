"""The middle of an application: eligibility, investigation, committee, by those who did not bring the customer.

Rules: processes.md 1.D.5 (eligibility), 1.E (the five aspects), 1.F (committee).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import get_args

from libs.events.application import (
    ApplicationDeclined,
    ApplicationRejected,
    ApplicationReviewed,
    AspectFinding,
    CommitteeAgreed,
    CommitteeConvened,
    CommitteeVoted,
    ConditionFulfilled,
    ExposureRequested,
    InvestigationReported,
    LoanTerms,
)
from libs.events.deciding import Context, Refused
from libs.events.onboarding import Aspect, Office
from libs.events.schedules.terms import require_sound
from services.onboarding.commands import (
    CastVote,
    ConveneCommittee,
    FulfilCondition,
    ReportInvestigation,
    ReviewEligibility,
)
from services.onboarding.domain.application_state import (
    ApplicationState,
    AtCommittee,
    AtInvestigation,
    AtReview,
    Case,
    Conditional,
    Open,
    Report,
    Reported,
)
from services.onboarding.domain.profile import Profile
from services.onboarding.domain.signing import SALES, independent_staff, misplaced, require_in_time

ASPECTS: tuple[Aspect, ...] = get_args(Aspect)
OFFICES: tuple[Office, ...] = get_args(Office)

#: The aspects that somebody must have seen on the spot (processes.md 1.E).
VISITED: tuple[Aspect, ...] = ("operations", "guarantee")

CODES_MAX = 20
_PERMILLE = 1_000


def review(
    command: ReviewEligibility, state: ApplicationState, context: Context
) -> Sequence[ApplicationReviewed | ApplicationDeclined]:
    """Risk's gate: the product's conditions are met, or not."""
    has_reviewed = isinstance(state, Open) and context.principal in state.case.signers("review")
    if has_reviewed and command.is_eligible:
        return []
    if not isinstance(state, AtReview):
        raise misplaced(state)
    who = independent_staff(context, state.case, *SALES)
    if command.is_eligible == bool(command.reasons) or len(command.reasons) > CODES_MAX:
        raise Refused("invalid_reasons")
    if command.is_eligible:
        return [ApplicationReviewed(application_id=command.application_id, reviewed_by=who)]
    return [_declined(state.case, command.reasons, who, state.kind)]


# --- investigation -------------------------------------------------------------------------------------------------


def report(
    command: ReportInvestigation, state: ApplicationState, context: Context, profile: Profile
) -> Sequence[InvestigationReported | ApplicationDeclined]:
    """The report; until the committee is convened a later one replaces it. One that advises against the loan ends it: nobody is
    convened to overrule who has seen it."""
    if not isinstance(state, AtInvestigation | Reported):
        raise misplaced(state)
    who = independent_staff(context, state.case, *SALES)
    _check_aspects(command.aspects, context.business_date, profile)
    reported = InvestigationReported(
        application_id=command.application_id,
        investigator=who,
        reported_on=context.business_date,
        aspects=command.aspects,
        grade=command.grade,
        limit_fen=command.limit_fen,
        recommends=command.recommends,
    )
    if command.recommends:
        return [reported]
    return [reported, _declined(state.case, ("not_recommended",), who, "reported")]


def _declined(case: Case, codes: tuple[str, ...], who: str, stage: str) -> ApplicationDeclined:
    request = case.request
    return ApplicationDeclined(
        application_id=request.application_id,
        loan_id=request.loan_id,
        applicant=request.applicant,
        codes=codes,
        decided_by=who,
        stage=stage,
    )


def _check_aspects(aspects: tuple[AspectFinding, ...], on: date, profile: Profile) -> None:
    """No aspect may be empty; "not applicable" needs a reason; operations and guarantee need a recent field visit."""
    if tuple(each.aspect for each in aspects) != ASPECTS or any(each.found_on > on for each in aspects):
        raise Refused("invalid_aspects")
    oldest = on - timedelta(days=profile.visit_days_max)
    for each in aspects:
        if (each.finding == "not_applicable") != (each.reason is not None):
            raise Refused("aspect_without_reason")
        if each.aspect in VISITED and each.finding != "not_applicable":
            if each.manner != "field_visit":
                raise Refused("aspect_without_visit")
            if each.found_on < oldest:
                raise Refused("visit_too_old")


# --- committee -----------------------------------------------------------------------------------------------------


def convene(
    command: ConveneCommittee, state: ApplicationState, context: Context, profile: Profile
) -> Sequence[CommitteeConvened]:
    """Risk lays terms and conditions before the committee."""
    terms = _with_repayment(command.terms, state, profile)
    asked = (terms, command.conditions)
    if isinstance(state, AtCommittee) and asked == (state.terms, state.conditions):
        return []
    if not isinstance(state, Reported):
        raise misplaced(state)
    who = independent_staff(context, state.case, *SALES)
    if context.business_date > state.report.reported_on + timedelta(days=profile.report_days_max):
        raise Refused("report_too_old")
    _check_terms(terms, state.case, state.report, profile)
    _check_schedule(terms, context)
    if not profile.allows_cost(terms, context.business_date):
        raise Refused("invalid_rate")
    if not profile.has_published(state.case.request.product, terms, context.business_date):
        raise Refused("fee_not_published")
    if len(command.conditions) > CODES_MAX or len(set(command.conditions)) != len(command.conditions):
        raise Refused("invalid_conditions")
    return [
        CommitteeConvened(
            application_id=command.application_id,
            convened_by=who,
            terms=terms,
            conditions=command.conditions,
        )
    ]


def _with_repayment(terms: LoanTerms, state: ApplicationState, profile: Profile) -> LoanTerms:
    """The terms with the product's manner of repayment as it stands today: the loan keeps it, whatever becomes of the product."""
    if not isinstance(state, AtCommittee | Reported):
        return terms
    product = profile.product(state.case.request.product)
    if product is None or terms.method not in product.methods:
        return terms  # refused by its name below
    return replace(terms, repayment=product.repayment(terms.method))


def _check_schedule(terms: LoanTerms, context: Context) -> None:
    """What the ledger would refuse is refused before anybody votes on it."""
    if terms.repayment is not None:
        require_sound(
            terms.repayment,
            amount_fen=terms.amount_fen,
            annual_rate=terms.annual_rate,
            months=terms.tenor_months,
            funded_on=context.business_date,
        )


def _check_terms(terms: LoanTerms, case: Case, found: Report, profile: Profile) -> None:
    """What bidding would refuse later is refused before anybody votes on it."""
    product = profile.product(case.request.product)
    if product is None:
        raise Refused("invalid_product")  # it was taken off the table since
    if not product.tenors_months[0] <= terms.tenor_months <= product.tenors_months[1]:
        raise Refused("invalid_tenor")
    if not product.amounts_fen[0] <= terms.amount_fen <= product.amounts_fen[1]:
        raise Refused("invalid_amount")
    if not 1 <= terms.window_days <= profile.window_days_max:
        raise Refused("invalid_window")
    if terms.origination_fee_fen >= terms.amount_fen or not 0 <= terms.interest_fee_permille <= _PERMILLE:
        raise Refused("invalid_fee")
    if terms.annual_rate == 0:
        raise Refused("invalid_rate")  # a contract without a stated rate is not built (processes.md 1.G.1)
    if terms.method not in product.methods:
        raise Refused("invalid_method")
    if terms.grade != found.grade:
        raise Refused("invalid_grade")
    if terms.amount_fen > found.limit_fen:
        raise Refused("above_limit")
    if terms.amount_fen > case.request.amount_fen or terms.tenor_months > case.request.tenor_months:
        raise Refused("above_request")


def vote(
    command: CastVote, state: ApplicationState, context: Context, profile: Profile
) -> Sequence[
    CommitteeVoted | CommitteeAgreed | ExposureRequested | ApplicationRejected | ApplicationDeclined
]:
    """One office votes; when all three have, the majority decides.

    Who assessed the risk votes in no other office than the risk assessor's (processes.md 1.F); the owner never votes.
    """
    if not isinstance(state, AtCommittee):
        raise misplaced(state)
    assessed = () if command.office == "risk_assessor" else ("review", "report", "convene")
    who = independent_staff(context, state.case, *SALES, *assessed)
    for ballot in state.ballots:
        if ballot.member == who:
            if (ballot.office, ballot.vote) == (command.office, command.vote):
                return []
            raise Refused("already_voted")
        if ballot.office == command.office:
            raise Refused("office_has_voted")
    voted = CommitteeVoted(
        application_id=command.application_id,
        office=command.office,
        member=who,
        vote=command.vote,
        reason=command.reason,
    )
    votes = (*(ballot.vote for ballot in state.ballots), command.vote)
    if len(votes) < len(OFFICES):
        return [voted]
    return [voted, *_conclude(state, votes.count("agree"), context, profile)]


def _conclude(
    state: AtCommittee, agreed: int, context: Context, profile: Profile
) -> Sequence[CommitteeAgreed | ExposureRequested | ApplicationRejected | ApplicationDeclined]:
    request, disagreed = state.case.request, len(OFFICES) - agreed
    if agreed < disagreed:
        return [
            ApplicationRejected(
                application_id=request.application_id,
                loan_id=request.loan_id,
                applicant=request.applicant,
                agreed=agreed,
                disagreed=disagreed,
            )
        ]
    agreement = CommitteeAgreed(
        application_id=request.application_id,
        terms=state.terms,
        conditions=state.conditions,
        agreed=agreed,
        disagreed=disagreed,
        lapses_on=context.business_date + timedelta(days=profile.answer_days),
    )
    if state.conditions:
        return [agreement]
    return [agreement, _ask(state.case, state.terms, context, profile, state.kind)]


def _ask(
    case: Case, terms: LoanTerms, context: Context, profile: Profile, stage: str
) -> ExposureRequested | ApplicationDeclined:
    """All is agreed: ask for the amount, unless the ceiling has come down since the terms were laid before the committee."""
    if not profile.allows_cost(terms, context.business_date):
        return _declined(case, ("invalid_rate",), "", stage)
    request = case.request
    return ExposureRequested(
        application_id=request.application_id,
        loan_id=request.loan_id,
        applicant=request.applicant,
        amount_fen=terms.amount_fen,
    )


def fulfil(
    command: FulfilCondition, state: ApplicationState, context: Context, profile: Profile
) -> Sequence[ConditionFulfilled | ExposureRequested | ApplicationDeclined]:
    """Risk marks a condition; with the last one the amount is asked to be reserved."""
    if not isinstance(state, Conditional):
        raise misplaced(state)
    who = independent_staff(context, state.case, *SALES)
    require_in_time(state, context.business_date)
    if command.condition not in state.conditions:
        raise Refused("unknown_condition")
    if command.condition not in state.missing:
        return []
    missing = len(state.missing) - 1
    fulfilled = ConditionFulfilled(
        application_id=command.application_id,
        condition=command.condition,
        evidence=command.evidence,
        marked_by=who,
        missing=missing,
    )
    if missing:
        return [fulfilled]
    return [fulfilled, _ask(state.case, state.terms, context, profile, state.kind)]
