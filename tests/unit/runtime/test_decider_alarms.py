"""When a partition stands still on purpose, and what alarms."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from structlog.testing import capture_logs

from libs.events.codec import name_of
from libs.events.records import RawRecord, Source
from libs.events.sagas import Saga
from libs.runtime import recount
from libs.runtime.day import NotePolicyFailure
from libs.runtime.kafka import Place
from libs.runtime.observability import REGISTRY
from libs.runtime.projecting import AcceptedRecord, Partition
from libs.runtime.store import MemoryStore
from libs.runtime.system_views import parked_view
from tests.unit.runtime.broker import Broker
from tests.unit.runtime.jars import Bench, PutCoins, Shake, jars_are_known
from tests.unit.runtime.partition_world import COMMANDS, EVENTS, TOY, World, broker, new_role

pytestmark = pytest.mark.usefixtures("jars_are_known")
__all__ = ["broker", "jars_are_known"]

# --- standing still on purpose -------------------------------------------------------------------------------------


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> dict[Place, list[RawRecord]]:
    """A log that `lost_commands` reads."""
    records: dict[Place, list[RawRecord]] = {}

    async def offsets(_bootstrap: str, places: Any) -> dict[Place, tuple[int, int]]:
        return {place: (0, len(records[place])) for place in places}

    async def read_range(
        _bootstrap: str, place: Place, start: int, end: int
    ) -> AsyncIterator[list[RawRecord]]:
        for raw in records[place][start:end]:
            yield [raw]

    monkeypatch.setattr(recount, "offsets", offsets)
    monkeypatch.setattr(recount, "read_range", read_range)
    return records


def halted(partition: int) -> float | None:
    """What the metric says of a partition of bidding."""
    labels = {"service": "bidding", "partition": str(partition)}
    return REGISTRY.get_sample_value("loanstream_partition_halted", labels)


LOST = (
    "bidding.commands/0 ends at offset 2, but decisions exist up to position 3: commands were lost. Stop the service "
    "and run `loanstream repair`, or restore the log from a copy: until then nothing is decided here."
)
OTHER = (
    "bidding.commands/0 holds another command at offset 2 than the one that was decided there. Stop the service and run "
    "`loanstream repair`, or restore the log from a copy: until then nothing is decided here."
)


@pytest.mark.parametrize(
    ("lost", "cause"), [("nothing", None), ("the tail", LOST), ("a command in the middle", OTHER)]
)
async def test_lost_commands_halt_their_partition(
    broker: Broker, keys: Path, log: dict[Place, list[RawRecord]], lost: str, cause: str | None
) -> None:
    """A partition whose commands are not those that were decided stands still, says why, and is not ready."""
    role = new_role(broker, keys)
    role._caught_up = True
    bench = Bench()
    for coins in (1, 2, 3):
        bench.tell(PutCoins(coins=coins))
    [loop] = role._loops
    loop.decider = bench.decider
    log[COMMANDS], log[EVENTS] = list(bench.commands), bench.events
    if lost == "the tail":
        del log[COMMANDS][2:]
    elif lost == "a command in the middle":
        log[COMMANDS][2] = structs.replace(bench.commands[2], value=b"{}")
    with capture_logs() as logged:
        await loop.check_commands()
    assert loop.halted == cause
    assert halted(0) == (0 if cause is None else 1)
    line = {"service": "bidding", "partition": 0, "cause": cause}
    assert logged == ([{"event": "partition_halted", "log_level": "error", **line}] if cause else [])
    assert role.ready() == ((False, f"partition 0 is halted: {cause}") if cause else (True, ""))


# --- what alarms ---------------------------------------------------------------------------------------------------


SOURCED: dict[str, Any] = {
    "source": Source(group="bidding-reads-repayment", topic="repayment.events", partition=0, position=4),
    "below": 4,
}
HANDLED = Saga(
    "toy",
    "Jars that do not shake are expected.",
    opened_by={},
    closed_by={},
    steps=(),
    expected_refusals=(Shake,),
)


def parked(code: str) -> float:
    """How many decisions with this code the metric has counted."""
    labels = {"service": "bidding", "code": code}
    return REGISTRY.get_sample_value("loanstream_parked_total", labels) or 0.0


@pytest.mark.parametrize(
    ("message", "how", "saga", "code"),
    [
        pytest.param(
            Shake(how="refuse"), SOURCED, None, "jar_is_closed", id="a policy's, expected by no saga"
        ),
        pytest.param(Shake(how="refuse"), SOURCED, HANDLED, None, id="a policy's, expected"),
        pytest.param(Shake(how="refuse"), {}, None, None, id="a person's"),
        pytest.param(Shake(how="break"), {}, None, "internal", id="a person's that broke"),
        pytest.param(Shake(how="break"), SOURCED, HANDLED, "internal", id="an expected one that broke"),
        pytest.param(PutCoins(coins=1), SOURCED, None, None, id="a policy's that is granted"),
        pytest.param(
            NotePolicyFailure(group="g", event_address="repayment/0/4/0", error="ValueError"),
            SOURCED | {"stream": "~p0"},
            HANDLED,
            "policy_failed",
            id="a policy that raised",
        ),
    ],
)
def test_what_nobody_expects_alarms_exactly_where_it_is_parked(
    broker: Broker, keys: Path, message: Any, how: dict[str, Any], saga: Saga | None, code: str | None
) -> None:
    """Money never stops in silence: a metric and a line, for the decisions that the view of parked commands shows."""
    service = replace(TOY, sagas=() if saga is None else (saga,))
    world = World(broker, keys, service=service)
    start = len(world.bench.events)
    world.bench.tell(message, **how)
    before = parked(code or "jar_is_closed")
    with capture_logs() as logged:
        world.loop.take_events(world.bench.events[start:])
    assert parked(code or "jar_is_closed") - before == (0 if code is None else 1)
    line = {"service": "bidding", "partition": 0, "position": start, "command_type": name_of(type(message))}
    assert logged == (
        [{"event": "decision_parked", "log_level": "error", "code": code, **line}] if code else []
    )
    record = AcceptedRecord(world.bench.events[-1], Partition("bidding", 0), world.loop.decider.head)
    assert bool(parked_view(service).project(record)) == bool(code)


def counted(outcome: str) -> float:
    """How many decisions with this outcome the metric has counted."""
    labels = {"service": "bidding", "outcome": outcome}
    return REGISTRY.get_sample_value("loanstream_decisions_total", labels) or 0.0


@pytest.mark.parametrize(("by", "times"), [("a", 1), ("b", 0)])
def test_of_two_replicas_the_one_that_decided_counts(broker: Broker, keys: Path, by: str, times: int) -> None:
    """Both fold every decision; sums over replicas are the log's, the alarm included. Folded once more it is not counted."""
    world = World(broker, keys)
    start = len(world.bench.events)
    world.bench.decider = world.bench.new_decider(world.bench.store, replica=by)
    world.bench.tell(Shake(how="break"))
    before = (counted("refused"), parked("internal"))
    with capture_logs() as logged:
        world.loop.take_events(world.bench.events[start:])
        world.loop.decider = world.bench.new_decider(MemoryStore())
        world.loop.take_events(world.bench.events)
    assert (counted("refused") - before[0], parked("internal") - before[1]) == (times, times)
    assert len([line for line in logged if line["event"] == "decision_parked"]) == times
