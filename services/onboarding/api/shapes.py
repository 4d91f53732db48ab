"""Bodies of onboarding's requests and answers. An answer is made from events or from a view's document, field by field.

Bodies with personal data are `…PersonIn`: what they hold goes to the vault and nowhere else.
"""

import re
from decimal import Decimal
from typing import Annotated, Any, Literal
from unicodedata import category

from pydantic import AfterValidator, BaseModel, Field

from libs.events import application as flow
from libs.events import onboarding as events
from libs.events.schedules.stored import read
from libs.runtime.http import (
    Answer,
    CountField,
    HashField,
    PositiveFenField,
    RateField,
    Shape,
    id_field,
)
from services.onboarding.domain.terms import text_of

CodeField = Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$", examples=["CN-31"])]
ReferenceField = Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$", examples=["doc_7f3a"])]


def _name(value: str) -> str:
    if not any(map(str.isalpha, value)) or any(category(each) in _NEVER_IN_NAMES for each in value):
        raise ValueError("a name has letters, and neither control characters nor line breaks")
    return value


def _phone(value: str) -> str:
    """One spelling for one number, because a number is one person's only."""
    number = value.removeprefix("+86")
    if _MOBILE.fullmatch(number):
        return number
    if _INTERNATIONAL.fullmatch(value):
        return value
    raise ValueError(
        "a phone is a mobile number of mainland China, or + and country code and number, digits only"
    )


#: Unicode's categories of control characters and of line and paragraph separators.
_NEVER_IN_NAMES = {"Cc", "Zl", "Zp"}
_MOBILE = re.compile("1[3-9][0-9]{9}")
#: E.164: at most 15 digits, of which the country code is at least one.
_INTERNATIONAL = re.compile(r"\+[1-9][0-9]{6,14}")

NameField = Annotated[str, Field(max_length=100, examples=["王小明"]), AfterValidator(_name)]
PhoneField = Annotated[str, Field(max_length=16, examples=["13800138000"]), AfterValidator(_phone)]
CodesField = Annotated[list[CodeField], Field(max_length=50)]
MaybeCodesField = Annotated[list[CodeField], Field(max_length=50, default_factory=list)]
TenorField = Annotated[int, Field(strict=True, ge=1, le=360)]
Grade = Literal["A", "B", "C", "D", "E"]

# --- requests ------------------------------------------------------------------------------------------------------


class RegistrationPersonIn(Shape):
    """Somebody registers himself: `referrer` is the customer whose code he brings."""

    kind: Literal["person", "organisation"] = "person"
    region: CodeField
    name: NameField
    phone: PhoneField
    referrer: Annotated[str | None, id_field("usr")] = None


class IdentityPersonIn(Shape):
    """What a provider compares: a person's number and own-name bank card; an organisation's number, legal representative and,
    where money is to move, its own settlement card."""

    identity: Annotated[str, Field(pattern="^[0-9A-Za-z]{18}$", examples=["11010519491231002X"])]
    card: Annotated[str | None, Field(pattern="^[0-9]{13,19}$")] = None
    representative: NameField | None = None


class AnswersIn(Shape):
    """The suitability questionnaire: one number from 1 to 5 per question."""

    answers: Annotated[
        list[Annotated[int, Field(strict=True, ge=1, le=5)]],
        Field(max_length=20, examples=[[3, 2, 4, 3, 3, 2, 3, 4]]),
    ]


class RelationIn(Shape):
    """Who one is related to."""

    related: Annotated[str, id_field("usr")]


class ApplicationIn(Shape):
    """The wish for a loan. `documents` are the kinds of papers handed in."""

    product: CodeField
    purpose: CodeField
    amount_fen: PositiveFenField
    tenor_months: TenorField
    method: CodeField = "equal_instalments"
    documents: CodesField


class PapersIn(Shape):
    """Papers by kind."""

    documents: CodesField


