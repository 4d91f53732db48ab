"""One seed, one run: what is drawn from the seed, and the judgement at its end."""

import gc
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from random import Random
from typing import Any

from libs.runtime.service import Service
from services.bidding.app import build as build_bidding
from services.collections.app import build as build_collections
from services.onboarding.app import build as build_onboarding
from services.repayment.app import build as build_repayment
from tools.simulator.checks import Auditor
from tools.simulator.config import Chances, Config
from tools.simulator.judging import conclude, watch
from tools.simulator.law_books import LAW
from tools.simulator.log import LogFaults
from tools.simulator.plan import Plan
from tools.simulator.trail import last_events
from tools.simulator.world import World

#: So many allocations between two looks for garbage, in place of Python's 700.
_ALLOCATIONS = 100_000
_CALM = LogFaults(acknowledged_late=0.05, survives_its_sender=0.5)
_USUAL = LogFaults(
    fails=0.002,
    vanishes=0.001,
    stored_unanswered=0.001,
    stored_told_failed=0.001,
    acknowledged_late=0.1,
    duplicated=0.01,
    survives_its_sender=0.5,
    blind=0.05,
)
_STORMY = LogFaults(
    fails=0.01,
    vanishes=0.005,
    stored_unanswered=0.005,
    stored_told_failed=0.005,
    acknowledged_late=0.3,
    duplicated=0.05,
    survives_its_sender=0.7,
    blind=0.2,
)

#: A few days of crowded bidding, a month with its first due dates, or a quarter with debits, misses and buckets.
_PLANS = (
    Plan(
        people=8,
        listings=10,
        days=5,
        busy_days=5,
        actions_on_busy_days=60,
        actions_on_quiet_days=0,
        tenor_months_max=3,
    ),
    Plan(
        people=6,
        listings=6,
        days=38,
        busy_days=5,
        actions_on_busy_days=40,
        actions_on_quiet_days=2,
        tenor_months_max=2,
    ),
    Plan(
        people=5,
        listings=5,
        days=66,
        busy_days=4,
        actions_on_busy_days=40,
        actions_on_quiet_days=1,
        tenor_months_max=2,
    ),
)


#: Where people apply for their loans and collectors work on those who are late: a quarter in which most borrowers have spent it.
_WHOLE_PLAN = Plan(
    people=7,
    listings=8,
    days=48,
    busy_days=6,
    actions_on_busy_days=70,
    actions_on_quiet_days=3,
    tenor_months_max=2,
)

CHINA_MINUTES = 8 * 60
#: A few days before its caps come into force, so that loans approved before are looked at again after.
BEFORE_THE_CAPS = date(2016, 8, 21)


@dataclass(frozen=True, slots=True)
class Report:
    """What happened in a run that broke no rule."""

    seed: int
    steps: int
    faults: Counter[str]
    """How often each fault was injected, by its name in `fault_names`."""
    days: int
    seconds: float
    digest: str
    auditor: Auditor

    @property
    def decided_events(self) -> int:
        """Events of all accepted decisions."""
        return self.auditor.events.total()


def services(*, thread_only: bool, profile: str = "demo") -> list[Service]:
    """The services of a run: the thread's two, or all that decide."""
    thread = [build_bidding(profile), build_repayment(profile)]
    return thread if thread_only else [*thread, build_collections(profile), build_onboarding(profile)]


def _plays_all(seed: int) -> bool:
    return seed % 2 == 0


def config_of(seed: int) -> Config:
    """What a seed stands for."""
    rng = Random(f"{seed}/config")
    plan = rng.choices(_PLANS, (5, 3, 2))[0]
    if _plays_all(seed) and rng.random() < 0.7:
        plan = _WHOLE_PLAN
    # Over so many days a storm is mostly commands that are sent again.
    storms = 0 if plan is _WHOLE_PLAN else 2
    faults = rng.choices((_CALM, _USUAL, _STORMY), (1, 4, storms))[0]
    config = Config(
        partitions=rng.choice((1, 2, 3)) if plan.days < 30 else rng.choice((1, 1, 2)),
        plan=plan,
        log_faults=faults,
        crashes=0.0 if faults is _CALM else rng.choice((0.0005, 0.002, 0.005)),
        slow_twins=rng.choice((0.0, 0.3)),
        new_release=rng.random() < 0.3,
        starvation=0.0 if faults is _CALM else rng.choice((0.0, 0.0, 0.0005)),
        replicas=rng.random() < 0.5,
    )
    return config if faults is _CALM else replace(config, **_from_outside(rng, config))


def _from_outside(rng: Random, config: Config) -> dict[str, Any]:
    """Drawn last, so that an older seed still stands for the same people, log and crashes.

    A tail of decisions that is decided again under higher rules would be another one: policy groups stop (`source-forked`), and
    a person has to look. So no seed does both.
    """
    disasters = Chances(
        events_cut=0.0 if config.new_release else rng.choice((0.0, 0.0001, 0.0004)),
        commands_cut=rng.choice((0.0, 0.00005, 0.0001)),
        database_restored=rng.choice((0.0, 0.0004)),
    )
    return {
        "other_states": rng.random() < 0.3,
        "unknown_commits": rng.choice((0.0, 0.002)),
        "disasters": disasters,
    }


def _under_the_law(seed: int) -> Config:
    """Every other of these seeds lives through the day on which the caps come into force: chance left out the first thirty."""
    config = replace(config_of(seed), minutes_east=CHINA_MINUTES, profile=LAW)
    if seed % 8 == 0:
        config = replace(config, plan=replace(config.plan, first_date=BEFORE_THE_CAPS))
    return config


class SeedFailed(AssertionError):
    """A seed broke a rule, did not come to rest, or raised: at which step, in which words, after which events."""

    def __init__(self, seed: int, step: int, cause: Exception, events: list[str]) -> None:
        self.seed = seed
        self.step = step
        self.sentence = (
            str(cause) if isinstance(cause, AssertionError) else f"{type(cause).__name__}: {cause}"
        )
        self.events = events
        super().__init__("\n".join((f"seed {seed}, step {step}: {self.sentence}", *events)))


@contextmanager
def _rare_collections() -> Iterator[None]:
    """A world is hardly any garbage and a lot to look through for it: a sixth of a seed's time went into that."""
    before = gc.get_threshold()
    gc.set_threshold(_ALLOCATIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def simulate(
    seed: int,
    chosen: Sequence[Service] | None = None,
    config: Config | None = None,
    *,
    steps_max: int = 1_000_000,
) -> Report:
    """Run one seed to its end, judged at every step. Raises SeedFailed; the same seed fails again at the same step."""
    if chosen is None:
        config = config_of(seed) if seed % 4 else _under_the_law(seed)
        chosen = services(thread_only=not _plays_all(seed), profile=config.profile)
    started = time.process_time()
    world = World(seed, chosen, config or config_of(seed))
    auditor = watch(world)
    try:
        with _rare_collections():
            world.run(steps_max)
            conclude(world, auditor)
    except Exception as error:
        raise SeedFailed(seed, world.steps, error, last_events(world.log, str(error))) from error
    return Report(
        seed=seed,
        steps=world.steps,
        faults=+world.happened,
        days=world.traffic.days_closed,
        seconds=time.process_time() - started,
        digest=world.log.digest(),
        auditor=auditor,
    )
