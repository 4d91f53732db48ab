"""`loanstream parked retry`: what a policy wanted is asked for once more, after a person has mended what stood in its way.

A refused command is sent again under a new id and without its source, because the decider drops what a policy sent before.
A policy that raised is run again on its event. The new id derives from the old one, so a retry made twice is decided once; a
retry that is refused is parked under its own address, and can be retried in turn.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final, Literal
from uuid import UUID, uuid5

from libs.events.codec import Undecodable, decode, encode, name_of
from libs.events.records import (
    CommandEnvelope,
    RawRecord,
    RecordedEvent,
    StoredEvent,
    parse_decision,
    recorded_events,
)
from libs.events.system import CommandHadNoEffect, CommandRefused
from libs.events.topics import commands_topic, partition_of
from libs.runtime.errors import OperatorError
from libs.runtime.following import Follower
from libs.runtime.kafka import LogWriter, Place, offsets, record_at
from libs.runtime.parked import where
from libs.runtime.policing import envelope_of, group_name, sends_of
from libs.runtime.service import Service
from libs.runtime.settings import Settings
from libs.runtime.unexpected import RETRY_FINGERPRINT, expected_refusals, is_from_policy, unexpected

_RETRY_IDS: Final = UUID("0d0c5a3e-6c7b-5d57-8f0e-1a0c6b0f8f22")
_ANSWER_WITHIN_S: Final = 15.0
_LOOK_EVERY_S: Final = 0.2

Progress = Callable[[int, int, str], None]
Outcome = Literal["decided", "refused", "no_effect", "waiting"]


@dataclass(frozen=True, slots=True)
class Order:
    """A command to send again. `replaces` is the id it had, or would have had, from its policy."""

    envelope: CommandEnvelope
    replaces: str


@dataclass(frozen=True, slots=True)
class Retried:
    """What became of one command. `address` is its decision's; `sent` is False for one that was decided before."""

    command_type: str
    stream: str
    command_id: str
    sent: bool
    address: str
    outcome: Outcome
    code: str | None
    """Why it was refused."""


async def retry(
    settings: Settings, services: Sequence[Service], ref: str, progress: Progress = lambda *_: None
) -> list[Retried]:
    """Send again what is parked at an address `service/partition/position`, with or without an index.

    Raises OperatorError for what may not be retried, with the reason; LogUnavailable.
    """
    place, position = where(settings, ref)
    name, *numbers = ref.split("/")
    index = int(numbers[2]) if len(numbers) == 3 else None
    service = next(each for each in services if each.name == name)
    progress(0, 3, f"reading {name}/{place.partition}")
    decided = await Follower(settings, name, place.partition).decision(position)
    if decided is None:
        raise OperatorError(f"{ref} is not decided: take the address from `loanstream parked list`.")
    parked = parked_event(service, decided, ref, index)
    if parked.type == name_of(CommandRefused):
        raw = await record_at(settings.require_kafka(), place, position)
        orders = [order_of(raw, ref)]
    else:
        progress(1, 3, f"reading {parked.data['event_address']}")
        orders = orders_of_policy(service, parked, await _event_at(settings, parked.data["event_address"]))
    progress(2, 3, "sending")
    done = await send_orders(settings, name, orders)
    progress(3, 3, "done")
    return done


def parked_event(service: Service, decided: RawRecord, ref: str, index: int | None) -> StoredEvent:
    """The parked event of a decision. Raises OperatorError where there is none, and for what a person asked for."""
    from_policy = is_from_policy(decided.headers)
    expected = expected_refusals(service)
    events = parse_decision(decided.value).events
    found = [
        stored
        for number, stored in enumerate(events)
        if index in (None, number) and unexpected(stored, from_policy=from_policy, expected=expected)
    ]
    if not found:
        raise OperatorError(f"Nothing is parked at {ref}: take the address from `loanstream parked list`.")
    if not from_policy:
        raise OperatorError(
            f"{ref} is the command of a person, who was told that it is refused: that is final. He asks again himself, under a "
            "new key; only commands of policies are retried."
        )
    if found[0].type == name_of(CommandRefused) and found[0].data["command_type"] in expected:
        raise OperatorError(
            f"{ref} is a step that its saga has undone: sent again, it would be done without what was given back. "
            "Whoever began it begins again."
        )
    return found[0]


def order_of(raw: RawRecord | None, ref: str) -> Order:
    """A refused command, to be sent again. Raises OperatorError where its bytes are no command."""
    try:
        envelope: CommandEnvelope = decode(CommandEnvelope, raw.value if raw else b"")
    except Undecodable:
        raise OperatorError(
            f"The bytes at {ref} are no command, so there is nothing to send again: see `loanstream parked show {ref}`."
        ) from None
    return order_again(envelope)


def orders_of_policy(service: Service, failed: StoredEvent, event: RecordedEvent) -> list[Order]:
    """What a policy that raised makes of its event now. Raises OperatorError when it raises again."""
    group = failed.data["group"]
    policy = next(
        (run for source, run in service.policies.items() if group_name(service.name, source) == group), None
    )
    if policy is None:
        raise OperatorError(f"{service.name} has no policy group {group} any more: nothing can be run again.")
    try:
        sends = sends_of(policy, event)
    except (MemoryError, RecursionError, OSError):
        raise
    except Exception as error:
        raise OperatorError(
            f"The policy {group} raises {type(error).__name__} again on {event.address}: mend it, then retry."
        ) from error
    return [order_again(envelope_of(group, event, send)) for send in sends]


