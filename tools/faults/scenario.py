"""The protocol of a fault: what it promises, on which stack it is injected, and what its injector gives back.

To add one: write `async def inject(scene) -> Injected`, wrap it in a `Fault`, and put that into `tools/faults/table.py`.
The harness keeps load on the platform while `inject` runs, lets every caller ask again until he is answered, and judges;
an injector only injects, waits for what must follow, and leaves everything running again.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deploy.local.parts import LocalParts, Parts
from deploy.local.stack import ProcessPlan, run_command
from libs.runtime.settings import Settings
from tools.load.roles import VIEWS, production

if TYPE_CHECKING:
    from tools.faults.scene import Scene

#: Bidding with each role in a process of its own; repayment, which only gives the day and the loans, with a process per
#: replica: nine processes beside Kafka, MongoDB and the gateway are what two cores bear (measured in docs/reliability.md).
PROCESSES = (
    *(plan for plan in production(("bidding",)) if plan != VIEWS),
    *(plan for plan in production(("repayment",), apart=False) if plan != VIEWS),
    VIEWS,
)


@dataclass(frozen=True, slots=True)
class StackKind:
    """A way to start the platform. Faults of the same kind share one stack, one after the other.

    `overrides` are settings, `parts` makes Kafka and MongoDB (a proxy or a small disk goes in here), `command` makes the
    program of a process (a clock goes in here).
    """

    name: str
    processes: tuple[ProcessPlan, ...] = PROCESSES
    overrides: Mapping[str, Any] = field(default_factory=dict)
    parts: Callable[[Settings], Parts] = lambda settings: LocalParts(
        settings.data_dir, min_free_mib=settings.min_free_mib
    )
    command: Callable[[ProcessPlan, int], list[str]] = run_command


STANDARD = StackKind("standard")


@dataclass(slots=True)
class Injected:
    """What an injector did: how often, what it measured, and what it saw that must not be."""

    times: int
    take_over_ms: list[float] = field(default_factory=list)
    """Per injection and partition, the time to the first new decision (`Scene.first_decisions`)."""
    figures: dict[str, float | int | str] = field(default_factory=dict)
    """Named figures for the table, e.g. {"late records not accepted": 12}."""
    notes: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Violations in words; any makes the run fail."""
    not_run: str = ""
    """Why this machine does not allow the fault; then nothing was injected, and there is no row that could be good."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the table. `promise` is one plain sentence for docs/reliability.md."""

    name: str
    promise: str
    inject: "Callable[[Scene], Awaitable[Injected]]"
    quick: bool = False
    """Part of the quick selection that `make test` runs."""
    kind: StackKind = STANDARD
    rate_per_s: float = 25.0
    """Requests a second that people begin, whatever the platform does; 0 where the injector brings its own."""
    fail_over: bool = False
    """Whether its `take_over_ms` is a standby's, which should be under half a second."""
    answered_within_s: float = 10.0
    """I10: within this time after the injector has ended every caller has his answer, and nothing lags behind."""
    why_longer: str = ""
    """Why it may take longer than ten seconds; empty where it may not."""
    limit_s: float = 300.0
    """The injector is given up after this time, which is a violation."""


def chosen(faults: Sequence[Fault], names: Sequence[str], *, quick: bool) -> list[Fault]:
    """The faults of some names, or the quick ones, or all. Raises KeyError for an unknown name."""
    if names:
        by_name = {fault.name: fault for fault in faults}
        return [by_name[name] for name in names]
    return [fault for fault in faults if fault.quick or not quick]
