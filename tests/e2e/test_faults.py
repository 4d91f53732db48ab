"""The quick selection of the faults: production's processes are killed, frozen and raced under load, and nobody is told wrong."""

import sys
from pathlib import Path

import pytest

from tools.faults import command


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nothing_is_lost_or_doubled_whatever_is_broken(tmp_path: Path) -> None:
    """What every caller was told stands in the log exactly once, after each of the quick faults; `make faults` runs them all."""
    # under three minutes on two quiet cores is the aim; the limit is for a machine with four times the work to do
    report = command.run(
        tmp_path, (), quick=True, seed=0, minutes=12, out=tmp_path / "faults.json", say=_told
    )
    assert command.wrong(report) == []
    assert report.good
    assert sum(row.lost + row.doubled + row.changed + row.unasked for row in report.rows) == 0
    assert all(row.injected > 0 and row.asked > 0 for row in report.rows)


def _told(step: str) -> None:
    sys.stdout.write(step + "\n")
