"""People and their stories: Bea borrows, Ann refers, Max sells, Ria assesses, three offices vote, Leo checks and pays out.

Each step of the long story is a command and what it comes to, so that every spec starts where the one before it ended.
"""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from libs.events.application import (
    ApplicantRecorded,
    ApplicationApproved,
    ApplicationDeclined,
    ApplicationLapsed,
    ApplicationRejected,
    ApplicationResubmitted,
    ApplicationReviewed,
    ApplicationSubmitted,
    AspectFinding,
    CommitteeAgreed,
    CommitteeConvened,
    CommitteeVoted,
    ConditionFulfilled,
    ExposureRequested,
    IntakeChecked,
    InterviewHeld,
    InvestigationReported,
    LoanTerms,
    PapersReturned,
    PrecedentsChecked,
    TermsAccepted,
    TermsDeclined,
)
from libs.events.deciding import Aggregate, Context
from libs.events.onboarding import (
    ApplicantConfirmed,
    ExposureReserved,
    PrecedentsMet,
    UserRegistered,
    UserVerified,
)
from services.onboarding.commands import (
    CastVote,
    ConveneCommittee,
    ReportInvestigation,
    SubmitApplication,
)
from services.onboarding.domain.profile import CAPS_CHECKED, PRECEDENTS
from services.onboarding.domain.terms import hash_of
from tests.unit.given import TODAY, context, given

BEA, MAX, RIA, LEO = "usr_bea", "stf_max", "stf_ria", "stf_leo"
GM, RA, FS = "stf_gus", "stf_rob", "stf_fay"
IN_30_DAYS = TODAY + timedelta(days=30)
DOCUMENTS = (
    "identity_card",
    "income_proof",
    "bank_statements",
    "asset_proof",
    "credit_report",
    "purpose_evidence",
)


@dataclass(frozen=True)
class Spec:
    """One rule in a sentence. `then` is the events expected, in order, or the code of a refusal; () is no effect."""

    says: str
    given: tuple[Any, ...]
    when: Any
    then: tuple[Any, ...] | str
    context: Context = field(default_factory=context)

    @property
    def case(self) -> str:
        """Which of the three cases of a command this is."""
        if isinstance(self.then, str):
            return "refuses"
        return "does" if self.then else "has no effect"

    def check(self, aggregate: Aggregate) -> None:
        """Run it."""
        outcome = given(aggregate, *self.given).when(self.when, self.context)
        if isinstance(self.then, str):
            outcome.then_refused(self.then)
        else:
            outcome.then(*self.then)


def by(principal: str, business_date: date = TODAY) -> Context:
    """The context of a command that somebody gives."""
    return context(business_date, principal)


# --- users ---------------------------------------------------------------------------------------------------------

REGISTERED = UserRegistered(user_id=BEA, kind="person", region="CN-31", referrer=None, owner=MAX)
VERIFIED = UserVerified(
    user_id=BEA,
    kind="person",
    region="CN-31",
    owner=MAX,
    provider="test",
    reference="ref_1",
    verified_on=TODAY,
)
CONFIRMED = ApplicantConfirmed(
    user_id=BEA, application_id="app_1", kind="person", region="CN-31", owner=MAX, related=("usr_ann",)
)


def reserved(
    loan: str = "loan_1", amount_fen: int = 100_000_00, after_fen: int = 100_000_00, **more: Any
) -> ExposureReserved:
    """A loan counts against Bea's cap."""
    fields: dict[str, Any] = {
        "user_id": BEA,
        "application_id": f"app_{loan.removeprefix('loan_')}",
        "loan_id": loan,
        "amount_fen": amount_fen,
        "exposure_after_fen": after_fen,
        "cap_fen": 200_000_00,
        "owner": MAX,
        "related": (),
    }
    return ExposureReserved(**(fields | more))


# --- an application ------------------------------------------------------------------------------------------------

