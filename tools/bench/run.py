"""`loanstream bench`: parts once, then one figure after the other, each within its time; a table, a file, an exit code.

The exit code says whether everything was measured, not whether every aim holds: a figure that misses is a finding.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from rich.console import Console

from deploy.local.lock import STACK_LOCK, DirectoryLock, empty
from deploy.local.parts import LocalParts, Parts, make_parts
from libs.runtime.errors import OperatorError
from libs.runtime.settings import load_settings
from tools.bench import close, command, empty_day, failover, hot_loan, rebuild, visibility
from tools.bench.lab import Figure, Lab
from tools.bench.machine import SUPPORT_CORE, facts, pin, release
from tools.bench.rate import NothingSustained
from tools.bench.report import JSON_FILE, table, write_json

#: All of them, parts and their ends included: what begins is given up in time for that.
RUN_LIMIT_S: Final = 17 * 60.0
#: What the parts and the last platform may take to end.
_END_S: Final = 25.0
#: Figure -> how it is measured, its part of the run in seconds (it begins no further repeat after that), and whether cores are
#: shared out. What figures leave, or those that are not asked for, goes to the others.
FIGURES: Final[dict[str, tuple[Callable[[Lab], Awaitable[Figure]], float, bool]]] = {
    "command_ratio": (command.measure, 225.0, True),
    "visibility_ratio": (visibility.measure, 90.0, True),
    "rebuild_ratio": (rebuild.measure, 105.0, True),
    "hot_loan_ratio": (hot_loan.measure, 75.0, True),
    "failover_seconds": (failover.measure, 245.0, True),
    "empty_day_ms": (empty_day.measure, 60.0, False),
    "close_ratio": (close.ratio, 103.0, False),
    "close_growth": (close.growth, 1.0, False),
    "loan_bytes": (close.loan_bytes, 1.0, False),
}
#: Beyond its time, what a figure may take to end what it is in the middle of.
_GRACE_S: Final = 90.0


def run_bench(only: Sequence[str], quick: bool) -> int:
    """Measure the figures (all of them when `only` is empty), show and keep them. Returns 1 when one could not be measured.

    Raises OperatorError for a name that is no figure, and for parts that cannot start.
    """
    if unknown := sorted(set(only) - FIGURES.keys()):
        raise OperatorError(
            f"There is no figure {', '.join(unknown)}. The figures are: {', '.join(FIGURES)}."
        )
    console = Console(stderr=True)
    settings = load_settings(use_run_file=False)
    data_dir = settings.data_dir / "bench"
    empty(data_dir)
    lock = DirectoryLock(data_dir, STACK_LOCK)  # one bench at a time, and the next one may empty it
    lock.take()
    parts = make_parts(settings.model_copy(update={"data_dir": data_dir}))
    began = time.monotonic()

    def tell(what: str) -> None:
        console.print(f"{time.monotonic() - began:5.0f} s  {what}", style="dim", highlight=False)

    try:
        tell("starting Kafka and MongoDB")
        parts.start()
        lab = Lab(data_dir, parts, quick, tell, began + RUN_LIMIT_S - _END_S)
        figures, failed = _measure(only or list(FIGURES), lab, parts)
    finally:
        parts.stop()
        lock.release()
    Console(width=None if sys.stdout.isatty() else 120).print(table(figures))
    for figure in figures:
        for note in figure.notes:
            console.print(f"{figure.name}: {note}", style="yellow", highlight=False)
    tell(f"the figures are in {JSON_FILE.relative_to(JSON_FILE.parents[1])}")
    return 1 if failed else 0


def _measure(names: Sequence[str], lab: Lab, parts: Parts) -> tuple[list[Figure], bool]:
    """Every figure that could be measured; each is kept as soon as it is known."""
    figures: list[Figure] = []
    failed = False
    for number, name in enumerate(names):
        measure, budget_s, pinned = FIGURES[name]
        to_come_s = sum(FIGURES[each][1] for each in names[number:])
        support = [child.pid for child in parts.children] if isinstance(parts, LocalParts) else []
        if pinned:
            pin(support, SUPPORT_CORE)
        else:
            release(support)
        machine = facts()
        limit_s = lab.begin(max(1.0, (lab.run_left_s - _GRACE_S) / to_come_s) * budget_s, _GRACE_S)
        lab.say(f"measuring {name}")
        try:
            figure = asyncio.run(_within(measure(lab), limit_s))
        except (TimeoutError, NothingSustained) as error:
            lab.say(f"{name} could not be measured: {str(error) or 'it did not end in time'}")
            failed = True
            continue
        figures.append(figure)
        write_json([figure], machine | {"quick": lab.quick})
    return figures, failed


async def _within(measuring: Awaitable[Figure], limit_s: float) -> Figure:
    async with asyncio.timeout(limit_s):
        return await measuring
