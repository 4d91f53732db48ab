"""Bodies of collections' requests and answers. An answer is made from events or from a view's document, field by field.

Nothing here is free text: what a debtor said is a code, what was recorded an opaque id.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from libs.events import collections as events
from libs.events import plans
from libs.events.flags import FlagKind
from libs.runtime.http import Answer, DayField, PositiveFenField, Shape, id_field
from services.collections.commands import Channel, DelayReason, Direction, Outcome, Party

_Code = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,32}$", examples=["early-2"])]
_Minute = Annotated[int, Field(strict=True, ge=0, le=24 * 60)]
_Names = Annotated[tuple[_Code, ...], Field(max_length=64)]
#: Regions are onboarding's codes (libs.events.onboarding).
REGION = "^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$"

# --- requests ------------------------------------------------------------------------------------------------------


class AssignmentIn(Shape):
    """Who alone may work the case; null gives it back to all."""

    collector: Annotated[str, id_field("stf")] | None


class ContactIn(Shape):
    """A contact about to begin. A person who is not the debtor has an opaque id."""

    channel: Channel
    direction: Direction = "outbound"
    party: Party = "debtor"
    party_id: Annotated[str, id_field("pty")] | None = None


class HoursIn(Shape):
    """Local minutes of the day, from inclusive to exclusive, in which the debtor agreed to be contacted."""

    from_minute: _Minute
    to_minute: _Minute


class OutcomeIn(Shape):
    """What came of a contact. Without `next_on` the next step follows from the stage's rhythm."""

    outcome: Outcome
    delay_reason: DelayReason | None = None
    script: _Code | None = None
    evidence: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$", examples=["rec_7f3a"])] | None = None
    next_on: DayField | None = None
    call_back_minute: _Minute | None = None
    agreed_hours: HoursIn | None = None


class PromiseIn(Shape):
    """What the debtor promised in his last contact."""

    contact_id: Annotated[str, id_field("con")]
    amount_fen: PositiveFenField
    promised_on: DayField


class PlanIn(Shape):
    """A repayment plan that the house is asked for: so many months more, why (a code), the proof of income in the vault, and the consent of
    whoever answers for the loan."""

    kind: plans.PlanKind
    months: Annotated[int, Field(strict=True, ge=1, le=600, examples=[6])]
    reason: Annotated[str, Field(pattern=REGION, examples=["income_lost"])]
    income_proof: Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$", examples=["vault:7f3a"])]
    guarantor_consent: Annotated[
        str | None, Field(pattern="^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$", examples=["vault:7f3b"])
    ] = None


class DeskIn(Shape):
    """What a collector may work; no regions means all of them."""

    stages: _Names
    regions: Annotated[
        tuple[Annotated[str, Field(pattern=REGION, examples=["CN-31"])], ...], Field(max_length=64)
    ]
    skills: _Names


# --- answers to commands -------------------------------------------------------------------------------------------


class ClaimOut(Answer):
    """The debtor is the collector's until a moment."""

    case_id: str
    collector: str
    claimed_until: datetime

    @staticmethod
    def of(event: events.DebtorClaimed) -> "ClaimOut":
        """From the decision's event."""
        return ClaimOut(
            id=event.debtor_id,
            case_id=event.case_id,
            collector=event.collector,
            claimed_until=event.claimed_until,
        )


class ReleaseOut(Answer):
    """The debtor is nobody's."""

    released_by: str

    @staticmethod
    def of(event: events.DebtorReleased) -> "ReleaseOut":
        """From the decision's event."""
        return ReleaseOut(id=event.debtor_id, released_by=event.released_by)


class AssignmentOut(Answer):
    """Who alone may work the case."""

    collector: str | None

    @staticmethod
    def of(event: events.CaseAssigned) -> "AssignmentOut":
        """From the decision's event."""
        return AssignmentOut(id=event.case_id, collector=event.collector)


class ContactOut(Answer):
    """A contact that the gate let begin."""

    number: int
    started_at: datetime
    local_day: date

    @staticmethod
    def of(event: events.ContactStarted) -> "ContactOut":
        """From the decision's event."""
        return ContactOut(
            id=event.contact_id, number=event.number, started_at=event.started_at, local_day=event.local_day
        )


class LoggedOut(Answer):
    """A contact's record and the case's next step."""

    outcome: str
    effective: bool
    next_on: date

    @staticmethod
    def of(event: events.ContactLogged) -> "LoggedOut":
        """From the decision's event."""
        return LoggedOut(
            id=event.contact_id, outcome=event.outcome, effective=event.effective, next_on=event.next_on
        )


class PromiseOut(Answer):
    """A promise that payments will decide."""

    amount_fen: int
    promised_on: date

    @staticmethod
    def of(event: events.PromiseMade) -> "PromiseOut":
        """From the decision's event."""
        return PromiseOut(id=event.promise_id, amount_fen=event.amount_fen, promised_on=event.promised_on)


class PlanOut(Answer):
    """A plan that the loan is asked about; the answer will stand in the case's file."""

    kind: plans.PlanKind
    months: int

    @staticmethod
    def of(event: plans.PlanProposed) -> "PlanOut":
        """From the decision's event."""
        return PlanOut(id=event.plan_id, kind=event.kind, months=event.months)


