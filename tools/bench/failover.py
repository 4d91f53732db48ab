"""`failover_seconds`: how long nobody decides. The active decider is killed (-9) under light load, again and again; from the
kill until the log holds the heir's first decision, in each partition that the killed one decided: a customer has one partition,
and the luckiest of four says nothing to him. Both times are of this machine's clock.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from deploy.local.processes import Child
from deploy.local.stack import ProcessPlan, Stack, answers
from libs.events.chain import Reading
from libs.runtime.settings import Settings
from tools.bench.arithmetic import interval
from tools.bench.http_client import HttpClient
from tools.bench.lab import Figure, Lab
from tools.bench.machine import SUPPORT_CORE, TESTED_CORE, pin
from tools.bench.people import Customer, all_decided, customers, money_request, open_calendar, openings, say
from tools.load.open_loop import open_loop, quantile
from tools.load.roles import REPLICAS, production, write_table
from tools.load.watch import Watch, now_ms, watching

AIM_S: Final = 0.5
RATE_PER_S: Final = 40.0
KILLS: Final = 50
_SETTLE_S: Final = 0.5
_HEIR_LIMIT_S: Final = 15.0
_READY_LIMIT_S: Final = 60.0


def plans() -> tuple[ProcessPlan, ...]:
    """Production's processes of bidding without the policies' standby and the views, and the calendar's decider."""
    wanted = {"bidding", "bidding-policy-r0", *(f"bidding-decider-{replica}" for replica in REPLICAS)}
    chosen = [plan for plan in production(("bidding",)) if plan.name in wanted]
    return (*chosen, ProcessPlan("repayment", "repayment", "decider,policy", REPLICAS[0]))


@dataclass(slots=True)
class Kill:
    """What one kill did, in seconds: until the heir's first decision, and until each partition had its first."""

    first_s: float
    partitions_s: list[float]
    ready_s: float
    """Until the killed one stood by again."""


async def measure(lab: Lab) -> Figure:
    """Kill, wait for the heir in every partition, start the victim again, wait until it stands by; and so on."""
    settings = lab.settings("failover")
    write_table(settings)
    people = customers(settings, 200)
    kills: list[Kill] = []
    with lab.stack(settings, plans()) as stack:
        await open_calendar(stack.settings)
        await say(stack.settings, "bidding", openings(people))
        await all_decided(stack.settings, "bidding")
        pin((stack.child("repayment").pid,), SUPPORT_CORE)
        async with watching(stack.settings) as watch, loaded(stack.settings, people) as load:
            wanted = lab.pick(KILLS, 2)
            while len(kills) < wanted and (not kills or lab.left_s > 0):
                kills.append(await _kill(stack, watch))
                if len(kills) % 10 == 0 or len(kills) == wanted:
                    lab.say(f"kill {len(kills)} of {wanted}: {kills[-1].first_s:.3f} s")
        await all_decided(stack.settings, "bidding")
    return figure_of(kills, wanted, watch, load)


async def _kill(stack: Stack, watch: Watch) -> Kill:
    """Kill whoever decides, under load. Raises TimeoutError when nobody decides, or nobody takes over."""
    began_ms, everywhere = now_ms(), set(range(stack.settings.partitions))
    await _until(lambda: watch.owners(began_ms).keys() == everywhere, watch)
    await asyncio.sleep(_SETTLE_S)
    # On a machine that stands still for moments a standby may have taken over a part; then the one with more is killed.
    owners = watch.owners(began_ms)
    active, heir = sorted(REPLICAS, key=lambda replica: list(owners.values()).count(replica), reverse=True)
    orphans = {partition for partition, owner in owners.items() if owner == active}
    victim = stack.child(f"bidding-decider-{active}")
    killed_ms = now_ms()
    await asyncio.to_thread(victim.kill)
    await _until(lambda: watch.first_by(heir, killed_ms).keys() >= orphans, watch)
    firsts = watch.first_by(heir, killed_ms)
    began = time.monotonic()
    await asyncio.to_thread(_start_again, victim, stack.settings.api_ports[victim.name])
    return Kill(
        first_s=(min(firsts[partition] for partition in orphans) - killed_ms) / 1000,
        partitions_s=[(firsts[partition] - killed_ms) / 1000 for partition in orphans],
        ready_s=time.monotonic() - began,
    )


def _start_again(victim: Child, port: int) -> None:
    victim.start()
    victim.wait_until(lambda: answers(port, "/readyz"), _READY_LIMIT_S)
    pin((victim.pid,), TESTED_CORE)


async def _until(met: Callable[[], bool], watch: Watch) -> None:
    async with asyncio.timeout(_HEIR_LIMIT_S):
        while not met():
            watch.grew.clear()
            await watch.grew.wait()


@dataclass(slots=True)
class Load:
    """What the customers met meanwhile: outcome and seconds of each request."""

    answered: list[tuple[str, float]] = field(default_factory=list)


@asynccontextmanager
async def loaded(settings: Settings, people: Sequence[Customer]) -> AsyncIterator[Load]:
    """Open-loop top-up requests of many customers, inside this block."""
    load, numbers = Load(), count()

    async def send(_number: int) -> str:
        number, began = next(numbers), time.monotonic()
        request = money_request(people[number % len(people)], "top-ups", f"load-{number}")
        try:
            outcome = str((await client.ask(request)).status)
        except (OSError, TimeoutError) as error:
            outcome = type(error).__name__
        load.answered.append((outcome, time.monotonic() - began))
        return outcome

    async with HttpClient(settings.api_ports["bidding"]) as client:
        asking = asyncio.create_task(open_loop(send, rate_per_s=RATE_PER_S, seconds=3600))
        try:
            yield load
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)


def figure_of(kills: Sequence[Kill], wanted: int, watch: Watch, load: Load) -> Figure:
    """The figure of all partitions of all kills; the luckiest partition of each stands beside it."""
    firsts = [kill.first_s for kill in kills]
    partitions = [each for kill in kills for each in kill.partitions_s]
    worst = quantile(partitions, 0.99)
    parts: dict[str, Any] = {
        "kills": len(kills),
        "rate_per_s": RATE_PER_S,
        "p50_s": round(quantile(partitions, 0.5), 3),
        "p99_s": round(worst, 3),
        "luckiest_partition_p50_s": round(quantile(firsts, 0.5), 3),
        "luckiest_partition_p99_s": round(quantile(firsts, 0.99), 3),
        "restart_to_standby_p50_s": round(quantile([kill.ready_s for kill in kills], 0.5), 2),
        "answers": dict(Counter(outcome for outcome, _ in load.answered)),
        "longest_answer_s": round(max((seconds for _, seconds in load.answered), default=0.0), 3),
        "foreign_records": watch.readings[Reading.FOREIGN],
    }
    notes = [] if len(kills) == wanted else [f"{len(kills)} of {wanted} kills fitted into the time"]
    low, high = interval(partitions)
    middle = quantile(partitions, 0.5)
    return Figure("failover_seconds", middle, low, high, f"p99 < {AIM_S}", worst < AIM_S, parts, tuple(notes))
