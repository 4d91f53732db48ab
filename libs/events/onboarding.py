"""Events of `onboarding`: who people are, what they may do, and how an application becomes a loan that may be listed.

No event holds personal data (design.md 2.10): people are opaque ids, everything else is a code or a reference, and the types
`Code` and `Reference` leave no room for a name or a sentence.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from libs.events.card import CardRef
from libs.events.codec import event
from libs.events.money import AnnualRate, Count, PositiveFen
from libs.events.schedules.terms import RepaymentTerms

Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
"""A word of a list that somebody keeps: a product, a region, a reason. Never free text."""

Reference = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$")]
"""An opaque id of evidence that is kept elsewhere."""

TextHash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 of a text, in hex."""

Kind = Literal["person", "organisation"]
Level = Literal["C1", "C2", "C3", "C4", "C5"]
Grade = Literal["A", "B", "C", "D", "E"]
Aspect = Literal["legal", "credit", "operations", "tax", "guarantee"]
Finding = Literal["sound", "concern", "not_applicable"]
Manner = Literal["field_visit", "telephone", "bureau", "data"]
Office = Literal["general_manager", "risk_assessor", "finance_supervisor"]
Vote = Literal["agree", "disagree"]
Recheck = Literal["precedents", "funding"]
"""When the caps are looked at again: before the listing opens, and before the money moves (domain.md section 2)."""


# --- user ----------------------------------------------------------------------------------------------------------


@event("onboarding.UserRegistered.v1")
class UserRegistered:
    """Somebody registered: `referrer` is the customer whose code he brought, `owner` the staff who handled him."""

    user_id: str
    kind: Kind
    region: Code
    referrer: str | None
    owner: str | None


@event("onboarding.ReferralCredited.v1")
class ReferralCredited:
    """A registered user brought another; `owner` is the referrer's owner, who becomes that of the referred (processes.md 1.B)."""

    user_id: str
    referred: str
    owner: str | None


@event("onboarding.OwnerBound.v1")
class OwnerBound:
    """A user without owner got one."""

    user_id: str
    owner: str


@event("onboarding.UserVerified.v1")
class UserVerified:
    """The provider confirmed who the user is, under its reference; `related` are those who declared him related before.

    `card_ref` names the own-name card that was compared, None where none was.
    """

    user_id: str
    kind: Kind
    region: Code
    owner: str | None
    provider: Code
    reference: Reference
    verified_on: date
    related: tuple[str, ...] = ()
    card_ref: CardRef | None = None


@event("onboarding.CardBound.v1")
class CardBound:
    """The provider confirmed another own-name card of a verified user: his money moves over this one from here on."""

    user_id: str
    card_ref: CardRef


@event("onboarding.VerificationFailed.v1")
class VerificationFailed:
    """The provider did not confirm (`code`); the user may try again."""

    user_id: str
    provider: Code
    reference: Reference
    code: Code
    failed_on: date


@event("onboarding.SuitabilityAssessed.v1")
class SuitabilityAssessed:
    """The questionnaire's result, from C1 conservative to C5 aggressive; `valid_to` is its last day."""

    user_id: str
    level: Level
    assessed_on: date
    valid_to: date


@event("onboarding.SuitabilityLapsed.v1")
class SuitabilityLapsed:
    """The assessment's last day is over."""

    user_id: str
    level: Level
    lapsed_on: date


@event("onboarding.RelationDeclared.v1")
class RelationDeclared:
    """The user is related to another: neither lends to the other. `by_other`: the other one has declared it. `staff`: whom of
    the staff the user is himself, which the other has to know."""

    user_id: str
    related: str
    by_other: bool = False
    staff: tuple[str, ...] = ()


@event("onboarding.StaffTieRecorded.v1")
class StaffTieRecorded:
    """The user is a member of staff (`himself`), or related to one: loans that he asks for are marked (red line 3). `related` are
    those who hear of it by him. It stays when the other leaves: the register knows who was staff (chosen)."""

    user_id: str
    staff_id: str
    himself: bool
    related: tuple[str, ...] = ()


@event("onboarding.ApplicantConfirmed.v1")
class ApplicantConfirmed:
    """The user may apply, and this is who he is to those who will decide."""

    user_id: str
    application_id: str
    kind: Kind
    region: Code
    owner: str | None
    related: tuple[str, ...]


@event("onboarding.ApplicantDeclined.v1")
class ApplicantDeclined:
    """The user may not apply (`code`)."""

    user_id: str
    application_id: str
    code: Code


