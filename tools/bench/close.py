"""`close_ratio`, `close_growth`, `loan_bytes`: what the close of a day costs over a whole book, what it costs for each loan that
changes as the book grows, and what an open loan takes of the decider's memory.

A book is written straight into the log (`book.py`), the services start on it and fold it, the calendar opens, and four days are
closed by the operator's command as ever, phase by phase: dues are asked, the borrowers' accounts answer, what comes in is shared
out, what is missed is said, buckets, classes and penalty follow. Time runs from the command to `BusinessDayClosed`, by the log's
own clock. The baseline is a pass of NumPy over the same loans and a bare produce of as many records and bytes as were stored
until then; what NumPy counts must be what the events say, penalty to the fen.
"""

import asyncio
import json
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any, Final

import psutil

from deploy.local.processes import Child
from deploy.local.stack import ProcessPlan, Stack
from libs.runtime.identity import keep_log_id
from libs.runtime.service import load_services
from libs.runtime.settings import Settings
from libs.runtime.topics_admin import ensure_topics
from services.repayment.commands import CloseBusinessDay, OpenCalendar
from tools.bench.arithmetic import DRIFT_MAX, drift, interval
from tools.bench.book import DAYS, Book
from tools.bench.book_writing import pass_over, write
from tools.bench.day_log import DayLog, DayStored
from tools.bench.lab import Figure, Lab, make_bare_topic
from tools.bench.machine import cpu_seconds
from tools.bench.people import say

PLANS: Final = (
    ProcessPlan("bidding", "bidding", "decider,policy"),
    ProcessPlan("repayment", "repayment", "decider,policy"),
)
RATIO_AIM: Final = 5.0
GROWTH_AIM: Final = 1.15
BYTES_AIM: Final = 500.0
FULL: Final = 1_000_000
#: The second book: how many loans, and the seconds that must be left for it. What larger ones take is told by one of a
#: hundred thousand.
_TELLING: Final = 100_000
_NEXT: Final = ((_TELLING, 80.0), (30_000, 45.0))
_LIMIT_S: Final = 1_200.0
#: A larger book is begun if it may take so much more than the smaller ones promise.
_MARGIN: Final = 1.2
_KEPT, _EMPTY = "close", "close_empty"


@dataclass(slots=True)
class Day:
    """One close, what it cost both services until they were at rest, and its baseline."""

    stored: DayStored
    cpu_s: float
    pass_s: float
    produce_s: float

    @property
    def ratio(self) -> float:
        """Ours over the baseline."""
        return self.stored.seconds / (self.pass_s + self.produce_s)

    @property
    def cpu_ms_per_change(self) -> float:
        """CPU of both services for each loan that changed."""
        return 1000 * self.cpu_s / self.stored.changed


@dataclass(slots=True)
class Closed:
    """A book of one size: its days, how fast it was folded, and memory of the loans' decider before and behind it."""

    loans: int
    took_s: float = 0.0
    written_s: float = 0.0
    folded_s: float = 0.0
    empty_bytes: int = 0
    full_bytes: int = 0
    days: list[Day] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    @property
    def bytes_per_loan(self) -> float:
        """Memory of the loans' decider for each open loan, behind the fold."""
        return (self.full_bytes - self.empty_bytes) / self.loans

    @property
    def cpu_ms_per_change(self) -> float:
        """Median of its days."""
        return median(day.cpu_ms_per_change for day in self.days)


async def ratio(lab: Lab) -> Figure:
    """`close_ratio` of the largest book that fits into the time."""
    sizes = await _sizes(lab)
    return ratio_of(sizes[-1])


async def growth(lab: Lab) -> Figure:
    """`close_growth` over all books that were closed."""
    return growth_of(await _sizes(lab))


async def loan_bytes(lab: Lab) -> Figure:
    """`loan_bytes` of the largest book."""
    return bytes_of(await _sizes(lab))


async def _sizes(lab: Lab) -> list[Closed]:
    """Books of growing size, measured once for all three figures."""
    if _KEPT not in lab.found:
        lab.found[_KEPT] = await _measured(lab)
    found: list[Closed] = lab.found[_KEPT]
    return found


async def _measured(lab: Lab) -> list[Closed]:
    if lab.quick:
        return [await _book(lab, 2_000, days=1)]
    sizes = [await _book(lab, 10_000)]
    for loans, needed_s in _NEXT:
        if lab.left_s > needed_s:
            sizes.append(await _book(lab, loans))
            break
    for loans in (FULL, 300_000):
        if sizes[-1].loans >= _TELLING and lab.left_s > seconds_for(loans, sizes[-2:]):
            sizes.append(await _book(lab, loans))
            break
    return sizes


