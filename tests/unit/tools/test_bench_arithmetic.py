"""The bench's arithmetic: medians with intervals, drifting baselines, the search for a sustained rate, the tables."""

import json
from pathlib import Path

import pytest

from libs.runtime.errors import OperatorError
from tools.bench.arithmetic import drift, interval, turns
from tools.bench.lab import Figure, trial_json
from tools.bench.rate import NothingSustained, Trial, sustained, trial_of
from tools.bench.report import as_markdown, write_docs, write_json
from tools.load.open_loop import Sample


def test_the_interval_of_a_median_holds_it_and_is_the_same_every_time() -> None:
    """Resampling is seeded, so that a report can be made again from its figures."""
    values = [0.9, 1.0, 1.1, 1.0, 0.95]
    low, high = interval(values)
    assert 0.9 <= low <= 1.0 <= high <= 1.1
    assert interval(values) == (low, high)
    assert interval([2.0]) == (2.0, 2.0)


def test_the_interval_leaves_out_both_tails() -> None:
    """95 of 100 resamples lie in it: the lowest and the highest medians that chance can give do not."""
    values = [float(value) for value in range(21)]
    low, high = interval(values)
    assert (low, high) == (6.0, 14.0)
    wider, narrower = interval(values, share=1.0), interval(values, share=0.5)
    assert wider[0] < low < narrower[0] <= narrower[1] < high < wider[1]


def test_no_values_have_no_interval() -> None:
    """A figure without a measurement is none."""
    for call in (interval, drift):
        with pytest.raises(ValueError, match="no values"):
            call([])


def test_drift_is_the_farthest_step_from_the_middle() -> None:
    """One baseline run that is a fifth slower is seen, whatever the others say."""
    assert drift([100, 100, 80]) == pytest.approx(0.2)
    assert drift([100, 120, 80]) == pytest.approx(0.2), "from the middle, and not from end to end"
    assert drift([5.0]) == 0.0


def test_turns_alternate_who_goes_first() -> None:
    """A-B-B-A: what slowly changes meets both sides alike."""
    assert turns(3) == [("ours", "bare"), ("bare", "ours"), ("ours", "bare")]


class FakeSystem:
    """Sustains a rate; beyond it the 99th percentile is over the cap, or requests are refused."""

    def __init__(self, limit_per_s: float, *, refuses: bool = False, hiccups: int = 0) -> None:
        self._limit = limit_per_s
        self._refuses = refuses
        self._hiccups = hiccups
        self.tried: list[float] = []

    async def run(self, rate_per_s: float) -> Trial:
        """One trial."""
        self.tried.append(rate_per_s)
        within = rate_per_s <= self._limit
        if within and self._hiccups:
            self._hiccups -= 1
            within = False
        outcome = "well" if within or not self._refuses else "503"
        latency_s = 0.01 if within or self._refuses else 0.2
        return trial_of(rate_per_s, [Sample(0.0, 0.0, latency_s, outcome)] * 100, seconds=1.0)


@pytest.mark.parametrize("start_per_s", [20.0, 300.0, 950.0, 5_000.0])
@pytest.mark.parametrize("refuses", [False, True])
async def test_the_search_finds_the_limit_from_below_and_from_above(
    start_per_s: float, refuses: bool
) -> None:
    """The rate found is sustained and within a twentieth of the limit, whether it is latency or refusals that end it."""
    system = FakeSystem(1_000, refuses=refuses)
    found = await sustained(system.run, start_per_s=start_per_s, cap_s=0.05, outcome="well")
    assert 1_000 / 1.05 <= found.rate_per_s <= 1_000
    assert found.outcomes == {"well": 100}


async def test_one_hiccup_of_the_machine_is_no_limit() -> None:
    """A rate fails only when it fails twice."""
    system = FakeSystem(1_000, hiccups=1)
    found = await sustained(system.run, start_per_s=900, cap_s=0.05, outcome="well")
    assert found.rate_per_s >= 900


async def test_a_system_that_sustains_nothing_is_told_as_that() -> None:
    """The search ends by itself, and gives no rate that was never sustained."""
    system = FakeSystem(0)
    with pytest.raises(NothingSustained):
        await sustained(system.run, start_per_s=100, cap_s=0.05, outcome="well")
    assert len(system.tried) <= 40


def test_a_trial_without_an_answer_sustains_nothing() -> None:
    """A run that was given up has no latency to boast of."""
    assert not trial_of(10, [], seconds=1.0).sustains(0.05, "well")


def samples(*latencies_s: float, outcome: str = "well") -> list[Sample]:
    """A sample for each, all sent later than they were due."""
    return [Sample(1.0, 1.0 + latency_s / 2, 1.0 + latency_s, outcome) for latency_s in latencies_s]


