"""The wall clock of one machine is wrong, or is set while its processes run: five minutes, an hour, a day.

Nobody decides by a wall clock: the business date comes from the log and time-outs are monotonic. So a decider's clock must
change nothing at all. An API's clock does: it judges tokens and the bank's signatures by it, and stamps `at` on commands.
What is refused or accepted then is exactly what the wrong clock says, and is told here as it is.
"""

import asyncio
import http.client
import time
from dataclasses import dataclass
from typing import Final

from pydantic_core import to_json

from libs.events.records import parse_decision
from libs.events.topics import commands_topic, events_topic
from libs.runtime.auth import CUSTOMER_SCOPES, issue_token
from libs.runtime.bank_signature import TOLERANCE_S, signed_headers
from libs.runtime.kafka import Place, offsets, read_range, record_at
from tools.faults import clock
from tools.faults.clock import JUMP_SEEN_S
from tools.faults.lines import DECIDER, LINED, LINES
from tools.faults.scenario import Fault, Injected
from tools.faults.scene import Scene

OFFSETS_S: Final = (300, -300, 86_400, -3_600)
_BETWEEN: Final = 40
_API: Final = "bidding"
_DECIDERS: Final = (DECIDER, "repayment-r0")
#: What a business day leaves behind; without a close of the day none of them may come.
_OF_A_DAY: Final = (
    "system.BusinessDateSet.v1",
    "system.PhaseDone.v1",
    "system.TickProgressed.v1",
    "repayment.InstallmentDue.v1",
    "repayment.PaymentMissed.v1",
    "repayment.PenaltyCharged.v1",
)
_HOUR_S: Final = 3_600


async def jump_deciders(scene: Scene) -> Injected:
    """The deciders' clocks jump, one offset after the other, under load."""
    if reason := clock.why_not():
        return Injected(0, not_run=reason)
    done = Injected(0)
    mark, asked, unready = scene.log.ends(), 0, 0
    date = await _business_date(scene)
    for offset_s in OFFSETS_S if not scene.quick else OFFSETS_S[2:]:
        _jump(_DECIDERS, offset_s)
        over_s = time.monotonic() + JUMP_SEEN_S + 2
        while time.monotonic() < over_s:
            asked += 1
            unready += (
                await asyncio.to_thread(_status, scene.settings.api_ports[DECIDER], "/readyz", {}) != 200
            )
            await asyncio.sleep(0.1)
        await scene.progress(_BETWEEN)
        done.times += 1
    _jump(_DECIDERS, 0)
    await asyncio.sleep(JUMP_SEEN_S + 0.5)
    await scene.progress(_BETWEEN)
    of_a_day = [each for each in scene.log.since(mark) if any(e["type"] in _OF_A_DAY for e in each.events)]
    done.figures |= {
        "wrong-day accruals": len(of_a_day),
        "business date changed": int(await _business_date(scene) != date),
        "decider called itself not ready %": round(100 * unready / max(1, asked)),
    }
    if of_a_day or await _business_date(scene) != date:
        done.broken.append(f"a clock moved the business day: {[each.kind for each in of_a_day[:3]]}")
    return done


@dataclass(slots=True)
class _Seen:
    """What the API made of credentials that were judged by a wrong clock."""

    valid_refused: int = 0
    expired_accepted: int = 0
    early_accepted: int = 0
    bank_refused: int = 0
    bank_replayed: int = 0


async def jump_api(scene: Scene) -> Injected:
    """The API's clock jumps; tokens and call-backs of the true time are shown to it."""
    if reason := clock.why_not():
        return Injected(0, not_run=reason)
    done = Injected(0)
    date = await _business_date(scene)
    port = scene.settings.api_ports[_API]
    for offset_s in (0, *OFFSETS_S):
        _jump((_API,), offset_s)
        await scene.until(lambda: _has_jumped(scene, port, offset_s), 30, blocking=True)  # noqa: B023 - asked in this turn only
        seen = _Seen()
        await asyncio.to_thread(_tokens, scene, port, offset_s, seen, done)
        await asyncio.to_thread(_call_backs, scene, port, offset_s, seen, done)
        await _command_keeps_its_date(scene, port, offset_s, done)
        done.times += offset_s != 0
        told = [name.replace("_", " ") for name in _Seen.__slots__ if getattr(seen, name)]
        done.notes.append(
            f"API's clock {offset_s:+d} s: {', '.join(told) or 'everything as by the true clock'}"
        )
        done.figures["expired tokens accepted"] = (
            int(done.figures.get("expired tokens accepted", 0)) + seen.expired_accepted
        )
        done.figures["valid tokens refused"] = (
            int(done.figures.get("valid tokens refused", 0)) + seen.valid_refused
        )
    _jump((_API,), 0)
    await scene.until(lambda: _has_jumped(scene, port, 0), 30, blocking=True)
    if await _business_date(scene) != date:
        done.broken.append("the API's clock moved the business date")
    return done


def _jump(names: tuple[str, ...], offset_s: int) -> None:
    for name in names:
        LINES.clocks[name].jump(offset_s)