def seconds_for(loans: int, sizes: Sequence[Closed]) -> float:
    """What a larger book will take, by what the last two took: starting a stack costs the same for any of them, a loan its share."""
    smaller, last = sizes
    # The smaller one may have had the worse moment of the machine.
    each = max((last.took_s - smaller.took_s) / (last.loans - smaller.loans), last.took_s / last.loans / 2)
    return last.took_s + _MARGIN * each * (loans - last.loans)


async def _book(lab: Lab, loans: int, days: int = len(DAYS)) -> Closed:
    """Write a book, let the services fold it, close its days; a further day is begun only while there is time for it."""
    began = time.monotonic()
    closed = Closed(loans)
    settings = lab.settings(f"close{loans}")
    settings = keep_log_id(settings, await ensure_topics(settings))
    closed.empty_bytes = await _empty(lab, settings)
    services = load_services(settings.profile)
    book = Book(loans, services["repayment"], services["bidding"])
    lab.say(f"writing {loans:,} loans into the log")
    wrote = time.monotonic()
    for name, entries in (("repayment", book.of_repayment()), ("bidding", book.of_bidding())):
        heads = await write(settings, services[name], entries)
        await pass_over(settings, services.values(), name, heads)
    closed.written_s = time.monotonic() - wrote
    folded = time.monotonic()
    with lab.stack(settings, PLANS, pinned=False, ready_limit_s=_LIMIT_S) as stack:
        closed.folded_s, closed.full_bytes = time.monotonic() - folded, _memory(stack)
        lab.say(f"folded in {closed.folded_s:.0f} s, {closed.bytes_per_loan:,.0f} bytes of memory a loan")
        await _days(lab, stack, closed, days)
    closed.took_s = time.monotonic() - began
    return closed


async def _empty(lab: Lab, settings: Settings) -> int:
    """Memory of the loans' decider on a log that is empty yet; measured once, and not where figures mean nothing."""
    if lab.quick:
        return 0
    if _EMPTY not in lab.found:
        with lab.stack(settings, PLANS, pinned=False) as stack:
            lab.found[_EMPTY] = _memory(stack)
    return int(lab.found[_EMPTY])


def _memory(stack: Stack) -> int:
    return int(psutil.Process(stack.child("repayment").pid).memory_info().rss)


async def _days(lab: Lab, stack: Stack, closed: Closed, days: int) -> None:
    settings, pids = stack.settings, [child.pid for child in stack.children]
    topic = await make_bare_topic(settings)
    passes = await _bare(settings, "pass", str(closed.loans), str(days))
    log = DayLog(settings)
    await log.start()
    try:
        opening = OpenCalendar(business_date=DAYS[0])
        await say(settings, "repayment", [("calendar", opening, "open", "stf_operator")])
        await log.at_rest(_LIMIT_S, closed=False)
        log.taken()
        for number, date in enumerate(DAYS[:days]):
            began, used = time.monotonic(), cpu_seconds(pids)
            closing = CloseBusinessDay(business_date=date)
            await say(settings, "repayment", [("calendar", closing, f"close-{date}", "stf_operator")])
            await log.at_rest(_LIMIT_S, closed=True)
            used, stored = cpu_seconds(pids) - used, log.taken()
            size = stored.bytes // stored.records
            bare = await _bare(settings, "produce", topic, str(stored.records), str(size))
            day = Day(stored, used, passes["seconds"][number], bare["seconds"])
            closed.days.append(day)
            if stored.told != passes["told"][number]:
                closed.differences.append(f"{date}: {stored.told}, NumPy counts {passes['told'][number]}")
            lab.say(
                f"{date} closed over {closed.loans:,} loans in {stored.seconds:.1f} s, {stored.changed:,} changed; "
                f"bare {day.pass_s + day.produce_s:.2f} s"
            )
            if lab.left_s < 1.3 * (time.monotonic() - began) and not lab.quick:
                break
    finally:
        await log.stop()


