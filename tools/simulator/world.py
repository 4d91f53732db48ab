"""One simulated platform: actors that share nothing but the log, and one seeded scheduler that lets one of them move.

Between any two steps an actor may die; its successor starts from what was kept. Sometimes the dead one is not dead at
all but only slow: it goes on beside its successor for a while. After the last fault everything must come to rest.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random
from typing import Protocol

from libs.runtime.replica_role import Assignment
from libs.runtime.service import Service
from libs.runtime.store import MemoryStore
from tools.simulator.deciding import DeciderActor, Disk
from tools.simulator.log import NO_FAULTS, Log, LogFaults, Place
from tools.simulator.people import Api
from tools.simulator.policing import Heads, PolicyActor
from tools.simulator.projecting import Database, ProjectorActor
from tools.simulator.starving import starving
from tools.simulator.traffic import Plan, Traffic

LOG_ID = "5151515151515151"


@dataclass(frozen=True, slots=True)
class Config:
    """One run, as drawn from its seed."""

    partitions: int
    plan: Plan
    log_faults: LogFaults
    crashes: float
    """Chance per step that some actor dies."""
    slow_twins: float
    """Of the dead: how many go on beside their successor for a while."""
    new_release: bool
    """Successors decide under a higher `rules` number, so a slow twin writes other bytes."""
    minutes_east: int = 0
    """Where the debtors live, by the profile that the services obey."""
    starvation: float = 0.0
    """Chance per decision that the machine runs out of memory: the decider dies."""
    replicas: bool = False
    """Each partition has an active decider and a standby; one that dies may take a while to start, or is only frozen."""


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

    actor: DeciderActor | PolicyActor
    steps_left: int


class Stuck(AssertionError):
    """The platform did not come to rest."""


class World:
    """Builds the actors and lets them move. An actor that has nothing to do sleeps until its news come."""

    #: How long a replica is away or frozen, in its own steps.
    AWAY_STEPS = 300
    #: How long a slow twin lives on, in its own steps.
    TWIN_STEPS = 40
    #: Steps without faults after which everything must have come to rest; a run needs a hundredth of it.
    DRAIN_STEPS_MAX = 1_000_000

    def __init__(self, seed: int, services: Sequence[Service], config: Config) -> None:
        self.config = config
        memory = Random(f"{seed}/memory")
        self.services = {
            service.name: starving(service, memory, lambda: self._starvation) for service in services
        }
        self._starvation = config.starvation
        self.steps = 0
        self.crashes = 0
        self.freezes = 0
        self._take_overs_of_the_dead = 0
        self._rng = Random(f"{seed}/schedule")
        self.log = Log(Random(f"{seed}/log"), config.log_faults)
        for service in services:
            for topic in ("commands", "events"):
                for partition in range(config.partitions):
                    self.log.create(Place(f"{service.name}.{topic}", partition))
        self._readers: dict[Place, list[int]] = {place: [] for place in self.log.places}
        self.actors: list[Actor] = []
        self._build_deciders_and_policies()
        self.api = Api(self.log, list(self.services), config.partitions, log_id=LOG_ID, slot=len(self.actors))
        for service in services:
            for partition in range(config.partitions):
                self._readers[Place(f"{service.name}.events", partition)].append(len(self.actors))
        self.actors.append(self.api)
        self._projector_slot = len(self.actors)
        self.actors.append(self._projector({}))
        for place in self._readers:
            if place.topic.endswith(".events"):
                self._readers[place].append(self._projector_slot)
        self.traffic = Traffic(
            Random(f"{seed}/traffic"),
            self.api,
            config.plan,
            partitions=config.partitions,
            onboarding="onboarding" in self.services,
        )
        self.actors.append(self.traffic)
        self._awake = list(range(len(self.actors)))
        self._is_awake = [True] * len(self.actors)
        self._twins: list[Twin] = []

    def _build_deciders_and_policies(self) -> None:
        partitions = range(self.config.partitions)
        for service in self.services.values():
            for partition in partitions:
                for replica in ("r0", "r1") if self.config.replicas else ("r0",):
                    slot = len(self.actors)
                    decider = self._decider(slot, service, partition, replica, MemoryStore())
                    self.actors.append(decider)
                    self._readers[decider.commands].append(slot)
                    self._readers[decider.events].append(slot)
        for service in self.services.values():
            for source in service.policies:
                if source in self.services:
                    slot = len(self.actors)
                    self.actors.append(self._policy(slot, service, source, ()))
                    for partition in partitions:
                        self._readers[Place(f"{source}.events", partition)].append(slot)

    # --- running ------------------------------------------------------------------------------------------------

    def run(self, steps_max: int) -> None:
        """Live through the plan with faults, then without until all is quiet. Raises Stuck."""
        while not self.traffic.done and self.steps < steps_max:
            self.step()
        self.drain()

    def drain(self) -> None:
        """No more faults and no new wishes: everything must come to rest. Raises Stuck."""
        self.log.faults, self._starvation = NO_FAULTS, 0.0
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
            self._crash(slot)
            return
        if not moved:
            self._awake[index] = self._awake[-1]
            self._awake.pop()
            self._is_awake[slot] = False
        if isinstance(actor, PolicyActor) and actor.in_doubt:
            self._replace_policy(slot, commits_back=0)
        if actor is self.api and self.api.seen:
            self._wake(len(self.actors) - 1)

    def _tell_news(self) -> None:
        for place in self.log.stored_in:
            for slot in self._readers[place]:
                self._wake(slot)
        for slot in self.log.told:
            self._wake(slot)
        self.log.stored_in.clear()
        self.log.told.clear()

    def _wake(self, slot: int) -> None:
        if not self._is_awake[slot]:
            self._is_awake[slot] = True
            self._awake.append(slot)

    # --- dying --------------------------------------------------------------------------------------------------

    def _crash(self, slot: int) -> None:
        self.crashes += 1
        actor = self.actors[slot]
        if isinstance(actor, DeciderActor):
            if self.config.replicas and self._rng.random() < 0.3:
                self.freezes += 1
                actor.freeze(self._rng.randint(1, self.AWAY_STEPS))
            else:
                self._replace_decider(slot, actor)
        elif isinstance(actor, PolicyActor):
            self._replace_policy(slot, commits_back=self._rng.choice((0, 0, 0, 1, 2)))
        elif isinstance(actor, ProjectorActor):
            self.actors[slot] = self._projector(actor.database)
        else:
            self.api.crash()
        self._wake(slot)

    def _replace_decider(self, slot: int, old: DeciderActor) -> None:
        disk = self._rng.choices(list(Disk), (8, 2, 1))[0]
        service = old.service
        if self.config.new_release:
            service = replace(service, rules=service.rules + 1)
        successor = self._decider(slot, service, old.partition, old.role.replica, old.left_on(disk))
        if self.config.replicas:
            successor.freeze(self._rng.choice((0, self._rng.randint(1, self.AWAY_STEPS))))
        self._take_overs_of_the_dead += old.take_overs
        self.actors[slot] = successor
        self._end(old)

    def _replace_policy(self, slot: int, *, commits_back: int) -> None:
        old = self.actors[slot]
        assert isinstance(old, PolicyActor)
        commits = old.commits[: max(0, len(old.commits) - commits_back)]
        self.actors[slot] = self._policy(slot, old.service, old.source, commits)
        self._end(old)
        self._wake(slot)

    def _end(self, actor: DeciderActor | PolicyActor) -> None:
        if self._rng.random() < self.config.slow_twins:
            self._twins.append(Twin(actor, self._rng.randint(1, self.TWIN_STEPS)))
        else:
            actor.stop()

    def _step_a_twin(self) -> None:
        twin = self._rng.choice(self._twins)
        twin.steps_left -= 1
        with suppress(MemoryError):
            twin.actor.step(self._rng)
        if twin.steps_left <= 0 or (isinstance(twin.actor, PolicyActor) and twin.actor.in_doubt):
            twin.actor.stop()
            self._twins.remove(twin)

    @property
    def take_overs(self) -> int:
        """How often a standby has taken a partition over."""
        living = sum(actor.take_overs for actor in self.actors if isinstance(actor, DeciderActor))
        return self._take_overs_of_the_dead + living

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
            table=Assignment("r0", "r1") if self.config.replicas else None,
            chance=self._rng,
        )

    def _policy(self, slot: int, service: Service, source: str, commits: tuple[Heads, ...]) -> PolicyActor:
        return PolicyActor(
            self.log,
            service,
            source,
            self.config.partitions,
            log_id=LOG_ID,
            commits=commits,
            slot=slot,
        )

    def _projector(self, database: Database) -> ProjectorActor:
        return ProjectorActor(
            self.log, self.services, self.config.partitions, log_id=LOG_ID, database=database
        )
