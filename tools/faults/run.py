"""Runs faults one after the other on one stack per kind: load, injection, every answer, rest, judgement."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import fields
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx

from deploy.local.lock import empty
from deploy.local.parts import Parts
from deploy.local.stack import Stack
from libs.runtime.errors import OperatorError
from libs.runtime.identity import ensure_identity
from libs.runtime.kafka import LogUnavailable
from libs.runtime.rebuild import rebuild_views
from libs.runtime.service import load_services
from libs.runtime.settings import Settings, load_settings
from libs.runtime.verify import verify
from tools.faults.caller import Caller, NotShown
from tools.faults.history import STAFF, History, Kind, Told, Wish
from tools.faults.liveness import answered_after_s, too_late
from tools.faults.log_follower import LogFollower, following
from tools.faults.people import Crowd, answer_waiting, settle
from tools.faults.report import NOT_HERE, TIME_OVER, Report, Row, line
from tools.faults.scenario import Fault, Injected, StackKind
from tools.faults.scene import Scene, now_ms, supervised
from tools.faults.verdict import Counts, compare, compare_view
from tools.load.open_loop import open_loop
from tools.load.roles import write_table

Say = Callable[[str], None]

FIRST_DAY: Final = "2024-01-15"
#: After this a run begins no further fault (minutes).
LIMIT_MIN, QUICK_LIMIT_MIN = 30.0, 6.0
_LISTINGS: Final = 4
#: Answered requests that are asked once more at the end of each fault, beside those that were unknown.
_AGAIN: Final = 60
#: What a standby should need for its first decision. An aim and no violation: a busy machine takes longer.
FAIL_OVER_AIM_S: Final = 0.5
#: Answers that callers must have had before anything is broken.
_BEFORE: Final = 20
_SAID_MAX: Final = 8
_SETTLE_LIMIT_S: Final = 60.0
_REST_LIMIT_S: Final = 90.0


def run_faults(
    data_dir: Path, faults: Sequence[Fault], *, quick: bool, seed: int, minutes: float, say: Say
) -> Report:
    """Run these faults on stacks of their own under `data_dir`, which is emptied; a stack that does not start is a violation."""
    report = Report(seed=seed, quick=quick)
    began_s = time.monotonic()
    over_s = began_s + 60 * minutes
    by_kind: dict[str, list[Fault]] = {}
    for fault in faults:
        by_kind.setdefault(fault.kind.name, []).append(fault)
    for group in by_kind.values():
        if time.monotonic() > over_s:
            report.not_run |= {fault.name: TIME_OVER for fault in group}
            continue
        try:
            asyncio.run(_on_one_stack(data_dir / group[0].kind.name, group, report, over_s, say))
        except (OperatorError, TimeoutError, LogUnavailable) as error:
            failed = f"the stack gave up: {type(error).__name__} {error}"
            report.stacks.append({"kind": group[0].kind.name, "good": False, "violations": [failed]})
            done = {row.name for row in report.rows} | set(report.not_run)
            report.not_run |= {fault.name: failed for fault in group if fault.name not in done}
    report.seconds = time.monotonic() - began_s
    return report


async def _on_one_stack(
    directory: Path, faults: list[Fault], report: Report, over_s: float, say: Say
) -> None:
    kind = faults[0].kind
    say(f"starting {len(kind.processes)} processes, Kafka and MongoDB ({kind.name})")
    began_s = time.monotonic()
    async with (
        running(directory, kind) as (stack, parts),
        following(stack.settings) as follower,
        Caller(stack.settings) as caller,
    ):
        await _open_calendar(caller, follower)
        started_s = time.monotonic() - began_s
        for number, fault in enumerate(faults):
            if time.monotonic() > over_s:
                report.not_run[fault.name] = TIME_OVER
                continue
            history = History()
            random = Random(f"{report.seed} {fault.name}")
            crowd = Crowd(f"f{len(report.rows)}x{number}", caller, history, random)
            scene = Scene(stack, parts, follower, history, caller, crowd, random, report.quick)
            row, not_run = await _one(fault, scene)
            if not_run and row.good:  # what broke although nothing was injected is a row all the same
                report.not_run[fault.name] = NOT_HERE + not_run
                say(f"{fault.name}: not run, {NOT_HERE}{not_run}")
                continue
            report.rows.append(row)
            say(line(row))
            for sentence in row.violations[:_SAID_MAX]:
                say(f"    {sentence}")
        say("proving the log, and building every view anew to compare")
        proof = await _prove(kind, stack.settings)
        report.stacks.append(proof | {"start_s": round(started_s, 1)})


@asynccontextmanager
async def running(directory: Path, kind: StackKind) -> AsyncIterator[tuple[Stack, Parts]]:
    """A fresh stack of one kind. Raises OperatorError, with nothing left running."""
    empty(directory)
    # Named here, so that neither a broker of the environment nor a prefix reaches it: it is going to be broken.
    own: dict[str, Any] = {
        "kafka": None,
        "mongo": None,
        "topic_prefix": "",
        "parts": "local",
        "gateway_port": 0,
    }
    settings = ensure_identity(load_settings(directory, use_run_file=False, **{**own, **kind.overrides}))
    write_table(settings)
    parts = kind.parts(settings)
    try:
        await asyncio.to_thread(parts.start)
        stack = Stack(settings, processes=kind.processes, command=kind.command, parts=parts)
        try:
            await asyncio.to_thread(stack.start)
            yield stack, parts
        finally:
            await asyncio.to_thread(stack.stop)
    finally:
        await asyncio.to_thread(parts.stop)


async def _open_calendar(caller: Caller, follower: LogFollower) -> None:
    """Every partition of bidding has its business date. Raises TimeoutError."""
    body = f'{{"business_date":"{FIRST_DAY}"}}'.encode()
    wish = Wish(Kind.LIST, STAFF, "/repayment/calendar", body, "", key="calendar")
    async with asyncio.timeout(60):
        while wish.told is Told.UNKNOWN:
            await caller.ask(wish)
    log = follower.copy

    def dated() -> bool:
        return all(
            any(each.kind == "system.BusinessDateSet.v1" for each in log.decided("bidding", number))
            for number in range(log.partitions)
        )

    await follower.until(dated, 60)


async def _one(fault: Fault, scene: Scene) -> tuple[Row, str]:
    """Inject one fault under load, let everybody be answered, and judge; gives why it could not be injected, too."""
    row = Row(fault.name, fault.promise, limit_s=fault.answered_within_s, limit_reason=fault.why_longer)
    began_s, began_ms, mark = time.monotonic(), now_ms(), scene.log.ends()
    older = len(scene.follower.violations)
    async with supervised(scene):
        injected, ended_s = await _inject_under_load(fault, scene)
        row.violations += await _come_to_rest(scene, _left_over)
        row.caught_up_after_s = round(time.monotonic() - ended_s, 2)
        await settle(scene.crowd, scene.history, limit_s=_SETTLE_LIMIT_S, again=_AGAIN)
        asked_s = time.monotonic()
        row.violations += await _come_to_rest(scene, _unrest)
        row.at_rest_after_s = round(time.monotonic() - asked_s, 2)
    row.answered_after_s = answered_after_s(scene.history, ended_s)
    _measure(fault, row, scene, injected, began_ms, mark)
    row.violations += injected.broken + scene.follower.violations[older:] + too_late(fault, row)
    findings = compare(scene.history, scene.log, mark)
    row.violations += findings.sentences
    for count in fields(Counts):
        setattr(row, count.name, getattr(findings, count.name))
    row.seconds = round(time.monotonic() - began_s, 1)
    return row, injected.not_run


async def _inject_under_load(fault: Fault, scene: Scene) -> tuple[Injected, float]:
    """People at work, and the injector among them, within its limit. Whatever it raises is a violation.

    Gives the moment at which the injector had ended, too; from then on nobody new comes, and who waits asks again.
    """
    stop, load = asyncio.Event(), None
    injected = Injected(0)
    try:
        async with asyncio.timeout(fault.limit_s):
            if fault.rate_per_s:
                await scene.crowd.open_listings(_LISTINGS)
                seconds = fault.limit_s + 120
                load = asyncio.create_task(
                    open_loop(scene.crowd.send, rate_per_s=fault.rate_per_s, seconds=seconds, stop=stop)
                )
                await scene.until(lambda: len(scene.history.told(Told.OK)) >= _BEFORE)
            injected = await fault.inject(scene)
    except Exception as error:  # noqa: BLE001 - whatever it was, the other faults are still to be tried
        injected.broken.append(f"the injector gave up: {type(error).__name__} {error}")
    ended_s = time.monotonic()
    stop.set()
    healing = asyncio.create_task(scene.heal())
    await answer_waiting(scene.crowd, scene.history, limit_s=_SETTLE_LIMIT_S)
    if load is not None:
        await load
    await answer_waiting(scene.crowd, scene.history, limit_s=_SETTLE_LIMIT_S)
    try:
        await healing
    except TimeoutError:
        injected.broken.append("not every process came back")
    return injected, ended_s


async def _come_to_rest(scene: Scene, ask: Callable[[Scene], Awaitable[str]]) -> list[str]:
    """Wait until nothing is on its way any more; gives what never came to rest."""
    still = "the log was never read to its end"
    try:
        async with asyncio.timeout(_REST_LIMIT_S):
            while still:
                still = await ask(scene)
                await asyncio.sleep(0.1 if still else 0)
    except TimeoutError:
        return [still]
    return []


async def _left_over(scene: Scene) -> str:
    """What is read, decided or shown too little, in words; empty when nothing lags behind."""
    try:
        if behind := await scene.follower.behind():
            return f"{behind} records were never read"
        if waiting := scene.log.undecided():
            return f"{waiting} commands were never decided"
        shown = await _accounts(scene.caller)
    except (LogUnavailable, NotShown, httpx.HTTPError) as error:
        return f"the platform does not answer: {error}"
    differing = compare_view(scene.history, scene.log, shown)
    return differing[0] if differing else ""


async def _unrest(scene: Scene) -> str:
    """What is not at rest, in words: what lags behind, or a saga that has not ended."""
    wrong = scene.log.at_rest()
    return await _left_over(scene) or (wrong[0] if wrong else "")


async def _accounts(caller: Caller) -> list[dict[str, Any]]:
    """All accounts, page by page, as an analyst sees them."""
    found: list[dict[str, Any]] = []
    query: dict[str, str | int] = {"limit": 200}
    while True:
        page = await caller.read("/bidding/accounts", query=query)
        found += page["items"]
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


def _measure(
    fault: Fault,
    row: Row,
    scene: Scene,
    injected: Injected,
    began_ms: int,
    mark: dict[tuple[str, int], int],
) -> None:
    decisions = scene.log.since(mark)
    row.injected, row.notes = injected.times, injected.notes
    row.figures, row.take_over_ms = injected.figures, injected.take_over_ms
    row.decisions = len(decisions)
    row.waited_ms = [float(each.stored_ms - scene.log.command_ms(each.at)) for each in decisions]
    row.repeats = sum(at_ms >= began_ms for at_ms in scene.log.repeats)
    row.foreign = sum(at_ms >= began_ms for at_ms in scene.log.foreign)
    late = sum(each_ms > 1000 * FAIL_OVER_AIM_S for each_ms in injected.take_over_ms)
    if fault.fail_over and late:
        row.notes.append(f"{late} of {len(injected.take_over_ms)} took longer than {FAIL_OVER_AIM_S} s")
    row.ended_by_themselves = scene.restarts.total()


async def _prove(kind: StackKind, settings: Settings) -> dict[str, Any]:
    """The platform's own proof of its log, and every view against the same events folded anew."""
    began_s = time.monotonic()
    proof = await verify(settings, None)
    violations = [*proof.faults, *(fault for part in proof.partitions for fault in part.faults)]
    if undecided := proof.total("undecided"):
        violations.append(f"{undecided} commands are undecided")
    services = list(load_services(settings.profile).values())
    views = await rebuild_views(settings, services, (), True, lambda *_: None)
    violations += [f"the view {each.view} differs from its events" for each in views if each.equal is False]
    return {
        "kind": kind.name,
        "good": not violations,
        "commands": proof.total("commands"),
        "decisions": proof.total("decisions"),
        "events": proof.total("events"),
        "repeats": proof.total("repeats"),
        "foreign": proof.total("foreign"),
        "views_equal": sum(each.equal is True for each in views),
        "views_not_compared": sum(each.equal is None for each in views),
        "seconds": round(time.monotonic() - began_s, 1),
        "violations": violations,
    }
