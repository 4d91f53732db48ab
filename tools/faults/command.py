"""What `loanstream faults` does, for the command line."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.table import Table

from libs.runtime.errors import OperatorError
from tools.faults.report import Report, table, write_docs, wrong
from tools.faults.run import LIMIT_MIN, QUICK_LIMIT_MIN, Say, run_faults
from tools.faults.scenario import Fault, chosen
from tools.faults.table import FAULTS

__all__ = ["documented", "listed", "run", "table", "wrong"]


def run(
    data_dir: Path,
    only: Sequence[str],
    *,
    quick: bool,
    seed: int,
    minutes: float | None = None,
    rate_per_s: float | None = None,
    say: Say,
    out: Path | None = None,
) -> Report:
    """Run the chosen faults and write out/faults.json. Raises OperatorError for an unknown name."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    faults = _chosen(only, quick=quick)
    if rate_per_s is not None:
        faults = [replace(fault, rate_per_s=rate_per_s) if fault.rate_per_s else fault for fault in faults]
    limit_min = minutes or (QUICK_LIMIT_MIN if quick else LIMIT_MIN)
    report = run_faults(data_dir / "faults", faults, quick=quick, seed=seed, minutes=limit_min, say=say)
    say(f"written to {report.write(out) if out else report.write()}")
    return report


def _chosen(only: Sequence[str], *, quick: bool) -> list[Fault]:
    try:
        return chosen(FAULTS, only, quick=quick)
    except KeyError as error:
        names = ", ".join(fault.name for fault in FAULTS)
        raise OperatorError(f"There is no fault {error.args[0]}: choose from {names}.") from None


def listed() -> Table:
    """Every fault and what it promises."""
    shown = Table("fault", "quick", "promise")
    for fault in FAULTS:
        shown.add_row(fault.name, "quick" if fault.quick else "", fault.promise)
    return shown


def documented() -> str:
    """Write docs/reliability.md from the last run."""
    return f"written to {write_docs(FAULTS)}"
