"""Bodies of the requests and answers about corrections: which payment, what of it, why, who has allowed it, what is still owed."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from libs.events import corrections as events
from libs.runtime.http import Answer, DayField, Shape

_CODE = "^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$"

ReasonField = Annotated[str, Field(pattern=_CODE, examples=["wrong_loan"])]


class CorrectionIn(Shape):
    """A payment that was booked and should not count, or should count as of `to_date`; `reason` is a code."""

    payment_id: Annotated[str, Field(pattern=r"^[a-z]+_[A-Za-z0-9_-]{1,80}$", examples=["pay_6b40f1"])]
    kind: events.CorrectionKind
    reason: ReasonField
    to_date: DayField | None = None


class AuthorisationIn(Shape):
    """As whom one allows it."""

    role: events.CorrectionRole


class CorrectionRefusalIn(Shape):
    """Why not: a code."""

    code: ReasonField


class CorrectionDone(Answer):
    """What was asked for is done; `state` is how far the correction is."""

    state: str

    @staticmethod
    def proposed(event: events.CorrectionProposed) -> "CorrectionDone":
        """It waits for others."""
        return CorrectionDone(id=event.correction.correction_id, state="proposed")

    @staticmethod
    def signed(event: events.CorrectionSigned) -> "CorrectionDone":
        """One more is asked."""
        return CorrectionDone(id=event.correction_id, state="proposed")

    @staticmethod
    def authorised(event: events.CorrectionAuthorised) -> "CorrectionDone":
        """The loan is put right next."""
        return CorrectionDone(id=event.correction.correction_id, state="authorised")

    @staticmethod
    def refused(event: events.CorrectionRefused) -> "CorrectionDone":
        """That is its end."""
        return CorrectionDone(id=event.correction_id, state="refused")


class CorrectionOut(BaseModel):
    """A correction: `proposed` until it is allowed, `authorised` until the loan is put right, `booked` until all of `moves_fen` has
    moved, `closed`, or `refused` by `code`. `owed_fen` of it is not collected yet; `signed` says who allowed it, as what. `amount_fen` is the payment's
    as it was booked, null while its loan is not seen yet."""

    id: str
    loan_id: str
    payment_id: str
    amount_fen: int | None
    kind: events.CorrectionKind
    reason: str
    value_date: date
    to_date: date | None
    proposed_by: str
    proposed_on: date
    state: Literal["proposed", "authorised", "booked", "closed", "refused"]
    booking: events.CorrectionBooking | None
    code: str | None
    ended_on: date | None
    moves_fen: int
    owed_fen: int
    signed: dict[str, str]

    @staticmethod
    def of(document: Mapping[str, Any], amount_fen: int | None) -> "CorrectionOut":
        """From a document of repayment.corrections, and the amount of its payment."""
        fields = {name: document[name] for name in CorrectionOut.model_fields if name in document}
        moves_fen = document["moves_fen"] if document["state"] == "booked" else 0
        return CorrectionOut(
            **{
                "id": document["correction_id"],
                "amount_fen": amount_fen,
                "owed_fen": moves_fen,
                "signed": {},
            }
            | fields
        )


class BehindChargeOut(BaseModel):
    """A payment that counts as of its `value_date` and was told on `told_on`, after penalty of days between them was charged. What the debt took of
    it is `amount_fen`. A redating to its own date, asked for at `answer_at`, puts right what was charged."""

    id: str = Field(examples=["pay_6b40f1"])
    loan_id: str = Field(examples=["loan_7f3a"])
    region: str
    product: str
    amount_fen: int = Field(examples=[34_002])
    value_date: date
    told_on: date | None
    answer_at: str = Field(examples=["/repayment/loans/loan_7f3a/corrections"])
    events: list[str]

    @staticmethod
    def of(document: Mapping[str, Any]) -> "BehindChargeOut":
        """From a document of repayment.corrections."""
        fields = {name: document[name] for name in BehindChargeOut.model_fields if name in document}
        return BehindChargeOut(
            id=document["payment_id"],
            answer_at=f"/repayment/loans/{document['loan_id']}/corrections",
            events=sorted(document["src"].values()),
            **fields,
        )


class BehindChargesOut(BaseModel):
    """A page of such payments; `next` is the cursor of the next page, null after the last."""

    items: list[BehindChargeOut]
    next: str | None


class CorrectionsOut(BaseModel):
    """A page of corrections; `next` is the cursor of the next page, null after the last."""

    items: list[CorrectionOut]
    next: str | None
