"""The table of faults and its page: every promise stands in the docs, and what went wrong is never told as good."""

import json
from pathlib import Path

import pytest

from tools.faults import command
from tools.faults.report import DOCS, NOT_HERE, TIME_OVER, Report, Row, line, write_docs, wrong
from tools.faults.scenario import Fault, Injected, chosen
from tools.faults.scene import Scene
from tools.faults.table import FAULTS


async def _nothing(_scene: Scene) -> Injected:
    return Injected(1)


A, B = Fault("a", "Nothing happens.", _nothing, quick=True), Fault("b", "Something does.", _nothing)


def test_every_fault_has_a_name_of_its_own_and_its_promise_stands_in_the_docs() -> None:
    """If not: `loanstream faults --write-docs` writes the table of docs/reliability.md again."""
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    page = DOCS.read_text()
    assert [fault.name for fault in FAULTS if f"| {fault.name} | {fault.promise}" not in page] == []


def test_the_quick_ones_the_named_ones_or_all() -> None:
    """Names win over the quick selection; an unknown one is refused."""
    assert chosen([A, B], (), quick=True) == [A]
    assert chosen([A, B], (), quick=False) == [A, B]
    assert chosen([A, B], ("b",), quick=True) == [B]
    with pytest.raises(KeyError):
        chosen([A, B], ("c",), quick=False)
    assert command.listed().row_count == len(FAULTS)


def test_a_run_is_good_only_if_all_of_it_is() -> None:
    """A violation, a stack that does not prove its log, and a fault for which there was no time are each told."""
    good = {"kind": "standard", "good": True, "violations": []}
    assert Report(rows=[Row("a", "")], stacks=[good]).good
    spoilt = [
        Report(rows=[Row("a", "", violations=["lost: x"])], stacks=[good]),
        Report(rows=[Row("a", "")], stacks=[{"kind": "standard", "good": False, "violations": ["forked"]}]),
        Report(rows=[Row("a", "")], stacks=[good], not_run={"b": "the time was over"}),
    ]
    for report in spoilt:
        assert not report.good
        assert len(wrong(report)) == 1
    assert "BROKEN" in line(spoilt[0].rows[0])


def test_the_docs_say_what_was_measured_and_keep_what_people_wrote(tmp_path: Path) -> None:
    """Only what stands between the markers is replaced, with the figures of the last run."""
    page, figures = tmp_path / "reliability.md", tmp_path / "faults.json"
    page.write_text(DOCS.read_text())
    row = Row(
        "a",
        "Nothing happens.",
        injected=3,
        asked=70,
        take_over_ms=[100.0, 400.0],
        answered_after_s=1.25,
        caught_up_after_s=2.0,
    )
    Report(rows=[row]).write(figures)
    assert json.loads(figures.read_text())["faults"][0]["take_over_ms"]["p99"] == 400.0
    for _ in range(2):
        write_docs([A, B], figures, page)
    text = page.read_text()
    assert "| a | Nothing happens. | 3 × | 70 → 0 / 0 | 0.10 / 0.40 s | 1.2 s, 2.0 s (10 s) |" in text
    assert "| b | Something does. | not measured |" in text
    assert text.count("| a |") == 1
    assert text.endswith(DOCS.read_text().split("end -->")[1])


def test_what_a_machine_does_not_allow_is_told_and_is_no_good_row(tmp_path: Path) -> None:
    """It stands in the docs and among what is told, with its reason; only the machine's reason lets the run be good."""
    page, figures = tmp_path / "reliability.md", tmp_path / "faults.json"
    page.write_text(DOCS.read_text())
    report = Report(not_run={"a": NOT_HERE + "no faketime"})
    assert report.good
    assert wrong(report) == ["a: not run, this machine does not allow it: no faketime"]
    assert not Report(not_run={"a": TIME_OVER}).good
    report.write(figures)
    assert json.loads(figures.read_text())["not_allowed_here"] == ["a"]
    write_docs([A], figures, page)
    assert (
        "| a | Nothing happens. | not run: this machine does not allow it: no faketime |" in page.read_text()
    )
