"""Looking for failing seeds: what `loanstream sim` says of one, how it repeats it, and when it stops."""

import json
import re
from pathlib import Path

import pytest

from libs.runtime.deciding import PartitionDecider
from tools.simulator import search
from tools.simulator.run import SeedFailed, simulate


def _fail(seed: int) -> SeedFailed:
    with pytest.raises(SeedFailed) as caught:
        simulate(seed)
    return caught.value


def test_a_failing_seed_fails_again_at_the_same_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken rule is told at the step that broke it, with the last events of its streams, and twice in the same words."""
    monkeypatch.setattr(PartitionDecider, "_repeated", lambda _self, _envelope: None)
    first, again = _fail(1), _fail(1)
    assert str(first) == str(again)
    address, words = first.sentence.split(" ", 1)
    assert re.fullmatch(
        r"decides [0-9a-f-]{36} twice|is a second effect of [0-9a-f-]{36}, first at [a-z]+/\d+/\d+", words
    )
    assert first.step > 0
    assert any(line.startswith(f"{address} ") for line in first.events)


def test_a_search_writes_its_figures_and_its_failures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Every seed counts in the figures, and a failing one stands there with its step, its sentence and how to repeat it."""
    found = search.Found(first=6)
    found.add(search.run_seed(7))
    monkeypatch.setattr(PartitionDecider, "_repeated", lambda _self, _envelope: None)
    found.add(search.run_seed(6))
    search.write_json(found, tmp_path / "out")
    figures = json.loads((tmp_path / "out" / "sim.json").read_text())
    assert figures["seeds"] == 2
    assert figures["events"] > 0
    assert figures["events_per_core_minute"] > 0
    (failure,) = figures["failures"]
    assert failure["seed"] == 6
    assert f"seed 6, step {failure['step']}: {failure['sentence']}" in found.told()
    assert "again: loanstream sim --seeds 1 --seed 6" in found.told()


def test_no_seed_begins_after_the_minutes_are_over() -> None:
    """A search that has no time left runs nothing, however many seeds were asked for."""
    moves: list[tuple[int, int, str]] = []
    found = search.search(0, 50, 0.0, lambda *move: moves.append(move), jobs=1)
    assert found.seeds == 0
    assert moves == [(0, 50, "seed 0")]
