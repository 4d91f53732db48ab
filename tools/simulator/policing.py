"""The policies' shell in the simulation: commands stored first, then the commit, as `libs.runtime.policies` does on Kafka."""

from random import Random

from libs.events.chain import Checkpoint, Reading
from libs.events.records import RawRecord
from libs.runtime.policing import OutgoingCommand, PolicyPartition, group_name
from libs.runtime.service import Service
from tools.simulator.log import Fate, Log, Place, Sent, Tail
from tools.simulator.resuming import resume

#: Own steps without an answer of the broker: then all is sent again from the last commit.
PATIENCE_STEPS = 30
#: Commits that are remembered, so that a restart may find an older one.
COMMITS_KEPT = 4


class PolicyActor:
    """One life of one policy group on one source partition."""

    def __init__(
        self,
        log: Log,
        service: Service,
        source: str,
        partition: int,
        partitions: int,
        *,
        log_id: str,
        commits: tuple[Checkpoint, ...],
        slot: int,
    ) -> None:
        self.name = f"{group_name(service.name, source)}-{partition}"
        self.service = service
        self.source = source
        self.partition = partition
        self.commits = commits
        self._log = log
        self._sender = log.sender(slot)
        place = Place(f"{source}.events", partition)
        self._policy = PolicyPartition(
            service,
            source,
            topic=place.topic,
            partition=partition,
            partitions=partitions,
            reader=resume(log, log_id, place, commits[-1] if commits else None),
        )
        self._tail = Tail(log, place, self._policy.head.offset + 1)
        self._batch: list[RawRecord] = []
        self._waiting: list[Sent] = []
        self._below = self._policy.head
        self._barriers: RawRecord | None = None
        self._dirty = False
        self._waited = 0
        self.in_doubt = False

    def stop(self) -> None:
        """Die."""
        self._sender.die()

    @property
    def is_quiet(self) -> bool:
        """Everything read, sent, stored and committed."""
        return self._tail.at_end and not (self._batch or self._waiting or self._barriers or self._dirty)

    def step(self, rng: Random) -> bool:
        """Handle one record of the batch, wait for what must be stored, commit, or read on.

        Sets `in_doubt` when a command was not taken: whoever runs this life then starts the next one from its commits.
        """
        if any(sent.fate is Fate.FAILED for sent in self._waiting) or self._waited > PATIENCE_STEPS:
            self.in_doubt = True
            return True
        self._waiting = [sent for sent in self._waiting if sent.fate is not Fate.STORED]
        if self._barriers is not None:
            return self._send_barriers() if not self._waiting else self._wait()
        if self._batch:
            self._handle(self._batch.pop(0))
            return True
        if self._waiting:
            return self._wait()
        if self._dirty and (self._tail.at_end or rng.random() < 0.2):
            self._commit()
            return True
        self._batch = self._tail.fetch(rng)
        return bool(self._batch)

    def _wait(self) -> bool:
        self._waited += 1
        return False

    def _handle(self, raw: RawRecord) -> None:
        """As the shell: `below` is the lowest record whose commands are not all stored."""
        if self._policy.read(raw) is not Reading.ACCEPTED:
            return
        self._dirty = True
        if not self._waiting:
            self._below = self._policy.head
        commands = self._policy.commands(raw, self._below)
        for command in commands:
            if not command.barrier:
                self._post(command)
        if any(command.barrier for command in commands):
            self._barriers = raw

    def _send_barriers(self) -> bool:
        assert self._barriers is not None
        for command in self._policy.commands(self._barriers, self._policy.head):
            if command.barrier:
                self._post(command)
        self._barriers = None
        return True

    def _post(self, command: OutgoingCommand) -> None:
        place = Place(f"{self.service.name}.commands", command.partition)
        self._waiting.append(self._sender.post(place, key=command.key, value=command.value, headers={}))
        self._waited = 0

    def _commit(self) -> None:
        self.commits = (*self.commits, self._policy.head)[-COMMITS_KEPT:]
        self._dirty = False
