"""A log in memory, one partition of bidding, sealed like a decider's: what `verify` and its relatives read in unit tests."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime
from hashlib import sha256
from types import ModuleType

import pytest

from libs.events.chain import Checkpoint, genesis, seal
from libs.events.records import RawRecord, encode_decision, encode_event
from libs.events.system import CommandHadNoEffect
from libs.events.topics import commands_topic, events_topic
from libs.runtime.kafka import Place
from libs.runtime.settings import Settings

LOG_ID = "0" * 32
AT = datetime(2024, 3, 15, 10, 30, tzinfo=UTC)


class SealedLog:
    """Commands and their decisions. `heads` are the triples of all decisions ever made, by position."""

    def __init__(self, settings: Settings) -> None:
        self.commands = Place(commands_topic("bidding", settings.topic_prefix), 0)
        self.events = Place(events_topic("bidding", settings.topic_prefix), 0)
        self.records: dict[Place, list[RawRecord]] = {self.commands: [], self.events: []}
        self.heads: list[Checkpoint] = []
        self._genesis = genesis(LOG_ID, self.events.topic, 0)

    def decide(self, command: bytes) -> None:
        """Append a command and its decision."""
        self.command(command)
        self.seal_again(len(self.records[self.commands]) - 1, b"nothing")

    def command(self, value: bytes) -> None:
        """Append a command only."""
        held = self.records[self.commands]
        held.append(RawRecord(len(held), b"acc_a", value, {}, 1000 + len(held)))

    def seal_again(self, position: int, what: bytes) -> None:
        """Append a decision on the command at a position, behind the last decision that the log holds."""
        held = self.records[self.events]
        prev = held[-1].headers["hash"] if held else self._genesis.hash
        nothing = CommandHadNoEffect(command_type="bidding.Test", stream_id=what.decode())
        value = encode_decision(
            at=AT,
            business_date=date(2024, 3, 15),
            principal="usr_a",
            correlation_id="c",
            causation_id=None,
            events=[encode_event(None, None, nothing)],
        )
        headers = {
            "position": str(position).encode(),
            "command": sha256(self.records[self.commands][position].value).digest(),
            "command-id": f"id-{position}".encode(),
            "type": b"bidding.Test",
            "rules": b"1",
        }
        digest = seal(prev, headers, value)
        head = Checkpoint(len(held), position, digest)
        self.heads[position:] = [head]
        held.append(
            RawRecord(len(held), b"acc_a", value, headers | {"prev": prev, "hash": digest}, 2000 + position)
        )

    def cut_events(self, end: int) -> None:
        """Lose the decisions from an offset on."""
        del self.records[self.events][end:]

    def cut_commands(self, end: int) -> None:
        """Lose the commands from an offset on."""
        del self.records[self.commands][end:]

    def serve(self, monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
        """Let modules read this log where they would ask a broker."""
        for module in modules:
            for name in ("offsets", "read_range", "record_at"):
                if hasattr(module, name):
                    monkeypatch.setattr(module, name, getattr(self, name))

    async def offsets(self, _bootstrap: str, places: Sequence[Place]) -> dict[Place, tuple[int, int]]:
        """See libs.runtime.kafka."""
        return {place: (0, len(self.records.get(place, ()))) for place in places}

    async def read_range(
        self, _bootstrap: str, place: Place, start: int, end: int | None = None, **_limits: float
    ) -> AsyncIterator[list[RawRecord]]:
        """See libs.runtime.kafka."""
        found = self.records.get(place, [])[start:end]
        if found:
            yield found

    async def record_at(self, _bootstrap: str, place: Place, offset: int) -> RawRecord | None:
        """See libs.runtime.kafka."""
        held = self.records.get(place, [])
        return held[offset] if 0 <= offset < len(held) else None
