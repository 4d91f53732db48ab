"""`loanstream sim`: many seeds on all cores, what they saw as figures, and which of them fail."""

import json
import logging
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, as_completed, wait
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, Final

import structlog

from tools.simulator import fault_names
from tools.simulator.planted import PLANTS, Verdict, judge
from tools.simulator.run import SeedFailed, simulate

OUT: Final = Path(__file__).resolve().parents[2] / "out"
#: Seeds of a search that says neither how many nor how long.
SEEDS_DEFAULT: Final = 200

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Failure:
    """A failing seed; the same seed fails again at the same step."""

    seed: int
    step: int
    sentence: str
    events: list[str]

    def told(self) -> str:
        """Everything that a person needs to begin with."""
        again = f"again: loanstream sim --seeds 1 --seed {self.seed}"
        return "\n".join((f"seed {self.seed}, step {self.step}: {self.sentence}", *self.events, again))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one seed gave."""

    steps: int
    days: int
    seconds: float
    seen: Counter[str]
    """Accepted events by type, and refusals by code."""
    faults: Counter[str]
    """How often each fault was injected."""
    events: int
    failure: Failure | None = None


@dataclass(slots=True)
class Found:
    """What all seeds gave."""

    file: ClassVar[str] = "sim.json"
    first: int
    seeds: int = 0
    steps: int = 0
    events: int = 0
    days: int = 0
    seconds: float = 0.0
    seen: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Take in one seed."""
        self.seeds += 1
        self.steps += outcome.steps
        self.events += outcome.events
        self.days += outcome.days
        self.seconds += outcome.seconds
        self.seen += outcome.seen
        self.faults += outcome.faults
        if outcome.failure is not None:
            self.failures.append(outcome.failure)
            self.failures.sort(key=lambda failure: failure.seed)

    @property
    def failed(self) -> int:
        """Seeds that broke a rule, and faults that a search of the usual size never injected: they prove nothing."""
        return len(self.failures) + (len(self.never_injected) if self.seeds >= SEEDS_DEFAULT else 0)

    @property
    def never_injected(self) -> list[str]:
        """Faults that no seed has injected."""
        return [name for name in fault_names.ALL if not self.faults[name]]

    @property
    def events_per_core_minute(self) -> int:
        """Accepted events per minute of one core, simulation and judgement together."""
        return round(self.events / self.seconds * 60) if self.seconds else 0

    def as_json(self) -> dict[str, Any]:
        """What `sim.json` holds."""
        return {
            "first_seed": self.first,
            "seeds": self.seeds,
            "steps": self.steps,
            "events": self.events,
            "simulated_days": self.days,
            "events_per_core_minute": self.events_per_core_minute,
            "faults_injected": {name: self.faults[name] for name in fault_names.ALL},
            "failures": [
                {
                    "seed": failure.seed,
                    "step": failure.step,
                    "sentence": failure.sentence,
                    "last_events": failure.events,
                }
                for failure in self.failures
            ],
        }

    def told(self) -> str:
        """What was seen, then the failures, then the figures."""
        rows = [f"{number:9,} {name}" for name, number in sorted(self.seen.items())]
        rows.append("faults injected:")
        rows += [f"{self.faults[name]:9,} {name}" for name in fault_names.ALL]
        if self.never_injected:
            rows.append(f"never injected: {', '.join(self.never_injected)}")
        rows += [failure.told() for failure in self.failures]
        rows.append(
            f"{self.seeds:,} seeds from {self.first}, {self.steps:,} steps, {self.events:,} events, {self.days:,} days, "
            f"{self.events_per_core_minute:,} events per core-minute"
        )
        return "\n".join(rows)


def run_seed(seed: int) -> Outcome:
    """Run one seed; a failure is a part of what it gave."""
    started = time.process_time()
    try:
        report = simulate(seed)
    except SeedFailed as failed:
        failure = Failure(seed, failed.step, failed.sentence, failed.events)
        return Outcome(failed.step, 0, time.process_time() - started, Counter(), Counter(), 0, failure)
    refused = Counter({f"refused: {code}": number for code, number in report.auditor.refusals.items()})
    seen = report.auditor.events + refused
    seen += Counter(
        {
            "decisions that were lost and decided again": report.auditor.decided_again,
            "records that repeat a decision": report.auditor.repeats,
            "records that no reader accepts": report.auditor.foreign,
        }
    )
    return Outcome(report.steps, report.days, report.seconds, seen, report.faults, report.decided_events)


def search(
    first: int, seeds: int | None, minutes: float | None, progress: Progress, *, jobs: int | None = None
) -> Found:
    """Run seeds from `first` on, as many as asked for, and begin none after the minutes are over."""
    if seeds is None and minutes is None:
        seeds = SEEDS_DEFAULT
    ends_at = None if minutes is None else time.monotonic() + minutes * 60
    found = Found(first)
    total = seeds or 0
    progress(0, total, f"seed {first}")
    for seed, outcome in _outcomes(first, seeds, ends_at, jobs or os.cpu_count() or 1):
        found.add(outcome)
        failed = f", {len(found.failures)} failed" if found.failures else ""
        progress(found.seeds, total or found.seeds, f"seed {seed}{failed}")
    return found


def _outcomes(
    first: int, seeds: int | None, ends_at: float | None, jobs: int
) -> Iterator[tuple[int, Outcome]]:
    """Seeds in the order in which they end. A process runs as few seeds ahead as keep all of them busy."""
    wanted = count(first) if seeds is None else iter(range(first, first + seeds))
    with _processes(jobs) as pool:
        running: dict[Future[Outcome], int] = {}
        while True:
            while len(running) < 2 * jobs and (ends_at is None or time.monotonic() < ends_at):
                seed = next(wanted, None)
                if seed is None:
                    break
                running[pool.submit(run_seed, seed)] = seed
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()


@dataclass(frozen=True, slots=True)
class Hunted:
    """What became of the planted bugs."""

    verdicts: tuple[Verdict, ...]
    file: ClassVar[str] = "mutants.json"

    @property
    def failed(self) -> int:
        """Bugs that no seed found: each is a hole in the traffic or in the auditor."""
        return sum(not verdict.killed for verdict in self.verdicts)

    def as_json(self) -> dict[str, Any]:
        """What `mutants.json` holds."""
        return {
            "planted": len(self.verdicts),
            "killed": len(self.verdicts) - self.failed,
            "mutants": [asdict(verdict) for verdict in self.verdicts],
        }

    def told(self) -> str:
        """One line each."""
        return "\n".join(map(str, self.verdicts))


def hunt(progress: Progress, names: Sequence[str] = tuple(PLANTS), *, jobs: int | None = None) -> Hunted:
    """Plant these bugs, one at a time, and see which seed finds each."""
    progress(0, len(names), "planting")
    verdicts: dict[str, Verdict] = {}
    with _processes(jobs or os.cpu_count() or 1) as pool:
        for future in as_completed([pool.submit(_judge, name) for name in names]):
            verdict = future.result()
            verdicts[verdict.name] = verdict
            progress(len(verdicts), len(names), verdict.name)
    return Hunted(tuple(verdicts[name] for name in names))


def _judge(name: str) -> Verdict:
    return judge(PLANTS[name])


def _processes(jobs: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), initializer=quiet)


def quiet() -> None:
    """A simulated platform has nothing to tell an operator."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def write_json(found: Found | Hunted, folder: Path = OUT) -> None:
    """Write figures where other tools find them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / found.file).write_text(json.dumps(found.as_json(), indent=2, ensure_ascii=False) + "\n")
