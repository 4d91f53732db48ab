"""Bodies of the requests and answers about emergency redemptions, and the clock that each of them runs against."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from libs.events import redemption as events
from libs.runtime.http import Answer, PositiveFenField, Shape, id_field
from services.bidding.domain.profile import Profile


class RedemptionIn(Shape):
    """The form F20: one's own offer that stayed unsold, why, and what of its claim is to be sold (all if left out), at which
    price in per mille of its outstanding principal."""

    offer_id: Annotated[str, id_field("offer")]
    reason: events.RedemptionReason
    price_permille: Annotated[int, Field(strict=True, ge=1, le=10_000, examples=[950])]
    principal_fen: PositiveFenField | None = None


class SignatureIn(Shape):
    """A step of a redemption; `refused` is the signer's reason, a code, which ends it."""

    step: events.RedemptionStep
    refused: Annotated[
        str | None, Field(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$", examples=["reason_not_proven"])
    ] = None


class RedemptionDone(Answer):
    """What was asked for is done; `stage` is what the redemption waits for now, or its end."""

    stage: str
    days_left: int | None = Field(default=None, description="Working days until its deadline.")

    @staticmethod
    def asked(event: events.RedemptionAsked) -> "RedemptionDone":
        """The offer that was named answers next."""
        return RedemptionDone(id=event.redemption_id, stage="form")

    @staticmethod
    def approved(event: events.RedemptionApproved) -> "RedemptionDone":
        """On to the next post."""
        return RedemptionDone(id=event.redemption_id, stage=event.next_step, days_left=event.days_left)

    @staticmethod
    def refused(event: events.RedemptionRefused | events.RedemptionReleaseRefused) -> "RedemptionDone":
        """That is its end."""
        return RedemptionDone(id=event.redemption_id, stage="refused", days_left=event.days_left)

    @staticmethod
    def released(event: events.RedemptionReleased) -> "RedemptionDone":
        """The sale is on its way into the order book."""
        return RedemptionDone(id=event.redemption_id, stage="sale", days_left=event.days_left)


_ENDS = ("declined", "refused", "sold", "lapsed")


class RedemptionOut(BaseModel):
    """A redemption and how far it is: `form` while the offer is asked, then the step that it waits for, `sale` while the claim
    is for sale, at last `declined`, `refused`, `sold` or `lapsed`. `days_left` are working days, `days_used` those it took."""

    redemption_id: str
    offer_id: str
    reason: events.RedemptionReason
    price_permille: int
    principal_fen: int | None
    asked_on: date
    stage: Literal["form", "declined", "refused", "sold", "lapsed"] | events.RedemptionStage
    deadline: date | None
    days_left: int | None
    code: str | None
    amount_fen: int | None
    days_used: int | None

    @staticmethod
    def of(document: Mapping[str, Any], today: date | None, profile: Profile) -> "RedemptionOut":
        """From the view's document, on a day; who signed is the house's own."""
        shown = {name: document[name] for name in RedemptionOut.model_fields if name != "days_left"}
        return RedemptionOut(days_left=_days_left(document, today, profile), **shown)


def _days_left(document: Mapping[str, Any], today: date | None, profile: Profile) -> int | None:
    if document["deadline"] is None or document["stage"] in _ENDS or today is None:
        return None
    return profile.working_days_to(today, date.fromisoformat(document["deadline"]))


class RedemptionsOut(BaseModel):
    """A page of redemptions."""

    items: list[RedemptionOut]
    next: str | None


class RedemptionFiguresOut(BaseModel):
    """What a month asked, and got: `days_used` are the working days of all that were sold in it together."""

    month: str
    asked: int
    sold: int
    amount_fen: int
    days_used: int

    @staticmethod
    def of(month: str, document: Mapping[str, Any] | None) -> "RedemptionFiguresOut":
        """From the month's document, zero where nothing was counted."""
        counted = document or {}
        names = ("asked", "sold", "amount_fen", "days_used")
        return RedemptionFiguresOut(month=month, **{name: counted.get(name, 0) for name in names})
