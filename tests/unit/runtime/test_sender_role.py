"""Who sends for a source partition: what makes a replica active, what makes it passive, and that two who send are harmless."""

from itertools import count
from random import Random

import pytest
from msgspec.structs import replace

from libs.events.chain import ChainReader, Checkpoint, genesis
from libs.events.system import DayMarkerReceived, PhaseDone
from libs.events.topics import system_stream
from libs.runtime.commits import Commit
from libs.runtime.day import DayMarker
from libs.runtime.pair_role import Assignment
from libs.runtime.policing import OutgoingCommand, PolicyPartition, waves
from libs.runtime.sender_role import SenderRole
from libs.runtime.service import Service
from tests.unit.runtime.jars import LOG_ID, TODAY, Bench, CoinsPut, PutCoins, jars_are_known
from tests.unit.runtime.test_policing import give_back

pytestmark = pytest.mark.usefixtures("jars_are_known")
__all__ = ["jars_are_known"]

PAIR = Assignment(active="r0", standby="r1")
HEAD = Checkpoint(4, 4, b"\1" * 32)


def at(read_to: int, by: str | None = "r0") -> Commit:
    """A commit."""
    return Commit(replace(HEAD, offset=read_to - 1, position=read_to - 1), read_to, by)


def role(replica: str = "r1", table: Assignment = PAIR, commit: Commit | None = None) -> SenderRole:
    """A replica whose process has just started."""
    made = SenderRole(replica, table, patience_s=2.0, draw=lambda: 0.0)
    made.start(commit)
    return made


def sends(made: SenderRole) -> bool:
    """Whether it sends now."""
    return made.sends


# --- what is kept --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [None, "r0", "a-b-1"])
def test_a_commit_is_read_as_it_was_kept(by: str | None) -> None:
    """With a name and without one."""
    commit = at(7, by)
    assert Commit.from_kafka(7, commit.as_metadata()) == commit


def test_a_commit_of_an_earlier_release_has_no_name() -> None:
    """What was kept before there were names is the triple alone, and is still what a single replica keeps."""
    assert Commit.from_kafka(5, HEAD.as_text()) == Commit(HEAD, 5, None)
    alone = role("r0", Assignment("r0"))
    assert Commit(HEAD, 5, alone.signature).as_metadata() == HEAD.as_text()


def test_what_is_no_commit_is_refused() -> None:
    """Nobody guesses a head."""
    with pytest.raises(ValueError, match="too many values"):
        Commit.from_kafka(5, HEAD.as_text() + ":r0:r1")


# --- who sends -----------------------------------------------------------------------------------------------------


def test_the_table_says_who_begins() -> None:
    """Of two that start where nobody has committed only the one that the table names active sends."""
    assert role("r0").sends
    assert not role("r1").sends
    assert not role("r9").sends


@pytest.mark.parametrize(("last", "active"), [("r0", True), (None, True), ("r7", True), ("r1", False)])
def test_who_comes_back_watches_the_one_that_took_over(last: str | None, active: bool) -> None:
    """The last commit says who sends; one of an earlier release says nothing."""
    assert role("r0", commit=at(3, last)).sends is active


@pytest.mark.parametrize("by", ["r1", None])
def test_a_commit_that_another_has_moved_makes_passive(by: str | None) -> None:
    """Also one without a name: it is an earlier release's, which always sends."""
    made = role("r0")
    made.looked(None, 9)
    made.committed(at(5))
    made.looked(at(5), 9)
    made.looked(at(6), 9)  # an own one that was asked for before the last
    assert sends(made)
    made.looked(at(7, by), 9)
    assert not sends(made)


def test_a_commit_that_nobody_has_moved_makes_nobody_passive() -> None:
    """What stood there at the start may be anybody's; what a person has deleted was moved by no replica."""
    made = role("r0", commit=at(3, None))
    made.looked(at(3, None), 9)
    assert sends(made)
    made.looked(None, 9)
    assert made.sends


def test_alone_nothing_moves_the_role() -> None:
    """Without a table every process sends, as ever, whoever else commits."""
    made = role("r0", Assignment("r0"))
    made.looked(at(3, "r1"), 9)
    made.looked(at(4, None), 9)
    assert made.sends
    assert made.patience_left_s(100.0) is None
    other = role("r1", Assignment("r0"))
    other.looked(None, 9)
    assert (other.sends, other.patience_left_s(100.0)) == (False, None)


