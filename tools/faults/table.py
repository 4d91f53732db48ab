"""Every fault, in the order of docs/reliability.md: the one place where they are listed."""

from tools.faults.scenario import Fault

FAULTS: tuple[Fault, ...] = ()