SUBMIT = SubmitApplication(
    application_id="app_1",
    loan_id="loan_1",
    product="consumer",
    purpose="renovation",
    amount_fen=100_000_00,
    tenor_months=12,
    method="equal_instalments",
    documents=DOCUMENTS,
)
SUBMITTED = ApplicationSubmitted(
    application_id="app_1",
    loan_id="loan_1",
    applicant=BEA,
    product="consumer",
    purpose="renovation",
    amount_fen=100_000_00,
    tenor_months=12,
    method="equal_instalments",
    documents=DOCUMENTS,
    submitted_on=TODAY,
)
RECORDED = ApplicantRecorded(
    application_id="app_1",
    applicant=BEA,
    kind="person",
    region="CN-31",
    owner="stf_own",
    related=("usr_ann",),
)
RETURNED = PapersReturned(
    application_id="app_1",
    applicant=BEA,
    papers=("credit_report",),
    code="expired",
    returned_by=MAX,
    lapses_on=IN_30_DAYS,
)
RESUBMITTED = ApplicationResubmitted(
    application_id="app_1", applicant=BEA, documents=(*DOCUMENTS, "utility_bills")
)
CHECKED = IntakeChecked(application_id="app_1", checked_by=MAX)
INTERVIEWED = InterviewHeld(application_id="app_1", held_by=MAX, repayment_source="salary", record="note_1")
REVIEWED = ApplicationReviewed(application_id="app_1", reviewed_by=RIA)


def finding(aspect: Any, **more: Any) -> AspectFinding:
    """A sound aspect, seen on the spot today."""
    fields: dict[str, Any] = {
        "aspect": aspect,
        "finding": "sound",
        "score": 80,
        "manner": "field_visit",
        "found_on": TODAY,
        "evidence": f"doc_{aspect}",
    }
    return AspectFinding(**(fields | more))


ASPECTS = tuple(finding(aspect) for aspect in ("legal", "credit", "operations", "tax", "guarantee"))
REPORT = ReportInvestigation(
    application_id="app_1", aspects=ASPECTS, grade="B", limit_fen=120_000_00, recommends=True
)
REPORTED = InvestigationReported(
    application_id="app_1",
    investigator=RIA,
    reported_on=TODAY,
    aspects=ASPECTS,
    grade="B",
    limit_fen=120_000_00,
    recommends=True,
)
TERMS = LoanTerms(
    amount_fen=90_000_00,
    annual_rate=Decimal("0.12"),
    tenor_months=12,
    method="equal_instalments",
    grade="B",
    origination_fee_fen=180_00,
    interest_fee_permille=100,
    window_days=10,
)
CONVENE = ConveneCommittee(application_id="app_1", terms=TERMS)
CONVENED = CommitteeConvened(application_id="app_1", convened_by=RIA, terms=TERMS, conditions=())


def cast(office: Any, vote: Any = "agree") -> CastVote:
    """An office's vote."""
    return CastVote(application_id="app_1", office=office, vote=vote, reason="sound")


def voted(office: Any, member: str, vote: Any = "agree") -> CommitteeVoted:
    """What it comes to."""
    return CommitteeVoted(application_id="app_1", office=office, member=member, vote=vote, reason="sound")


