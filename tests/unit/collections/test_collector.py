"""Collectors: enrolled with their appointment, their desks fixed by a supervisor, retired with their dismissal."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic_core import to_json

from libs.events.chain import ChainReader, genesis
from libs.events.codec import name_of
from libs.events.collections import CollectorEnrolled, CollectorRetired, DeskChanged
from libs.events.deciding import Wake
from libs.events.records import CommandEnvelope, RawRecord, Source, parse_decision
from libs.runtime.day import day_aggregate
from libs.runtime.deciding import PartitionDecider
from libs.runtime.memory import DeciderMemory
from libs.runtime.store import MemoryStore
from services.collections.commands import (
    CURRENT,
    ChangeDesk,
    EnrolCollector,
    RetireCollector,
    collector_of,
    debtor_of,
)
from services.collections.domain.collector import collector_aggregate
from services.collections.domain.ids import case_of
from services.collections.domain.profile import Profile, profile_named
from tests.unit.given import TODAY, given

AGGREGATE = collector_aggregate(profile_named("demo"))
ENROL = EnrolCollector(staff_id="stf_lee", region="CN-31")
ENROLLED = CollectorEnrolled(
    collector_id="col_lee",
    staff_id="stf_lee",
    region="CN-31",
    stages=("early",),
    regions=("CN-31",),
    skills=("phone",),
)
DESK = ChangeDesk(stages=("mid", "early"), regions=(), skills=("phone", "negotiation"))
CHANGED = DeskChanged(
    collector_id="col_lee",
    staff_id="stf_lee",
    region="CN-31",
    stages=("early", "mid"),
    regions=(),
    skills=("negotiation", "phone"),
)
RETIRE = RetireCollector(staff_id="stf_lee")
RETIRED = CollectorRetired(collector_id="col_lee", staff_id="stf_lee")


def test_a_collector_begins_with_the_first_stage_in_his_region() -> None:
    """Without a region he works in all of them."""
    given(AGGREGATE).when(ENROL).then(ENROLLED)
    given(AGGREGATE).when(replace(ENROL, region=None)).then(replace(ENROLLED, region=None, regions=()))


def test_a_supervisor_fixes_the_desk_in_no_particular_order() -> None:
    """Only stages and skills of the profile."""
    given(AGGREGATE, ENROLLED).when(DESK).then(CHANGED)
    given(AGGREGATE, ENROLLED, CHANGED).when(replace(DESK, stages=("early", "mid"))).then_nothing()
    given(AGGREGATE, ENROLLED).when(replace(DESK, stages=("middle",))).then_refused("invalid_stage")
    given(AGGREGATE, ENROLLED).when(replace(DESK, skills=("golf",))).then_refused("invalid_skill")
    given(AGGREGATE, ENROLLED, RETIRED).when(DESK).then_refused("unknown_collector")


def test_another_region_moves_the_desk_and_keeps_what_is_on_it() -> None:
    """The old region is no longer his."""
    moved = replace(CHANGED, region="CN-11", regions=("CN-11",))
    given(AGGREGATE, ENROLLED, CHANGED).when(replace(ENROL, region="CN-11")).then(moved)
    given(AGGREGATE, ENROLLED, CHANGED).when(ENROL).then_nothing()


def test_who_never_collected_needs_no_end() -> None:
    """Every appointment to something else asks for one."""
    given(AGGREGATE).when(RETIRE).then_nothing()


def test_who_has_left_can_come_back() -> None:
    """With the first desk again."""
    given(AGGREGATE, ENROLLED, CHANGED).when(RETIRE).then(RETIRED)
    given(AGGREGATE, ENROLLED, CHANGED, RETIRED).when(ENROL).then(ENROLLED)


def test_who_is_appointed_before_the_calendar_opens_has_a_desk() -> None:
    """Staff need no business date, so the desk of an appointment needs none either (found by simulation, seed 2)."""
    decider = PartitionDecider(
        service="collections",
        aggregates=(AGGREGATE, day_aggregate()),
        rules=1,
        partition=0,
        partitions=1,
        memory=DeciderMemory(MemoryStore()),
        reader=ChainReader(genesis("log", "collections.events", 0)),
        replica="a",
    )
    envelope = CommandEnvelope(
        command_id="c-1",
        type=name_of(EnrolCollector),
        stream_id="col_lee",
        data=ENROL,
        at=datetime(2024, 3, 1, 9, tzinfo=UTC),
        principal="collections-reads-onboarding",
        correlation_id="c-1",
        source=Source(
            group="collections-reads-onboarding", topic="onboarding.events", partition=0, position=0
        ),
    )
    decided = decider.decide(RawRecord(0, b"col_lee", to_json(envelope), {}, 0))
    assert decided is not None
    (event,) = parse_decision(decided.value).events
    assert event.type == name_of(CollectorEnrolled)


def test_no_day_wakes_a_collector() -> None:
    """Time does nothing to him."""
    given(AGGREGATE, ENROLLED).when(Wake(business_date=TODAY, phase=5)).then_nothing()


def test_ids_follow_from_each_other() -> None:
    """A case shares its loan's suffix, a debtor his user's, a collector his staff's; anything else is an error."""
    assert (debtor_of("usr_7f"), case_of("loan_7f"), collector_of("stf_7f")) == (
        "dbt_7f",
        "case_7f",
        "col_7f",
    )
    for wrong in ("loan_7f", "usr_", "usr_a.b", ""):
        with pytest.raises(ValueError, match="is no id of the kind usr_"):
            debtor_of(wrong)


@pytest.mark.parametrize("name", ["cn-p2p-2016", "demo"])
def test_every_overdue_bucket_has_one_stage(name: str) -> None:
    """Early M1, middle M2-M3, late from M4 (domain.md section 5); a loan that is not overdue has none."""
    rules = profile_named(name).on(TODAY)
    stages = {bucket: stage.name for stage in rules.stages for bucket in stage.buckets}
    assert stages == {
        "M1": "early",
        "M2": "mid",
        "M3": "mid",
        "M4": "late",
        "M5": "late",
        "M6": "late",
        "M6+": "late",
    }
    assert rules.stage_of(CURRENT) is None


def test_a_profile_gives_the_rules_of_the_date() -> None:
    """And says which profiles exist when asked for another."""
    rules = profile_named("demo").on(TODAY)
    with pytest.raises(ValueError, match="no rules for 2024-03-15"):
        Profile("later", ((TODAY.replace(year=2025), rules),)).on(TODAY)
    with pytest.raises(ValueError, match="unknown profile 'x'; known: cn-p2p-2016, demo, demo-30-days"):
        profile_named("x")
