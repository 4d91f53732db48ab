"""Events of `collections`: cases of overdue loans, contacts with their debtors, promises, and who may work on them.

Every case is shown in the work queue by one `QueueEntry`; `CaseRanked` says the entry before and after whenever it changes,
so a view can move and count a case without ever reading a document. Times are UTC, dates business dates unless named local.
"""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from libs.events.codec import event, record
from libs.events.flags import FlagKind
from libs.events.money import Count, PositiveFen

#: No priority is higher, so that a view can name its documents by how far they are below.
PRIORITY_MAX = 2_999_999

Priority = Annotated[int, Field(ge=0, le=PRIORITY_MAX)]
"""A case's place in the queue: the higher is worked first."""


@record
class QueueEntry:
    """How a case stands in the queue.

    A higher `priority` is worked first. `due` says that its next step is due (`next_on` has come, or none was set);
    `call_back_minute` is the local minute of `next_on` at which the debtor was promised a call. `dpd` is as of the last event
    that brought it. `claimed_by` may work on it until `claimed_until`; `assigned_to` keeps it from everybody else. `flags` bind whoever works it.
    """

    loan_id: str
    stage: str
    bucket: str
    region: str
    product: str
    overdue_fen: Count
    dpd: int
    broken_promises: int
    priority: Priority
    due: bool
    next_on: date | None
    call_back_minute: int | None
    assigned_to: str | None
    claimed_by: str | None
    claimed_until: datetime | None
    flags: tuple[FlagKind, ...] = ()


@record
class AgreedHours:
    """Local minutes of the day, from inclusive to exclusive, in which the debtor himself agreed to be contacted."""

    from_minute: int
    to_minute: int


# --- cases ---------------------------------------------------------------------------------------------------------


@event("collections.CaseOpened.v1")
class CaseOpened:
    """The first instalment of a loan was missed, or one after the case was closed: `opening` counts from 1."""

    debtor_id: str
    borrower: str
    case_id: str
    loan_id: str
    opening: int
    opened_on: date
    number: int
    due_on: date
    overdue_fen: PositiveFen
    dpd: int
    bucket: str
    stage: str
    region: str
    product: str


@event("collections.MissAdded.v1")
class MissAdded:
    """Another instalment of a loan with an open case was missed."""

    debtor_id: str
    case_id: str
    loan_id: str
    number: int
    due_on: date
    overdue_fen: PositiveFen
    dpd: int


@event("collections.ArrearsUpdated.v1")
class ArrearsUpdated:
    """What is overdue on the loan changed without a miss or a payment: a worse or better bucket, a penalty."""

    debtor_id: str
    case_id: str
    loan_id: str
    as_of: date
    overdue_fen: Count
    dpd: int
    bucket: str


@event("collections.CaseStageChanged.v1")
class CaseStageChanged:
    """The case moved to the stage of its loan's bucket."""

    debtor_id: str
    case_id: str
    loan_id: str
    changed_on: date
    from_stage: str
    to_stage: str
    bucket: str
    dpd: int


@event("collections.CasePaymentRecorded.v1")
class CasePaymentRecorded:
    """The loan took a payment while its case was open, or that counts as of a day before and may keep what was promised for it; `overdue_fen` is
    what is still overdue on `as_of`."""

    debtor_id: str
    case_id: str
    loan_id: str
    payment_id: str
    amount_fen: PositiveFen
    value_date: date
    as_of: date
    overdue_fen: Count


@event("collections.CasePaymentCorrected.v1")
class CasePaymentCorrected:
    """A payment that the case counts was corrected: the loan takes `amount_fen` of it now (nothing when it was reversed), of value date
    `value_date`; `before_fen` was counted before. Its promises are judged again once the loan is restated."""

    debtor_id: str
    case_id: str
    loan_id: str
    payment_id: str
    before_fen: Count
    amount_fen: Count
    value_date: date


@event("collections.CaseClosed.v1")
class CaseClosed:
    """Nothing of the loan is overdue any more (`cured`), or it is repaid. `entry` is how the case stood in the queue."""

    debtor_id: str
    case_id: str
    loan_id: str
    closed_on: date
    reason: str
    opening: int
    entry: QueueEntry


@event("collections.CaseRanked.v1")
class CaseRanked:
    """How the case stands in the queue now, and how it stood before (None when it was not there)."""

    debtor_id: str
    case_id: str
    before: QueueEntry | None
    entry: QueueEntry


# --- who works on it -----------------------------------------------------------------------------------------------


@event("collections.CaseAssigned.v1")
class CaseAssigned:
    """A supervisor gave the case to one collector, or (None) to whoever may work its stage."""

    debtor_id: str
    case_id: str
    loan_id: str
    collector: str | None
    assigned_by: str


