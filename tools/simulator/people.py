"""What people see of the platform and how they ask it: every request is sent again until the log has answered it.

`Api` is the simulation's `libs.runtime.http`: it appends commands and reads the answers from the tails of `S.events`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any
from uuid import UUID, uuid5

from pydantic_core import from_json, to_json

from libs.events.chain import ChainReader, Reading, genesis
from libs.events.codec import encode, name_of
from libs.events.records import CommandEnvelope
from libs.events.topics import partition_of
from tools.simulator.log import Fate, Log, Place, Sent, Tail

_IDS = UUID("5e0c7b1e-3b06-5d0c-9c64-8a1f6f3d1d11")
_EPOCH = datetime(2024, 1, 1, 8, tzinfo=UTC)
#: Steps of the API after which an unanswered request is sent again.
PATIENCE_STEPS = 40
#: So often a request is sent at this patience; then the pause doubles with each sending, so many times at most. A decider that
#: dies again and again while all that it has not answered is sent again catches up with nobody.
SENT_PATIENTLY = 3
DOUBLED_MAX = 5


@dataclass(slots=True)
class Call:
    """One request of a person, from its first sending to its answer."""

    command_id: str
    fingerprint: str
    type: str
    stream: str
    place: Place
    data: Any
    principal: str
    answers: list[bytes] = field(default_factory=list)
    sent: Sent | None = None
    waited: int = 0
    sendings: int = 0

    @property
    def patience_steps(self) -> int:
        """Steps of the API that it waits for an answer."""
        return PATIENCE_STEPS << min(max(0, self.sendings - SENT_PATIENTLY), DOUBLED_MAX)

    @property
    def answered(self) -> bool:
        """Whether the log has answered it."""
        return bool(self.answers)


class Api:
    """Sends requests and collects answers."""

    def __init__(self, log: Log, services: Sequence[str], partitions: int, *, log_id: str, slot: int) -> None:
        self.calls: list[Call] = []
        self.seen: list[tuple[str, Any]] = []
        self.now = _EPOCH
        """What people's clocks say; every record that is stored moves it by a millisecond."""
        self._log = log
        self._partitions = partitions
        self._slot = slot
        self._sender = log.sender(slot)
        self._open: list[Call] = []
        self._by_id: dict[tuple[str, str], Call] = {}
        self._log_id = log_id
        self._tails: list[tuple[ChainReader, Tail]] = []
        self._known: list[int] = []
        """Positions up to which people know the news already, by tail."""
        for service in services:
            for partition in range(partitions):
                self._tails.append(self._from_the_beginning(Place(f"{service}.events", partition)))
                self._known.append(-1)

    def ask(
        self, service: str, stream: str, command: Any, *, principal: str = "", command_id: str | None = None
    ) -> Call:
        """A new request; give the id of an earlier one to misuse its key for another body."""
        data = encode(type(command), command)
        place = Place(f"{service}.commands", partition_of(stream, self._partitions))
        call = Call(
            command_id=command_id or str(uuid5(_IDS, str(len(self.calls)))),
            fingerprint=sha256(stream.encode() + data).hexdigest(),
            type=name_of(type(command)),
            stream=stream,
            place=place,
            data=from_json(data),
            principal=principal,
        )
        known = self._by_id.get((call.command_id, call.fingerprint))
        if known is not None:
            self.send(known)
            return known
        self.calls.append(call)
        self._open.append(call)
        self._by_id[call.command_id, call.fingerprint] = call
        self.send(call)
        return call

    def send(self, call: Call) -> None:
        """Send a request, for the first time or again; only its time differs."""
        envelope = CommandEnvelope(
            command_id=call.command_id,
            type=call.type,
            stream_id=call.stream,
            data=call.data,
            at=self.now + timedelta(milliseconds=self._log.appended),
            principal=call.principal,
            correlation_id=call.command_id,
            fingerprint=call.fingerprint,
        )
        call.waited = 0
        call.sendings += 1
        call.sent = self._sender.post(
            call.place, key=call.stream.encode(), value=to_json(envelope), headers={}
        )

    def send_raw(self, place: Place, key: bytes, value: bytes) -> None:
        """Bytes that no API would send."""
        self._sender.post(place, key=key, value=value, headers={})

    def _from_the_beginning(self, place: Place) -> tuple[ChainReader, Tail]:
        return ChainReader(genesis(self._log_id, *place)), Tail(self._log, place, 0)

    def lost(self, place: Place) -> None:
        """A partition has lost a tail: where that was read, it is read from the beginning, and told to nobody twice.

        What was read may reach further than the last decision that was taken: a repeat, say. Whoever went on from there would
        miss what comes to stand before it.
        """
        for number, (chain, tail) in enumerate(self._tails):
            if tail.place == place and tail.offset > self._log.end(place):
                self._known[number] = max(self._known[number], chain.head.position)
                self._tails[number] = self._from_the_beginning(place)

    def crash(self) -> None:
        """The process dies with what it has in flight; people send their requests again."""
        self._sender.die()
        self._sender = self._log.sender(self._slot)

    @property
    def is_quiet(self) -> bool:
        """Everything read, every request answered."""
        return not any(not call.answered for call in self._open) and all(t.at_end for _, t in self._tails)

    def step(self, rng: Random) -> bool:
        """Read one partition's news; send again what waits too long or was not taken."""
        unread = [number for number, (_, tail) in enumerate(self._tails) if not tail.at_end]
        if unread:
            number = rng.choice(unread)
            chain, tail = self._tails[number]
            records = tail.fetch(rng)
            for raw in records:
                if chain.read(raw) is Reading.ACCEPTED:
                    self._note(raw.headers, raw.value, is_news=chain.head.position > self._known[number])
            if records:
                return True
        return self._retry()

    def _retry(self) -> bool:
        self._open = [call for call in self._open if not call.answered]
        sent = False
        for call in self._open:
            call.waited += 1
            refused = call.sent is not None and call.sent.fate is Fate.FAILED
            if refused or call.waited > call.patience_steps:
                self.send(call)
                sent = True
        return sent

    def _note(self, headers: Any, value: bytes, *, is_news: bool) -> None:
        events = from_json(value)["events"]
        if is_news:
            self.seen += [(event["type"], event["data"]) for event in events]
        command_id, fingerprint = headers.get("command-id"), headers.get("fingerprint")
        if command_id is None or fingerprint is None:
            return
        call = self._by_id.get((command_id.decode(), fingerprint.decode()))
        if call is not None:
            repeated = events[0]["type"] == "system.CommandRepeated.v1"
            call.answers.append(to_json(events[0]["data"]["first"] if repeated else events))
