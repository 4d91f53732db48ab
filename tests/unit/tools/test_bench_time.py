"""The bench ends in time: one deadline for the run, and what stands beside a figure never costs the figure."""

import asyncio
import math
import time
from pathlib import Path

import pytest

from tools.bench import run
from tools.bench.baselines import FirstRecord
from tools.bench.command import figure_of, in_time
from tools.bench.failover import Kill, Load
from tools.bench.failover import figure_of as failover_of
from tools.bench.lab import Figure, Lab
from tools.bench.rate import NothingSustained, Trial
from tools.load.watch import Watch


def lab_with(left_s: float) -> Lab:
    """A lab whose run is over in so many seconds."""
    return Lab(Path(), None, False, lambda _: None, time.monotonic() + left_s)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("left_s", "limit_s", "time_s"),
    [(math.inf, 330, 240), (900, 330, 240), (200, 200, 110), (100, 100, 50), (-5, 0, 0)],
)
def test_no_figure_is_given_more_than_is_left_of_the_run(
    left_s: float, limit_s: float, time_s: float
) -> None:
    """Near the end of the run its time is shortened first, so that it still has a grace to end in."""
    lab = lab_with(left_s)
    assert lab.begin(240, 90) == pytest.approx(limit_s, abs=1)
    assert lab.left_s == pytest.approx(time_s, abs=1)


def test_the_run_ends_at_its_deadline_whatever_the_figures_take(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures that would take for ever are given up together, and one that is done is kept."""
    kept: list[str] = []

    async def endless(_lab: Lab) -> Figure:
        await asyncio.sleep(60)
        raise AssertionError("nobody waits so long")

    async def quick(_lab: Lab) -> Figure:
        return Figure("quick", 1.0, 1.0, 1.0, "", True)

    figures = {
        "quick": (quick, 10.0, False),
        "first": (endless, 50.0, False),
        "second": (endless, 50.0, True),
    }
    monkeypatch.setattr(run, "FIGURES", figures)
    monkeypatch.setattr(run, "write_json", lambda found, _facts: kept.extend(each.name for each in found))
    began = time.monotonic()
    found, failed = run._measure(list(figures), lab_with(0.3), None)  # type: ignore[arg-type]
    assert time.monotonic() - began < 5
    assert [figure.name for figure in found] == kept == ["quick"]
    assert failed


async def test_what_stands_beside_a_figure_does_not_cost_it() -> None:
    """Out of time, or nothing sustained through the gateway: the figure is told without it."""

    async def slow() -> str:
        await asyncio.sleep(60)
        return "never"

    async def nothing() -> str:
        raise NothingSustained

    async def well() -> str:
        return "well"

    assert await in_time(0.01, slow()) is None
    assert await in_time(-1.0, slow()) is None
    assert await in_time(1.0, nothing()) is None
    assert await in_time(1.0, well()) == "well"


def test_a_command_figure_without_its_side_trials_is_one() -> None:
    """The ratio, its interval and the generator's share are of the sustained trials alone."""

    def trial(rate_per_s: float, generator_cpu_s: float = 0.2) -> Trial:
        return Trial(rate_per_s, 100, 0.01, 0.02, {"well": 100}, 1.0, 0.5, generator_cpu_s)

    found = {"ours": [trial(500), trial(520)], "bare": [trial(1000), trial(1000)]}
    figure = figure_of(found, {"ours": None, "bare": trial(50, 0.9)}, None)
    assert figure.median == pytest.approx(0.51)
    assert figure.notes == ()
    told = figure.as_json()
    assert told["through_the_gateway"] is None
    assert told["ours_at_50_per_s"] is None
    assert told["bare_at_50_per_s"]["p99_ms"] == 20.0
    busy = figure_of({"ours": [trial(500, 0.8)], "bare": [trial(1000)]}, {}, None)
    assert busy.notes == ("the generator took 80% of its core: it may be what was measured",)


def test_a_fail_over_is_judged_by_its_slow_partitions() -> None:
    """Three partitions that were quick do not answer the customer of the fourth."""
    kills = [Kill(0.3, [0.3, 0.32, 0.34, 0.9], 5.0)] * 50
    figure = failover_of(kills, 50, Watch(), Load())
    assert not figure.holds
    assert figure.as_json()["p99_s"] == 0.9
    assert figure.median == 0.32
    assert failover_of([Kill(0.3, [0.3, 0.4], 5.0)] * 50, 50, Watch(), Load()).holds


def test_the_bare_readers_clock_runs_from_its_first_record_to_its_last() -> None:
    """Neither connecting nor closing makes the baseline slower than it is."""
    clock = FirstRecord()
    time.sleep(0.1)
    with pytest.raises(ValueError, match="no record"):
        clock.told()
    clock.came()
    time.sleep(0.05)
    clock.came()
    clock.stop()
    time.sleep(0.1)
    seconds, cpu_s = clock.told()
    assert 0.05 <= seconds < 0.1
    assert cpu_s < seconds
