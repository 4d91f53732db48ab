"""`command_ratio`: what our tax is. Commands a second through the whole path over requests a second of a bare service.

The command is a top-up request of a customer's own account: token, key, shape, decision and answer, and no saga behind it.
Ours runs as `loanstream up` runs it, API, decider and policies in one process; that process and the bare service are each
alone on the tested core, because the one that rests is moved to the other core.
"""

import asyncio
import gc
import math
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from itertools import count
from statistics import median
from typing import Any, Final, TypeVar

from deploy.local.ports import choose
from deploy.local.stack import ProcessPlan
from tools.bench.arithmetic import DRIFT_MAX, drift, interval, turns
from tools.bench.http_client import HttpClient, post
from tools.bench.lab import Figure, Lab, make_bare_topic, trial_json
from tools.bench.machine import SUPPORT_CORE, TESTED_CORE, cpu_seconds, pin
from tools.bench.people import Customer, all_decided, customers, money_request, open_calendar, openings, say
from tools.bench.rate import NothingSustained, Trial, sustained, trial_of
from tools.load.open_loop import Overrun, open_loop

CAP_S: Final = 0.050
PLANS: Final = (
    ProcessPlan("bidding", "bidding", "api,decider,policy"),
    ProcessPlan("repayment", "repayment", "decider,policy"),
)
AIM: Final = 0.5
#: A rate at which neither side waits for itself.
LIGHT_PER_S: Final = 50.0
#: More of a core than this, and the generator may be what is measured.
GENERATOR_MAX: Final = 0.7
#: Of a full run's time, what is kept for the trials beside the figure.
_BESIDE_S: Final = 50

T = TypeVar("T")


class Target:
    """One side: its process, the client of its port, and the requests that it is sent."""

    def __init__(self, port: int, pid: int, request: Callable[[int], bytes], expected: int) -> None:
        self.pid = pid
        self._client = HttpClient(port)
        self._request = request
        self._expected = expected
        self._numbers = count()
        self.start_per_s = 300.0
        self._step = 1.3

    async def trial(self, rate_per_s: float, seconds: float) -> Trial:
        """One open-loop run, with what it cost."""
        gc.collect()
        used, mine, began = cpu_seconds([self.pid]), time.process_time(), time.monotonic()
        try:
            samples = await open_loop(self._send, rate_per_s=rate_per_s, seconds=seconds)
        except* Overrun:
            samples = []
        took = time.monotonic() - began
        trial = trial_of(
            rate_per_s,
            samples,
            seconds=took,
            cpu_s=cpu_seconds([self.pid]) - used,
            generator_cpu_s=time.process_time() - mine,
        )
        if not trial.sustains(CAP_S, "well"):
            await asyncio.sleep(1.0)  # what it left behind is no part of the next one
        return trial

    async def _send(self, _number: int) -> str:
        try:
            answer = await self._client.ask(self._request(next(self._numbers)))
        except (OSError, TimeoutError) as error:
            return type(error).__name__
        return "well" if answer.status == self._expected else str(answer.status)

    async def search(self, seconds: float, tries: int) -> Trial:
        """The highest sustained rate, looked for around the one of before. Raises NothingSustained."""

        async def run(rate_per_s: float) -> Trial:
            return await self.trial(rate_per_s, seconds)

        found = await sustained(
            run, start_per_s=self.start_per_s, cap_s=CAP_S, outcome="well", step=self._step, tries=tries
        )
        self.start_per_s, self._step = found.rate_per_s * 0.95, 1.15
        return found

    async def close(self) -> None:
        """Close its connections."""
        await self._client.__aexit__()


def top_ups(people: list[Customer], run: str) -> Callable[[int], bytes]:
    """Request n: the next customer's, under a key that nobody has used."""
    return lambda number: money_request(people[number % len(people)], "top-ups", f"{run}-{number}")


def bare_requests(accounts: int) -> Callable[[int], bytes]:
    """The same bodies for the bare service, which asks for no token and no key."""
    headers = {"Content-Type": "application/json"}
    return lambda number: post(f"/accounts/acc_b{number % accounts}/top-ups", headers, b'{"amount_fen":100}')


async def measure(lab: Lab) -> Figure:
    """The figure, its two rates with latencies and CPU, and the same through the gateway."""
    settings = lab.settings("command")
    people = customers(settings, lab.pick(4_000, 100))
    with lab.stack(settings, PLANS) as stack:
        lab.say(f"opening {len(people):,} accounts")
        await open_calendar(stack.settings)
        await say(stack.settings, "bidding", openings(people))
        await all_decided(stack.settings, "bidding")
        topic = await make_bare_topic(stack.settings)
        (port,) = choose(["bare"], settings.data_dir / "bare.json").values()
        ours = stack.child("bidding").pid
        pin((stack.child("repayment").pid,), SUPPORT_CORE)
        async with lab.bare(stack.settings, "api", port, topic) as bare:
            sides = {
                "ours": Target(stack.settings.api_ports["bidding"], ours, top_ups(people, "direct"), 201),
                "bare": Target(port, bare.pid, bare_requests(len(people)), 201),
            }
            found = await _compare(lab, sides)
            edge = Target(_port_of(stack.settings.gateway), ours, top_ups(people, "edge"), 201)
            edge.start_per_s = sides["ours"].start_per_s
            light = await _light_trials(sides, lab)
            through = await in_time(lab.left_s, _alone(sides | {"edge": edge}, "edge", _search(lab)))
            for side in (*sides.values(), edge):
                await side.close()
    return figure_of(found, light, through)


