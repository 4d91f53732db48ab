"""What one run is like: drawn from its seed, or written down by a test that wants a world of a certain kind."""

from dataclasses import dataclass, field

from tools.simulator.log import LogFaults
from tools.simulator.plan import Plan


@dataclass(frozen=True, slots=True)
class Chances:
    """Per step."""

    events_cut: float = 0.0
    commands_cut: float = 0.0
    database_restored: float = 0.0

    @property
    def are_some(self) -> bool:
        """Whether any of this happens."""
        return bool(self.events_cut or self.commands_cut or self.database_restored)


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
    profile: str = "demo"
    """Which that is."""
    starvation: float = 0.0
    """Chance per decision that the machine runs out of memory: the decider dies."""
    replicas: bool = False
    """Each partition has an active decider and a standby; one that dies may take a while to start, or is only frozen."""
    other_states: bool = False
    """Some successors keep their states in another shape, so that they find no store."""
    unknown_commits: float = 0.0
    """Chance per transaction of the projector that it never hears what became of it."""
    disasters: Chances = field(default_factory=Chances)