class ReturnIn(Shape):
    """Which papers are wanting, and the code of the reason."""

    papers: CodesField
    code: CodeField


class InterviewIn(Shape):
    """What the loan is to be paid from, and where the minutes are."""

    repayment_source: CodeField
    record: ReferenceField


class ReviewIn(Shape):
    """Eligible, or not with reasons."""

    is_eligible: Annotated[bool, Field(strict=True)]
    reasons: MaybeCodesField


class TermsIn(Shape):
    """What the committee is asked for; `guarantor` is the admitted company that is to stand in for the loan, empty for none."""

    amount_fen: PositiveFenField
    annual_rate: RateField
    tenor_months: TenorField
    method: CodeField = "equal_instalments"
    grade: Grade
    origination_fee_fen: CountField = 0
    interest_fee_permille: Annotated[int, Field(strict=True, ge=0, le=1000)] = 0
    window_days: Annotated[int, Field(strict=True, ge=1, le=90)] = 10
    conditions: MaybeCodesField
    guarantor: Annotated[str, Field(pattern="^(gua_[A-Za-z0-9_-]{1,64})?$", examples=[""])] = ""


class VoteIn(Shape):
    """One office's vote."""

    office: Literal["general_manager", "risk_assessor", "finance_supervisor"]
    vote: Literal["agree", "disagree"]
    reason: CodeField


class ConditionIn(Shape):
    """The evidence of a fulfilled condition."""

    condition: CodeField
    evidence: ReferenceField


class AcceptanceIn(Shape):
    """The hash of the text that was signed (`terms_hash` of the application), and the evidence of the signing."""

    text_hash: HashField
    evidence: ReferenceField


class ChecksIn(Shape):
    """The conditions precedent that were seen to hold: all of them, or nothing opens."""

    checks: CodesField


class AppointmentIn(Shape):
    """All roles that somebody holds from here on. `user_id`: he himself as a customer, whose loans are marked from then on."""

    roles: Annotated[list[CodeField], Field(max_length=50, examples=[["customer_manager"]])]
    region: CodeField | None = None
    user_id: Annotated[str, id_field("usr")] | None = None


# --- answers to commands -------------------------------------------------------------------------------------------


class UserDone(Answer):
    """What became of a user."""

    status: str
    code: str | None = None
    level: str | None = None

    @staticmethod
    def registered(event: events.UserRegistered) -> "UserDone":
        """He is known."""
        return UserDone(id=event.user_id, status="registered")

    @staticmethod
    def verified(event: events.UserVerified | events.CardBound) -> "UserDone":
        """The provider confirmed him, or another card of his."""
        return UserDone(id=event.user_id, status="verified")

    @staticmethod
    def failed(event: events.VerificationFailed) -> "UserDone":
        """The provider did not."""
        return UserDone(id=event.user_id, status="not_verified", code=event.code)

    @staticmethod
    def assessed(event: events.SuitabilityAssessed) -> "UserDone":
        """The questionnaire's level."""
        return UserDone(id=event.user_id, status="assessed", level=event.level)

    @staticmethod
    def related(event: events.RelationDeclared) -> "UserDone":
        """The relation is known."""
        return UserDone(id=event.user_id, status="related")

    @staticmethod
    def leaving(event: events.ErasureRequested) -> "UserDone":
        """He wants to be forgotten; his account is asked."""
        return UserDone(id=event.user_id, status="erasure_requested")


class ApplicationDone(Answer):
    """What a step made of an application."""

    status: str

    @staticmethod
    def saying(status: str) -> Any:
        """The answer maker of a step with one outcome."""
        return lambda event: ApplicationDone(id=event.application_id, status=status)


class StaffDone(Answer):
    """What became of a member of staff."""

    roles: list[str]

    @staticmethod
    def appointed(event: events.StaffAppointed) -> "StaffDone":
        """He holds these."""
        return StaffDone(id=event.staff_id, roles=[*event.roles])

    @staticmethod
    def dismissed(event: events.StaffDismissed) -> "StaffDone":
        """He holds none."""
        return StaffDone(id=event.staff_id, roles=[])


