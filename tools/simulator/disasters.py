"""What is done to the simulated platform from outside: power cuts that take the tail of a topic, a database put back to the past.

The two topics of a partition are cut independently, but never the same positions of both: a decision whose command is lost
cannot be made again, and no design gives back what exists nowhere any more. After a power cut the processes concerned start
again, as they do when the broker tells them that their offset is past its end.
"""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Final

from libs.events.chain import ChainReader, genesis
from tools.simulator import fault_names as names
from tools.simulator.config import Chances
from tools.simulator.deciding import DeciderActor
from tools.simulator.log import Place
from tools.simulator.policing import PolicyActor
from tools.simulator.projecting import Database, ProjectorActor, copied
from tools.simulator.repairs import repair

if TYPE_CHECKING:
    from tools.simulator.world import World

#: Records that one power cut takes.
CUT_MAX: Final = 15
#: Steps that pass until somebody repairs a partition whose decided commands were lost.
_REPAIRED_WITHIN: Final = 600
#: A backup and its return are two.
_TIMES_MAX: Final = {"events": 4, "commands": 1, "database": 4}


class Disasters:
    """Draws and does them."""

    def __init__(self, world: "World", rng: Random, chances: Chances, log_id: str) -> None:
        self._world = world
        self._log = world.log
        self._rng = rng
        self._kinds: dict[str, tuple[float, Callable[[], None]]] = {
            "events": (chances.events_cut, lambda: self._cut_events(self._one_of("events"))),
            "commands": (chances.commands_cut, lambda: self._cut_commands(self._one_of("commands"))),
            "database": (chances.database_restored, self._restore_database),
        }
        self._kinds = {name: kind for name, kind in self._kinds.items() if kind[0]}
        self._next_at = 0
        if self._kinds:
            self._draw_next()
        self._log_id = log_id
        self._events_floor: dict[Place, int] = {}
        """Offsets below which a decision may not be lost: its command is."""
        self._commands_floor: dict[Place, int] = {}
        """Offsets below which a command may not be lost: a repair appended it, and nobody else would send it again."""
        self._to_regain: dict[Place, int] = {}
        """The last position that a partition had ever decided when it lost a tail."""
        self._to_repair: dict[Place, int] = {}
        """The step at which somebody repairs the partition."""
        self._times: Counter[str] = Counter()
        self._backup: Database | None = None

    def step(self) -> None:
        """Perhaps one of them happens, a few times in a run, because everything has to recover; what is due is repaired."""
        if self._to_repair:
            for place in [place for place, due in self._to_repair.items() if due <= self._world.steps]:
                self._repair(place)
        if self._world.steps < self._next_at or not self._kinds:
            return
        kinds = list(self._kinds)
        kind = self._rng.choices(kinds, [self._kinds[kind][0] for kind in kinds])[0]
        if self._times[kind] < _TIMES_MAX[kind]:
            self._times[kind] += 1
            self._kinds[kind][1]()
        self._draw_next()

    def _draw_next(self) -> None:
        """How many steps pass until the next one: what a chance per step comes to."""
        chance = sum(share for share, _ in self._kinds.values())
        self._next_at = self._world.steps + 1 + int(self._rng.expovariate(chance))

    def end(self) -> None:
        """No more of them: what is damaged is repaired now."""
        self._kinds.clear()
        for place in list(self._to_repair):
            self._repair(place)

    def _one_of(self, topic: str) -> Place:
        return self._rng.choice([place for place in self._log.places if place.topic.endswith(f".{topic}")])

    # --- events -------------------------------------------------------------------------------------------------

    def _cut_events(self, events: Place) -> None:
        """A tail of decisions is lost: it is decided again, to the same bytes, before anybody who read it goes on."""
        commands = _other(events, "commands")
        last = self._log.end(events)
        end = max(self._events_floor.get(events, 0), last - self._rng.randint(1, CUT_MAX))
        if end >= last or commands in self._to_repair:
            return
        self._to_regain[events] = max(self._to_regain.get(events, -1), self._decided(events))
        self._log.cut(events, end)
        self._log.happened[names.EVENTS_CUT] += 1
        self._restart_readers(events)

    def _decided(self, events: Place) -> int:
        chain = ChainReader(genesis(self._log_id, *events))
        for raw in self._log.records(events, 0, self._log.end(events)):
            chain.read(raw)
        return chain.head.position

    # --- commands -----------------------------------------------------------------------------------------------

    def _cut_commands(self, commands: Place) -> None:
        """A tail of commands is lost, decided ones and others.

        Policy groups have committed that their commands are stored, so they begin anew: the operator deletes their commits.
        This comes before anything else of theirs is stored, whose `stored_below` would deny what is sent again.
        """
        events = _other(commands, "events")
        decided = self._decided(events)
        last = self._log.end(commands)
        end = max(self._commands_floor.get(commands, 0), last - self._rng.randint(1, CUT_MAX))
        if end >= last or commands in self._to_repair or decided < self._to_regain.get(events, -1):
            return
        self._stop_deciders(commands)
        self._log.cut(events, self._log.end(events))  # decisions on their way are lost with the power, too
        self._log.cut(commands, end)
        happened = self._log.happened
        happened[names.COMMANDS_CUT] += 1
        happened[names.UNDECIDED_COMMANDS_LOST] += last - max(end, min(last, decided + 1))
        self._events_floor[events] = self._log.end(events)
        self._to_repair[commands] = self._world.steps + self._rng.randint(0, _REPAIRED_WITHIN)
        self._start_deciders(commands)
        self._begin_policies_anew(commands.topic.removesuffix(".commands"))

    def _repair(self, commands: Place) -> None:
        """`loanstream repair` between a stop and a start of who decides the partition."""
        del self._to_repair[commands]
        self._stop_deciders(commands)
        damage = repair(self._log, self._log_id, commands, _other(commands, "events"))
        happened = self._log.happened
        happened[names.DECIDED_COMMANDS_LOST] += damage.missing + len(damage.displaced)
        happened[names.COMMANDS_DISPLACED] += len(damage.displaced)
        self._log.was_cut.discard(commands)
        if not damage.is_whole:
            self._commands_floor[commands] = self._log.end(commands)
        self._start_deciders(commands)

    # --- who stops and starts ---------------------------------------------------------------------------------------

    def _restart_readers(self, events: Place) -> None:
        """Who read what is lost starts again, and finds what he kept newer than the log."""
        world = self._world
        world.api.lost(events)
        for slot in world.readers[events]:
            actor = world.actors[slot]
            if isinstance(actor, DeciderActor):
                world.replace_decider(slot, actor)
            elif isinstance(actor, PolicyActor):
                world.replace_policy(slot)
            elif isinstance(actor, ProjectorActor):
                world.replace_projector(actor.database)

    def _stop_deciders(self, commands: Place) -> None:
        """Everybody who decides a partition stops; nobody is left behind whose decisions could still arrive."""
        self._world.bury(lambda actor: isinstance(actor, DeciderActor) and actor.commands == commands)
        for slot in self._world.readers[commands]:
            actor = self._world.actors[slot]
            assert isinstance(actor, DeciderActor), "nobody else reads commands"
            actor.stop()

    def _start_deciders(self, commands: Place) -> None:
        for slot in self._world.readers[commands]:
            actor = self._world.actors[slot]
            assert isinstance(actor, DeciderActor), "nobody else reads commands"
            self._world.replace_decider(slot, actor)
        self._world.bury(lambda actor: isinstance(actor, DeciderActor) and actor.commands == commands)

    def _begin_policies_anew(self, service: str) -> None:
        of_service: Callable[[object], bool] = lambda actor: (  # noqa: E731 - asked twice
            isinstance(actor, PolicyActor) and actor.service.name == service
        )
        for slot in [slot for slot, actor in enumerate(self._world.actors) if of_service(actor)]:
            actor = self._world.actors[slot]
            assert isinstance(actor, PolicyActor), "only those were chosen"
            actor.kept.forget()
            self._world.replace_policy(slot)
        self._world.bury(of_service)

    # --- the database -------------------------------------------------------------------------------------------

    def _restore_database(self) -> None:
        """Take a backup, or put the last one back."""
        if self._backup is None:
            self._backup = copied(self._world.views)
            return
        self._log.happened[names.DATABASE_RESTORED] += 1
        self._world.replace_projector(self._backup)
        self._world.bury(lambda actor: isinstance(actor, ProjectorActor))
        self._backup = None


def _other(place: Place, topic: str) -> Place:
    return Place(f"{place.topic.rsplit('.', 1)[0]}.{topic}", place.partition)
