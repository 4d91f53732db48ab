"""A second reading of the log, from its bytes alone: who decided what when, and what was written in vain.

It knows the link formula as design.md 2.3 writes it, because the auditor of the simulator judges the same records: this
copy only asks it record by record. Fed in the order of storing, so that a rule is judged on every prefix.
"""

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic_core import from_json

from libs.events.records import RawRecord
from tools.simulator.checks import Auditor
from tools.simulator.log import Place

#: First events of a decision that changed nothing.
WITHOUT_EFFECT = ("system.CommandRefused.v1", "system.CommandRepeated.v1", "system.CommandHadNoEffect.v1")
#: What stands for the events of an accepted decision that nobody can read.
UNREADABLE = "unreadable"
_CHINA_MINUTES_EAST = 480


class At(NamedTuple):
    """Where a command stands, and so its decision."""

    service: str
    partition: int
    position: int


@dataclass(frozen=True, slots=True)
class Decided:
    """One accepted decision, as far as a comparison needs it."""

    at: At
    stored_ms: int
    by: str
    command_id: str
    of_policy: bool
    events: list[Any]
    digest: bytes = b""
    """Its hash, which covers the whole record and all before it."""

    @property
    def kind(self) -> str:
        """The type of its first event."""
        return str(self.events[0]["type"])

    @property
    def has_effect(self) -> bool:
        """Whether it changed anything."""
        return self.kind not in WITHOUT_EFFECT


@dataclass(slots=True)
class _Partition:
    commands_ms: list[int] = field(default_factory=list)
    decided: list[Decided] = field(default_factory=list)
    waiting: dict[str, deque[RawRecord]] = field(
        default_factory=lambda: {"commands": deque(), "events": deque()}
    )


