"""One figure of the bench from end to end on the real broker and database: it measures, ends by itself, and tells its parts."""

import os
from pathlib import Path

from deploy.local.parts import Parts
from tools.bench.lab import Lab
from tools.bench.rebuild import measure


async def test_a_rebuild_is_measured_beside_the_bare_reader(parts: Parts, tmp_path: Path) -> None:
    """Both sides read the same records, the view rebuilt twice is the same, and the ratio is that of the speeds."""
    told: list[str] = []
    lab = Lab(tmp_path, parts, True, told.append)
    lab.begin(60)
    cores = os.sched_getaffinity(0)
    figure = await measure(lab)
    assert os.sched_getaffinity(0) == cores, "the tests after this one have all cores again"
    found = figure.as_json()
    assert found["records"] == 860
    assert found["rebuilt_twice_equal"] is True
    assert found["client"] in ("librdkafka", "aiokafka")
    assert found["ours_per_s"] > 0
    assert abs(found["median"] - found["ours_per_s"] / found["bare_per_s"]) < 0.01
    assert told
