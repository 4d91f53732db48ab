"""Events that every service writes, whatever its business: answers outside any stream, and the business day.

They stand under the name `system`; the service that wrote one is part of its address.
"""

from datetime import date
from typing import Any

from libs.events.codec import event


@event("system.CommandRefused.v1")
class CommandRefused:
    """A command was refused: stable `code`, no free text; `about` gives the saga back the ids it asked for."""

    command_type: str
    code: str
    stream_id: str
    about: dict[str, str]


@event("system.CommandRepeated.v1")
class CommandRepeated:
    """A command that was decided before; `first` holds the first answer's events for people, None for policies."""

    first_position: int | None
    first: Any


@event("system.CommandHadNoEffect.v1")
class CommandHadNoEffect:
    """The outcome that the command asks for already held."""

    command_type: str
    stream_id: str


@event("system.PolicyFailed.v1")
class PolicyFailed:
    """A policy raised on an event; the stream went on. Parked until somebody looks."""

    group: str
    event_address: str
    error: str


@event("system.BusinessDateSet.v1")
class BusinessDateSet:
    """The partition lives on this business date from here on."""

    business_date: date


@event("system.DayMarkerReceived.v1")
class DayMarkerReceived:
    """One upstream partition has delivered all its facts of (date, phase); `missing` more are expected."""

    business_date: date
    phase: int
    from_partition: int
    missing: int


@event("system.TickProgressed.v1")
class TickProgressed:
    """A tick woke `woken` streams of (date, phase) and more wait; a policy sends the next one."""

    business_date: date
    phase: int
    tick: int
    woken: int


@event("system.PhaseDone.v1")
class PhaseDone:
    """Everything of (date, phase) has been woken on this partition."""

    business_date: date
    phase: int
    partition: int
    partitions: int
    woken: int


@event("system.WakeFailed.v1")
class WakeFailed:
    """A stream raised when woken, or stayed due: it is stuck and out of the wake index until its next event."""

    stream_id: str
    business_date: date
    phase: int
    code: str
