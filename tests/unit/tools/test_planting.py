"""A planted bug that no longer fits the code that it was made for says so, and is not taken for one that nobody finds."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.simulator.planted import PLANTS, judge
from tools.simulator.planted import plant as judging
from tools.simulator.planted.plant import Plant
from tools.simulator.planted.planting import Patch, Rotten, instead, looking_out, policy, together
from tools.simulator.run import SeedFailed


class Till:
    """Real code: a function, a number and a generator that bugs are planted in."""

    drawers = 3

    def paid(self, coins: int, *, tip: int = 0) -> int:
        """What is in it."""
        return coins + tip

    def counted(self, coins: int) -> Iterator[int]:
        """One by one."""
        yield from range(coins)


@pytest.mark.parametrize("name", PLANTS)
def test_every_plant_fits_its_code(name: str) -> None:
    """Whoever moves or renames what a bug is planted in learns it here, not in a search that finds nothing."""
    with PLANTS[name].planted():
        pass


@pytest.mark.parametrize(
    ("patch", "why"),
    [
        (instead(Till, "payed", lambda _real: lambda _self, _coins: 0), "Till.payed is not there"),
        (instead(Till, "paid", lambda _real: lambda _self: 0), "is not called as planted"),
        (instead(Till, "paid", lambda _real: lambda _self, _coins: 0), "is not called as planted"),
        (
            instead(Till, "paid", lambda _real: lambda _self, _coins, _more, **_fields: 0),
            "is not called as planted",
        ),
        (instead(Till, "drawers", lambda _real: "many"), "is int, planted is str"),
        (policy({}, "bidding", lambda real: real), "the policy on bidding is not there"),
    ],
)
def test_what_does_not_fit_is_rotten_when_it_is_planted(patch: Patch, why: str) -> None:
    """Its name is gone, it is called with other arguments, or it is of another kind; alone or among others."""
    for planted in (patch, together(instead(Till, "drawers", lambda _real: 1), patch)):
        with pytest.raises(Rotten, match=why), planted():
            pass
    assert Till.drawers == 3


def _judged(monkeypatch: pytest.MonkeyPatch, patch: Patch, run: Callable[[], Any], finds: bool) -> str:
    """What is said of a plant whose run does this, and then breaks a rule or does not."""

    def simulate(*_arguments: Any, **_fields: Any) -> None:
        try:
            run()
        except Exception as error:
            raise SeedFailed(0, 7, AssertionError(f"the till says {error}"), []) from error
        if finds:
            raise SeedFailed(0, 7, AssertionError("the till says nothing"), [])

    monkeypatch.setattr(judging, "simulate", simulate)
    verdict = judge(Plant("till", "A till.", patch, ("the till says",)))
    return "killed" if verdict.killed else verdict.sentence


@pytest.mark.parametrize(
    ("patch", "finds", "said"),
    [
        (instead(Till, "paid", lambda _real: lambda _self, _coins, tip=0: tip), True, "killed"),
        (instead(Till, "paid", lambda _real: lambda _self, _coins, tip=0: tip), False, ""),
        (instead(Till, "counted", lambda real: lambda self, coins: real(self, coins - 1)), False, ""),
        (
            instead(Till, "__str__", lambda _real: lambda _self: ""),
            False,
            "rotten: never reached: Till.__str__",
        ),
        (instead(Till, "__str__", lambda _real: lambda _self: ""), True, "killed"),
    ],
)
def test_a_bug_that_nobody_came_by_is_rotten(
    monkeypatch: pytest.MonkeyPatch, patch: Patch, finds: bool, said: str
) -> None:
    """Where runs end without a find, and only there: a run that finds something ends before it has been everywhere."""
    assert _judged(monkeypatch, patch, lambda: [Till().paid(1), *Till().counted(3)], finds) == said


@pytest.mark.parametrize(
    ("forgotten", "said"), [("new", ""), ("old", "rotten: never reached: the policy on bidding")]
)
def test_a_policy_is_reached_when_it_does_otherwise(
    monkeypatch: pytest.MonkeyPatch, forgotten: str, said: str
) -> None:
    """A bug that forgets a command which nobody sends any more changes nothing, however often it is asked."""
    policies: dict[str, Any] = {"bidding": lambda event: [event]}

    def forgetting(real: Any) -> Any:
        return lambda event: [send for send in real(event) if send != forgotten]

    bug = policy(policies, "bidding", forgetting)
    assert _judged(monkeypatch, bug, lambda: policies["bidding"]("new"), finds=False) == said


def test_a_bug_that_fails_by_itself_is_rotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """It calls the real code as that is not called any more: a rule is broken in its own words, and nothing is proven."""
    bug = instead(Till, "paid", lambda real: lambda self, coins, tip=0: real(self, coins, tip))
    monkeypatch.setattr("tools.simulator.planted.planting._ROOM", Path(__file__).parent)
    assert _judged(monkeypatch, bug, lambda: Till().paid(1), finds=False).startswith(
        "rotten: Till.paid fails by itself: TypeError"
    )


def test_outside_of_a_judgement_a_bug_is_planted_as_it_is() -> None:
    """Who plants a bug by hand gets that very function back."""

    def bug(_till: Till, coins: int, *, tip: int = 0) -> int:
        return 7 * coins + tip

    with instead(Till, "paid", lambda _real: bug)():
        assert Till.paid is bug
    with looking_out() as lookout, instead(Till, "paid", lambda _real: bug)():
        assert Till().paid(1) == 7
    assert lookout.rot(whole=True) is None
