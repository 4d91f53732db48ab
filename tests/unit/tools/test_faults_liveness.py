"""I10 is measured from the end of the injector, by a limit that the row tells; and a reader of the log that died says so."""

from types import SimpleNamespace
from typing import Any

import pytest

from tools.faults.history import Attempt, History, Kind, Wish
from tools.faults.liveness import answered_after_s, too_late
from tools.faults.log_follower import FollowerDied, LogFollower
from tools.faults.processes import slow_take_overs
from tools.faults.report import Row
from tools.faults.scenario import Fault, Injected
from tools.faults.scene import Scene
from tools.faults.table import FAULTS


async def _nothing(_scene: Scene) -> Injected:
    return Injected(1)


def asked(*attempts: Attempt) -> History:
    """One wish, asked so often."""
    wish = Wish(Kind.OPEN, "usr_a", "/bidding/accounts", b"{}", "acc_a", attempts=list(attempts))
    return History([wish])


@pytest.mark.parametrize(
    ("attempts", "waited_s"),
    [
        ([Attempt(10.0, 12.0, 201)], 0.0),  # answered before the injector ended
        ([Attempt(10.0, 16.0, None), Attempt(40.0, 41.5, 201)], 21.5),  # however long the healing took
        ([Attempt(30.0, 33.0, 201)], 3.0),  # asked afterwards: from his asking
        ([Attempt(10.0, 16.0, None)], 0.0),  # never answered: that is a violation of its own
    ],
)
def test_callers_wait_from_the_end_of_the_injector(attempts: list[Attempt], waited_s: float) -> None:
    """Not from when everything was healed, which would leave the healing out."""
    assert answered_after_s(asked(*attempts), 20.0) == waited_s


@pytest.mark.parametrize("name", ["answered_after_s", "caught_up_after_s", "at_rest_after_s"])
def test_each_of_the_three_times_has_the_limit_of_the_row(name: str) -> None:
    """To the limit is in time, beyond it is a violation that names the limit; nobody gets more for being many."""
    fault, row = Fault("a", "", _nothing, answered_within_s=15), Row("a", "", was_unknown=1_000)
    setattr(row, name, 15.0)
    assert too_late(fault, row) == []
    setattr(row, name, 15.1)
    [sentence] = too_late(fault, row)
    assert "the limit is 15 s" in sentence


def test_whoever_may_take_longer_than_ten_seconds_says_why() -> None:
    """A limit of its own stands in the table and the docs with its reason, and no reason without a limit."""
    assert [f.name for f in FAULTS if (f.answered_within_s != 10.0) != bool(f.why_longer)] == []


class _Stumbling(LogFollower):
    async def _follow(self) -> None:
        raise KeyError("by")


def _settings() -> Any:
    return SimpleNamespace(topic_prefix="", partitions=1, profile="demo", require_log_id=lambda: "0" * 32)


async def test_a_follower_that_died_is_told_at_once() -> None:
    """Whoever waits for the log is woken, whoever asks is told, and it is a violation."""
    follower = _Stumbling(_settings())
    with pytest.raises(KeyError):
        await follower.run()
    with pytest.raises(FollowerDied, match="KeyError"):
        await follower.until(lambda: False, 5)
    with pytest.raises(FollowerDied):
        await follower.behind()
    assert len(follower.violations) == 1


def test_violations_of_a_log_that_was_read_anew_are_not_forgotten() -> None:
    """A mark into them stays true: what a copy found before it was thrown away, and what its successor finds."""
    follower = LogFollower(_settings())
    follower.copy.violations.append("before the fault")
    older = len(follower.violations)
    follower.copy.violations.append("during the fault")
    follower.begin_anew()
    follower.copy.violations.append("after it")
    assert follower.violations[older:] == ["during the fault", "after it"]


def test_a_take_over_has_a_hard_limit_beside_its_aim() -> None:
    """Half a second is an aim that is told; five seconds are a promise."""
    assert slow_take_overs([400.0, 5_000.0]) == []
    assert slow_take_overs([400.0, 5_001.0]) == ["1 take-overs took up to 5.0 s"]
