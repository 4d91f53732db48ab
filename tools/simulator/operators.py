"""A release with a bug in the answering of some debits, and who mends it: what was parked is sent again days later.

One debit is not decided for some days, of another the answer is not passed on. Only where a plan asks for it (`Plan.answers_late`), so
that no other run changes. What is parked, and what is sent for it, say the platform's own rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Any, Final, Protocol
from zlib import crc32

from libs.events.bidding import InstallmentDebited, InstallmentDebitFailed
from libs.events.chain import ChainReader, Reading, genesis
from libs.events.codec import encode, name_of
from libs.events.records import CommandEnvelope, RawRecord, RecordedEvent, parse_decision
from libs.events.system import CommandRefused
from libs.events.topics import partition_of
from libs.runtime.retrying import Order, event_of, order_of, orders_of_policy, parked_event
from libs.runtime.service import Policy, Service
from libs.runtime.unexpected import expected_refusals, is_from_policy, unexpected
from services.bidding.commands import DebitInstallment
from tools.simulator.log import Fate, Log, Place, Sent, Tail
from tools.simulator.people import PATIENCE_STEPS
from tools.simulator.plan import Plan

#: The bug in deciding is mended after so many days; none that begins in the last days of a plan is known.
_MENDED_AFTER: Final = timedelta(days=4)
_LAST_DAYS: Final = 6
_CLOSED: Final = "repayment.BusinessDayClosed.v1"


class Broken(Exception):
    """What the release with the bug raises."""


def _is_met(debit_id: str, kind: int) -> bool:
    """Of five debits one meets each bug: the same ones whoever decides, and however often."""
    return crc32(debit_id.encode()) % 5 == kind


def with_a_bug(service: Service, plan: Plan) -> Service:
    """The service as it runs where a plan asks for late answers."""
    if not plan.answers_late:
        return service
    last = plan.first_date + timedelta(days=plan.days - _LAST_DAYS)
    if service.name == "bidding":
        aggregates = tuple(
            replace(each, decide=_undecided(each.decide, last)) if DebitInstallment in each.commands else each
            for each in service.aggregates
        )
        return replace(service, aggregates=aggregates)
    if service.name == "repayment":
        policies = {**service.policies, "bidding": _untold(service.policies["bidding"], last)}
        return replace(service, policies=policies)
    return service


def _undecided(real: Any, last: date) -> Any:
    def decide(command: Any, state: Any, context: Any) -> Any:
        if isinstance(command, DebitInstallment) and _is_met(command.debit_id, 0):
            asked_on = command.value_date
            if asked_on <= last and context.business_date < asked_on + _MENDED_AFTER:
                raise Broken
        return real(command, state, context)

    return decide


def _untold(real: Policy, last: date) -> Policy:
    def policy(event: RecordedEvent) -> Any:
        data = event.data
        is_answer = isinstance(data, InstallmentDebited | InstallmentDebitFailed)
        if is_answer and data.value_date <= last and _is_met(data.debit_id, 1):
            raise Broken
        return real(event)

    return policy


class Platform(Protocol):
    """What an operator works on."""

    log: Log
    readers: dict[Place, list[int]]
    actors: list[Any]


@dataclass(slots=True)
class _Parked:
    service: Service
    place: Place
    position: int
    raw: RawRecord
    until: date


@dataclass(slots=True)
class _Sending:
    place: Place
    key: bytes
    value: bytes
    sent: Sent | None = None
    waited: int = 0

    @property
    def is_stored(self) -> bool:
        """The log has it."""
        return self.sent is not None and self.sent.fate is Fate.STORED

    @property
    def is_doubtful(self) -> bool:
        """The log refused it, or says nothing."""
        return self.waited > PATIENCE_STEPS or (self.sent is not None and self.sent.fate is Fate.FAILED)


class Operator:
    """Reads what is decided, and sends what is parked again when he comes to it; at closing time, at once."""

    name = "operator"

    def __init__(self, world: Platform, sound: Sequence[Service], chance: Random, log_id: str) -> None:
        self._world, self._chance = world, chance
        self._slot = len(world.actors)
        self._sender = world.log.sender(self._slot)
        self._sending: list[_Sending] = []
        self._parked: list[_Parked] = []
        self._today = date.min
        self._services = {service.name: service for service in sound}
        self._tails = {
            place: (ChainReader(genesis(log_id, *place)), Tail(world.log, place, 0))
            for place in world.readers
            if place.topic.endswith(".events")
        }
        self._decided: dict[Place, list[RawRecord]] = {place: [] for place in self._tails}
        for place in self._tails:
            world.readers[place].append(self._slot)

    @property
    def is_quiet(self) -> bool:
        """All is read, nothing is parked, and what was sent is stored."""
        stored = all(each.is_stored for each in self._sending)
        return stored and not self._parked and all(tail.at_end for _, tail in self._tails.values())

    def step(self, rng: Random) -> bool:
        """Read on, or send one again."""
        moved = False
        for place, (chain, tail) in self._tails.items():
            for raw in tail.fetch(rng):
                moved = True
                if chain.read(raw) is Reading.ACCEPTED:
                    self._decided[place].append(raw)
                    self._note(place, chain.head.position, raw)
        moved = self._send_again() or moved
        is_last = self._world.actors[-1].closing_time
        due = next((each for each in self._parked if is_last or each.until <= self._today), None)
        if due is None:
            return moved
        self._parked.remove(due)
        for order in self._orders(due):
            place = Place(
                f"{due.service.name}.commands", partition_of(order.envelope.stream_id, self._partitions)
            )
            value = encode(CommandEnvelope, order.envelope)
            self._send(_Sending(place, order.envelope.stream_id.encode(), value))
        return True

    def _send(self, sending: "_Sending") -> None:
        """For the first time or again: its id is the same, so it is decided once."""
        sending.waited = 0
        sending.sent = self._sender.post(sending.place, key=sending.key, value=sending.value, headers={})
        self._sending.append(sending)

    def _send_again(self) -> bool:
        """What was not taken, or has no answer for too long."""
        under_way = [each for each in self._sending if not each.is_stored]
        for each in under_way:
            each.waited += 1
        doubtful = [each for each in under_way if each.is_doubtful]
        self._sending = [each for each in under_way if not each.is_doubtful]
        if doubtful:
            self._sender.die()
            self._sender = self._world.log.sender(self._slot)
        for each in doubtful:
            self._send(each)
        return bool(doubtful)

    @property
    def _partitions(self) -> int:
        return len({place.partition for place in self._tails})

    def _note(self, place: Place, position: int, raw: RawRecord) -> None:
        service = self._services[place.topic.removesuffix(".events")]
        from_policy, expected = is_from_policy(raw.headers), expected_refusals(service)
        for stored in parse_decision(raw.value).events:
            if stored.type == _CLOSED:
                self._today = date.fromisoformat(stored.data["next_date"])
            if from_policy and unexpected(stored, from_policy=True, expected=expected):
                waits = timedelta(days=self._chance.choice((1, 3, 6, 12, 25)))
                self._parked.append(_Parked(service, place, position, raw, self._today + waits))

    def _orders(self, parked: _Parked) -> list[Order]:
        ref = f"{parked.service.name}/{parked.place.partition}/{parked.position}"
        found = parked_event(parked.service, parked.raw, ref, None)
        if found.type == name_of(CommandRefused):
            place = Place(f"{parked.service.name}.commands", parked.place.partition)
            return [order_of(self._world.log.record_at(place, parked.position), ref)]
        return orders_of_policy(parked.service, found, self._event_at(found.data["event_address"]))

    def _event_at(self, address: str) -> RecordedEvent:
        service, partition, position, _index = address.split("/")
        return event_of(self._decided[Place(f"{service}.events", int(partition))][int(position)], address)
