"""Records that nobody of ours would write, written raw into the log by somebody who can reach the broker.

Into `bidding.commands`: what is no JSON, of an unknown type, of a later schema, too large, or holds numbers beyond int64; each
must be refused `malformed` where it stands, parked, and hold up nobody. Into `bidding.events`: records that no decider
sealed; readers must skip them as foreign. What is larger than a topic takes is refused by the client before it is sent.
"""

import asyncio
import time
from collections.abc import Iterator
from itertools import count
from uuid import UUID

from pydantic_core import to_json

from libs.events.topics import TOPIC_MESSAGE_BYTES_MAX, commands_topic, events_topic, partition_of
from libs.runtime.kafka import LogWriter, Place, RecordTooLarge, stored_offset
from libs.runtime.parked import list_parked
from libs.runtime.service import load_services
from tools.faults.log_copy import At
from tools.faults.scenario import Fault, Injected
from tools.faults.scene import Scene

_BETWEEN = 40
_INT64_MAX = 2**63 - 1
_AT = "2024-01-15T10:00:00Z"
#: Longer than a decision takes on a busy machine; a partition that a record held up is silent for longer.
_BLOCKED_S = 3.0


def poisoned(stream: str, number: int) -> Iterator[tuple[str, bytes]]:
    """(what it is, the bytes) of every kind of bad command, addressed to one stream."""

    ids = count(number * 1_000)

    def command(kind: str, data: object, **more: object) -> bytes:
        plain = {
            "command_id": str(UUID(int=next(ids), version=4)),
            "type": kind,
            "stream_id": stream,
            "data": data,
            "at": _AT,
            "principal": "usr_poison",
            "correlation_id": "poison",
            "fingerprint": "f-poison",
        }
        return to_json({**plain, **more})

    top_up = {"top_up_id": "top_poison", "amount_fen": 1}
    yield "empty", b""
    yield "no JSON", b'{"command_id": "x", '
    yield "no UTF-8", b'{"command_id": "\xff\xfe"}'
    yield "nested too deep", b"[" * 100_000
    yield "no envelope", b'{"hello": "world"}'
    yield "not a number", command("bidding.RequestTopUp", top_up).replace(b":1}", b":NaN}")
    yield "unknown type", command("bidding.TeleportMoney", {})
    yield "a type of another service", command("repayment.OpenCalendar", {"business_date": "2030-01-01"})
    yield "a later schema: a field more", command("bidding.RequestTopUp", {**top_up, "channel": "alipay"})
    yield "a later schema: a field renamed", command("bidding.RequestTopUp", {"top_up": "t", "amount_fen": 1})
    yield "beyond int64", command("bidding.RequestTopUp", {**top_up, "amount_fen": _INT64_MAX + 1})
    yield "200 digits", command("bidding.RequestTopUp", {**top_up, "amount_fen": 10**200})
    yield "a fraction", command("bidding.RequestTopUp", {**top_up, "amount_fen": 1.5})
    yield "larger than a command may be", command("bidding.RequestTopUp", {**top_up, "note": "x" * 5_000_000})
    yield (
        "a stream of another partition",
        command("bidding.RequestTopUp", top_up, stream_id=stream + "-elsewhere"),
    )


def foreign(position: int) -> Iterator[tuple[str, dict[str, bytes], bytes]]:
    """(what it is, headers, value) of decisions that no decider sealed; `position` is one that may be next."""
    value = b'{"events":[{"type":"bidding.FundsDeposited.v1","stream":"acc_x","sequence":1,"data":{}}]}'
    sealed = {"prev": bytes(32), "hash": bytes(32), "by": b"r0", "rules": b"1", "command": bytes(32)}
    yield "no headers", {}, value
    yield "no JSON", {}, b"\x00\xff"
    yield "a wrong link", {**sealed, "position": str(position).encode()}, value
    yield "a position that is none", {**sealed, "position": b"next"}, value
    yield "a position before the first", {**sealed, "position": b"-1"}, value