# --- answers from views --------------------------------------------------------------------------------------------


class UserOut(BaseModel):
    """A user by codes; amounts in fen. `erasure` is `requested` while his account is asked, then why he was not forgotten."""

    user_id: str
    state: str
    kind: str
    region: str
    verified_on: str | None
    suitability: str | None
    suitability_valid_to: str | None
    exposure_fen: int
    cap_fen: int | None
    erasure: str | None

    @staticmethod
    def of(document: dict[str, Any]) -> "UserOut":
        """From a document of `onboarding.users`."""
        return UserOut(**{field: document[field] for field in UserOut.model_fields})


class PersonOut(BaseModel):
    """One's own personal data, as the vault holds it."""

    name: str | None = None
    phone: str | None = None
    identity: str | None = None
    card: str | None = None
    representative: str | None = None


class ApplicationOut(BaseModel):
    """Where an application stands; amounts in fen, rates as decimal text.

    `terms_text` is what the applicant signs once the terms are offered, `terms_hash` its SHA-256. `listing` is where the listing
    stands that came of it (`prepared`, `open`, `funded`, `expired`, `cancelled` or `refused`), `listing_code` why there is none.
    """

    application_id: str
    loan_id: str
    applicant: str
    stage: str
    product: str
    purpose: str
    amount_fen: int
    tenor_months: int
    documents: list[str]
    wanting: list[str]
    codes: list[str]
    conditions: list[str]
    grade: str | None
    terms: dict[str, Any] | None
    terms_text: str | None
    terms_hash: str | None
    lapses_on: str | None
    listing: str | None
    listing_code: str | None

    @staticmethod
    def of(document: dict[str, Any]) -> "ApplicationOut":
        """From a document of `onboarding.applications`."""
        made = ("terms_text", "listing", "listing_code")
        stored = {field: document[field] for field in ApplicationOut.model_fields if field not in made}
        listing = document.get("listing", {})
        return ApplicationOut(
            **stored,
            terms_text=_text(document) if document["terms_hash"] else None,
            listing=listing.get("state"),
            listing_code=listing.get("code"),
        )


def _text(document: dict[str, Any]) -> str:
    terms = document["terms"]
    named = {
        name: document[name] for name in ("application_id", "loan_id", "applicant", "product", "purpose")
    }
    agreed = flow.LoanTerms(
        **terms
        | {
            "annual_rate": Decimal(terms["annual_rate"]),
            "repayment": read(terms["repayment"]),
        }
    )
    return text_of(agreed, offered_hash=document["terms_hash"], **named)


class ApplicationsOut(BaseModel):
    """A page of applications."""

    items: list[ApplicationOut]
    next: str | None


class PipelineOut(BaseModel):
    """How many applications ever reached each stage."""

    stages: dict[str, int]


class StaffOut(BaseModel):
    """Who holds which roles."""

    staff_id: str
    state: str
    roles: list[str]
    region: str | None

    @staticmethod
    def of(document: dict[str, Any]) -> "StaffOut":
        """From a document of `onboarding.staff`."""
        return StaffOut(**{field: document[field] for field in StaffOut.model_fields})


class StaffPageOut(BaseModel):
    """A page of staff."""

    items: list[StaffOut]
    next: str | None


def terms_of(body: TermsIn) -> flow.LoanTerms:
    """The terms of a request as an event holds them."""
    return flow.LoanTerms(
        amount_fen=body.amount_fen,
        annual_rate=Decimal(body.annual_rate),
        tenor_months=body.tenor_months,
        method=body.method,
        grade=body.grade,
        origination_fee_fen=body.origination_fee_fen,
        interest_fee_permille=body.interest_fee_permille,
        window_days=body.window_days,
        guarantor=body.guarantor,
    )
