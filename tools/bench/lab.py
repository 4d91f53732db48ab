"""What every figure is measured in: parts that all share, a platform of its own for each, and a time by which it ends."""

import asyncio
import math
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.local.parts import Parts
from deploy.local.processes import Child
from deploy.local.stack import READY_LIMIT_S as STACK_READY_LIMIT_S
from deploy.local.stack import ProcessPlan, Stack, answers
from libs.events.topics import commands_topic
from libs.runtime.identity import ensure_identity
from libs.runtime.kafka import create_topics
from libs.runtime.settings import Settings, load_settings
from libs.runtime.topics_admin import topic_configs
from tools.bench.machine import SUPPORT_CORE, TESTED_CORE, aside, pin
from tools.bench.rate import Trial

READY_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: ours over the baseline where it is a ratio. `parts` is whatever it is made of; `notes` what to know of it."""

    name: str
    median: float
    low: float
    high: float
    aim: str
    holds: bool
    parts: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As `out/bench.json` has it. JSON knows no infinity: what was never seen is null, and a note says so."""
        numbers = {"median": _short(self.median), "interval": [_short(self.low), _short(self.high)]}
        told = finite_only({**numbers, "aim": self.aim, "holds": self.holds, **self.parts})
        notes = list(self.notes)
        if not all(math.isfinite(each) for each in (self.median, self.low, self.high)):
            told["holds"] = False
            notes.append("a run saw nothing: what could not be told is null")
        return {**told, "notes": notes}


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def finite_only(value: Any) -> Any:
    """A JSON value without infinities, which become None."""
    match value:
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {name: finite_only(each) for name, each in value.items()}
        case list():
            return [finite_only(each) for each in value]
        case _:
            return value


def trial_json(trial: Trial) -> dict[str, Any]:
    """One open-loop run in milliseconds."""
    return {
        "rate_per_s": round(trial.rate_per_s, 1),
        "p50_ms": round(trial.p50_s * 1000, 2),
        "p99_ms": round(trial.p99_s * 1000, 2),
        "cpu_s_per_1000": round(trial.cpu_s_per_1000, 3),
        "generator_share_of_a_core": round(trial.generator_cpu_s / trial.seconds, 2),
    }


@dataclass(slots=True)
class Lab:
    """Where figures are measured. `quick` asks for the smallest run that still goes through everything."""

    data_dir: Path
    parts: Parts
    quick: bool
    say: Callable[[str], None]
    run_ends_at: float = math.inf
    """When the whole run must be over (monotonic); no figure is given more than is left of it."""
    ends_at: float = 0.0
    found: dict[str, Any] = field(default_factory=dict)
    """What one figure has measured for others, too."""

    def begin(self, budget_s: float, grace_s: float = 0.0) -> float:
        """A figure begins: it begins no further repeat when its time is over. Returns the seconds after which it is given up.

        That is its time and the grace, or what is left of the run: then the time is shortened by the grace before it.
        """
        now = time.monotonic()
        limit_s = max(0.0, min(budget_s + grace_s, self.run_ends_at - now))
        self.ends_at = now + min(budget_s, max(limit_s / 2, limit_s - grace_s))
        return limit_s

    @property
    def run_left_s(self) -> float:
        """Seconds until the whole run must end."""
        return self.run_ends_at - time.monotonic()

    @property
    def left_s(self) -> float:
        """Seconds until the present figure must end."""
        return self.ends_at - time.monotonic()

    def pick(self, full: int, quick: int) -> int:
        """A size, by how much time there is."""
        return quick if self.quick else full

    def settings(self, name: str, **chosen: Any) -> Settings:
        """Settings that share nothing with another figure's."""
        run = f"{name}{os.getpid()}"
        isolated = {"topic_prefix": f"bench-{run}.", "mongo_database": f"bench_{run}"}
        addresses = {"kafka": self.parts.kafka, "mongo": self.parts.mongo}
        directory = self.data_dir / run
        loaded = load_settings(directory, use_run_file=False, **{**isolated, **chosen})
        return ensure_identity(loaded.model_copy(update=addresses))

    @contextmanager
    def stack(
        self,
        settings: Settings,
        plans: Sequence[ProcessPlan],
        *,
        pinned: bool = True,
        ready_limit_s: float = STACK_READY_LIMIT_S,
    ) -> Iterator[Stack]:
        """A platform of these processes, running and pinned: the services to the tested core, the gateway and we to the other."""
        self.say(f"starting {', '.join(plan.name for plan in plans)}")
        with (
            aside() if pinned else nullcontext(),
            Stack(settings, processes=tuple(plans), parts=self.parts, ready_limit_s=ready_limit_s) as stack,
        ):
            if pinned:
                pin((child.pid for child in stack.children), TESTED_CORE)
                pin((stack.gateway_pid,), SUPPORT_CORE)
            yield stack

    @asynccontextmanager
    async def bare(self, settings: Settings, role: str, port: int, *arguments: str) -> AsyncIterator[Child]:
        """A baseline as a process of its own, started and served as a service is, on the tested core."""
        child = Child(
            f"bare {role}",
            bare_command(role, str(port), *arguments),
            settings.logs_dir / f"bare-{role}.log",
            env=settings.environment(),
        )
        await asyncio.to_thread(child.start)
        try:
            await asyncio.to_thread(child.wait_until, lambda: answers(port, "/readyz"), READY_LIMIT_S)
            pin((child.pid,), TESTED_CORE)
            yield child
        finally:
            await asyncio.to_thread(child.stop)


def bare_command(role: str, *arguments: str) -> list[str]:
    """The program of a baseline."""
    return [sys.executable, "-P", "-m", "tools.bench.baselines", role, *arguments]


def bare_topic(settings: Settings) -> str:
    """The baseline's topic."""
    return f"{settings.topic_prefix}bare.commands"


async def make_bare_topic(settings: Settings) -> str:
    """The baseline's topic, set to what a topic of commands must be: the same promise of the same broker."""
    name = bare_topic(settings)
    config = topic_configs(settings)[commands_topic("bidding", settings.topic_prefix)]
    await create_topics(
        settings.require_kafka(),
        [name],
        partitions=settings.partitions,
        replication=settings.replication,
        configs={name: config},
    )
    return name
