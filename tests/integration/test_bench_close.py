"""The day's close over a book that was written straight into the log: the services take it for a log like any other."""

from pathlib import Path

from deploy.local.parts import Parts
from tools.bench.close import growth, loan_bytes, ratio
from tools.bench.lab import Lab


async def test_a_day_is_closed_over_a_book_and_numpy_counts_the_same(parts: Parts, tmp_path: Path) -> None:
    """Every due, miss, move, class and fen of penalty of the day is what the arrays say, and the three figures are told."""
    lab = Lab(tmp_path, parts, True, lambda _step: None)
    lab.begin(120)
    found = (await ratio(lab)).as_json()
    assert found["equal_to_numpy"] is True
    assert found["loans"] == 2_000
    (day,) = found["days"]
    assert (day["dues"], day["misses"], day["moves"], day["classes"], day["charges"]) == (68, 2, 14, 8, 16)
    assert day["penalty_fen"] == 95_088
    assert found["median"] > 0
    assert day["records"] > day["dues"]
    assert (await growth(lab)).as_json()["cpu_ms_per_changed_loan"].keys() == {"2,000"}
    assert (await loan_bytes(lab)).as_json()["full_mib"] > 0
