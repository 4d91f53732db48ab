"""Does the log prove itself? Walks both topics of a service and compares every decision with its command.

Checked per partition: one chain without a gap, one decision per command, the command's hash, sequences 1..n per stream, and
that every signed head still stands in the chain. A position that `loanstream repair` has marked is counted as repaired.
Repeats are harmless and counted; a foreign record, a missing or a wrong decision is named with its place, and so is what the
broker holds and nobody can read.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from libs.events.chain import ChainReader, Reading, genesis
from libs.events.codec import Undecodable
from libs.events.records import RawRecord, parse_decision
from libs.events.topics import DECIDING_SERVICES, commands_topic, events_topic
from libs.runtime.errors import OperatorError
from libs.runtime.heads import key_if_any
from libs.runtime.heads_proof import PartitionHeads, signed_heads
from libs.runtime.kafka import LogCorrupt, Place, offsets, read_range
from libs.runtime.repair_marks import Marks, hash_of
from libs.runtime.settings import Settings

#: Called with (partitions done, partitions in all, what is being read).
Progress = Callable[[int, int, str], None]


@dataclass(slots=True)
class PartitionReport:
    """What one partition of one service holds. `faults` are sentences that name offset and fault; empty = proven."""

    service: str
    partition: int
    commands: int = 0
    decisions: int = 0
    events: int = 0
    repeats: int = 0
    foreign: int = 0
    undecided: int = 0
    repaired: int = 0
    faults: list[str] = field(default_factory=list)


@dataclass(slots=True)
class VerifyReport:
    """All partitions walked."""

    partitions: list[PartitionReport] = field(default_factory=list)
    heads: int = 0
    faults: list[str] = field(default_factory=list)
    """What is wrong beside the partitions: signatures, and missing files of heads where they are required."""
    notes: list[str] = field(default_factory=list)
    """What could not be compared, and is no fault."""

    @property
    def ok(self) -> bool:
        """Whether every chain is whole. Foreign records that readers did not accept do not break a chain."""
        return not self.faults and all(not partition.faults for partition in self.partitions)

    def total(self, name: str) -> int:
        """The sum of one figure over all partitions."""
        return sum(getattr(partition, name) for partition in self.partitions)


class PartitionProof:
    """Feeds on one partition's commands, then its events; keeps one hash per undecided command and one number per stream."""

    def __init__(
        self, log_id: str, topic: str, report: PartitionReport, heads: PartitionHeads, marks: Marks
    ) -> None:
        self.report = report
        self._heads = heads
        self._marks = marks
        self._chain = ChainReader(genesis(log_id, topic, report.partition))
        self._hashes: list[bytes] = []
        self._sequences: dict[str, int] = {}

    def command(self, raw: RawRecord) -> None:
        """One record of the commands topic."""
        self.report.commands += 1
        self._hashes.append(hash_of(raw))
        self._marks.add(raw)

    def event(self, raw: RawRecord) -> None:
        """One record of the events topic."""
        reading = self._chain.read(raw)
        if reading is Reading.REPEAT:
            self.report.repeats += 1
        elif reading is Reading.FOREIGN:
            self.report.foreign += 1
        else:
            self.report.decisions += 1
            self._accepted(raw, self._chain.head.position)
            self.report.faults += self._heads.decided(self._chain.head)

    def finish(self) -> None:
        """Say what is missing at the end: commands after the last decision are undecided, not lost."""
        self.report.undecided = max(0, self.report.commands - self.report.decisions)
        self.report.faults += self._heads.end(self._chain.head)
        if self.report.foreign and self.report.undecided:
            self.report.faults.append(
                f"the chain stops at position {self._chain.head.position} although {self.report.undecided} commands and "
                f"{self.report.foreign} foreign records follow"
            )

    def _accepted(self, raw: RawRecord, position: int) -> None:
        faults = self.report.faults
        command = raw.headers.get("command")
        if position >= len(self._hashes):
            faults.append(f"offset {raw.offset}: decides position {position}, where no command stands")
        elif self._hashes[position] == command:
            pass
        elif self._marks.excuse(position, decided=command, found=self._hashes[position]):
            self.report.repaired += 1
        else:
            faults.append(f"offset {raw.offset}: decides another command than the one at position {position}")
        try:
            decision = parse_decision(raw.value)
        except Undecodable as error:
            faults.append(f"offset {raw.offset}: {error}")
            return
        self.report.events += len(decision.events)
        for stored in decision.events:
            if stored.stream is None or stored.sequence is None:
                continue
            expected = self._sequences.get(stored.stream, 0) + 1
            if stored.sequence != expected:
                faults.append(
                    f"offset {raw.offset}: {stored.stream} has sequence {stored.sequence} instead of {expected}"
                )
            self._sequences[stored.stream] = stored.sequence


async def verify(
    settings: Settings,
    service: str | None,
    progress: Progress | None = None,
    *,
    require_heads: bool = False,
) -> VerifyReport:
    """Walk the topics of one service, or of all. With `require_heads` a service without signed heads is a fault.

    Raises OperatorError for an unknown service, LogUnavailable.
    """
    if service is not None and service not in DECIDING_SERVICES:
        raise OperatorError(f"{service} owns no topics: choose from {', '.join(DECIDING_SERVICES)}.")
    services = (service,) if service else DECIDING_SERVICES
    report = VerifyReport()
    for name in services:
        heads = signed_heads(settings, name)  # before the log: what was signed by now stands in it
        report.heads += heads.count
        report.faults += heads.faults
        if heads.missing is not None:
            (report.faults if require_heads else report.notes).append(heads.missing)
        for partition in range(settings.partitions):
            if progress is not None:
                progress(len(report.partitions), len(services) * settings.partitions, f"{name}/{partition}")
            report.partitions.append(await _walk(settings, name, partition, heads.of(partition)))
    if progress is not None:
        progress(len(report.partitions), len(report.partitions), "done")
    return report


async def _walk(settings: Settings, service: str, partition: int, heads: PartitionHeads) -> PartitionReport:
    report = PartitionReport(service, partition)
    bootstrap = settings.require_kafka()
    commands = Place(commands_topic(service, settings.topic_prefix), partition)
    events = Place(events_topic(service, settings.topic_prefix), partition)
    log_id = settings.require_log_id()
    proof = PartitionProof(log_id, events.topic, report, heads, Marks(key_if_any(settings), log_id, commands))
    # events' end first, so that every decision read has its command below the commands' end
    events_end = (await offsets(bootstrap, [events]))[events][1]
    unreadable = [
        await _read(bootstrap, commands, None, proof.command),
        await _read(bootstrap, events, events_end, proof.event),
    ]
    proof.finish()
    report.faults[:0] = [fault for fault in unreadable if fault is not None]
    return report


async def _read(
    bootstrap: str, place: Place, end: int | None, take: Callable[[RawRecord], None]
) -> str | None:
    """Take every record that can be read; gives where the first one stands that cannot. What follows it would not link."""
    offset = 0
    for step in (5000, 1):  # the client drops what it read before the fault: the second time one by one
        try:
            async for records in read_range(bootstrap, place, offset, end, step=step):
                for raw in records:
                    take(raw)
                offset = records[-1].offset + 1
        except LogCorrupt:
            continue
        return None
    return f"{place.topic}/{place.partition}, offset {offset}: what the broker holds there does not fit its checksum"
