"""`rebuild_ratio`: how fast a view is had again. Records a second of a rebuild of the investors' balances, MongoDB included,
over those of a bare reader that decodes the same topic; the bare reader is the faster one of two clients.

The topic is the real thing: lives of investors (money in, holds, captures, monthly shares), decided by the real decider.
"""

import asyncio
import json
import sys
import time
from statistics import median
from typing import Any, Final

from deploy.local.processes import Child
from deploy.local.stack import ProcessPlan
from libs.events.topics import events_topic
from libs.runtime.building import Builder
from libs.runtime.mongo import Database
from libs.runtime.projecting import Projection
from libs.runtime.rebuild import RebuildReport, rebuild
from libs.runtime.service import load_services
from libs.runtime.settings import Settings, load_settings
from libs.runtime.system_views import all_views
from services.bidding.commands import CaptureHold, CreditInvestor, PlaceBid
from tools.bench.arithmetic import DRIFT_MAX, drift, interval, turns
from tools.bench.baselines import FirstRecord
from tools.bench.lab import Figure, Lab, bare_command
from tools.bench.machine import TESTED_CORE, aside, cpu_seconds, pin
from tools.bench.people import Customer, Said, all_decided, deposits, openings, say

PLANS: Final = (ProcessPlan("bidding", "bidding", "decider"),)
VIEW: Final = "bidding.balances"
AIM: Final = 0.35
CLIENTS: Final = ("librdkafka", "aiokafka")
_BIDS: Final = 2
_SHARES: Final = 18
_PASS_LIMIT_S: Final = 120.0


def life(one: Customer) -> list[Said]:
    """What an investor does and what comes back to him: 3 + 2 * 2 + 18 * 2 commands in the order of his stream."""
    said: list[Said] = [*openings([one]), *deposits([one], 10_000_000)]
    for number in range(_BIDS):
        hold, loan = f"hold_{one.account}-{number}", f"loan_{number}"
        bid = PlaceBid(
            bid_id=f"bid_{one.account}-{number}",
            hold_id=hold,
            listing_id=f"lst_{number}",
            amount_fen=100_000,
        )
        said += [
            (one.account, bid, f"bid-{hold}", one.user),
            (one.account, CaptureHold(hold_id=hold, loan_id=loan), f"capture-{hold}", ""),
        ]
        for month in range(_SHARES):
            share = CreditInvestor(
                loan_id=loan,
                claim_id=f"claim_{one.account}-{number}",
                distribution_id=f"dist_{number}-{month}",
                principal_fen=8_000,
                interest_fen=1_000,
                fee_fen=100,
            )
            said.append((one.account, share, f"credit-{hold}-{month}", ""))
    return said


async def measure(lab: Lab) -> Figure:
    """The figure, both clients' speeds, the decider's own, and whether the view rebuilt twice is the same."""
    settings = lab.settings("rebuild", partitions=4)
    people = [Customer(f"usr_b{each}", f"acc_b{each}", "") for each in range(lab.pick(2_000, 20))]
    said = [command for one in people for command in life(one)]
    with lab.stack(settings, PLANS) as stack:
        lab.say(f"having {len(said):,} commands decided")
        decider = [stack.child("bidding").pid]
        used, began = cpu_seconds(decider), time.monotonic()
        await say(stack.settings, "bidding", said)
        records = await all_decided(stack.settings, "bidding")
        took, cpu = time.monotonic() - began, cpu_seconds(decider) - used
        deciding = {
            "decisions_per_s": round(records / took, 1),
            "decisions_cpu_s_per_1000": round(1000 * cpu / records, 3),
        }
    with aside():
        return await _compare(lab, stack.settings, deciding)


async def _compare(lab: Lab, settings: Settings, deciding: dict[str, float]) -> Figure:
    topic = events_topic("bidding", settings.topic_prefix)
    passes = {
        client: [await _pass(settings, bare_command(client, topic), client) for _ in range(lab.pick(3, 1))]
        for client in CLIENTS
    }
    clients = {client: min(runs, key=lambda told: float(told["seconds"])) for client, runs in passes.items()}
    faster = min(clients, key=lambda client: clients[client]["seconds"])
    programs = {"ours": _our_command(), "bare": bare_command(faster, topic)}
    found: dict[str, list[dict[str, Any]]] = {"ours": [], "bare": []}
    await _pass(
        settings, programs["ours"], "ours"
    )  # warm: the broker's page cache and the collection's first index
    repeats = lab.pick(5, 1)
    for number, order in enumerate(turns(repeats), 1):
        if number > 1 and lab.left_s < 0:
            break
        for side in order:
            found[side].append(await _pass(settings, programs[side], side))
        speeds = " against ".join(f"{_speed(found[side][-1]):,.0f}" for side in ("ours", "bare"))
        lab.say(f"rebuild {number} of {repeats}: {speeds} records a second")
    equal = await _is_equal(settings)
    return _figure(found, clients, faster, deciding | {"rebuilt_twice_equal": equal})


