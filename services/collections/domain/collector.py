"""The collector: who of the staff may work which stages, in which regions, with which skills.

A claim carries the desk that `collections.collectors` shows when it is made; the claim's decision holds it against the case.
"""

from collections.abc import Sequence
from functools import partial
from typing import Literal, assert_never

from libs.events.codec import record
from libs.events.collections import CollectorEnrolled, CollectorRetired, DeskChanged
from libs.events.deciding import Aggregate, Context, Refused, Wake, WakeOn
from services.collections.commands import ChangeDesk, EnrolCollector, RetireCollector, collector_of
from services.collections.domain.profile import Profile, Rules


@record
class NotEnrolled:
    """Nobody who collects."""

    kind: Literal["not_enrolled"] = "not_enrolled"


@record
class Enrolled:
    """Somebody who collects, the region he is appointed to, and his desk."""

    kind: Literal["enrolled"] = "enrolled"
    collector_id: str
    staff_id: str
    region: str | None
    stages: tuple[str, ...]
    regions: tuple[str, ...]
    skills: tuple[str, ...]


@record
class Retired:
    """Somebody who collected."""

    kind: Literal["retired"] = "retired"
    collector_id: str
    staff_id: str


CollectorState = NotEnrolled | Enrolled | Retired
CollectorCommand = EnrolCollector | ChangeDesk | RetireCollector
CollectorEvent = CollectorEnrolled | DeskChanged | CollectorRetired


def decide(
    profile: Profile, command: CollectorCommand | Wake, state: CollectorState, context: Context
) -> Sequence[CollectorEvent]:
    """The collector's answer to a command. Raises Refused with the codes that the commands name."""
    rules = profile.on(context.business_date)
    match command:
        case EnrolCollector():
            return _moved(command, state) if isinstance(state, Enrolled) else _enrol(rules, command)
        case ChangeDesk():
            if not isinstance(state, Enrolled):
                raise Refused("unknown_collector")
            return _change_desk(rules, command, state)
        case RetireCollector():
            return _retire(state)
        case Wake():
            return []
        case _:
            assert_never(command)


def evolve(_state: CollectorState, event: CollectorEvent) -> CollectorState:
    """The state after one event."""
    match event:
        case CollectorEnrolled() | DeskChanged():
            return Enrolled(
                collector_id=event.collector_id,
                staff_id=event.staff_id,
                region=event.region,
                stages=event.stages,
                regions=event.regions,
                skills=event.skills,
            )
        case CollectorRetired():
            return Retired(collector_id=event.collector_id, staff_id=event.staff_id)
        case _:
            assert_never(event)


def _enrol(rules: Rules, command: EnrolCollector) -> Sequence[CollectorEvent]:
    try:
        collector_id = collector_of(command.staff_id)
    except ValueError:
        raise Refused("invalid_staff") from None
    first = rules.stages[0]
    return [
        CollectorEnrolled(
            collector_id=collector_id,
            staff_id=command.staff_id,
            region=command.region,
            stages=(first.name,),
            regions=_regions(command),
            skills=(first.skill,),
        )
    ]


def _moved(command: EnrolCollector, state: Enrolled) -> Sequence[CollectorEvent]:
    if command.region == state.region:
        return []
    return [
        DeskChanged(
            collector_id=state.collector_id,
            staff_id=state.staff_id,
            region=command.region,
            stages=state.stages,
            regions=_regions(command),
            skills=state.skills,
        )
    ]


def _regions(command: EnrolCollector) -> tuple[str, ...]:
    return () if command.region is None else (command.region,)


def _change_desk(rules: Rules, command: ChangeDesk, state: Enrolled) -> Sequence[CollectorEvent]:
    if not set(command.stages) <= {stage.name for stage in rules.stages}:
        raise Refused("invalid_stage")
    if not set(command.skills) <= {stage.skill for stage in rules.stages}:
        raise Refused("invalid_skill")
    stages, regions, skills = (
        tuple(sorted(set(names))) for names in (command.stages, command.regions, command.skills)
    )
    if (stages, regions, skills) == (state.stages, state.regions, state.skills):
        return []
    return [
        DeskChanged(
            collector_id=state.collector_id,
            staff_id=state.staff_id,
            region=state.region,
            stages=stages,
            regions=regions,
            skills=skills,
        )
    ]


def _retire(state: CollectorState) -> Sequence[CollectorEvent]:
    match state:
        case Enrolled():
            return [CollectorRetired(collector_id=state.collector_id, staff_id=state.staff_id)]
        case NotEnrolled() | Retired():
            return []
        case _:
            assert_never(state)


def wake_on(_state: CollectorState) -> WakeOn:
    """No day does anything to a collector."""
    return None


def collector_aggregate(profile: Profile) -> Aggregate:
    """The aggregate of the streams `col_…` under a profile's rules."""
    return Aggregate(
        name="collector",
        prefix="col",
        commands=(EnrolCollector, ChangeDesk, RetireCollector),
        events=(CollectorEnrolled, DeskChanged, CollectorRetired),
        state=CollectorState,
        initial=NotEnrolled(),
        decide=partial(decide, profile),
        evolve=evolve,
        wake_on=wake_on,
        dateless=True,  # staff are appointed before the calendar opens, and each appointment has its desk
    )
