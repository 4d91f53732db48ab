"""What a person and a program see of a run: a table, `out/bench.json`, and the table of docs/performance.md."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.table import Table

from libs.runtime.errors import OperatorError
from tools.bench.lab import Figure

ROOT: Final = Path(__file__).resolve().parents[2]
JSON_FILE: Final = ROOT / "out" / "bench.json"
DOCS_FILE: Final = ROOT / "docs" / "performance.md"
_BEGIN, _END = "<!-- figures: written by `loanstream bench --write-docs` -->", "<!-- end of figures -->"

#: Figure -> what its two sides are called in the file, and their unit.
SIDES: Final[Mapping[str, tuple[str, str, str]]] = {
    "command_ratio": ("ours_per_s", "bare_per_s", "commands/s"),
    "visibility_ratio": ("ours_p99_ms", "bare_p99_ms", "ms, p99"),
    "hot_loan_ratio": ("ours_per_s", "bare_per_s", "bids/s"),
    "rebuild_ratio": ("ours_per_s", "bare_per_s", "records/s"),
    "close_ratio": ("ours_s", "bare_s", "s a day"),
}


def table(figures: Iterable[Figure]) -> Table:
    """One line a figure."""
    shown = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for number, column in enumerate(("figure", "median", "95 % interval", "aim", "", "ours", "baseline")):
        shown.add_column(column, justify="left" if number in (0, 4) else "right", no_wrap=True)
    for figure in figures:
        row = _row(figure.name, figure.as_json())
        shown.add_row(*row, style="" if figure.holds else "yellow")
    return shown


def _row(name: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    low, high = found["interval"]
    ours, bare, unit = SIDES.get(name, ("", "", ""))
    return (
        name,
        _told(found["median"]),
        f"{_told(low)} – {_told(high)}",
        str(found["aim"]),
        "holds" if found["holds"] else "NOT YET",
        f"{_told(found[ours])} {unit}" if ours in found else "",
        _told(found[bare]) if bare in found else "",
    )


def _told(value: float | None) -> str:
    return "?" if value is None else f"{value:,g}"


def write_json(figures: Iterable[Figure], facts: Mapping[str, Any], path: Path = JSON_FILE) -> None:
    """Write the figures where a program can read them; those that were not measured this time are kept from before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    found = kept | {figure.name: figure.as_json() | {"machine": dict(facts)} for figure in figures}
    path.write_text(json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def write_docs(json_file: Path = JSON_FILE, docs: Path = DOCS_FILE) -> None:
    """Put the table of the last run into docs/performance.md; figures of a quick run mean nothing and stay out.

    Raises OperatorError where there are none, ValueError for a page without its marks.
    """
    kept: dict[str, Any] = json.loads(json_file.read_text(encoding="utf-8")) if json_file.is_file() else {}
    found = {name: figure for name, figure in kept.items() if not figure["machine"]["quick"]}
    if not found:
        raise OperatorError(f"{json_file.name} holds no figures of a full run: `make bench` measures them.")
    text = docs.read_text(encoding="utf-8")
    before, begun, rest = text.partition(_BEGIN)
    _, ended, after = rest.partition(_END)
    if not begun or not ended:
        raise ValueError(f"{docs.name} has no place for the figures")
    docs.write_text(before + _BEGIN + "\n\n" + as_markdown(found) + "\n\n" + _END + after, encoding="utf-8")


def as_markdown(found: Mapping[str, Any]) -> str:
    """The figures as a table, the machine below it."""
    lines = [
        "| figure | median | 95 % interval | aim | | ours | baseline |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += ["| " + " | ".join(_row(name, figure)) + " |" for name, figure in found.items()]
    machines = {json.dumps(_machine(figure), sort_keys=True) for figure in found.values()}
    for machine in sorted(machines):
        told = ", ".join(f"{name} {value}" for name, value in json.loads(machine).items())
        lines += ["", f"Measured on: {told}."]
    notes = [f"- `{name}`: {note}." for name, figure in found.items() for note in figure["notes"]]
    return "\n".join([*lines, *(["", *notes] if notes else [])])


def _machine(figure: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in figure["machine"].items() if name not in ("load_before", "quick")}