def order_again(envelope: CommandEnvelope) -> Order:
    """The order to send a policy's command, under a new id and without a source."""
    again = replace(
        envelope,
        command_id=str(uuid5(_RETRY_IDS, envelope.command_id)),
        fingerprint=RETRY_FINGERPRINT,
        source=None,
        stored_below=None,
    )
    return Order(again, envelope.command_id)


async def _event_at(settings: Settings, address: str) -> RecordedEvent:
    service, partition, position, _index = address.split("/")
    raw = await Follower(settings, service, int(partition)).decision(int(position))
    if raw is None:
        raise OperatorError(f"The log does not hold the event {address}: run `loanstream verify {service}`.")
    return event_of(raw, address)


def event_of(raw: RawRecord, address: str) -> RecordedEvent:
    """The event at an address, in its decision's record. Raises OperatorError for one that this release cannot read."""
    service, partition, position, index = address.split("/")
    try:
        events, undecodable = recorded_events(
            raw, service=service, partition=int(partition), position=int(position)
        )
        if (error := undecodable.get(int(index))) is not None:
            raise error
    except Undecodable as error:
        raise OperatorError(
            f"This release cannot read the event {address} ({error}): use a newer one."
        ) from error
    return events[int(index)]


async def send_orders(
    settings: Settings,
    service: str,
    orders: Sequence[Order],
    progress: Progress = lambda *_: None,
    followers: Mapping[int, Follower] | None = None,
) -> list[Retried]:
    """Send commands unless the log has decided them, in their order, and wait for their decisions. `followers` of the service's partitions go
    on from where they are: what they have read has decided none of these."""
    by_partition: dict[int, list[Order]] = {}
    for order in orders:
        by_partition.setdefault(partition_of(order.envelope.stream_id, settings.partitions), []).append(order)
    done: dict[str, Retried] = {}
    for partition, here in by_partition.items():
        follower = followers[partition] if followers else Follower(settings, service, partition)
        progress(len(done), len(orders), f"{service}/{partition}")
        done |= await _sent(settings, follower, here)
    return [done[order.envelope.command_id] for order in orders]


async def _sent(settings: Settings, follower: Follower, orders: Sequence[Order]) -> dict[str, Retried]:
    """What became of each order of one partition, by its command's id."""
    answers = _Answers(follower, orders)
    await answers.read()
    earlier = {**answers.found}
    place = Place(commands_topic(follower.service, settings.topic_prefix), follower.place.partition)
    end = (await offsets(settings.require_kafka(), [place]))[place][1]
    if end < follower.chain.next_position:
        raise OperatorError(
            f"{place.topic}/{place.partition} has lost commands, so nothing may be sent there: run "
            f"`loanstream repair {follower.service}` first."
        )
    sent: dict[str, Retried] = {}
    async with _writing(settings) as writer:
        for order in orders:
            if order.envelope.command_id not in earlier:
                value = encode(CommandEnvelope, order.envelope)
                at = await writer.send(place, key=order.envelope.stream_id.encode(), value=value)
                address = f"{follower.service}/{place.partition}/{at}"
                sent[order.envelope.command_id] = _retried(order, address, "waiting", None, sent=True)
    await answers.all_of(sent)
    told = {name: replace(answer, sent=True) for name, answer in answers.found.items() if name in sent}
    return sent | earlier | told


class _Answers:
    """The first decision on each retry, or on the command that it replaces where that was not refused, as a follower comes by them."""

    def __init__(self, follower: Follower, orders: Sequence[Order]) -> None:
        self.found: dict[str, Retried] = {}
        self._follower = follower
        self._unseen = {order.replaces.encode(): (order, False) for order in orders} | {
            order.envelope.command_id.encode(): (order, True) for order in orders
        }

    async def all_of(self, names: Collection[str]) -> None:
        """Wait until these are decided, as long as some of them are now and then."""
        found, gives_up_at = -1, 0.0
        while not all(name in self.found for name in names):
            if len(self.found) > found:
                found, gives_up_at = len(self.found), time.monotonic() + _ANSWER_WITHIN_S
            elif time.monotonic() > gives_up_at:
                return
            else:
                await asyncio.sleep(_LOOK_EVERY_S)
            await self.read()

    async def read(self) -> None:
        """What has been decided since."""
        async for raw in self._follower.accepted():
            # What comes after the first is a repeat.
            order, is_retry = self._unseen.pop(raw.headers.get("command-id", b""), (None, False))
            if order is None or order.envelope.command_id in self.found:
                continue
            at = f"{self._follower.place.partition}/{self._follower.chain.head.position}"
            outcome, code = _outcome(parse_decision(raw.value).events[0])
            if is_retry or outcome != "refused":
                answer = _retried(order, f"{self._follower.service}/{at}", outcome, code, sent=False)
                self.found[order.envelope.command_id] = answer


def _outcome(first: StoredEvent) -> tuple[Outcome, str | None]:
    if first.type == name_of(CommandRefused):
        return "refused", str(first.data["code"])
    return ("no_effect" if first.type == name_of(CommandHadNoEffect) else "decided"), None


def _retried(order: Order, address: str, outcome: Outcome, code: str | None, *, sent: bool) -> Retried:
    envelope = order.envelope
    return Retried(envelope.type, envelope.stream_id, envelope.command_id, sent, address, outcome, code)


@asynccontextmanager
async def _writing(settings: Settings) -> AsyncIterator[LogWriter]:
    writer = LogWriter(settings.require_kafka(), client_id="loanstream-retry")
    await writer.start()
    try:
        yield writer
    finally:
        await writer.stop()
