"""Every fault, in the order of docs/reliability.md: the one place where they are listed."""

from tools.faults import broker, crashes, outside, power, processes, races
from tools.faults.scenario import Fault

FAULTS: tuple[Fault, ...] = (
    *processes.FAULTS,
    *crashes.FAULTS,
    *broker.FAULTS,
    *power.FAULTS,
    *races.FAULTS,
    *outside.FAULTS,
)
