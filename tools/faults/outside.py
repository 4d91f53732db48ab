"""Faults of what the platform stands on: lines, disks, clocks, memory, and records that others wrote; one stack after the other."""

from typing import Final

from tools.faults import duplicates, late_produce, memory, poison, slow_database
from tools.faults.scenario import Fault

FAULTS: Final[tuple[Fault, ...]] = (
    *poison.FAULTS,
    *duplicates.FAULTS,
    *memory.FAULTS,
    *late_produce.FAULTS,
    *slow_database.FAULTS,
)