async def _bare(settings: Settings, *arguments: str) -> dict[str, Any]:
    """One side of the baseline by a process of its own; what it says."""
    log = settings.logs_dir / f"bare-{arguments[0]}.log"
    log.unlink(missing_ok=True)
    program = [sys.executable, "-P", "-m", "tools.bench.bare_close", *arguments]
    child = Child(f"bare {arguments[0]}", program, log, env=settings.environment())
    await asyncio.to_thread(child.start)
    try:
        async with asyncio.timeout(_LIMIT_S):
            while child.alive:  # noqa: ASYNC110 - only waiting for a process may block, polling does not
                await asyncio.sleep(0.05)
    finally:
        code = child.exit_code
        await asyncio.to_thread(child.stop)
    lines = log.read_text(encoding="utf-8").splitlines()
    if code != 0:
        raise RuntimeError(f"{' '.join(arguments)} ended with {code}: {' '.join(lines[-3:])}")
    told: dict[str, Any] = json.loads(lines[-1])
    return told


# --- the figures ---------------------------------------------------------------------------------------------------


def ratio_of(closed: Closed) -> Figure:
    """The median of the days of one book; holds only where NumPy and the events agree."""
    ratios = [day.ratio for day in closed.days]
    low, high = interval(ratios)
    middle = median(ratios)
    parts: dict[str, Any] = {
        "loans": closed.loans,
        "ours_s": round(median(day.stored.seconds for day in closed.days), 2),
        "bare_s": round(median(day.pass_s + day.produce_s for day in closed.days), 3),
        "written_s": round(closed.written_s, 1),
        "folded_s": round(closed.folded_s, 1),
        "days": [_day_json(day) for day in closed.days],
        "equal_to_numpy": not closed.differences,
    }
    notes = [f"NumPy DIFFERS: {each}" for each in closed.differences]
    if closed.loans < FULL:
        notes.append(f"{FULL:,} loans did not fit into the time: this is of {closed.loans:,}")
    moved = drift([day.produce_s / day.stored.records for day in closed.days])
    if moved > DRIFT_MAX:
        notes.append(f"the baseline moved by {moved:.0%}: run it again on a quiet machine")
    holds = middle <= RATIO_AIM and not closed.differences
    return Figure("close_ratio", middle, low, high, f"<= {RATIO_AIM:g}", holds, parts, tuple(notes))


def _day_json(day: Day) -> dict[str, Any]:
    stored = day.stored
    return {
        "seconds": round(stored.seconds, 2),
        "ratio": round(day.ratio, 2),
        "pass_s": round(day.pass_s, 3),
        "produce_s": round(day.produce_s, 3),
        "records": stored.records,
        "mib": round(stored.bytes / 2**20, 1),
        "changed": stored.changed,
        "cpu_s": round(day.cpu_s, 2),
        **{name: round(seconds, 2) for name, seconds in stored.phases_s.items()},
        **stored.told,
    }


def growth_of(sizes: list[Closed]) -> Figure:
    """The largest quotient of the cost of a changed loan from one size to the next."""
    costs = {each.loans: each.cpu_ms_per_change for each in sizes}
    quotients = [after / before for before, after in pairwise(costs.values())] or [math.nan]
    parts: dict[str, Any] = {
        "cpu_ms_per_changed_loan": {f"{loans:,}": round(cost, 3) for loans, cost in costs.items()},
        "ms_per_changed_loan": {
            f"{each.loans:,}": round(
                median(1000 * day.stored.seconds / day.stored.changed for day in each.days), 3
            )
            for each in sizes
        },
    }
    notes = () if sizes[-1].loans >= FULL else (f"up to {sizes[-1].loans:,} loans",)
    worst = max(quotients)
    holds = worst <= GROWTH_AIM
    return Figure("close_growth", worst, min(quotients), worst, f"<= {GROWTH_AIM:g}", holds, parts, notes)


def bytes_of(sizes: list[Closed]) -> Figure:
    """Memory of the largest book's decider behind the fold, without what it takes with an empty log, for each loan."""
    last = sizes[-1]
    parts: dict[str, Any] = {
        "loans": last.loans,
        "bytes_per_loan": {f"{each.loans:,}": round(each.bytes_per_loan) for each in sizes},
        "empty_mib": round(last.empty_bytes / 2**20, 1),
        "full_mib": round(last.full_bytes / 2**20, 1),
    }
    value = last.bytes_per_loan
    notes = () if last.loans >= FULL else (f"of {last.loans:,} loans: the caches weigh more in a small book",)
    return Figure("loan_bytes", value, value, value, f"<= {BYTES_AIM:g}", value <= BYTES_AIM, parts, notes)
