"""`visibility_ratio`: from asking to seeing. A withdrawal request until the account's balance shows it, over a bare record
until a bare consumer's upsert shows it. Both are seen by the same eye, a change stream of MongoDB, and both are asked for at
the same light rate: this is about what a person feels, not about how much goes through.
"""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

from deploy.local.ports import choose
from deploy.local.stack import ProcessPlan
from libs.events.topics import partition_of
from libs.runtime.kafka import LogWriter, Place, stored_offset
from libs.runtime.mongo import Database
from libs.runtime.settings import Settings
from tools.bench.arithmetic import DRIFT_MAX, drift, interval, turns
from tools.bench.baselines import BARE_COLLECTION
from tools.bench.http_client import HttpClient
from tools.bench.lab import Figure, Lab, make_bare_topic
from tools.bench.machine import SUPPORT_CORE, TESTED_CORE, cpu_seconds, pin
from tools.bench.people import (
    Customer,
    all_decided,
    customers,
    deposits,
    money_request,
    open_calendar,
    openings,
    say,
)
from tools.load.open_loop import open_loop, quantile

PLANS: Final = (
    ProcessPlan("bidding", "bidding", "api,decider,policy"),
    ProcessPlan("repayment", "repayment", "decider,policy"),
    ProcessPlan("views", "all", "projector"),
)
VIEW: Final = "bidding.balances"
AIM: Final = 2.0
RATE_PER_S: Final = 50.0
#: What is not seen by then was not seen.
_SEEN_WITHIN_S: Final = 5.0

#: What a changed document shows: who it is about, and up to which number.
Shows = Callable[[str, Mapping[str, Any]], tuple[str, int] | None]


@dataclass(slots=True)
class Eye:
    """Everything that a change stream has shown: per document the moments at which a number was reached."""

    seen: defaultdict[str, list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))

    def first(self, doc: str, number: int) -> float | None:
        """When a document first showed this number, or a later one."""
        return min((at for reached, at in self.seen.get(doc, ()) if reached >= number), default=None)


@asynccontextmanager
async def watching(database: Database, collection: str, shows: Shows) -> AsyncIterator[Eye]:
    """Look at a collection's changes from here on."""
    eye = Eye()
    async with database.watch(collection, {}, None) as stream:

        async def look() -> None:
            while True:
                change = await stream.next()
                if change is not None and change.document is not None:
                    shown = shows(change.doc, change.document)
                    if shown is not None:
                        eye.seen[shown[0]].append((shown[1], time.monotonic()))

        looking = asyncio.create_task(look())
        try:
            yield eye
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)


def balance_shows(doc: str, document: Mapping[str, Any]) -> tuple[str, int] | None:
    """An account's balance names the last event of its own stream: `bidding/partition/position/index`."""
    address = document.get("src", {}).get(doc)
    return None if address is None else (doc, int(str(address).split("/")[2]))


def bare_shows(doc: str, document: Mapping[str, Any]) -> tuple[str, int] | None:
    """The bare view's document holds the record's number."""
    return doc, int(document["number"])


@dataclass(slots=True)
class Asked:
    """What was asked for in one run: per request the document, the number that shows it, and when it was due."""

    due: list[tuple[str, int, float]] = field(default_factory=list)
    failed: int = 0


class Ours:
    """Withdrawal requests of customers with money, through the API."""

    def __init__(self, port: int, people: list[Customer]) -> None:
        self._client = HttpClient(port)
        self._people = people
        self._number = 0

    async def ask(self) -> tuple[str, int] | None:
        """The account, and the position that its balance will show; None when it was not taken."""
        self._number += 1
        who = self._people[self._number % len(self._people)]
        answer = await self._client.ask(money_request(who, "withdrawals", f"wdr-{self._number}", 1))
        position = answer.header("Loanstream-Position")
        if answer.status != 201 or position is None:
            return None
        return who.account, int(position.rpartition("=")[2])

    async def close(self) -> None:
        """Close the connections."""
        await self._client.__aexit__()


class Bare:
    """Records of as many documents, produced at once."""

    def __init__(self, writer: LogWriter, topic: str, partitions: int, documents: int) -> None:
        self._writer = writer
        self._topic = topic
        self._partitions = partitions
        self._documents = documents
        self._number = 0

    async def ask(self) -> tuple[str, int] | None:
        """The document, and the number that it will show."""
        self._number += 1
        doc, number = f"acc_b{self._number % self._documents}", self._number
        place = Place(self._topic, partition_of(doc, self._partitions))
        value = json.dumps({"id": doc, "number": number, "amount_fen": 1}).encode()
        await stored_offset(await self._writer.post(place, key=doc.encode(), value=value))
        return doc, number


