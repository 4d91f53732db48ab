"""Two replicas of every partition in the simulation: dead for a while, frozen, woken, both active; the same judgement."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest
import structlog

from libs.runtime.replica_role import ReplicaRole
from tools.simulator import fault_names as names
from tools.simulator.checks import Auditor
from tools.simulator.config import Config
from tools.simulator.judging import conclude, watch
from tools.simulator.log import LogFaults
from tools.simulator.plan import Plan
from tools.simulator.run import services
from tools.simulator.world import Stuck, World

CONFIG = Config(
    partitions=2,
    plan=Plan(
        people=6,
        listings=8,
        days=3,
        busy_days=3,
        actions_on_busy_days=120,
        actions_on_quiet_days=0,
        tenor_months_max=1,
    ),
    log_faults=LogFaults(
        fails=0.005, acknowledged_late=0.2, duplicated=0.02, survives_its_sender=0.7, blind=0.1
    ),
    crashes=0.02,
    slow_twins=0.3,
    new_release=False,
    replicas=True,
)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """A simulated platform has nothing to tell an operator."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize("new_release", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_replicas_that_die_freeze_and_wake_break_no_rule(seed: int, new_release: bool) -> None:
    """Standbys decide and send in their place many times, under one release and under two; every rule holds and all comes to rest."""
    world, _ = judged(seed, replace(CONFIG, new_release=new_release))
    assert world.happened[names.STANDBY_TOOK_OVER] > 3
    assert world.happened[names.DECIDER_FROZEN] > 3
    assert world.happened[names.SENDER_TOOK_OVER] > 3
    assert world.happened[names.SENDER_STEPPED_DOWN] > 3


def test_replicas_that_are_all_active_break_no_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """Safety rests on the chain, not on the roles: with everybody deciding all the time the log is as exact."""
    monkeypatch.setattr(ReplicaRole, "decides", property(lambda _self: True))
    _, auditor = judged(0, CONFIG)
    assert auditor.repeats > 100


def judged(seed: int, config: Config) -> tuple[World, Auditor]:
    """A world that lived to its rest, judged at every step and at the end."""
    world = World(seed, services(thread_only=True), config)
    auditor = watch(world)
    world.run(steps_max=1_000_000)
    conclude(world, auditor)
    return world, auditor


def lived(seed: int) -> World:
    """A world at the end of its life."""
    world = World(seed, services(thread_only=True), CONFIG)
    world.run(steps_max=20_000)
    return world


def test_a_standby_that_never_takes_over_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody comes back after the first few take-overs, the platform does not come to rest."""
    times, take_over = count(), ReplicaRole.take_over
    monkeypatch.setattr(ReplicaRole, "take_over", lambda role: next(times) < 3 and take_over(role))
    monkeypatch.setattr(World, "DRAIN_STEPS_MAX", 100_000)
    with pytest.raises(Stuck):
        lived(0)
