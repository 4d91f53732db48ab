"""What a planted bug is: a switchable patch of the real code, the run that shows it, and the words in which it is found."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final
from unittest.mock import patch

from libs.events.sagas import Send
from libs.runtime.service import Service
from tools.simulator.config import Chances, Config
from tools.simulator.law_books import LAW
from tools.simulator.log import LogFaults
from tools.simulator.plan import Plan
from tools.simulator.planted.planting import Patch, Policy, Rotten, instead, looking_out, policy, together
from tools.simulator.run import BEFORE_THE_CAPS, CHINA_MINUTES, SeedFailed, services, simulate
from tools.simulator.world import World

#: The rooms of bugs take all their tools from here.
__all__ = ["Plant", "Verdict", "changing", "forgetting", "instead", "judge", "policy", "together"]

CROWDED = Plan(
    people=6,
    listings=8,
    days=3,
    busy_days=3,
    actions_on_busy_days=50,
    actions_on_quiet_days=0,
    tenor_months_max=1,
)
ROUGH_LOG = LogFaults(
    fails=0.03, acknowledged_late=0.2, duplicated=0.05, survives_its_sender=0.7, blind=0.1, vanishes=0.005
)
#: Many bids in three days, on a log and among processes that fail often.
ROUGH: Final = Config(
    partitions=2, plan=CROWDED, log_faults=ROUGH_LOG, crashes=0.004, slow_twins=0.2, new_release=False
)
#: Enough loans for some to be judged, on a log that only takes its time.
DUES: Final = replace(
    ROUGH,
    plan=replace(CROWDED, listings=10, days=34, busy_days=2, actions_on_busy_days=100),
    log_faults=LogFaults(acknowledged_late=0.2),
    crashes=0.0,
)
#: The same with the faults of ROUGH.
ROUGH_DUES: Final = replace(DUES, log_faults=ROUGH_LOG, crashes=0.004)
#: The same with two senders, who report the end of a phase in other company.
PAIRED_DUES: Final = replace(ROUGH_DUES, replicas=True)
#: Instalments that are paid in parts and late, across a month's end.
LATE: Final = replace(
    DUES, plan=replace(DUES.plan, days=45, actions_on_quiet_days=6, tenor_months_max=2), partitions=1
)
#: Loans that are paid out on the last days of January.
MONTH_END: Final = replace(
    ROUGH,
    plan=replace(CROWDED, days=8, busy_days=8, actions_on_busy_days=60, listings=20, tenor_months_max=4),
    log_faults=LogFaults(),
    crashes=0.0,
    partitions=1,
)
#: Twins of another release, whose decisions have other bytes.
TWINS: Final = replace(ROUGH, crashes=0.01, slow_twins=0.9, new_release=True)
#: Two replicas of everybody, of whom some are away for a while.
PAIRS: Final = replace(ROUGH, crashes=0.01, replicas=True)
#: A machine that runs out of memory now and then.
STARVED: Final = replace(ROUGH, starvation=0.002)
#: Power cuts that take the tail of a topic, and a database that is put back to the past.
CUT: Final = replace(ROUGH, disasters=Chances(events_cut=0.002))
COMMANDS_CUT: Final = replace(ROUGH, disasters=Chances(commands_cut=0.001))
#: Days and their markers, decided again, by deciders that were away and find a marker and its repeat in one go.
CUT_DUES: Final = replace(
    CUT,
    plan=replace(CROWDED, days=8, busy_days=2),
    partitions=3,
    crashes=0.02,
    replicas=True,
    disasters=Chances(events_cut=0.001),
)
#: Projectors that die often, live on as zombies, and do not hear what became of their transactions.
UNHEARD: Final = replace(ROUGH, unknown_commits=0.01, crashes=0.01, slow_twins=0.9)
#: Releases whose states have another shape.
RESHAPED: Final = replace(ROUGH, crashes=0.01, other_states=True)
#: All services: people apply, are late, are called, and leave.
WHOLE: Final = replace(
    ROUGH,
    plan=Plan(
        people=7,
        listings=10,
        days=44,
        busy_days=6,
        actions_on_busy_days=80,
        actions_on_quiet_days=4,
        tenor_months_max=2,
    ),
    log_faults=LogFaults(acknowledged_late=0.1, blind=0.05),
    crashes=0.0,
    partitions=1,
)
#: The same under the law, for as long as people apply.
LAWFUL: Final = replace(
    WHOLE, plan=replace(WHOLE.plan, days=8, busy_days=7), minutes_east=CHINA_MINUTES, profile=LAW
)
#: The same for longer than a reviewed listing waits to be paid out, with loans that are large enough for a review.
LASTING: Final = replace(LAWFUL, plan=replace(LAWFUL.plan, days=24, first_date=BEFORE_THE_CAPS))
#: Steps after which a run that still has days to close, or has not come to rest, has come to a stop.
_STEPS_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class Plant:
    """A known bug. `killed_by` are the words of which the auditor must say some, and nothing else: which, is a matter of order."""

    name: str
    what: str
    planted: Patch
    killed_by: tuple[str, ...]
    config: Config = ROUGH
    seeds: range = range(8)

    def services(self) -> list[Service]:
        """The thread's two services, or all of them where people apply for their loans."""
        whole = self.config in (WHOLE, LAWFUL, LASTING)
        return services(thread_only=not whole, profile=self.config.profile)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a plant: the seed that found it and its words, or None; `rotten: …` where it does not fit its code."""

    name: str
    what: str
    seed: int | None
    step: int
    sentence: str
    killed: bool

    def __str__(self) -> str:
        """One line."""
        told = (
            f"seed {self.seed}, step {self.step}: {self.sentence}"
            if self.seed is not None
            else self.sentence or self.what
        )
        return f"{'killed' if self.killed else 'SURVIVED':8} {self.name:30} {told[:160]}"


def judge(plant: Plant) -> Verdict:
    """Run the plant's seeds until one fails. A plant that no longer fits its code is not killed, and its sentence says why."""
    with looking_out() as lookout:
        for seed in plant.seeds:
            try:
                with plant.planted(), patch.object(World, "DRAIN_STEPS_MAX", _STEPS_MAX):
                    simulate(seed, plant.services(), plant.config, steps_max=_STEPS_MAX)
            except Rotten as rotten:
                return _rotten(plant, str(rotten))
            except SeedFailed as failed:
                rot = lookout.rot(whole=False)
                if rot is not None:
                    return _rotten(plant, rot)
                killed = any(words in failed.sentence for words in plant.killed_by)
                return Verdict(plant.name, plant.what, seed, failed.step, failed.sentence, killed)
        rot = lookout.rot(whole=True)
        return (
            Verdict(plant.name, plant.what, None, 0, "", killed=False) if rot is None else _rotten(plant, rot)
        )


def _rotten(plant: Plant, why: str) -> Verdict:
    return Verdict(plant.name, plant.what, None, 0, f"rotten: {why}", killed=False)


def forgetting(*kinds: type) -> Callable[[Policy], Policy]:
    """A policy that never sends these commands."""
    return lambda real: lambda event: [send for send in real(event) if not isinstance(send.command, kinds)]


def changing(kind: type, **fields: Callable[[Any], Any]) -> Callable[[Policy], Policy]:
    """A policy that sends a kind of command with other fields; each function is given the command."""

    def changed(send: Send) -> Send:
        if not isinstance(send.command, kind):
            return send
        others = {name: function(send.command) for name, function in fields.items()}
        return replace(send, command=replace(send.command, **others))  # type: ignore[type-var]  # every command is a dataclass

    return lambda real: lambda event: [changed(send) for send in real(event)]