def _our_command() -> list[str]:
    return [sys.executable, "-P", "-m", "tools.bench.rebuild"]


async def _pass(settings: Settings, program: list[str], name: str) -> dict[str, Any]:
    """One pass over the topic by a process of its own on the tested core; what it says of itself."""
    log = settings.logs_dir / f"pass-{name}.log"
    child = Child(name, program, log, env=settings.environment())
    await asyncio.to_thread(child.start)
    pin((child.pid,), TESTED_CORE)  # long before librdkafka begins its threads
    try:
        async with asyncio.timeout(_PASS_LIMIT_S):
            while child.alive:  # noqa: ASYNC110 - only waiting for a process may block, polling does not
                await asyncio.sleep(0.05)
    finally:
        code = child.exit_code
        await asyncio.to_thread(child.stop)
    lines = log.read_text(encoding="utf-8").splitlines()
    if code != 0:
        raise RuntimeError(f"{name} ended with {code}: {' '.join(lines[-3:])}")
    told: dict[str, Any] = json.loads(lines[-1])
    return told


def _speed(told: dict[str, Any]) -> float:
    return float(told["records"]) / float(told["seconds"])


async def _is_equal(settings: Settings) -> bool:
    """Build the view twice by the command that people use; the second says whether the first was the same."""
    services = list(load_services(settings.profile).values())

    async def once(verify: bool) -> RebuildReport:
        return await rebuild(settings, services, VIEW, verify, lambda *_: None)

    await once(False)
    return (await once(True)).equal is True


def _figure(
    found: dict[str, list[dict[str, Any]]],
    clients: dict[str, dict[str, Any]],
    faster: str,
    more: dict[str, Any],
) -> Figure:
    speeds = {side: [_speed(told) for told in runs] for side, runs in found.items()}
    ratios = [ours / bare for ours, bare in zip(speeds["ours"], speeds["bare"], strict=True)]
    parts: dict[str, Any] = {
        "records": found["ours"][0]["records"],
        "events_in_view": found["ours"][0]["events"],
        "repeats": len(ratios),
        "client": faster,
    }
    for side, runs in found.items():
        parts[f"{side}_per_s"] = round(median(speeds[side]))
        parts[f"{side}_cpu_s_per_1000"] = round(
            median(1000 * told["cpu_s"] / told["records"] for told in runs), 4
        )
    parts |= {f"{client}_best_per_s": round(_speed(told)) for client, told in clients.items()}
    parts |= more
    notes = [] if more["rebuilt_twice_equal"] else ["the view rebuilt twice DIFFERED"]
    moved = drift(speeds["bare"])
    if moved > DRIFT_MAX:
        notes.append(f"the baseline moved by {moved:.0%}: run it again on a quiet machine")
    low, high = interval(ratios)
    middle = median(ratios)
    holds = middle >= AIM and more["rebuilt_twice_equal"]
    return Figure("rebuild_ratio", middle, low, high, f">= {AIM}", holds, parts, tuple(notes))


async def build_once(settings: Settings) -> dict[str, Any]:
    """One rebuild up to the joined generation, thrown away afterwards; in the process that this module is.

    Clocked as the bare readers are: from its first records on, so that neither side's connecting counts.
    """
    services = load_services(settings.profile)
    (projection,) = [each for each in map(Projection, all_views(services["bidding"])) if each.name == VIEW]
    database = Database.connect(settings)
    clock = FirstRecord()
    try:
        done = await Builder(settings, database).build([projection], lambda *_: clock.came())
        clock.stop()
        seconds, cpu_s = clock.told()
        told = {
            "records": done.records,
            "events": done.builds[0].events,
            "seconds": seconds,
            "cpu_s": cpu_s,
        }
        await database.retire(done.builds[0].generation)
        await database.drop(done.builds[0].generation)
    finally:
        await database.close()
    return told


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(build_once(load_settings()))) + "\n")
