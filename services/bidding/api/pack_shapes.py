"""Bodies of the requests and answers about deal packs. An answer is made from events or from a view's document, field by field."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, Field, model_validator

from libs.events import deal_packs as events
from libs.runtime.http import Answer, Shape


class DeliveryIn(Shape):
    """How the lender wants his papers."""

    channel: events.Channel


class StepIn(Shape):
    """A step of a pack; `sent_back` is legal's reason, a code, for a pack that goes back to its first step."""

    step: events.PackStep
    sent_back: Annotated[
        str | None, Field(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$", examples=["claim_list_wrong"])
    ] = None

    @model_validator(mode="after")
    def _only_legal_sends_back(self) -> "StepIn":
        if self.sent_back is not None and self.step != "review":
            raise ValueError("only the review sends a pack back")
        return self


class PackDone(Answer):
    """What was asked for is done; `next_step` is what the pack waits for now, None after the last."""

    next_step: events.PackStep | None = None
    channel: events.Channel | None = None

    @staticmethod
    def chosen(event: events.DeliveryChosen) -> "PackDone":
        """The lender has said how he wants it."""
        return PackDone(id=event.pack_id, channel=event.channel)

    @staticmethod
    def signed(
        event: events.ReceiptConfirmed
        | events.ClaimListIssued
        | events.DealPackReviewed
        | events.DealPackSentBack
        | events.DealPackSealed,
    ) -> "PackDone":
        """A step is done, or was undone by legal."""
        return PackDone(id=event.pack_id, next_step=event.next_step)

    @staticmethod
    def delivered(event: events.DealPackDelivered) -> "PackDone":
        """It is on its way."""
        return PackDone(id=event.pack_id, channel=event.channel)


class DealPackOut(BaseModel):
    """A pack and how far it is; `voided_on` where its loan's contract is void since."""

    pack_id: str
    loan_id: str
    claim_id: str
    principal_fen: int
    certificate_hash: str
    due_on: date
    is_overdue: bool
    next_step: events.PackStep | None
    channel: events.Channel | None
    sent_back: str | None
    delivered_on: date | None
    voided_on: date | None = None

    @staticmethod
    def of(document: Mapping[str, Any]) -> "DealPackOut":
        """From the view's document; who signed is the house's own."""
        return DealPackOut(**{name: document.get(name) for name in DealPackOut.model_fields})


class DealPacksOut(BaseModel):
    """A page of packs."""

    items: list[DealPackOut]
    next: str | None
