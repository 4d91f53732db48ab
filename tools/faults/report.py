"""What a run of faults found: one row per fault, told as a table, as JSON, and as the table of docs/reliability.md."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from tools.faults.scenario import Fault
from tools.faults.verdict import Counts
from tools.load.open_loop import quantile

ROOT: Final = Path(__file__).resolve().parents[2]
OUT: Final = ROOT / "out" / "faults.json"
DOCS: Final = ROOT / "docs" / "reliability.md"
#: How the reason of a fault begins that the machine, and not the platform, kept from being injected.
NOT_HERE: Final = "this machine does not allow it: "
TIME_OVER: Final = "the time was over"
_BEGIN: Final = "<!-- written by `loanstream faults --write-docs`: begin -->"
_END: Final = "<!-- written by `loanstream faults --write-docs`: end -->"


@dataclass(slots=True)
class Row(Counts):
    """One fault: what was injected, what callers were told, what the log says. Times are those of this machine."""

    name: str
    promise: str
    injected: int = 0
    seconds: float = 0.0
    decisions: int = 0
    repeats: int = 0
    foreign: int = 0
    take_over_ms: list[float] = field(default_factory=list)
    waited_ms: list[float] = field(default_factory=list)
    """From a command stored to its decision stored, of every command of the fault."""
    limit_s: float = 10.0
    """Of the next three (I10)."""
    limit_reason: str = ""
    answered_after_s: float = 0.0
    """From the end of the injector, or of asking if that was later, to the last caller's first answer."""
    caught_up_after_s: float = 0.0
    """From the end of the injector until everything stored was read, decided and shown."""
    at_rest_after_s: float = 0.0
    """The same, and every saga at its end, after the harness has asked for the last time."""
    ended_by_themselves: int = 0
    figures: dict[str, float | int | str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Nothing broke that was promised."""
        return not self.violations

    def as_json(self) -> dict[str, Any]:
        """The row with its distributions as quantiles."""
        plain = asdict(self)
        for name in ("take_over_ms", "waited_ms"):
            plain[name] = spread(getattr(self, name))
        return plain | {"good": self.good}


@dataclass(slots=True)
class Report:
    """All rows of a run, and what the stacks said at their ends."""

    rows: list[Row] = field(default_factory=list)
    stacks: list[dict[str, Any]] = field(default_factory=list)
    not_run: dict[str, str] = field(default_factory=dict)
    """Faults that were not injected, and why: the machine allows it not, the time was over, the stack gave up."""
    seconds: float = 0.0
    seed: int = 0
    quick: bool = False

    @property
    def good(self) -> bool:
        """Every fault was run and kept its promise, and every stack's log and views are proven.

        What the machine does not allow is no row and is told by name; it does not fail the run of a machine that cannot.
        """
        missed = [name for name, why in self.not_run.items() if not why.startswith(NOT_HERE)]
        return not missed and all(row.good for row in self.rows) and all(s["good"] for s in self.stacks)

    def write(self, path: Path = OUT) -> Path:
        """As JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        plain = {
            "good": self.good,
            "quick": self.quick,
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "not_run": self.not_run,
            "not_allowed_here": [name for name, why in self.not_run.items() if why.startswith(NOT_HERE)],
            "stacks": self.stacks,
            "faults": [row.as_json() for row in self.rows],
        }
        path.write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
        return path


def spread(values: Sequence[float]) -> dict[str, float | int]:
    """Count, p50, p99 and maximum; only the count where there are none."""
    if not values:
        return {"n": 0}
    return {"n": len(values), "p50": quantile(values, 0.5), "p99": quantile(values, 0.99), "max": max(values)}


def line(row: Row) -> str:
    """One fault in one line, told as soon as it is over."""
    verdict = "good" if row.good else f"BROKEN ({len(row.violations)})"
    return (
        f"{row.name}: {row.injected} x, {row.asked} asked, {row.was_unknown} unknown for a while, lost {row.lost}, "
        f"doubled {row.doubled}, {row.repeats} repeats, {row.foreign} foreign{_first_decision(row)}, {row.seconds:.0f} s: {verdict}"
    )


def _first_decision(row: Row) -> str:
    if not row.take_over_ms:
        return ""
    found = spread(row.take_over_ms)
    return f", first decision p50/p99 {found['p50']:.0f}/{found['p99']:.0f} ms"


def table(report: Report) -> Table:
    """All rows for a terminal."""
    shown = Table(
        title=f"faults, {report.seconds / 60:.1f} minutes, seed {report.seed}", title_justify="left"
    )
    for column in ("fault", "injected", "asked", "unknown → answered", "lost", "doubled", "repeats", "foreign", "first decision p50/p99 ms", "answered / limit s", "verdict"):  # fmt: skip
        shown.add_column(column, justify="left" if column in ("fault", "verdict") else "right")
    for row in report.rows:
        found = spread(row.take_over_ms)
        shown.add_row(
            row.name,
            str(row.injected),
            str(row.asked),
            f"{row.was_unknown} → {row.was_unknown}"
            if not row.unanswered
            else f"{row.was_unknown + row.unanswered} → {row.was_unknown}",
            str(row.lost),
            str(row.doubled),
            str(row.repeats),
            str(row.foreign),
            f"{found['p50']:.0f}/{found['p99']:.0f}" if row.take_over_ms else "",
            f"{row.answered_after_s:.1f} / {row.limit_s:g}",
            "good" if row.good else f"[bold red]{len(row.violations)} violations",
        )
    return shown


def wrong(report: Report) -> list[str]:
    """Everything that must not be, one sentence each."""
    told = [f"{row.name}: {sentence}" for row in report.rows for sentence in row.violations]
    told += [
        f"stack {stack['kind']}: {sentence}" for stack in report.stacks for sentence in stack["violations"]
    ]
    return [*told, *(f"{name}: not run, {why}" for name, why in report.not_run.items())]


def write_docs(faults: Sequence[Fault], report: Path = OUT, docs: Path = DOCS) -> Path:
    """Put the table of promises and of the last run's figures between the markers of the page."""
    last = json.loads(report.read_text()) if report.exists() else {"faults": [], "not_run": {}}
    measured = {row["name"]: row for row in last["faults"]}
    lines = [
        _BEGIN,
        "",
        "| fault | promise | injected | asked → lost / doubled | first decision p50 / p99 | answered, caught up (limit) |",
    ]
    lines.append("|---|---|---|---|---|---|")
    lines += [
        _docs_line(fault, measured.get(fault.name), dict(last["not_run"]).get(fault.name)) for fault in faults
    ]
    before, _, rest = docs.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    docs.write_text(before + "\n".join(lines) + f"\n\n{_END}" + after)
    return docs


def _docs_line(fault: Fault, row: dict[str, Any] | None, why_not: str | None) -> str:
    if row is None:
        return f"| {fault.name} | {fault.promise} | {'not run: ' + why_not if why_not else 'not measured'} | | | ({_limit(fault)}) |"
    over = row["take_over_ms"]
    first = f"{over['p50'] / 1000:.2f} / {over['p99'] / 1000:.2f} s" if over["n"] else ""
    more = "; ".join(f"{name} {value}" for name, value in row["figures"].items())
    promise = f"{fault.promise} ({more})" if more else fault.promise
    return (
        f"| {fault.name} | {promise} | {row['injected']} × | {row['asked']} → {row['lost']} / {row['doubled']} | {first} "
        f"| {row['answered_after_s']:.1f} s, {row['caught_up_after_s']:.1f} s ({_limit(fault)}) |"
    )


def _limit(fault: Fault) -> str:
    return f"{fault.answered_within_s:g} s" + (f": {fault.why_longer}" if fault.why_longer else "")
