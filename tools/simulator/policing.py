"""The policies' shell in the simulation: commands stored first, then the commit, as `libs.runtime.policies` does on Kafka.

A group may have two replicas: who sends for a source partition says the platform's own `SenderRole`, by the commits that it sees.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from libs.events.chain import ChainReader, Checkpoint, Reading, genesis
from libs.events.records import RawRecord
from libs.events.topics import commands_topic, events_topic
from libs.runtime.commits import Commit
from libs.runtime.pair_role import Assignment
from libs.runtime.policing import OutgoingCommand, PolicyPartition, Wave, group_name, waves
from libs.runtime.sender_role import SenderRole
from libs.runtime.service import Service
from tools.simulator import fault_names as names
from tools.simulator.log import Fate, Log, Place, Sent, Tail
from tools.simulator.resuming import LostTimeline, resume

#: Own steps without an answer of the broker: then all is sent again from the last commit.
PATIENCE_STEPS = 30
#: A standby's patience, in its own steps.
TAKE_OVER_STEPS = 12
#: How often, per step, one of a pair looks at the commits while it has something to do.
LOOKS = 0.2
#: Commits that are remembered, so that a restart may find an older one.
COMMITS_KEPT = 4


class SourceForked(AssertionError):
    """At a committed position the source has decided something else than before."""


class Kept:
    """What Kafka keeps of a group: the last commits of each source partition, whoever of its replicas made them."""

    def __init__(self) -> None:
        self._history: dict[int, list[Commit]] = {}

    def last(self, partition: int) -> Commit | None:
        """The commit of a source partition."""
        history = self._history.get(partition)
        return history[-1] if history else None

    def keep(self, partition: int, commit: Commit) -> None:
        """Somebody commits."""
        history = self._history.setdefault(partition, [])
        if commit != self.last(partition):
            history.append(commit)
            del history[:-COMMITS_KEPT]

    def set_back(self, commits: int, by: str | None) -> bool:
        """So many of the last commits of who dies never arrived; whether that changes anything."""
        lost = 0
        for history in self._history.values():
            for _ in range(commits):
                if history and history[-1].by == by:
                    history.pop()
                    lost += 1
        return lost > 0

    def forget(self) -> None:
        """A person has deleted them, or the broker has forgotten them."""
        self._history.clear()


@dataclass(slots=True)
class _Source:
    """One source partition: who sends for it, and while that is this replica, where it stands in it."""

    place: Place
    role: SenderRole
    tail: Tail
    policy: PolicyPartition | None = None
    regaining: tuple[ChainReader, Checkpoint] | None = None
    """It has lost what was committed: it must first decide that again."""
    is_dirty: bool = False


class PolicyActor:
    """One life of one replica of a policy group."""

    def __init__(
        self,
        log: Log,
        service: Service,
        source: str,
        partitions: int,
        *,
        log_id: str,
        kept: Kept,
        slot: int,
        replica: str = "r0",
        table: Assignment | None = None,
        chance: Random | None = None,
        topic_prefix: str = "",
    ) -> None:
        self.group = group_name(service.name, source)
        self.name = f"{self.group}-{replica}"
        self.service = service
        self.source = source
        self.replica = replica
        self.kept = kept
        self.in_doubt = False
        self.took_over: int | None = None
        """The source partition that it took over since whoever lets it move has looked."""
        self._sender = log.sender(slot)
        self._log = log
        self._log_id = log_id
        self._commands = commands_topic(service.name, topic_prefix)
        self._sources: dict[int, _Source] = {}
        self._table = table or Assignment(replica)
        for partition in range(partitions):
            place = Place(events_topic(source, topic_prefix), partition)
            draw = (chance or Random(0)).random
            role = SenderRole(replica, self._table, patience_s=TAKE_OVER_STEPS, draw=draw)
            role.start(kept.last(partition))
            self._sources[partition] = _Source(place, role, Tail(log, place, 0))
        self._waves: Iterator[Wave] = iter(())
        self._to_send: deque[OutgoingCommand] = deque()
        self._markers: Sequence[OutgoingCommand] = ()
        self._waiting: list[Sent] = []
        self._marking = False
        self._working = False
        self._waited = 0
        self._steps = 0
        self._frozen_steps = 0
        self._look()
        self._turn()

    def freeze(self, steps: int) -> None:
        """Do nothing for so many steps: a process that is slow to start, or that the machine has stopped."""
        self._frozen_steps = steps

    def stop(self) -> None:
        """Die."""
        self._sender.die()

    def sends(self, partition: int) -> bool:
        """Whether it sends for a source partition, as far as it knows."""
        return self._sources[partition].role.sends

    @property
    def is_regaining(self) -> bool:
        """Whether it waits for a source to decide again what was committed and lost."""
        return any(each.regaining is not None for each in self._sources.values())

    @property
    def is_quiet(self) -> bool:
        """Everything read, sent, stored and committed, by this replica or the other."""
        if self._frozen_steps or self._working or self._waiting:
            return False
        return all(self._is_done(number, each) for number, each in self._sources.items())

    def _is_done(self, number: int, source: _Source) -> bool:
        if source.role.sends and source.policy is not None:
            return source.tail.at_end and not source.is_dirty
        commit = self.kept.last(number)
        return source.regaining is None and self._log.end(source.place) <= (commit.read_to if commit else 0)

    # --- who sends ----------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """What the commits and the ends are now."""
        for number, each in self._sources.items():
            each.role.looked(self.kept.last(number), self._log.end(each.place))

    def _turn(self) -> None:
        """Between two batches: begin to read where it sends, and leave to the other what it does not."""
        for number, each in self._sources.items():
            is_read = each.policy is not None or each.regaining is not None
            if each.role.sends and not is_read:
                self._resume(number, each)
            elif is_read and not each.role.sends:
                self._log.happened[names.SENDER_STEPPED_DOWN] += 1
                each.policy = each.regaining = None
                each.is_dirty = False

    def _watch(self) -> bool:
        """One of a pair that has nothing to do: take over where events wait and nobody commits; False when nothing waits."""
        if self._table.standby is None:
            return False
        self._look()
        waits = False
        for number, each in self._sources.items():
            left = each.role.patience_left_s(self._steps)
            waits = waits or left is not None
            if left == 0.0:
                self._log.happened[names.SENDER_TOOK_OVER] += 1
                self.took_over = number
                each.role.take_over()
        self._turn()
        return waits

    def _resume(self, number: int, source: _Source) -> None:
        """Go on from the commit."""
        committed = None if source.role.commit is None else source.role.commit.head
        try:
            reader = resume(self._log, self._log_id, source.place, committed)
        except LostTimeline:
            assert committed is not None, "only what is kept can be lost"
            self._log.happened[names.COMMIT_OF_LOST_TIMELINE] += 1
            reader = ChainReader(genesis(self._log_id, *source.place))
            source.regaining = reader, committed
        else:
            source.policy = self._policy(number, source, reader)
        source.tail = Tail(self._log, source.place, reader.head.offset + 1)

    def _policy(self, number: int, source: _Source, reader: ChainReader) -> PolicyPartition:
        return PolicyPartition(
            self.service,
            self.source,
            topic=source.place.topic,
            partition=number,
            partitions=len(self._sources),
            reader=reader,
        )

    # --- moving -------------------------------------------------------------------------------------------------

    def step(self, rng: Random) -> bool:
        """Send one command, wait for what must be stored, work out the next wave, commit, or read on.

        Sets `in_doubt` when a command was not taken: whoever runs this life then starts the next one from its commits.
        """
        self._steps += 1
        if self._frozen_steps:
            self._frozen_steps -= 1
            return True
        if self._waited > PATIENCE_STEPS or (
            self._waiting and any(sent.fate is Fate.FAILED for sent in self._waiting)
        ):
            self.in_doubt = True
            return True
        if self._table.standby is not None and rng.random() < LOOKS:
            self._look()
        if self._waiting:
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
        self._turn()
        if self._may_commit(rng):
            self._commit()
            return True
        return self._fetch(rng) or self._watch()

    def _may_commit(self, rng: Random) -> bool:
        is_dirty, at_end = False, True
        for each in self._sources.values():
            if each.policy is not None:
                is_dirty = is_dirty or each.is_dirty
                at_end = at_end and each.tail.at_end
        return is_dirty and (rng.random() < 0.2 or at_end)

    def _regain(self, number: int, source: _Source, records: list[RawRecord]) -> None:
        """What `libs.runtime.forks` does: read up to the committed position, which must hold the committed decision."""
        assert source.regaining is not None, "asked before"
        reader, committed = source.regaining
        for raw in records:
            if reader.read(raw) is Reading.ACCEPTED and reader.head.position == committed.position:
                if reader.head.hash != committed.hash:
                    raise SourceForked(f"{self.name}: {committed} was decided otherwise: {reader.head}")
                source.regaining, source.policy = None, self._policy(number, source, reader)
                source.tail.offset = raw.offset + 1
                return

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
        """Read on where it sends; what waits to be regained gives no commands."""
        batch: dict[int, list[RawRecord]] = {}
        reading: dict[int, PolicyPartition] = {}
        has_moved = False
        for number, each in self._sources.items():
            if each.policy is None and each.regaining is None:
                continue
            records = each.tail.fetch(rng)
            has_moved = has_moved or bool(records)
            if each.policy is None:
                self._regain(number, each, records)
            elif records:
                batch[number], reading[number] = records, each.policy
                each.is_dirty = True
        if batch:
            self._waves = waves(reading, batch, lambda _raw, _reading: None)
            self._working = True
        return has_moved

    def _post(self, command: OutgoingCommand) -> None:
        place = Place(self._commands, command.partition)
        self._waiting.append(self._sender.post(place, key=command.key, value=command.value, headers={}))
        self._waited = 0

    def _commit(self) -> None:
        """Everything that was read is stored. Between its last look and this it may have slept: then it sets the commit back."""
        for number, each in self._sources.items():
            each.is_dirty = False
            if each.policy is not None and each.role.sends and each.policy.head.offset >= 0:
                commit = Commit(each.policy.head, each.tail.offset, each.role.signature)
                self.kept.keep(number, commit)
                each.role.committed(commit)