async def _light_trials(sides: dict[str, Target], lab: Lab) -> dict[str, Trial | None]:
    return {name: await in_time(lab.left_s, _alone(sides, name, _light(lab))) for name in sides}


async def in_time(left_s: float, work: Coroutine[Any, Any, T]) -> T | None:
    """What is told beside a figure that stands already: None where no time is left for it, or nothing is sustained."""
    try:
        async with asyncio.timeout(max(0.0, left_s)):
            return await work
    except (TimeoutError, NothingSustained):
        return None


def _port_of(url: str | None) -> int:
    assert url is not None, "a stack that runs has a gateway"
    return int(url.rsplit(":", 1)[1])


def _light(lab: Lab) -> Callable[[Target], Awaitable[Trial]]:
    return lambda side: side.trial(LIGHT_PER_S, lab.pick(5, 2))


def _search(lab: Lab) -> Callable[[Target], Awaitable[Trial]]:
    return lambda side: side.search(lab.pick(3, 1), lab.pick(2, 1))


async def _compare(lab: Lab, sides: dict[str, Target]) -> dict[str, list[Trial]]:
    """Search both sides' sustained rates in turns. Raises NothingSustained."""
    found: dict[str, list[Trial]] = {name: [] for name in sides}
    for side in sides:  # warm: connections, caches of tokens, compiled shapes
        await _alone(sides, side, _light(lab))
    repeats = lab.pick(5, 1)
    for number, order in enumerate(turns(repeats), 1):
        left_s = lab.left_s - lab.pick(_BESIDE_S, 0)
        pair = await _pair(sides, order, lab, left_s if number > 1 else math.inf)
        if pair is None:
            break
        for side in order:
            found[side].append(pair[side])
        rates = " against ".join(f"{found[side][-1].rate_per_s:,.0f}" for side in ("ours", "bare"))
        lab.say(f"command {number} of {repeats}: {rates} a second")
    return found


async def _pair(
    sides: dict[str, Target], order: tuple[str, ...], lab: Lab, left_s: float
) -> dict[str, Trial] | None:
    """One search of each side; None where the time ended before the second one did: half a repeat says nothing."""
    try:
        async with asyncio.timeout(None if left_s == math.inf else max(0.0, left_s)):
            return {side: await _alone(sides, side, _search(lab)) for side in order}
    except TimeoutError:
        return None


async def _alone(sides: dict[str, Target], name: str, work: Callable[[Target], Awaitable[Trial]]) -> Trial:
    """Let one side work with the tested core to itself."""
    tested = sides[name].pid
    pin({side.pid for side in sides.values()} - {tested}, SUPPORT_CORE)
    pin((tested,), TESTED_CORE)
    return await work(sides[name])


def figure_of(found: dict[str, list[Trial]], light: Mapping[str, Trial | None], edge: Trial | None) -> Figure:
    """The figure of both sides' sustained trials, and what stands beside it."""
    ratios = [
        ours.rate_per_s / bare.rate_per_s for ours, bare in zip(found["ours"], found["bare"], strict=True)
    ]
    moved = drift([trial.rate_per_s for trial in found["bare"]])
    # Of what counts: at a rate that nobody sustains the generator is busy with what is lost.
    share = max(trial.generator_cpu_s / trial.seconds for trials in found.values() for trial in trials)
    notes = []
    if moved > DRIFT_MAX:
        notes.append(f"the baseline moved by {moved:.0%}: run it again on a quiet machine")
    if share > GENERATOR_MAX:
        notes.append(f"the generator took {share:.0%} of its core: it may be what was measured")
    parts: dict[str, Any] = {"p99_cap_ms": CAP_S * 1000, "repeats": len(ratios)}
    for side, trials in found.items():
        parts[f"{side}_per_s"] = round(median(trial.rate_per_s for trial in trials), 1)
        parts[f"{side}_cpu_s_per_1000"] = round(median(trial.cpu_s_per_1000 for trial in trials), 3)
        parts[f"{side}_sustained"] = [trial_json(trial) for trial in trials]
        parts[f"{side}_at_{LIGHT_PER_S:.0f}_per_s"] = _beside(light.get(side))
    parts["through_the_gateway"] = _beside(edge)
    low, high = interval(ratios)
    middle = median(ratios)
    return Figure("command_ratio", middle, low, high, f">= {AIM}", middle >= AIM, parts, tuple(notes))


def _beside(trial: Trial | None) -> dict[str, Any] | None:
    return None if trial is None else trial_json(trial)