TWO_VOTES = (voted("general_manager", GM), voted("risk_assessor", RA))
AGREED = CommitteeAgreed(
    application_id="app_1", terms=TERMS, conditions=(), agreed=3, disagreed=0, lapses_on=IN_30_DAYS
)
REJECTED = ApplicationRejected(application_id="app_1", loan_id="loan_1", applicant=BEA, agreed=1, disagreed=2)
FULFILLED = ConditionFulfilled(
    application_id="app_1", condition="second_guarantor", evidence="doc_g", marked_by=RIA, missing=1
)
TERMS_TEXT = """\
Loanstream loan terms, version 1
application app_1
loan loan_1
borrower usr_bea
product consumer, for renovation
amount 9000000 fen
interest 0.12 a year
repaid in 12 months, equal_instalments
origination fee 18000 fen, taken from the pay-out
service fee 100 per mille of the interest, borne by the lenders
grade B, listed for 10 days
"""
ASKED = ExposureRequested(application_id="app_1", loan_id="loan_1", applicant=BEA, amount_fen=90_000_00)
APPROVED = ApplicationApproved(
    application_id="app_1",
    loan_id="loan_1",
    applicant=BEA,
    kind="person",
    region="CN-31",
    product="consumer",
    owner="stf_own",
    related=("usr_ann", "usr_cem"),
    terms=TERMS,
    approved_on=TODAY,
    lapses_on=IN_30_DAYS,
    terms_hash=hash_of(TERMS_TEXT),
)
ACCEPTED = TermsAccepted(
    application_id="app_1",
    loan_id="loan_1",
    applicant=BEA,
    text_hash=hash_of(TERMS_TEXT),
    evidence="sign_1",
    accepted_on=TODAY,
    lapses_on=IN_30_DAYS,
)
TERMS_DECLINED = TermsDeclined(application_id="app_1", loan_id="loan_1", applicant=BEA, amount_fen=90_000_00)
SEEN = PrecedentsChecked(
    application_id="app_1", loan_id="loan_1", applicant=BEA, checks=PRECEDENTS, checked_by=LEO
)
MET = PrecedentsMet(
    application_id="app_1",
    loan_id="loan_1",
    borrower=BEA,
    borrower_kind="person",
    region="CN-31",
    product="consumer",
    purpose="renovation",
    owner="stf_own",
    related=("usr_ann", "usr_cem"),
    amount_fen=90_000_00,
    annual_rate=Decimal("0.12"),
    tenor_months=12,
    grade="B",
    origination_fee_fen=180_00,
    interest_fee_permille=100,
    window_days=10,
    method="equal_instalments",
    checks=(*PRECEDENTS, CAPS_CHECKED),
    checked_by=LEO,
)


def declined(code: str, stage: str, decided_by: str = "") -> ApplicationDeclined:
    """No committee decided this."""
    return ApplicationDeclined(
        application_id="app_1",
        loan_id="loan_1",
        applicant=BEA,
        codes=(code,),
        decided_by=decided_by,
        stage=stage,
    )


def lapsed(stage: str, reserved_fen: int = 0, on: date = IN_30_DAYS) -> ApplicationLapsed:
    """Nobody acted in time."""
    return ApplicationLapsed(
        application_id="app_1",
        loan_id="loan_1",
        applicant=BEA,
        stage=stage,
        reserved_fen=reserved_fen,
        lapsed_on=on,
    )


AT_INTAKE = (SUBMITTED, RECORDED)
AT_INTERVIEW = (*AT_INTAKE, CHECKED)
AT_REVIEW = (*AT_INTERVIEW, INTERVIEWED)
AT_INVESTIGATION = (*AT_REVIEW, REVIEWED)
WITH_REPORT = (*AT_INVESTIGATION, REPORTED)
AT_COMMITTEE = (*WITH_REPORT, CONVENED)
BEFORE_LAST_VOTE = (*AT_COMMITTEE, *TWO_VOTES)
AT_RESERVATION = (*BEFORE_LAST_VOTE, voted("finance_supervisor", FS), AGREED, ASKED)
TERMS_OFFERED = (*AT_RESERVATION, APPROVED)
SIGNED = (*TERMS_OFFERED, ACCEPTED)
AT_CAP_CHECK = (*SIGNED, SEEN)
LISTABLE = (*AT_CAP_CHECK, MET)

CONDITIONS = ("second_guarantor", "lien_removed")
WITH_CONDITIONS = (
    *WITH_REPORT,
    replace(CONVENED, conditions=CONDITIONS),
    *TWO_VOTES,
    voted("finance_supervisor", FS),
    replace(AGREED, conditions=CONDITIONS),
)