async def _business_date(scene: Scene) -> str:
    """The one on which each partition of bidding decided last; several, joined, where they differ."""
    bootstrap, topic = scene.settings.require_kafka(), events_topic("bidding")
    places = [Place(topic, number) for number in range(scene.settings.partitions)]
    last = [
        await record_at(bootstrap, place, end - 1)
        for place, (_, end) in (await offsets(bootstrap, places)).items()
    ]
    return ", ".join(
        sorted({str(parse_decision(raw.value).business_date) for raw in last if raw is not None})
    )


def _has_jumped(scene: Scene, port: int, offset_s: int) -> bool:
    """Whether the API accepts a token that is good for a minute around its new time."""
    begins = time.time() + offset_s - 30
    token = issue_token(scene.settings, f"usr_probe{int(begins)}", CUSTOMER_SCOPES, 60, now=begins)
    return _status(port, "/bidding/listings", {"Authorization": f"Bearer {token}"}) == 200


def _tokens(scene: Scene, port: int, offset_s: int, seen: _Seen, done: Injected) -> None:
    """A token of now, one that ended a minute ago, one that begins in half an hour; each for somebody else, so that none is known."""
    now = time.time()
    cases = (("valid", now - 1, _HOUR_S), ("expired", now - 1_860, 1_800), ("early", now + 1_800, _HOUR_S))
    for name, begins, ttl_s in cases:
        subject = f"usr_{name}{abs(offset_s)}{'b' if offset_s < 0 else 'a'}"
        token = issue_token(scene.settings, subject, CUSTOMER_SCOPES, ttl_s, now=begins)
        status = _status(port, "/bidding/listings", {"Authorization": f"Bearer {token}"})
        accepted = status != 401
        by_its_clock = int(begins) <= now + offset_s < int(begins) + ttl_s
        if accepted != by_its_clock and abs(now + offset_s - begins - ttl_s) > 10:
            done.broken.append(f"at {offset_s:+d} s a token that is {name} was answered {status}")
        if name == "valid":
            seen.valid_refused += not accepted
        elif name == "expired":
            seen.expired_accepted += accepted
        else:
            seen.early_accepted += accepted


def _call_backs(scene: Scene, port: int, offset_s: int, seen: _Seen, done: Injected) -> None:
    """The bank's call of now, and one of an hour ago that somebody kept. The request does not exist: 401 is the signature's."""
    path = "/bidding/bank/top-ups/acc_clock/top_clock"
    body = to_json({"bank_reference": "B-clock", "amount_fen": 1, "succeeded": False})
    for age_s in (0, _HOUR_S):
        headers = signed_headers(scene.settings.bank_key(), path, body, now=time.time() - age_s)
        status = _status(port, path, {**headers, "Content-Type": "application/json"}, body)
        accepted = status not in (401, 403)
        distance_s = abs(offset_s + age_s)
        if accepted != (distance_s <= TOLERANCE_S) and abs(distance_s - TOLERANCE_S) > 5:
            done.broken.append(f"at {offset_s:+d} s a call-back {age_s} s old was answered {status}")
        if age_s == 0:
            seen.bank_refused += not accepted
        else:
            seen.bank_replayed += accepted


async def _command_keeps_its_date(scene: Scene, port: int, offset_s: int, done: Injected) -> None:
    """An account opened under the wrong clock, with a token of that clock, is decided on the business date of the log."""
    wish = scene.crowd.opening(scene.crowd.newcomer())  # asked again when the clock is right, for its answer
    token = issue_token(scene.settings, wish.who, CUSTOMER_SCOPES, _HOUR_S, now=time.time() + offset_s - 60)
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(wish.key), "Content-Type": "application/json"}  # fmt: skip
    date = await _business_date(scene)
    status = await asyncio.to_thread(_status, port, wish.path, headers, wish.body)
    account = wish.account
    found = [
        each.at
        for number in range(scene.log.partitions)
        for each in scene.log.decided("bidding", number)
        if each.events[0]["data"].get("account_id") == account
    ]
    if status >= 400 or not found:
        done.notes.append(f"an account at {offset_s:+d} s was answered {status}")
        return
    place = Place(events_topic("bidding"), found[0].partition)
    async for records in read_range(scene.settings.require_kafka(), place, 0):
        for raw in records:
            if raw.headers.get("position") == str(found[0].position).encode():
                decided = parse_decision(raw.value)
                if str(decided.business_date) != date:
                    done.broken.append(
                        f"{commands_topic('bidding')} at {offset_s:+d} s: decided on {decided.business_date}, not on {date}"
                    )


def _status(port: int, path: str, headers: dict[str, str], body: bytes | None = None) -> int:
    """The status that a process answers with; 599 when it does not."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=6)
    try:
        connection.request("GET" if body is None else "POST", path, body, headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 599
    finally:
        connection.close()


FAULTS = (
    Fault(
        "clock-decider",
        "A decider's clock that jumps changes nothing: the business date comes from the log, time-outs are monotonic.",
        jump_deciders,
        kind=LINED,
    ),
    Fault(
        "clock-api",
        "An API's wrong clock judges tokens and call-backs wrongly by just so much, and never moves a business date.",
        jump_api,
        kind=LINED,
        rate_per_s=0.0,
    ),
)
