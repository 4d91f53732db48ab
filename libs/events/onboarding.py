"""Events of `onboarding`: people, their verification and suitability, and applications that are ready to be listed.

Identities are opaque ids; whatever identifies a person stays in onboarding's vault.
"""

from datetime import date
from typing import Literal

from libs.events.codec import event
from libs.events.money import AnnualRate, Count, PositiveFen


@event("onboarding.UserVerified.v1")
class UserVerified:
    """A provider confirmed who the user is; `owner` is the member of staff who owns the customer."""

    user_id: str
    kind: Literal["person", "organisation"]
    region: str
    owner: str | None
    provider: str
    reference: str
    verified_on: date


@event("onboarding.SuitabilityAssessed.v1")
class SuitabilityAssessed:
    """The user's risk level C1 (conservative) … C5 (aggressive), good until the end of `valid_to`."""

    user_id: str
    level: Literal["C1", "C2", "C3", "C4", "C5"]
    assessed_on: date
    valid_to: date


@event("onboarding.PrecedentsMet.v1")
class PrecedentsMet:
    """Every condition of an accepted offer is fulfilled: the loan request can be listed on these terms."""

    application_id: str
    loan_id: str
    borrower: str
    borrower_kind: Literal["person", "organisation"]
    region: str
    product: str
    purpose: str
    owner: str | None
    related: tuple[str, ...]
    amount_fen: PositiveFen
    annual_rate: AnnualRate
    tenor_months: int
    grade: str
    origination_fee_fen: Count
    interest_fee_permille: int
    window_days: int