async def inject(scene: Scene) -> Injected:
    """Write all of it, in every partition, while people go on."""
    done = Injected(0)
    places: list[At] = []
    skipped, forged = len(scene.log.foreign) + len(scene.log.repeats), 0
    longest_s = 0.0
    writer = LogWriter(scene.settings.require_kafka(), client_id="faults-poison")
    await writer.start()
    try:
        for round_ in range(scene.times(1, 2)):
            await scene.progress(_BETWEEN)
            began_ms = int(time.time() * 1000)
            places.extend(await _commands(scene, writer, round_, done))
            written = await _events(scene, writer)
            done.times += written
            forged += written
            await scene.follower.until(lambda: all(scene.log.find(at) is not None for at in places), 60)
            await scene.progress(_BETWEEN)
            longest_s = max(longest_s, _longest_wait_s(scene, began_ms, places))
        refused_by_client = await _too_large(scene, writer)
    finally:
        await writer.stop()
    _judge(scene, places, done)
    parked = await _parked(scene, places)
    done.figures |= {
        "refused malformed": len(places) - len(done.broken),
        "parked": parked,
        "forged decisions": forged,
        "of them skipped": len(scene.log.foreign) + len(scene.log.repeats) - skipped,
        "refused for their size, never stored": refused_by_client,
        "longest wait of others s": round(longest_s, 2),
    }
    if int(done.figures["of them skipped"]) < forged:
        done.broken.append(f"{done.figures['of them skipped']} of {forged} forged decisions were skipped")
    if parked != len(places):
        done.broken.append(f"{parked} of {len(places)} poisoned commands are parked")
    if longest_s > _BLOCKED_S:
        done.broken.append(f"a command of somebody else waited {longest_s:.1f} s")
    return done


async def _commands(scene: Scene, writer: LogWriter, round_: int, done: Injected) -> list[At]:
    topic, partitions = commands_topic("bidding"), scene.settings.partitions
    places: list[At] = []
    for partition in range(partitions):
        stream = _stream_in(partition, partitions)
        for kind, value in poisoned(stream, round_ * partitions + partition):
            at = Place(topic, partition)
            if kind == "a stream of another partition":
                at = Place(topic, (partition_of(stream + "-elsewhere", partitions) + 1) % partitions)
            offset = await stored_offset(await writer.post(at, key=stream.encode(), value=value), 10)
            places.append(At("bidding", at.partition, offset))
            done.times += 1
    return places


async def _events(scene: Scene, writer: LogWriter) -> int:
    written = 0
    for partition in range(scene.settings.partitions):
        place = Place(events_topic("bidding"), partition)
        position = len(scene.log.decided("bidding", partition))
        for _, headers, value in foreign(position):
            await stored_offset(await writer.post(place, key=None, value=value, headers=headers), 10)
            written += 1
    return written


async def _too_large(scene: Scene, writer: LogWriter) -> int:
    """Ten megabytes per partition: none may be stored."""
    refused = 0
    for partition in range(scene.settings.partitions):
        value = bytes(TOPIC_MESSAGE_BYTES_MAX + 2 * 1024 * 1024)
        try:
            future = await writer.post(
                Place(commands_topic("bidding"), partition), key=b"acc_big", value=value
            )
            await stored_offset(future, 10)
        except RecordTooLarge:
            refused += 1
    return refused


def _stream_in(partition: int, partitions: int) -> str:
    return next(
        name
        for name in (f"acc_poison{number}" for number in range(1_000))
        if partition_of(name, partitions) == partition
    )


def _judge(scene: Scene, places: list[At], done: Injected) -> None:
    for at in places:
        decided = scene.log.find(at)
        events = decided.events if decided is not None else []
        code = events[0]["data"].get("code") if events else None
        if code != "malformed":
            done.broken.append(f"the poisoned command at {at} was decided {code or events}")


def _longest_wait_s(scene: Scene, began_ms: int, places: list[At]) -> float:
    """How long anybody else's command waited for its decision meanwhile."""
    poisonous = set(places)
    waits = [
        each.stored_ms - scene.log.command_ms(each.at)
        for number in range(scene.log.partitions)
        for each in scene.log.decided("bidding", number)
        if each.stored_ms >= began_ms and each.at not in poisonous
    ]
    return max(waits, default=0) / 1000


async def _parked(scene: Scene, places: list[At]) -> int:
    """How many of them `loanstream parked list` shows, once the view has caught up."""
    services = list(load_services(scene.settings.profile).values())
    wanted = {f"{at.service}/{at.partition}/{at.position}/0" for at in places}
    over_s = time.monotonic() + 20
    while True:
        shown = {entry.ref for entry in await list_parked(scene.settings, services)} & wanted
        if shown == wanted or time.monotonic() > over_s:
            return len(shown)
        await asyncio.sleep(0.2)


FAULTS = (
    Fault(
        "poison",
        "A record that cannot be read is refused where it stands and parked, foreign records are skipped, and nobody waits for it.",
        inject,
        quick=True,
    ),
)
