"""Who decides a partition: what makes a replica active, what makes it passive, and what holds it back."""

from collections.abc import Callable

import pytest

from libs.runtime.replica_role import Assignment, ReplicaRole

PAIR = Assignment(active="r0", standby="r1")


def role(
    replica: str = "r1", *, rules: int = 1, table: Assignment = PAIR, draw: Callable[[], float] = lambda: 0.0
) -> ReplicaRole:
    """A replica that has folded an empty log."""
    made = ReplicaRole(replica, rules, table, patience_s=0.3, draw=draw)
    made.start("", 0)
    return made


def decides(made: ReplicaRole) -> bool:
    """Whether it decides now."""
    return made.decides


def test_the_table_says_who_begins() -> None:
    """Of two that start on an empty log only the one that the table names active decides."""
    assert role("r0").decides
    assert not role("r1").decides
    assert not role("r9").decides


@pytest.mark.parametrize(("last", "decides"), [("r0", True), ("r1", False), ("r7", True), ("", True)])
def test_who_comes_back_follows_the_one_that_took_over(last: str, decides: bool) -> None:
    """An active replica that starts again does not contend with its standby; one that is in no table any more is nobody."""
    made = role("r0")
    made.start(last, 1)
    assert made.decides is decides


def test_another_one_s_decision_makes_passive() -> None:
    """Own decisions change nothing; the first accepted one of another ends deciding."""
    made = role("r0")
    made.accepted("r0", 1)
    assert decides(made)
    made.accepted("r1", 1)
    assert not decides(made)
    made.accepted("r0", 1)  # its last ones, still on their way when it stepped down
    assert not decides(made)


def test_a_standby_takes_over_when_the_chain_does_not_move() -> None:
    """Patience runs from the moment at which the next command waits, and is over 300 ms later."""
    made = role()
    assert made.patience_left_s(10.0, 5, waits=False) is None
    assert made.patience_left_s(10.1, 5, waits=True) == pytest.approx(0.3)
    assert made.patience_left_s(10.3, 5, waits=True) == pytest.approx(0.1)
    assert made.patience_left_s(10.41, 5, waits=True) == 0.0
    assert made.take_over()
    assert made.decides
    assert made.patience_left_s(10.5, 5, waits=True) is None


def test_a_chain_that_moves_is_waited_for_anew() -> None:
    """A slow active replica is no dead one: every decision of it starts the standby's patience again."""
    made = role()
    for position in range(20):
        now_s = position * 0.29
        assert made.patience_left_s(now_s, position, waits=True) == pytest.approx(0.3)
    assert made.patience_left_s(30.0, 20, waits=False) is None
    assert made.patience_left_s(60.0, 20, waits=True) == pytest.approx(0.3)


def test_patience_varies_by_up_to_thirty_per_cent() -> None:
    """Two that wait for the same command do not take over at the same moment, and neither waits longer than 390 ms."""
    assert role(draw=lambda: 0.999).patience_left_s(0.0, 0, waits=True) == pytest.approx(0.38991)
    draws = iter([0.1, 0.9])
    made = role(draw=lambda: next(draws))
    assert made.patience_left_s(0.0, 0, waits=True) == pytest.approx(0.309)
    assert made.patience_left_s(0.0, 1, waits=True) == pytest.approx(0.381)


def test_the_named_one_comes_back_by_the_same_rule() -> None:
    """After its standby died, a replica that had stepped down takes over again."""
    made = role("r0")
    made.accepted("r1", 1)
    assert made.patience_left_s(0.0, 1, waits=True) == pytest.approx(0.3)
    assert made.take_over()


def test_who_is_in_no_table_never_takes_over() -> None:
    """A replica that the table does not name folds for ever and decides nothing."""
    assert role("r9").patience_left_s(0.0, 0, waits=True) is None


def test_older_rules_hold_back_and_alarm_only_when_nobody_decides() -> None:
    """Rules below the head's do not decide; that is an alarm from the moment at which it would have taken over."""
    made = role("r0", rules=2)
    made.accepted("r1", 3)
    assert made.is_outdated
    told = [made.held_back]
    assert made.patience_left_s(0.0, 1, waits=True) == pytest.approx(0.3)
    assert not made.take_over()
    assert not decides(made)
    told.append(made.held_back)
    made.accepted("r1", 3)
    told.append(made.held_back)
    assert told == [False, True, False]


def test_a_single_replica_with_older_rules_is_held_back_too() -> None:
    """Going back by accident stops a partition also where no other replica exists."""
    made = role("r0", rules=2, table=Assignment("r0"))
    made.start("r0", 3)
    assert not made.decides
    assert made.patience_left_s(0.0, 1, waits=True) == pytest.approx(0.3)
    assert not made.take_over()
    assert made.held_back


@pytest.mark.parametrize(("allowed", "decides"), [(1, True), (2, True), (3, False)])
def test_the_table_can_allow_going_back(allowed: int, decides: bool) -> None:
    """A roll-back is decided by a person: from the allowed rules on, and the alarm ends with it."""
    made = role("r0", rules=2, table=Assignment("r0"))
    made.start("r0", 3)
    made.take_over()
    made.assign(Assignment("r0", rules_allowed=allowed))
    assert made.decides is decides
    assert made.held_back is not decides


def test_newer_rules_always_decide() -> None:
    """A deployment of higher rules needs nobody's leave."""
    made = role("r0", rules=4)
    made.start("r0", 3)
    assert made.decides


def test_a_new_version_moves_the_role_only_where_it_names_another() -> None:
    """A planned hand-over moves both at once; a version that changes something else does not undo a fail-over."""
    first, second = role("r0"), role("r1")
    first.accepted("r1", 1)
    second.take_over()
    for made in (first, second):
        made.assign(Assignment("r0", "r1", rules_allowed=7))
    assert (first.decides, second.decides) == (False, True)
    for made in (first, second):
        made.assign(Assignment("r1", "r0"))
    assert (first.decides, second.decides) == (False, True)
    for made in (first, second):
        made.assign(Assignment("r0", "r1"))
    assert (first.decides, second.decides) == (True, False)
    for made in (first, second):
        made.assign(Assignment("r0"))
    assert (first.decides, second.decides) == (True, False)