def test_one_refusal_in_a_hundred_is_not_sustained() -> None:
    """However quick the others were: who is refused was not served."""
    served, refused = samples(*[0.01] * 99), samples(0.001, outcome="503")
    trial = trial_of(100, served + refused, seconds=1.0)
    assert trial.outcomes == {"well": 99, "503": 1}
    assert not trial.sustains(0.05, "well")
    assert trial_of(100, served, seconds=1.0).sustains(0.05, "well")


def test_the_slowest_in_a_hundred_decide_and_not_the_middle() -> None:
    """A median, or nine of ten, under the cap do not make up for two slow ones in a hundred; one in a hundred may be slow."""
    slow = trial_of(100, samples(*[0.01] * 98, 0.2, 0.3), seconds=1.0)
    assert [slow.p50_s, slow.p99_s] == pytest.approx([0.01, 0.2])
    assert not slow.sustains(0.05, "well")
    assert trial_of(100, samples(*[0.01] * 99, 0.3), seconds=1.0).sustains(0.05, "well")


def test_the_cost_is_of_a_thousand_requests() -> None:
    """CPU seconds of the system under test, whatever the generator used, divided by the requests and not by the seconds."""
    trial = trial_of(100, samples(*[0.01] * 500), seconds=5.0, cpu_s=0.4, generator_cpu_s=3.0)
    assert trial.cpu_s_per_1000 == pytest.approx(0.8)
    assert (trial.cpu_s, trial.generator_cpu_s, trial.seconds) == (0.4, 3.0, 5.0)
    assert trial_json(trial)["cpu_s_per_1000"] == 0.8
    assert trial_json(trial)["generator_share_of_a_core"] == 0.6
    assert trial_json(trial)["p99_ms"] == 10.0
    assert trial_of(100, [], seconds=1.0).cpu_s_per_1000 == 0.0


def test_a_run_that_saw_nothing_is_null_in_the_file(tmp_path: Path) -> None:
    """JSON has no infinity; a reader of the file gets a null with a note, and the figure does not hold."""
    inf = float("inf")
    path = tmp_path / "bench.json"
    parts = {"bare_p99_ms": 2.0, "ours_p99_ms": inf, "runs": [{"p99_ms": inf}, {"p99_ms": 1.5}]}
    write_json([Figure("visibility_ratio", inf, 1.0, float("nan"), "<= 2", True, parts)], {}, path)

    def no_constant(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    found = json.loads(path.read_text(), parse_constant=no_constant)["visibility_ratio"]
    assert found["median"] is None
    assert found["interval"] == [1.0, None]
    assert found["runs"] == [{"p99_ms": None}, {"p99_ms": 1.5}]
    assert found["holds"] is False
    assert found["notes"] == ["a run saw nothing: what could not be told is null"]
    assert "| visibility_ratio | ? | 1 – ? | <= 2 | NOT YET | ? ms, p99 | 2 |" in as_markdown(
        {"visibility_ratio": found | {"machine": {}}}
    )


def test_the_figures_are_kept_and_put_into_the_page(tmp_path: Path) -> None:
    """A figure measured alone does not throw the others away; the page keeps its words and takes the new table."""
    path, page = tmp_path / "bench.json", tmp_path / "performance.md"
    first = Figure(
        "command_ratio", 0.61234, 0.6, 0.62, ">= 0.5", True, {"ours_per_s": 900, "bare_per_s": 1500}
    )
    second = Figure("empty_day_ms", 70.0, 69.0, 71.0, "<= 80", True, {}, ("a note",))
    machine = {"cores": 2, "quick": False, "load_before": 0.1}
    write_json([first], machine, path)
    write_json([second], machine, path)
    assert list(json.loads(path.read_text())) == ["command_ratio", "empty_day_ms"]
    page.write_text(
        "# Words\n<!-- figures: written by `loanstream bench --write-docs` -->\nold\n<!-- end of figures -->\nmore\n"
    )
    write_docs(path, page)
    text = page.read_text()
    assert "| command_ratio | 0.6123 | 0.6 – 0.62 | >= 0.5 | holds | 900 commands/s | 1,500 |" in text
    assert "\nold\n" not in text
    assert "- `empty_day_ms`: a note." in text
    assert text.startswith("# Words")
    assert text.endswith("more\n")
    write_docs(path, page)
    assert page.read_text() == text


def test_a_page_without_a_place_for_them_is_refused(tmp_path: Path) -> None:
    """Nothing is appended where nobody looks for it, and what a quick run found is told to nobody."""
    path, page = tmp_path / "bench.json", tmp_path / "performance.md"
    page.write_text("# Words\n")
    figure = Figure("empty_day_ms", 70.0, 69.0, 71.0, "<= 80", True)
    write_json([figure], {"quick": True}, path)
    with pytest.raises(OperatorError, match="full run"):
        write_docs(path, page)
    write_json([figure], {"quick": False}, path)
    with pytest.raises(ValueError, match="no place"):
        write_docs(path, page)