def test_a_standby_takes_over_when_events_wait_and_the_commit_stands_still() -> None:
    """Patience runs from the first look that finds both, begins anew with each commit, and ends where nothing waits."""
    made = role()
    made.looked(at(5), 5)
    assert made.patience_left_s(0.0) is None
    made.looked(at(5), 6)
    assert made.patience_left_s(1.0) == pytest.approx(2.0)
    assert made.patience_left_s(2.5) == pytest.approx(0.5)
    made.looked(at(6), 8)
    assert made.patience_left_s(2.9) == pytest.approx(2.0)
    made.looked(at(8), 8)
    assert made.patience_left_s(4.9) is None
    made.looked(at(8), 9)
    assert made.patience_left_s(5.0) == pytest.approx(2.0)
    assert made.patience_left_s(7.0) == 0.0
    made.take_over()
    assert made.sends
    assert made.patience_left_s(7.1) is None


def test_records_that_do_not_fit_wait_for_nobody() -> None:
    """A zombie decider's repeats behind the head are read and done: the offset says so, though the triple does not move."""
    made = role()
    made.looked(Commit(HEAD, 9, "r0"), 9)
    assert made.patience_left_s(100.0) is None


def test_the_standby_s_own_name_is_on_what_it_commits() -> None:
    """So the other one, and itself after a restart, can tell."""
    assert (role("r1").signature, role("r0").signature) == ("r1", "r0")


def test_a_new_table_moves_the_role_only_where_it_names_another() -> None:
    """The same rule as for deciding."""
    made = role("r0")
    made.looked(at(3, "r1"), 9)
    made.assign(PAIR)
    assert not sends(made)
    made.assign(Assignment("r1", "r0"))
    assert not sends(made)
    made.assign(PAIR)
    assert sends(made)


# --- two who send --------------------------------------------------------------------------------------------------


class Twin:
    """One replica of a policy on a source partition. What it knows of the commit is as old as its last look."""

    def __init__(self, world: "World", replica: str) -> None:
        self.world = world
        self.role = SenderRole(replica, PAIR, patience_s=2.0, draw=lambda: 0.0)
        self.role.start(world.commit)
        self.policy: PolicyPartition | None = None
        self.read_to = 0
        self.unsent: list[OutgoingCommand] = []
        self.is_dirty = False

    def look(self) -> None:
        """Ask for the commit and the end; do what the role then says."""
        self.role.looked(self.world.commit, len(self.world.source.events))
        if not self.role.sends:
            self.policy, self.unsent, self.is_dirty = None, [], False

    def wait(self, seconds: float) -> None:
        """Time passes, and the patience of one that looks now may be over."""
        if self.role.patience_left_s(self.world.now) is not None:
            self.world.now += seconds
            if self.role.patience_left_s(self.world.now) == 0.0:
                self.role.take_over()

    def send(self, records: int, commands: int) -> None:
        """Read on where all is sent, and send some of it."""
        if not self.role.sends:
            return
        if self.policy is None:
            head = self.world.commit.head if self.world.commit else genesis(LOG_ID, "toy.events", 0)
            self.policy = self.world.policy(head)
            self.read_to = head.offset + 1
        if not self.unsent:
            batch = self.world.source.events[self.read_to : self.read_to + records]
            for wave in waves({0: self.policy}, {0: batch}, lambda _raw, _reading: None):
                self.unsent += [*wave.commands, *wave.markers]
            self.read_to += len(batch)
            self.is_dirty = self.is_dirty or bool(batch)
        self.world.stored += self.unsent[:commands]
        del self.unsent[:commands]

    def commit(self) -> None:
        """Keep what is stored, also backwards: between a look and a commit a process may sleep."""
        if self.policy is not None and not self.unsent and self.is_dirty:
            self.world.commit = Commit(self.policy.head, self.read_to, self.role.signature)
            self.role.committed(self.world.commit)
            self.is_dirty = False


