"""Events of `repayment` about days that do not count: a loan's delinquency pause, agreed as a measure (libs.events.measures).

On a paused day nothing gets later: no day past due, no miss, no penalty, no debit. What is owed stays owed, and dues are said.
"""

from datetime import date
from typing import Literal

from libs.events.codec import event, record

PauseCause = Literal["illness", "disaster", "fraud_report", "system_fault"]
"""Why somebody cannot pay who would: illness, a disaster, a fraud that the police have on record, or a fault of our own systems."""

PauseEndCause = Literal["by_hand", "restructured", "written_off", "voided"]


@record
class Pause:
    """The days from `from_on` to `to_on`, both included, do not count; those that have passed by then have counted."""

    from_on: date
    to_on: date
    cause: PauseCause
    kind: Literal["pause"] = "pause"


@record
class PauseEnd:
    """The pause that stands ends with today, one that has not begun does not begin."""

    kind: Literal["pause_end"] = "pause_end"


@event("repayment.DelinquencyPaused.v1")
class DelinquencyPaused:
    """The loan's days from `from_on` to `to_on`, both included, do not count. It begins on the day after `paused_on` at the earliest:
    what the close has said stays said."""

    loan_id: str
    borrower: str
    measure_id: str
    cause: PauseCause
    from_on: date
    to_on: date
    paused_on: date
    product: str = ""
    region: str = ""


@event("repayment.DelinquencyPauseEnded.v1")
class DelinquencyPauseEnded:
    """A pause ends before its time: `to_on` is its last day now, None of one that has not begun. `pause_id` is the measure that had
    brought it, `measure_id` the one that ends it."""

    loan_id: str
    borrower: str
    measure_id: str
    pause_id: str
    cause: PauseEndCause
    from_on: date
    to_on: date | None
    ended_on: date
    product: str = ""
    region: str = ""
