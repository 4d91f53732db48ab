"""Every fault, in the order of docs/reliability.md: the one place where they are listed."""

from tools.faults import broker, late_produce, processes, races, slow_database
from tools.faults.scenario import Fault

FAULTS: tuple[Fault, ...] = (
    *processes.FAULTS,
    *broker.FAULTS,
    *races.FAULTS,
    *late_produce.FAULTS,
    *slow_database.FAULTS,
)