@event("collections.DebtorClaimed.v1")
class DebtorClaimed:
    """One collector works on the debtor, all his cases, until a moment; he chose him by this case."""

    debtor_id: str
    case_id: str
    collector: str
    claimed_at: datetime
    claimed_until: datetime


@event("collections.DebtorReleased.v1")
class DebtorReleased:
    """The collector's claim ended before its time; `released_by` is he himself or a supervisor."""

    debtor_id: str
    collector: str
    released_by: str
    released_at: datetime


# --- contacts ------------------------------------------------------------------------------------------------------


@event("collections.ContactStarted.v1")
class ContactStarted:
    """The contact gate let a contact begin. `local_day` is the debtor's calendar day, on which calls are counted.

    `party` is the kind of person (debtor, guarantor, other), `party_id` the opaque id of one who is not the debtor.
    """

    debtor_id: str
    case_id: str
    loan_id: str
    contact_id: str
    number: int
    collector: str
    channel: str
    direction: str
    party: str
    party_id: str | None
    started_at: datetime
    local_day: date


@event("collections.ContactLogged.v1")
class ContactLogged:
    """What came of a contact (form F14, processes.md 1.I), by codes only; `evidence` is the opaque id of the recording.

    `effective` says that the party was really spoken to. `stop_party` is a third party who is never contacted again.
    """

    debtor_id: str
    case_id: str
    loan_id: str
    contact_id: str
    number: int
    collector: str
    channel: str
    direction: str
    party: str
    party_id: str | None
    started_at: datetime
    ended_at: datetime
    local_day: date
    outcome: str
    effective: bool
    stop_party: str | None
    delay_reason: str | None
    script: str | None
    evidence: str | None
    next_on: date
    call_back_minute: int | None
    agreed_hours: AgreedHours | None


# --- promises ------------------------------------------------------------------------------------------------------


@event("collections.PromiseMade.v1")
class PromiseMade:
    """The debtor promised to pay an amount by a date."""

    debtor_id: str
    case_id: str
    loan_id: str
    promise_id: str
    contact_id: str
    collector: str
    amount_fen: PositiveFen
    promised_on: date
    made_on: date


@event("collections.PromiseKept.v1")
class PromiseKept:
    """Payments recorded after the promise, with value dates up to its date, have reached its amount."""

    debtor_id: str
    case_id: str
    loan_id: str
    promise_id: str
    collector: str
    amount_fen: PositiveFen
    paid_fen: PositiveFen
    kept_on: date


@event("collections.PromiseBroken.v1")
class PromiseBroken:
    """The promise's date has passed and less was paid; `broken_promises` counts the case's, this one included."""

    debtor_id: str
    case_id: str
    loan_id: str
    promise_id: str
    collector: str
    amount_fen: PositiveFen
    paid_fen: Count
    promised_on: date
    broken_promises: int


@event("collections.PromiseReleased.v1")
class PromiseReleased:
    """The case closed before the promise was decided: neither kept nor broken, there is nothing left to promise."""

    debtor_id: str
    case_id: str
    loan_id: str
    promise_id: str
    collector: str
    amount_fen: PositiveFen
    paid_fen: Count


@event("collections.PromiseReopened.v1")
class PromiseReopened:
    """A promise that was kept is not: payments that kept it were corrected, and `paid_fen` of its amount is left by its date.

    It waits for its date again. When that has passed PromiseBroken follows, and PromiseReleased when a newer promise was made.
    """

    debtor_id: str
    case_id: str
    loan_id: str
    promise_id: str
    collector: str
    amount_fen: PositiveFen
    paid_fen: Count
    promised_on: date


@event("collections.PromiseMended.v1")
class PromiseMended:
    """A promise that was broken is kept after all: what was paid counts as of its date or before. `broken_promises` counts the case's, without it."""

    debtor_id: str
    case_id: str
    loan_id: str
    promise_id: str
    collector: str
    amount_fen: PositiveFen
    paid_fen: PositiveFen
    kept_on: date
    broken_promises: Count


# --- collectors ----------------------------------------------------------------------------------------------------


@event("collections.CollectorEnrolled.v1")
class CollectorEnrolled:
    """A person of the staff collects: these stages, in these regions (none: all), with these skills.

    `region` is the one he is appointed to, None for all of them.
    """

    collector_id: str
    staff_id: str
    region: str | None
    stages: tuple[str, ...]
    regions: tuple[str, ...]
    skills: tuple[str, ...]


@event("collections.DeskChanged.v1")
class DeskChanged:
    """What the collector may work was fixed anew, by a supervisor or because he is appointed to another `region`."""

    collector_id: str
    staff_id: str
    region: str | None
    stages: tuple[str, ...]
    regions: tuple[str, ...]
    skills: tuple[str, ...]


@event("collections.CollectorRetired.v1")
class CollectorRetired:
    """The person collects no more."""

    collector_id: str
    staff_id: str
