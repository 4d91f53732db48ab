"""The policies' shell in the simulation: commands stored first, then the commit, as `libs.runtime.policies` does on Kafka."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from random import Random

from libs.events.chain import ChainReader, Checkpoint, Reading, genesis
from libs.events.topics import commands_topic, events_topic
from libs.runtime.policing import OutgoingCommand, PolicyPartition, Wave, group_name, waves
from libs.runtime.service import Service
from tools.simulator import fault_names as names
from tools.simulator.log import Fate, Log, Place, Sent, Tail
from tools.simulator.resuming import LostTimeline, resume

#: Own steps without an answer of the broker: then all is sent again from the last commit.
PATIENCE_STEPS = 30
#: Commits that are remembered, so that a restart may find an older one.
COMMITS_KEPT = 4

Heads = Mapping[int, Checkpoint]


class SourceForked(AssertionError):
    """At a committed position the source has decided something else than before."""


class PolicyActor:
    """One life of one policy group. `commits` are the heads of its source partitions, oldest commit first."""

    def __init__(
        self,
        log: Log,
        service: Service,
        source: str,
        partitions: int,
        *,
        log_id: str,
        commits: tuple[Heads, ...],
        slot: int,
        topic_prefix: str = "",
    ) -> None:
        self.name = group_name(service.name, source)
        self.service = service
        self.source = source
        self.commits = commits
        self._sender = log.sender(slot)
        self._log = log
        self._commands = commands_topic(service.name, topic_prefix)
        self._events = events_topic(source, topic_prefix)
        self._partitions: dict[int, PolicyPartition] = {}
        self._tails: dict[int, Tail] = {}
        self._count = partitions
        self._regaining: dict[int, tuple[ChainReader, Checkpoint]] = {}
        """Partitions that have lost what was committed: they must first decide it again."""
        kept: Heads = commits[-1] if commits else {}
        for partition in range(partitions):
            place = Place(self._events, partition)
            committed = kept.get(partition)
            try:
                reader = resume(log, log_id, place, committed)
            except LostTimeline:
                assert committed is not None, "only what is kept can be lost"
                log.happened[names.COMMIT_OF_LOST_TIMELINE] += 1
                reader = ChainReader(genesis(log_id, *place))
                self._regaining[partition] = reader, committed
            else:
                self._begin(partition, reader)
            self._tails[partition] = Tail(log, place, reader.head.offset + 1)
        self._waves: Iterator[Wave] = iter(())
        self._to_send: deque[OutgoingCommand] = deque()
        self._markers: Sequence[OutgoingCommand] = ()
        self._waiting: list[Sent] = []
        self._marking = False
        self._working = False
        self._dirty = False
        self._waited = 0
        self.in_doubt = False

    def _begin(self, partition: int, reader: ChainReader) -> None:
        self._partitions[partition] = PolicyPartition(
            self.service,
            self.source,
            topic=self._events,
            partition=partition,
            partitions=self._count,
            reader=reader,
        )

    def stop(self) -> None:
        """Die."""
        self._sender.die()

    @property
    def is_regaining(self) -> bool:
        """Whether it waits for a source to decide again what was committed and lost."""
        return bool(self._regaining)

    @property
    def is_quiet(self) -> bool:
        """Everything read, sent, stored and committed."""
        read = all(tail.at_end for tail in self._tails.values())
        return read and not (self._working or self._waiting or self._dirty or self._regaining)

    def step(self, rng: Random) -> bool:
        """Send one command, wait for what must be stored, work out the next wave, commit, or read on.

        Sets `in_doubt` when a command was not taken: whoever runs this life then starts the next one from its commits.
        """
        if any(sent.fate is Fate.FAILED for sent in self._waiting) or self._waited > PATIENCE_STEPS:
            self.in_doubt = True
            return True
        if self._regaining:
            return self._regain(rng)
        self._waiting = [sent for sent in self._waiting if sent.fate is not Fate.STORED]
        if self._to_send:
            self._post(self._to_send.popleft())
            return True
        if self._marking and self._waiting:  # the next wave begins when the markers are stored
            return self._wait()
        self._marking = False
        if self._markers:
            return self._wait() if self._waiting else self._send_markers()
        if self._working:
            self._next_wave()
            return True
        if self._waiting:
            return self._wait()
        if self._dirty and (rng.random() < 0.2 or all(tail.at_end for tail in self._tails.values())):
            self._commit()
            return True
        return self._fetch(rng)

    def _regain(self, rng: Random) -> bool:
        """What `libs.runtime.forks` does: read up to the committed position, which must hold the committed decision."""
        moved = False
        for partition, (reader, committed) in list(self._regaining.items()):
            tail = self._tails[partition]
            for raw in tail.fetch(rng):
                moved = True
                if reader.read(raw) is Reading.ACCEPTED and reader.head.position == committed.position:
                    if reader.head.hash != committed.hash:
                        raise SourceForked(f"{self.name}: {committed} was decided otherwise: {reader.head}")
                    del self._regaining[partition]
                    self._begin(partition, reader)
                    tail.offset = raw.offset + 1
                    break
        return moved

    def _wait(self) -> bool:
        self._waited += 1
        return False

    def _send_markers(self) -> bool:
        self._to_send.extend(self._markers)
        self._markers = ()
        self._marking = True
        return True

    def _next_wave(self) -> None:
        wave = next(self._waves, None)
        if wave is None:
            self._working = False
            return
        self._to_send.extend(wave.commands)
        self._markers = wave.markers

    def _fetch(self, rng: Random) -> bool:
        batch = {
            partition: records for partition, tail in self._tails.items() if (records := tail.fetch(rng))
        }
        if not batch:
            return False
        self._waves = waves(self._partitions, batch, lambda _raw, _reading: None)
        self._working = self._dirty = True
        return True

    def _post(self, command: OutgoingCommand) -> None:
        place = Place(self._commands, command.partition)
        self._waiting.append(self._sender.post(place, key=command.key, value=command.value, headers={}))
        self._waited = 0

    def _commit(self) -> None:
        heads = {number: partition.head for number, partition in self._partitions.items()}
        self.commits = (*self.commits, heads)[-COMMITS_KEPT:]
        self._dirty = False
