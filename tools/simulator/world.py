"""One simulated platform: actors that share nothing but the log, and one seeded scheduler that lets one of them move.

Between any two steps an actor may die; its successor starts from what was kept. Sometimes the dead one is not dead at
all but only slow: it goes on beside its successor for a while. After the last fault everything must come to rest.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Final, Protocol

from libs.runtime.replica_role import Assignment
from libs.runtime.service import Service
from libs.runtime.store import MemoryStore
from tools.simulator import fault_names as names
from tools.simulator.config import Config
from tools.simulator.deciding import DeciderActor, Disk
from tools.simulator.disasters import Disasters
from tools.simulator.log import NO_FAULTS, Log, OffsetMissing, Place
from tools.simulator.operators import Operator, with_a_bug
from tools.simulator.pairs import another_decides, another_sends
from tools.simulator.people import Api
from tools.simulator.policing import Kept, PolicyActor
from tools.simulator.projecting import Database, ProjectorActor
from tools.simulator.releases import Releases
from tools.simulator.starving import starving
from tools.simulator.traffic import Traffic

LOG_ID = "5151515151515151"
_ZOMBIES: Final[dict[type, str]] = {
    DeciderActor: names.ZOMBIE_DECIDER,
    PolicyActor: names.ZOMBIE_POLICY,
    ProjectorActor: names.ZOMBIE_PROJECTOR,
}


class Actor(Protocol):
    """Whoever can move by itself."""

    def step(self, rng: Random) -> bool:
        """Do one small thing; False when nothing can be done before something arrives."""

    @property
    def is_quiet(self) -> bool:
        """Nothing is left to do."""


@dataclass(slots=True)
class Twin:
    """An actor that was replaced because it seemed dead, and its steps to live."""

    actor: DeciderActor | PolicyActor | ProjectorActor
    steps_left: int


class Stuck(AssertionError):
    """The platform did not come to rest."""


class World:
    """Builds the actors and lets them move. An actor that has nothing to do sleeps until its news come."""

    #: How long a replica is away or frozen, in its own steps.
    AWAY_STEPS = 300
    #: The same of a policy's: a life that begins at an older commit needs longer to get anywhere.
    POLICY_AWAY_STEPS = 40
    #: How long a slow twin lives on, in its own steps.
    TWIN_STEPS = 40
    #: Steps without faults after which everything must have come to rest; a run needs a tenth of it at most.
    DRAIN_STEPS_MAX = 300_000

    def __init__(self, seed: int, services: Sequence[Service], config: Config) -> None:
        self.config = config
        memory = Random(f"{seed}/memory")
        self.services = {
            service.name: starving(with_a_bug(service, config.plan), memory, lambda: self._starvation)
            for service in services
        }
        self._starvation = config.starvation
        self.steps = 0
        self._rng = Random(f"{seed}/schedule")
        self.log = Log(Random(f"{seed}/log"), config.log_faults)
        for service in services:
            for topic in ("commands", "events"):
                for partition in range(config.partitions):
                    self.log.create(Place(f"{service.name}.{topic}", partition))
        self.readers: dict[Place, list[int]] = {place: [] for place in self.log.places}
        self.actors: list[Actor] = []
        self._releases = Releases(config, self.services, self.log.happened)
        self._unknown_commits = config.unknown_commits
        self._table = Assignment("r0", "r1") if config.replicas else None
        self._kept: dict[str, Kept] = {}
        self._build_deciders_and_policies()
        self.api = Api(self.log, list(self.services), config.partitions, log_id=LOG_ID, slot=len(self.actors))
        for service in services:
            for partition in range(config.partitions):
                self.readers[Place(f"{service.name}.events", partition)].append(len(self.actors))
        self.actors.append(self.api)
        self._projector_slot = len(self.actors)
        self.actors.append(self._projector({}))
        for place in self.readers:
            if place.topic.endswith(".events"):
                self.readers[place].append(self._projector_slot)
        if config.plan.answers_late:
            self.actors.append(Operator(self, services, Random(f"{seed}/operator"), LOG_ID))
        self.traffic = Traffic(
            Random(f"{seed}/traffic"),
            self.api,
            config.plan,
            partitions=config.partitions,
            onboarding="onboarding" in self.services,
            views=lambda: self.views,
        )
        self.actors.append(self.traffic)
        self._awake = list(range(len(self.actors)))
        self._is_awake = [True] * len(self.actors)
        self._twins: list[Twin] = []
        self._disasters = Disasters(self, Random(f"{seed}/disasters"), config.disasters, LOG_ID)

    def _build_deciders_and_policies(self) -> None:
        partitions = range(self.config.partitions)
        for service in self.services.values():
            for partition in partitions:
                for replica in self._replicas:
                    slot = len(self.actors)
                    decider = self._decider(slot, service, partition, replica, MemoryStore())
                    self.actors.append(decider)
                    self.readers[decider.commands].append(slot)
                    self.readers[decider.events].append(slot)
        for service in self.services.values():
            for source in service.policies:
                for replica in self._replicas if source in self.services else ():
                    slot = len(self.actors)
                    self.actors.append(self._policy(slot, service, source, replica))
                    for partition in partitions:
                        self.readers[Place(f"{source}.events", partition)].append(slot)

    @property
    def _replicas(self) -> tuple[str, ...]:
        return ("r0",) if self._table is None else self._table.replicas

    # --- running ------------------------------------------------------------------------------------------------

    def run(self, steps_max: int) -> None:
        """Live through the plan with faults, then without until all is quiet. Raises Stuck."""
        while not self.traffic.done and self.steps < steps_max:
            self.step()
        self.drain()

    def drain(self) -> None:
        """No more faults and no new wishes: everything must come to rest. Raises Stuck."""
        self.log.faults, self._starvation = NO_FAULTS, 0.0
        self._unknown_commits = 0.0
        self._disasters.end()
        self.traffic.closing_time = True
        for twin in self._twins:
            twin.actor.stop()
        self._twins.clear()
        for _ in range(self.DRAIN_STEPS_MAX):
            if not self._awake and self.log.is_quiet and not self.restless():
                return
            self._move()
        raise Stuck(f"not at rest: {', '.join(self.restless())}")

    def restless(self) -> list[str]:
        """Who still has something to do."""
        return [getattr(actor, "name", "people") for actor in self.actors if not actor.is_quiet]

    def step(self) -> None:
        """One small step of one actor, or the death of one."""
        if self._rng.random() < self.config.crashes:
            self._crash(self._rng.randrange(len(self.actors) - 1))
        if self._twins and self._rng.random() < 0.5:
            self._step_a_twin()
        if self.config.disasters.are_some:
            self._disasters.step()
        self._move()

    def _move(self) -> None:
        self.steps += 1
        if self._rng.random() < 0.3 and self.log.step():
            self._tell_news()
            return
        if not self._awake:
            if self.log.step():
                self._tell_news()
                return
            for slot in range(len(self.actors)):  # nothing moves: time passes, and patience ends
                self._wake(slot)
        index = int(self._rng.random() * len(self._awake))
        slot = self._awake[index]
        actor = self.actors[slot]
        try:
            moved = actor.step(self._rng)
        except MemoryError:
            self.happened[names.DECIDER_STARVED] += 1
            self._crash(slot)
            return
        except (
            OffsetMissing
        ):  # he read what a power cut has taken: he ends, and his successor looks at what is left
            self._crash(slot)
            return
        if not moved:
            self._awake[index] = self._awake[-1]
            self._awake.pop()
            self._is_awake[slot] = False
        self._look_at(slot, actor)

    def _look_at(self, slot: int, actor: Actor) -> None:
        """What somebody's step has made of him."""
        if isinstance(actor, DeciderActor):
            if actor.took_over:
                actor.took_over = False
                self.happened[names.BOTH_DECIDE] += another_decides(actor, self.actors)
        elif isinstance(actor, PolicyActor):
            if actor.took_over is not None:
                self.happened[names.BOTH_SEND] += another_sends(actor, actor.took_over, self.actors)
                actor.took_over = None
            if actor.in_doubt:
                self.happened[names.POLICY_STARTED_OVER] += 1
                self.replace_policy(slot)
        elif isinstance(actor, ProjectorActor):
            if actor.in_doubt:
                self.replace_projector(actor.database)
        elif actor is self.api and self.api.seen:
            self._wake(len(self.actors) - 1)

    def _tell_news(self) -> None:
        for place in self.log.stored_in:
            for slot in self.readers[place]:
                self._wake(slot)
        for slot in self.log.told:
            if slot >= 0:
                self._wake(slot)
        self.log.stored_in.clear()
        self.log.told.clear()

    def _wake(self, slot: int) -> None:
        if not self._is_awake[slot]:
            self._is_awake[slot] = True
            self._awake.append(slot)

    # --- dying --------------------------------------------------------------------------------------------------

    def _crash(self, slot: int) -> None:
        actor = self.actors[slot]
        if isinstance(actor, DeciderActor):
            if self.config.replicas and self._rng.random() < 0.3:
                self.happened[names.DECIDER_FROZEN] += 1
                actor.freeze(self._rng.randint(1, self.AWAY_STEPS))
            else:
                self.happened[names.DECIDER_DIED] += 1
                self.replace_decider(slot, actor)
        elif isinstance(actor, PolicyActor):
            if self.config.replicas and self._rng.random() < 0.3:
                self.happened[names.POLICY_FROZEN] += 1
                actor.freeze(self._rng.randint(1, self.POLICY_AWAY_STEPS))
            else:
                self.happened[names.POLICY_DIED] += 1
                self._set_back(actor.kept, None if self._table is None else actor.replica)
                self.replace_policy(slot)
        elif isinstance(actor, ProjectorActor):
            self.happened[names.PROJECTOR_DIED] += 1
            self.happened[names.PROJECTOR_DIED_IN_BATCH] += actor.is_in_batch
            self.replace_projector(actor.database)
        else:
            self.happened[names.API_DIED] += 1
            self.api.crash()
        self._wake(slot)

    def replace_decider(self, slot: int, old: DeciderActor) -> None:
        """A successor starts on what the old one left; he is dead, or lives on for a while."""
        disk = self._rng.choices(list(Disk), (8, 2, 1))[0]
        self.happened[names.STORE_STALE] += disk is Disk.OLDER_COPY
        self.happened[names.STORE_LOST] += disk is Disk.EMPTY
        service, store = self._releases.after(old.service, self._rng), old.left_on(disk)
        if self._releases.schema(service) != self._releases.schema(old.service):
            self.happened[names.STORE_OF_OTHER_STATES] += 1
            store = MemoryStore()
        successor = self._decider(slot, service, old.partition, old.role.replica, store)
        if self.config.replicas:
            successor.freeze(self._rng.choice((0, self._rng.randint(1, self.AWAY_STEPS))))
        self.actors[slot] = successor
        self._end(old)
        self._wake(slot)

    def _set_back(self, kept: Kept, by: str | None) -> None:
        """What a successor finds may be older than the last commit, or nothing."""
        back = self._rng.choice((0, 0, 0, 1, 2))
        if self._rng.random() < 0.02:
            self.happened[names.COMMITS_LOST] += 1
            kept.forget()
        else:
            self.happened[names.COMMIT_OLDER] += kept.set_back(back, by)

    def replace_policy(self, slot: int) -> None:
        """A successor starts from what is kept."""
        old = self.actors[slot]
        assert isinstance(old, PolicyActor)
        successor = self._policy(slot, old.service, old.source, old.replica)
        if self.config.replicas:
            successor.freeze(self._rng.choice((0, self._rng.randint(1, self.POLICY_AWAY_STEPS))))
        self.actors[slot] = successor
        self._end(old)
        self._wake(slot)

    def replace_projector(self, database: Database) -> None:
        """A successor starts on what the database holds."""
        old = self.actors[self._projector_slot]
        assert isinstance(old, ProjectorActor)
        self.actors[self._projector_slot] = self._projector(database)
        if not old.in_doubt:
            self._end(old)
        self._wake(self._projector_slot)

    def _end(self, actor: DeciderActor | PolicyActor | ProjectorActor) -> None:
        if self._rng.random() < self.config.slow_twins:
            self.happened[_ZOMBIES[type(actor)]] += 1
            self._twins.append(Twin(actor, self._rng.randint(1, self.TWIN_STEPS)))
        else:
            actor.stop()

    def _step_a_twin(self) -> None:
        twin = self._rng.choice(self._twins)
        twin.steps_left -= 1
        over = twin.steps_left <= 0
        with suppress(MemoryError):
            try:
                twin.actor.step(self._rng)
            except OffsetMissing:
                over = True
        if over or (not isinstance(twin.actor, DeciderActor) and twin.actor.in_doubt):
            twin.actor.stop()
            self._twins.remove(twin)

    def bury(self, whom: Callable[[object], bool]) -> None:
        """Whoever lives on beside his successor, and is meant, is dead now; what he sent is lost or arrives late."""
        for twin in [twin for twin in self._twins if whom(twin.actor)]:
            twin.actor.stop()
            self._twins.remove(twin)

    # --- what others ask ------------------------------------------------------------------------------------------

    @property
    def happened(self) -> Counter[str]:
        """How often each fault was injected."""
        return self.log.happened

    @property
    def views(self) -> Database:
        """What the database holds of every view."""
        projector = self.actors[self._projector_slot]
        assert isinstance(projector, ProjectorActor)
        return projector.database

    # --- building -----------------------------------------------------------------------------------------------

    def _decider(
        self, slot: int, service: Service, partition: int, replica: str, store: MemoryStore
    ) -> DeciderActor:
        return DeciderActor(
            self.log,
            service,
            partition,
            self.config.partitions,
            log_id=LOG_ID,
            replica=replica,
            store=store,
            slot=slot,
            table=self._table,
            chance=self._rng,
        )

    def _policy(self, slot: int, service: Service, source: str, replica: str) -> PolicyActor:
        return PolicyActor(
            self.log,
            service,
            source,
            self.config.partitions,
            log_id=LOG_ID,
            kept=self._kept.setdefault(f"{service.name}/{source}", Kept()),
            slot=slot,
            replica=replica,
            table=self._table,
            chance=self._rng,
        )

    def _projector(self, database: Database) -> ProjectorActor:
        return ProjectorActor(
            self.log,
            self.services,
            self.config.partitions,
            log_id=LOG_ID,
            database=database,
            unknown_commits=lambda: self._unknown_commits,
        )