@event("onboarding.ApplicantReleased.v1")
class ApplicantReleased:
    """An application of the user ended before anything was reserved for it: it is not under way any more."""

    user_id: str
    application_id: str


@event("onboarding.ExposureReserved.v1")
class ExposureReserved:
    """The loan's amount counts against the user's cap from here on. `cap_fen` is the cap of that day, None where none is set."""

    user_id: str
    application_id: str
    loan_id: str
    amount_fen: PositiveFen
    exposure_after_fen: Count
    cap_fen: Count | None
    owner: str | None
    related: tuple[str, ...]


@event("onboarding.ExposureDeclined.v1")
class ExposureDeclined:
    """The amount does not fit under the cap of that day, or the user is not who may borrow (`code`)."""

    user_id: str
    application_id: str
    loan_id: str
    amount_fen: PositiveFen
    exposure_fen: Count
    cap_fen: Count | None
    code: Code


@event("onboarding.ExposureReduced.v1")
class ExposureReduced:
    """Principal came back: the loan counts for less."""

    user_id: str
    loan_id: str
    amount_fen: PositiveFen
    loan_exposure_after_fen: Count
    exposure_after_fen: Count


@event("onboarding.ExposureReleased.v1")
class ExposureReleased:
    """The loan does not count any more: it never came about, or it is repaid (`reason`). `amount_fen` is what still counted."""

    user_id: str
    loan_id: str
    amount_fen: Count
    exposure_after_fen: Count
    reason: Code


@event("onboarding.ExposureConfirmed.v1")
class ExposureConfirmed:
    """Looked at again, all that counts (`exposure_fen`) is within the cap of that day: the loan's next `step` may be taken.
    `related_to_staff`: the borrower is staff of the platform, or related to somebody who is."""

    user_id: str
    application_id: str
    loan_id: str
    exposure_fen: Count
    cap_fen: Count | None
    step: Recheck
    related_to_staff: bool = False


@event("onboarding.ExposureRevoked.v1")
class ExposureRevoked:
    """Looked at again, the loan does not fit any more (`code`): it does not count from here on, and no loan comes of it.

    `amount_fen` is what it counted, `exposure_after_fen` what is left without it.
    """

    user_id: str
    application_id: str
    loan_id: str
    amount_fen: Count
    exposure_after_fen: Count
    cap_fen: Count | None
    code: Code
    step: Recheck


@event("onboarding.ErasureRequested.v1")
class ErasureRequested:
    """The user asked to be forgotten, and nothing of his is under way here: his account says whether it is empty."""

    user_id: str
    requested_on: date


@event("onboarding.ErasureDeclined.v1")
class ErasureDeclined:
    """The user is not forgotten: his account is not empty (`code`)."""

    user_id: str
    code: Code


@event("onboarding.UserErased.v1")
class UserErased:
    """The user asked to be forgotten, owes nothing and owns nothing: his key and vault row are to be destroyed."""

    user_id: str
    erased_on: date


# --- the loan that comes of it -----------------------------------------------------------------------------------


@event("onboarding.PrecedentsMet.v1")
class PrecedentsMet:
    """Every condition precedent was checked: the listing may open on these terms. `exposure_fen` is what the borrower owes on the
    platform with this loan, `related_to_staff` red line 3's mark; `repayment` is the manner of repayment, None for equal monthly
    instalments; `guarantor` the external company that stands in for it under its limit, empty for none."""

    application_id: str
    loan_id: str
    borrower: str
    borrower_kind: Kind
    region: Code
    product: Code
    purpose: Code
    owner: str | None
    related: tuple[str, ...]
    amount_fen: PositiveFen
    annual_rate: AnnualRate
    tenor_months: int
    grade: Grade
    origination_fee_fen: Count
    interest_fee_permille: int
    window_days: int
    method: Code = "equal_instalments"
    checks: tuple[Code, ...] = ()
    checked_by: str = ""
    exposure_fen: Count | None = None
    related_to_staff: bool = False
    repayment: RepaymentTerms | None = None
    guarantor: str = ""


# --- staff ---------------------------------------------------------------------------------------------------------


@event("onboarding.StaffAppointed.v1")
class StaffAppointed:
    """A member of staff holds these roles from here on; earlier ones are replaced. `user_id` is he himself as a customer, None
    while he is not known to be one."""

    staff_id: str
    roles: tuple[Code, ...]
    region: Code | None
    user_id: str | None = None


@event("onboarding.StaffDismissed.v1")
class StaffDismissed:
    """A member of staff left; these were his roles."""

    staff_id: str
    roles: tuple[Code, ...]
    region: Code | None
