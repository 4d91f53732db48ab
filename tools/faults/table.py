"""Every fault, in the order of docs/reliability.md: the one place where they are listed."""

from tools.faults import broker, crashes, outside, power, processes, races, tampering
from tools.faults.scenario import Fault

FAULTS: tuple[Fault, ...] = (
    *tampering.FAULTS,  # while the log is short: each of its changes is looked for in the whole of it
    *processes.FAULTS,
    *crashes.FAULTS,
    *broker.FAULTS,
    *power.FAULTS,
    *races.FAULTS,
    *outside.FAULTS,
)