async def latencies(side: Ours | Bare, eye: Eye, seconds: float) -> tuple[list[float], int]:
    """Seconds from due to seen of an open-loop run, and how many were refused or never seen."""
    asked: dict[int, tuple[str, int]] = {}

    async def send(number: int) -> str:
        found = await side.ask()
        if found is None:
            return "refused"
        asked[number] = found
        return "well"

    samples = await open_loop(send, rate_per_s=RATE_PER_S, seconds=seconds)
    limit = time.monotonic() + _SEEN_WITHIN_S
    while time.monotonic() < limit and any(eye.first(*each) is None for each in asked.values()):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    found: list[float] = []
    for number, sample in enumerate(samples):
        seen = eye.first(*asked[number]) if number in asked else None
        if seen is not None:
            found.append(seen - sample.due_s)
    return found, len(samples) - len(found)


async def measure(lab: Lab) -> Figure:
    """The figure at the default settings of the views, with the quantiles of both sides."""
    settings = lab.settings("visibility")
    people = customers(settings, lab.pick(500, 50))
    with lab.stack(settings, PLANS) as stack:
        lab.say(f"opening {len(people):,} accounts with money in them")
        await open_calendar(stack.settings)
        await say(stack.settings, "bidding", [*openings(people), *deposits(people, 1_000_000)])
        await all_decided(stack.settings, "bidding")
        pin((stack.child("repayment").pid,), SUPPORT_CORE)
        tested = [stack.child("bidding").pid, stack.child("views").pid]
        return await _beside(lab, stack.settings, people, tested)


async def _beside(lab: Lab, settings: Settings, people: list[Customer], tested: list[int]) -> Figure:
    topic = await make_bare_topic(settings)
    (port,) = choose(["bare"], settings.data_dir / "bare.json").values()
    database = Database.connect(settings)
    writer = LogWriter(settings.require_kafka(), client_id="bench-bare")
    await writer.start()
    pointer = await database.pointer(VIEW)
    assert pointer is not None, "the projector is ready"
    ours = Ours(settings.api_ports["bidding"], people)
    bare = Bare(writer, topic, settings.partitions, len(people))
    try:
        async with (
            lab.bare(settings, "view", port, topic) as child,
            watching(database, pointer.collection, balance_shows) as our_eye,
            watching(database, BARE_COLLECTION, bare_shows) as bare_eye,
        ):
            return await _compare(
                lab,
                {"ours": (ours, our_eye, tested), "bare": (bare, bare_eye, [child.pid])},
            )
    finally:
        await ours.close()
        await writer.stop()
        await database.close()


async def _compare(lab: Lab, sides: Mapping[str, tuple[Ours | Bare, Eye, list[int]]]) -> Figure:
    found: dict[str, list[list[float]]] = {name: [] for name in sides}
    cpu: dict[str, list[float]] = {name: [] for name in sides}
    missed = 0
    for side, eye, _ in sides.values():
        await latencies(side, eye, 1)  # warm
    repeats = lab.pick(5, 1)
    for number, order in enumerate(turns(repeats), 1):
        if number > 1 and lab.left_s < 0:
            break
        for name in order:
            side, eye, pids = sides[name]
            others = [pid for other, (_, _, theirs) in sides.items() if other != name for pid in theirs]
            pin(others, SUPPORT_CORE)
            pin(pids, TESTED_CORE)
            used = cpu_seconds(pids)
            waits, lost = await latencies(side, eye, lab.pick(6, 2))
            cpu[name].append(1000 * (cpu_seconds(pids) - used) / max(1, len(waits)))
            found[name].append(waits or [float("inf")])
            missed += lost
        lab.say(
            f"visibility {number} of {repeats}: " + " against ".join(_p99(found[name][-1]) for name in sides)
        )
    return _figure(found, cpu, missed)


def _p99(waits: list[float]) -> str:
    return f"{1000 * quantile(waits, 0.99):.1f} ms"


def _figure(found: Mapping[str, list[list[float]]], cpu: Mapping[str, list[float]], missed: int) -> Figure:
    p99 = {name: [quantile(waits, 0.99) for waits in runs] for name, runs in found.items()}
    ratios = [ours / bare for ours, bare in zip(p99["ours"], p99["bare"], strict=True)]
    parts: dict[str, Any] = {"rate_per_s": RATE_PER_S, "repeats": len(ratios), "never_seen": missed}
    for name, runs in found.items():
        everything = [wait for waits in runs for wait in waits]
        for share, word in ((0.5, "p50"), (0.99, "p99"), (0.999, "p999")):
            parts[f"{name}_{word}_ms"] = round(1000 * quantile(everything, share), 2)
        parts[f"{name}_cpu_s_per_1000"] = round(median(cpu[name]), 3)
    notes = [f"{missed} requests were refused or never seen"] if missed else []
    moved = drift(p99["bare"])
    if moved > DRIFT_MAX:
        notes.append(f"the baseline moved by {moved:.0%}: run it again on a quiet machine")
    low, high = interval(ratios)
    middle = median(ratios)
    holds = middle <= AIM and not missed
    return Figure("visibility_ratio", middle, low, high, f"<= {AIM:g}", holds, parts, tuple(notes))