class DeskOut(Answer):
    """What a collector may work."""

    stages: tuple[str, ...]
    regions: tuple[str, ...]
    skills: tuple[str, ...]

    @staticmethod
    def of(event: events.DeskChanged) -> "DeskOut":
        """From the decision's event."""
        return DeskOut(id=event.staff_id, stages=event.stages, regions=event.regions, skills=event.skills)


# --- what views show -----------------------------------------------------------------------------------------------


class QueuedOut(BaseModel):
    """A case in the queue. A claim that has run out is not shown. `flags` that stand bind whoever works it: only letters go out."""

    case_id: str
    debtor_id: str
    loan_id: str
    stage: str
    bucket: str
    region: str
    product: str
    overdue_fen: int
    dpd: int
    broken_promises: int
    priority: int
    due: bool
    next_on: date | None
    call_back_minute: int | None
    assigned_to: str | None
    claimed_by: str | None
    claimed_until: datetime | None
    flags: list[FlagKind] = []

    @staticmethod
    def of(document: Mapping[str, Any], now: datetime) -> "QueuedOut":
        """From a document of collections.queue."""
        shown = QueuedOut(**{name: document[name] for name in QueuedOut.model_fields if name in document})
        if shown.claimed_until is None or shown.claimed_until > now:
            return shown
        return shown.model_copy(update={"claimed_by": None, "claimed_until": None})


class QueueOut(BaseModel):
    """A page of the queue, highest priority first. A case whose priority changes meanwhile may appear twice or not at all."""

    items: list[QueuedOut]
    next: str | None


class ContactShown(BaseModel):
    """One contact in a case's file; `outcome` is null while it is not logged."""

    id: str
    number: int
    collector: str
    channel: str
    direction: str
    party: str
    started_at: datetime
    ended_at: datetime | None = None
    outcome: str | None = None
    effective: bool | None = None
    delay_reason: str | None = None
    script: str | None = None
    evidence: str | None = None
    next_on: date | None = None
    call_back_minute: int | None = None


class PromiseShown(BaseModel):
    """One promise in a case's file."""

    id: str
    status: Literal["open", "kept", "broken", "released"]
    collector: str
    amount_fen: int
    promised_on: date
    made_on: date
    paid_fen: int = 0


class PlanShown(BaseModel):
    """One repayment plan in a case's file; `agreed` is null while the house has not answered."""

    id: str
    kind: plans.PlanKind
    months: int
    reason: str
    income_proof: str
    guarantor_consent: str | None = None
    collector: str
    proposed_on: date
    agreed: bool | None = None
    code: str | None = None
    answered_on: date | None = None


class CaseFileOut(BaseModel):
    """A case with everything that was done about it."""

    case_id: str
    debtor_id: str
    loan_id: str
    state: Literal["open", "closed"]
    opening: int
    opened_on: date
    closed_on: date | None
    closed_because: str | None
    stage: str
    bucket: str
    region: str
    product: str
    overdue_fen: int
    paid_fen: int
    dpd: int
    misses: int
    broken_promises: int
    priority: int
    next_on: date | None
    assigned_to: str | None
    flags: list[FlagKind] = []
    contacts: list[ContactShown]
    promises: list[PromiseShown]
    plans: list[PlanShown]

    @staticmethod
    def of(document: dict[str, Any]) -> "CaseFileOut":
        """From a document of collections.case-files; contacts in their order, promises and plans by the day they were made."""
        contacts = [ContactShown(id=name, **fields) for name, fields in document.get("contacts", {}).items()]
        promises = [PromiseShown(id=name, **fields) for name, fields in document.get("promises", {}).items()]
        asked = [PlanShown(id=name, **fields) for name, fields in document.get("plans", {}).items()]
        apart = ("contacts", "promises", "plans")
        plain = [name for name in CaseFileOut.model_fields if name not in apart]
        return CaseFileOut(
            contacts=sorted(contacts, key=lambda contact: contact.number),
            promises=sorted(promises, key=lambda promise: (promise.made_on, promise.id)),
            plans=sorted(asked, key=lambda plan: (plan.proposed_on, plan.id)),
            **{name: document[name] for name in plain if name in document},
        )


class StageOut(BaseModel):
    """How many cases stand in a stage, how many of them are due, and what is overdue on them."""

    stage: str
    cases: int
    due: int
    overdue_fen: int
    broken_promises: int


class StagesOut(BaseModel):
    """The work by stage."""

    items: list[StageOut]


class CollectorOut(BaseModel):
    """A collector, his desk and his figures."""

    staff_id: str
    state: Literal["enrolled", "retired"]
    stages: list[str]
    regions: list[str]
    skills: list[str]
    contacts: int = 0
    effective_contacts: int = 0
    promises_made: int = 0
    promises_made_fen: int = 0
    promises_kept: int = 0
    promises_kept_fen: int = 0
    promises_broken: int = 0
    promises_broken_fen: int = 0

    @staticmethod
    def of(document: dict[str, Any]) -> "CollectorOut":
        """From a document of collections.collectors."""
        return CollectorOut(
            **{name: document[name] for name in CollectorOut.model_fields if name in document}
        )

    def may_work(self, stage: str, region: str) -> bool:
        """Whether cases of this stage and region are on the desk."""
        return stage in self.stages and (not self.regions or region in self.regions)