class World:
    """A source whose coins are given back by bidding, two replicas of that policy, and what they have stored."""

    def __init__(self) -> None:
        self.source = Bench()
        self.source.service = "repayment"
        self.source.decider = self.source.caught_up(self.source.store)
        self.commit: Commit | None = None
        self.stored: list[OutgoingCommand] = []
        self.now = 0.0
        self.replicas = [Twin(self, "r0"), Twin(self, "r1")]
        self.coins = count(1)

    def policy(self, head: Checkpoint) -> PolicyPartition:
        """The policy from a head on."""
        return PolicyPartition(
            Service(name="bidding", policies={"repayment": give_back}),
            "repayment",
            topic="repayment.events",
            partition=0,
            partitions=1,
            reader=ChainReader(head),
        )

    def happens(self, chance: Random) -> None:
        """One step of somebody."""
        number = chance.randrange(2)
        twin = self.replicas[number]
        match chance.randrange(12):
            case 0 | 1:
                self.source.tell(PutCoins(coins=next(self.coins)))
            case 2:
                self.replicas[number] = Twin(self, twin.role.replica)
            case 3:
                marker = DayMarker(business_date=TODAY, phase=2, from_partitions=(0,), expected=1)
                self.source.tell(marker, stream=system_stream(0))
            case 4 | 5:
                twin.look()
            case 6 | 7 | 8:
                twin.send(chance.randrange(1, 6), chance.randrange(4))
            case 9:
                twin.commit()
            case _:
                twin.look()
                twin.wait(chance.uniform(0.5, 3.0))

    def settle(self) -> None:
        """Everybody goes on, nothing else happens: no more than a few rounds, or somebody is stuck."""
        for _ in range(12):
            for twin in self.replicas:
                twin.look()
                twin.wait(2.1)
                twin.send(0, 1_000)
                twin.send(1_000, 1_000)
                twin.commit()

    def given_back(self) -> tuple[list[int], int]:
        """The coins that bidding has put for what was stored, in order, and how many of them before the day's marker counted."""
        bench, coins, before = Bench(), [], -1
        for command in self.stored:
            bench.send_bytes(command.value, command.key.decode())
        bench.run()
        for event in (event for raw in bench.events for event in bench.decided(raw)):
            if isinstance(event, CoinsPut):
                coins.append(event.coins)
            elif isinstance(event, DayMarkerReceived):
                assert before == -1, "a phase counts once"
                before = len(coins)
        return coins, before

    def put(self) -> tuple[list[int], int]:
        """The coins of the source, in order, and how many of them before the end of its phase."""
        coins: list[int] = []
        before = -1
        for event in (event for raw in self.source.events for event in self.source.decided(raw)):
            if isinstance(event, CoinsPut):
                coins.append(event.coins)
            elif isinstance(event, PhaseDone):
                before = len(coins)
        return coins, before


@pytest.mark.parametrize("seed", range(60))
def test_whatever_two_replicas_do_every_event_counts_once(seed: int) -> None:
    """They look late, sleep with commands in their hands, wake, send, commit backwards, die and come back: nothing is lost or
    doubled, no marker overtakes a fact, and the commit ends at the source's end."""
    world, chance = World(), Random(seed)
    for _ in range(120):
        world.happens(chance)
    world.settle()
    (given, given_before), (put, put_before) = world.given_back(), world.put()
    assert sorted(given) == put
    assert (given_before == -1) is (put_before == -1)
    assert set(put[: max(0, put_before)]) <= set(given[: max(0, given_before)])
    assert world.commit is not None
    assert world.commit.read_to == len(world.source.events)


def test_a_commit_set_back_by_a_zombie_is_not_left_behind() -> None:
    """It sends what was sent, the decider drops it, and sets the commit back; whoever looks next brings it to the end again."""
    world = World()
    zombie, heir = world.replicas
    for _ in range(4):
        world.source.tell(PutCoins(coins=next(world.coins)))
    zombie.look()
    zombie.send(2, 9)  # and sleeps with its head at the second record
    heir.look()
    heir.wait(0.1)
    heir.wait(2.1)
    heir.send(9, 9)
    heir.commit()
    end = world.commit
    zombie.commit()
    assert end is not None
    assert world.commit is not None
    assert world.commit.read_to < end.read_to
    world.settle()
    assert world.commit.read_to == end.read_to
    assert world.given_back() == ([1, 2, 3, 4], -1)
    assert [twin.role.sends for twin in world.replicas] == [True, False]
