"""Who may have a part of whose loan: asked of a bid on it and of the buyer of a claim in it, by one rule."""

from dataclasses import dataclass
from datetime import date

from libs.events.bidding import RiskLevel
from services.bidding.domain.profile import Profile


@dataclass(frozen=True, slots=True)
class Candidate:
    """An investor as his account knows him: risk level and its last day (None: nobody has assessed him), and his relations."""

    user: str
    level: RiskLevel | None
    valid_to: date | None
    related: tuple[str, ...]


def why_unfit(
    candidate: Candidate,
    *,
    borrower: str,
    related: tuple[str, ...],
    grade: str,
    on: date,
    profile: Profile,
) -> str | None:
    """Why not, by a code, None where he may: it is his own or a related party's loan (red line 3, domain.md section 9), or a
    risk above his level (section 2: "a bid on a listing riskier than their level is refused"). `related` are the relations of the
    day of approval, the candidate brings those that his account knows now.

    Whoever was assessed is judged by it. Without an assessment the profile's `suitability_required` decides: the demo's
    investors were never assessed, so there they may bid until its people come through onboarding.
    """
    if candidate.user == borrower:
        return "own_loan"
    if candidate.user in related or borrower in candidate.related:
        return "related_party"
    if candidate.level is None or candidate.valid_to is None:
        return "unsuitable" if profile.suitability_required else None
    if candidate.valid_to < on:
        return "suitability_expired"
    return "unsuitable" if candidate.level < profile.level_needed(grade, on) else None
