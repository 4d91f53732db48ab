"""Bodies of the requests and answers about guarantors and what they are asked to pay. Amounts in fen."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from libs.events import compensation, guarantees
from libs.events.money import MAX_INTEGER
from libs.runtime.http import Answer, DayField, PositiveFenField, Shape

_CODE = "^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$"
_REFERENCE = "^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$"

CompensationState = Literal["proposed", "approved", "executed", "paid", "declined"]


class GuarantorIn(Shape):
    """What a company may guarantee: all its loans together, until the end of a day within a year. `file` names its admission file, which
    says its net assets and what it guarantees elsewhere. It is liable jointly unless it is said."""

    limit_fen: PositiveFenField
    valid_to: DayField
    file: Annotated[str, Field(pattern=_REFERENCE, examples=["vault:7f3a"])]
    liability: guarantees.Liability = "joint"
    net_assets_fen: PositiveFenField | None = None
    elsewhere_fen: Annotated[int, Field(strict=True, ge=0, le=MAX_INTEGER)] = 0


class AdmissionIn(Shape):
    """What another person agrees to: what was proposed, or less where he says so."""

    limit_fen: PositiveFenField | None = None
    valid_to: DayField | None = None


class RefusalIn(Shape):
    """Why what is proposed is not agreed to, or taken back."""

    code: Annotated[str, Field(pattern=_CODE, examples=["file_incomplete"])]


class SuspensionIn(Shape):
    """Why it guarantees no new loans."""

    code: Annotated[str, Field(pattern=_CODE, examples=["net_worth_too_small"])]


class GuarantorDone(Answer):
    """What became of a guarantor."""

    status: Literal["proposed", "admitted", "refused", "suspended"]

    @staticmethod
    def proposed(event: guarantees.GuarantorProposed) -> "GuarantorDone":
        """Another person is to agree."""
        return GuarantorDone(id=event.guarantor, status="proposed")

    @staticmethod
    def admitted(event: guarantees.GuarantorAdmitted) -> "GuarantorDone":
        """It guarantees new loans from here on."""
        return GuarantorDone(id=event.guarantor, status="admitted")

    @staticmethod
    def refused(event: guarantees.GuarantorRefused) -> "GuarantorDone":
        """What was admitted before stands."""
        return GuarantorDone(id=event.guarantor, status="refused")

    @staticmethod
    def suspended(event: guarantees.GuarantorSuspended) -> "GuarantorDone":
        """It guarantees no new loans."""
        return GuarantorDone(id=event.guarantor, status="suspended")


class GuarantorOut(BaseModel):
    """A guarantor: what he may and what he does guarantee; `proposal` are terms that another person is to agree to. `refused` is one that
    was never admitted."""

    id: str
    state: Literal["proposed", "admitted", "refused", "suspended"]
    limit_fen: int
    guaranteed_fen: int
    valid_to: date | None = None
    liability: guarantees.Liability | None = None
    proposal: dict[str, Any] | None = None

    @staticmethod
    def of(document: Mapping[str, Any]) -> "GuarantorOut":
        """From a document of repayment.guarantors."""
        return GuarantorOut(
            id=document["guarantor"],
            state=document.get("state", "proposed" if document["proposal"] else "refused"),
            limit_fen=document.get("limit_fen", 0),
            guaranteed_fen=document.get("guaranteed_fen", 0),
            valid_to=document.get("valid_to"),
            liability=document.get("liability"),
            proposal=document["proposal"],
        )


class GuarantorsOut(BaseModel):
    """A page of guarantors; `next` is the cursor of the next page, null after the last."""

    items: list[GuarantorOut]
    next: str | None


class CompensationStepIn(Shape):
    """The next step, by the post that does it: finance approves, the cashier executes; finance may refuse it with a code."""

    step: Literal["approve", "execute", "refuse"]
    code: Annotated[str | None, Field(pattern=_CODE, examples=["not_now"])] = None


class CompensationDone(Answer):
    """What became of a compensation."""

    status: CompensationState

    @staticmethod
    def proposed(event: compensation.CompensationProposed) -> "CompensationDone":
        """Another person is to approve it."""
        return CompensationDone(id=event.compensation_id, status="proposed")

    @staticmethod
    def approved(event: compensation.CompensationApproved) -> "CompensationDone":
        """The cashier is to ask for the money."""
        return CompensationDone(id=event.compensation_id, status="approved")

    @staticmethod
    def executed(event: compensation.CompensationExecuted) -> "CompensationDone":
        """The guarantor's account is asked."""
        return CompensationDone(id=event.compensation_id, status="executed")

    @staticmethod
    def declined(event: compensation.CompensationDeclined) -> "CompensationDone":
        """Nothing comes of it."""
        return CompensationDone(id=event.compensation_id, status="declined")


class CompensationOut(BaseModel):
    """A compensation: of which loan, by whom signed, how much, and how it ended; `claim_id` is the guarantor's."""

    id: str
    loan_id: str
    guarantor: str
    covers: Literal["overdue", "outstanding"]
    state: CompensationState
    amount_fen: int
    dpd: int
    proposed_by: str
    proposed_on: date
    sign_until: date | None
    approved_by: str | None
    executed_by: str | None
    claim_id: str | None
    code: str | None

    @staticmethod
    def of(document: Mapping[str, Any]) -> "CompensationOut":
        """From a document of repayment.compensations."""
        shown = {name: document[name] for name in CompensationOut.model_fields if name != "id"}
        return CompensationOut(id=document["compensation_id"], **shown)


class CompensationsOut(BaseModel):
    """A page of compensations; `next` is the cursor of the next page, null after the last."""

    items: list[CompensationOut]
    next: str | None
