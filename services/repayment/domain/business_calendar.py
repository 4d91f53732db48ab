"""The business calendar: every calendar day is a business date, and exactly one is open or being closed.

Named apart from the standard library's `calendar`. Closing a date starts the day's phases (design.md 2.7); the date is
closed when every repayment partition has finished the last phase that is waited for.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal, assert_never

from libs.events.codec import record
from libs.events.deciding import Aggregate, Context, Refused
from libs.events.repayment import BusinessDayClosed, BusinessDayCloseStarted, CalendarOpened, PhaseRecorded
from services.repayment.commands import CloseBusinessDay, OpenCalendar, RecordPhaseDone

#: The one stream of the calendar.
CALENDAR_STREAM = "calendar"


@record
class NotOpened:
    """The platform has no business date yet."""

    kind: Literal["not_opened"] = "not_opened"


@record
class OpenDay:
    """The platform lives on `business_date`; all dates before it, from `started_on`, are closed."""

    kind: Literal["open_day"] = "open_day"
    started_on: date
    business_date: date


@record
class Closing:
    """`business_date` is being closed; `done` are the partitions that have finished it, in the order they said so."""

    kind: Literal["closing"] = "closing"
    started_on: date
    business_date: date
    done: tuple[int, ...]


CalendarState = NotOpened | OpenDay | Closing
CalendarCommand = OpenCalendar | CloseBusinessDay | RecordPhaseDone
CalendarEvent = CalendarOpened | BusinessDayCloseStarted | PhaseRecorded | BusinessDayClosed


def decide(command: CalendarCommand, state: CalendarState, context: Context) -> Sequence[CalendarEvent]:
    """The calendar's answer to a command. Raises Refused with the codes that the commands name."""
    del context  # the calendar is what gives everybody else a date
    match command:
        case OpenCalendar():
            return _open(command, state)
        case CloseBusinessDay():
            return _close(command, state)
        case RecordPhaseDone():
            return _record(command, state)
        case _:
            assert_never(command)


def _open(command: OpenCalendar, state: CalendarState) -> Sequence[CalendarEvent]:
    if isinstance(state, NotOpened):
        return [CalendarOpened(business_date=command.business_date)]
    if state.started_on != command.business_date:
        raise Refused("calendar_already_open")
    return []


def _close(command: CloseBusinessDay, state: CalendarState) -> Sequence[CalendarEvent]:
    if not isinstance(state, NotOpened) and command.business_date < state.started_on:
        raise Refused("before_calendar")
    match state:
        case NotOpened():
            raise Refused("calendar_not_open")
        case OpenDay():
            if command.business_date > state.business_date:
                raise Refused("day_not_reached")
            is_open = command.business_date == state.business_date
            return [BusinessDayCloseStarted(business_date=command.business_date)] if is_open else []
        case Closing():
            if command.business_date > state.business_date:
                raise Refused("day_is_closing")
            return []
        case _:
            assert_never(state)


def _record(command: RecordPhaseDone, state: CalendarState) -> Sequence[CalendarEvent]:
    if isinstance(state, NotOpened):
        raise Refused("calendar_not_open")
    if not 0 <= command.partition < command.partitions:
        raise Refused("invalid_partition")
    if command.business_date < state.business_date:
        return []
    if isinstance(state, OpenDay) or command.business_date > state.business_date:
        raise Refused("day_not_closing")
    if command.partition in state.done:
        return []
    day = command.business_date
    missing = command.partitions - len(state.done) - 1
    recorded = PhaseRecorded(business_date=day, partition=command.partition, missing=missing)
    if missing:
        return [recorded]
    return [recorded, BusinessDayClosed(business_date=day, next_date=day + timedelta(days=1))]


def evolve(state: CalendarState, event: CalendarEvent) -> CalendarState:
    """The state after one event."""
    if isinstance(event, CalendarOpened):
        return OpenDay(started_on=event.business_date, business_date=event.business_date)
    if isinstance(state, NotOpened):
        return state
    match event:
        case BusinessDayCloseStarted():
            return Closing(started_on=state.started_on, business_date=event.business_date, done=())
        case PhaseRecorded():
            done = (*state.done, event.partition) if isinstance(state, Closing) else (event.partition,)
            return Closing(started_on=state.started_on, business_date=event.business_date, done=done)
        case BusinessDayClosed():
            return OpenDay(started_on=state.started_on, business_date=event.next_date)
        case _:
            assert_never(event)


def calendar_aggregate() -> Aggregate:
    """The aggregate of the one stream `calendar`; it needs no business date, it makes them."""
    return Aggregate(
        name="calendar",
        prefix=CALENDAR_STREAM,
        commands=(OpenCalendar, CloseBusinessDay, RecordPhaseDone),
        events=(CalendarOpened, BusinessDayCloseStarted, PhaseRecorded, BusinessDayClosed),
        state=CalendarState,
        initial=NotOpened(),
        decide=decide,
        evolve=evolve,
        wake_on=lambda _: None,
        dateless=True,
    )
