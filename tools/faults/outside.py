"""Faults of what the platform stands on: lines, disks, clocks, memory, and records that others wrote; one stack after the other."""

from typing import Final

from tools.faults import (
    clock_jumps,
    duplicates,
    full_disk,
    late_produce,
    memory,
    poison,
    power_loss,
    slow_database,
)
from tools.faults.scenario import Fault

FAULTS: Final[tuple[Fault, ...]] = (
    *poison.FAULTS,
    *duplicates.FAULTS,
    *memory.FAULTS,
    *power_loss.FAULTS,
    *late_produce.FAULTS,
    *slow_database.FAULTS,
    *clock_jumps.FAULTS,
    *full_disk.FAULTS,
)