class LogCopy:
    """Everything that the log of some services says, and the auditor's word on it."""

    def __init__(self, services: Iterable[str], partitions: int, log_id: str, profile: str) -> None:
        self.partitions = partitions
        self.services = tuple(services)
        self.by_command: defaultdict[str, list[Decided]] = defaultdict(list)
        self.repeats: list[int] = []
        """When the records were stored that readers skip as repeats (milliseconds since 1970)."""
        self.foreign: list[int] = []
        """When the records were stored that do not fit the chain."""
        self.violations: list[str] = []
        self._parts = {(s, n): _Partition() for s in self.services for n in range(partitions)}
        self._auditor = Auditor(
            self.services, partitions, log_id=log_id, minutes_east=_CHINA_MINUTES_EAST, profile=profile
        )
        self._audits = True

    # --- what arrives -------------------------------------------------------------------------------------------

    def take(self, service: str, partition: int, kind: str, raw: RawRecord) -> None:
        """A record of `S.commands` or `S.events` was read; `settle` judges it."""
        self._parts[service, partition].waiting[kind].append(raw)

    def settle(self) -> None:
        """Judge what was read, in the order in which it was stored; what still lacks its cause stays for the next time."""
        while (following := self._next()) is not None:
            service, partition, kind = following
            part = self._parts[service, partition]
            raw = part.waiting[kind].popleft()
            if kind == "commands":
                part.commands_ms.append(raw.timestamp_ms)
            self._judge(service, partition, kind, raw)

    def _next(self) -> tuple[str, int, str] | None:
        """The earliest record whose cause was judged: a command by its time, a decision after its command and its source."""
        best: tuple[int, str, str, int] | None = None
        for (service, number), part in self._parts.items():
            for kind, waiting in part.waiting.items():
                if not waiting or (kind == "events" and not self._has_cause(part, waiting[0])):
                    continue
                key = (waiting[0].timestamp_ms, kind, service, number)
                best = key if best is None else min(best, key)
        return None if best is None else (best[2], best[3], best[1])

    def _has_cause(self, part: _Partition, raw: RawRecord) -> bool:
        position = _number(raw.headers.get("position"))
        if position is None:
            return True
        if position >= len(part.commands_ms):
            return False
        source = raw.headers.get("source")
        if source is None:
            return True
        try:
            _, topic, number, position_there = _source(source)
        except ValueError:
            return True  # a source that is none: the auditor says so
        there = self._parts.get((topic.rsplit(".", 1)[0], number))
        return there is None or position_there < len(there.decided)

    def _judge(self, service: str, partition: int, kind: str, raw: RawRecord) -> None:
        auditor = self._auditor
        skipped = auditor.repeats, auditor.foreign
        if kind == "events" and _number(raw.headers.get("position")) is None:
            self.foreign.append(raw.timestamp_ms)  # no decision at all: readers skip it as foreign
            return
        try:
            auditor.feed(Place(f"{service}.{kind}", partition), raw)
        except Exception as error:  # noqa: BLE001 - an auditor that stumbles has met what must not be there
            self.violations.append(f"{service}/{partition} at offset {raw.offset}: {_said(error)}")
        if kind != "events":
            return
        if auditor.repeats > skipped[0]:
            self.repeats.append(raw.timestamp_ms)
        elif auditor.foreign > skipped[1]:
            self.foreign.append(raw.timestamp_ms)
        else:
            self._accepted(service, partition, raw)

    def _accepted(self, service: str, partition: int, raw: RawRecord) -> None:
        part = self._parts[service, partition]
        decided = Decided(
            at=At(service, partition, len(part.decided)),
            stored_ms=raw.timestamp_ms,
            by=raw.headers.get("by", b"nobody").decode(),
            command_id=raw.headers.get("command-id", b"").decode(),
            of_policy="source" in raw.headers,
            events=self._events(raw),
            digest=raw.headers.get("hash", b""),
        )
        part.decided.append(decided)
        self.by_command[decided.command_id].append(decided)

    def _events(self, raw: RawRecord) -> list[Any]:
        try:
            events: list[Any] = from_json(raw.value)["events"]
            _ = events[0]["type"], events[0]["data"]
        except (ValueError, LookupError, TypeError) as error:
            self.violations.append(f"a decision that readers accept cannot be read: {_said(error)}")
            return [{"type": UNREADABLE, "stream": None, "sequence": None, "data": {}}]
        return events

    # --- what is asked ------------------------------------------------------------------------------------------

    def decided(self, service: str, partition: int) -> list[Decided]:
        """The accepted decisions of a partition, by position."""
        return self._parts[service, partition].decided

    def find(self, at: At) -> Decided | None:
        """The accepted decision at a position."""
        part = self._parts.get((at.service, at.partition))
        return part.decided[at.position] if part and at.position < len(part.decided) else None

    def command_ms(self, at: At) -> int:
        """When a command was stored."""
        return self._parts[at.service, at.partition].commands_ms[at.position]

    def undecided(self) -> int:
        """Commands without a decision, records that wait for their cause among them."""
        return sum(
            len(part.commands_ms) + len(part.waiting["commands"]) - len(part.decided)
            for part in self._parts.values()
        )

    def ends(self) -> dict[tuple[str, int], int]:
        """How many decisions each partition has: a mark from which later ones are counted."""
        return {key: len(part.decided) for key, part in self._parts.items()}

    def since(self, ends: dict[tuple[str, int], int]) -> list[Decided]:
        """Decisions after a mark."""
        return [each for key, part in self._parts.items() for each in part.decided[ends[key] :]]

    def at_rest(self) -> list[str]:
        """What the auditor finds wrong once everything has come to rest."""
        try:
            self._auditor.at_rest()
        except Exception as error:  # noqa: BLE001 - as above
            return [f"at rest: {_said(error)}"]
        return []

    @property
    def balances(self) -> dict[str, int]:
        """Every posting account's sum, by the accountant: `available:acc_x`, `held:acc_x`, `clearing:...`."""
        return dict(self._auditor.books.balances)


def _number(text: bytes | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, AssertionError) else f"{type(error).__name__} {error}"


def _source(text: bytes) -> tuple[str, str, int, int]:
    group, topic, partition, position = text.decode().split("|")
    return group, topic, int(partition), int(position)
