"""What becomes of decisions on their way: lost, refused, late, doubled, by twins and by other rules. The log is exact.

Each scenario runs on the log in memory and on a real broker, and ends in the same bytes and the same readings.
"""

from collections.abc import Callable
from typing import Any

import pytest

from libs.events.chain import Reading
from libs.events.records import RawRecord
from libs.events.topics import COMMAND_BYTES_MAX, TOPIC_MESSAGE_BYTES_MAX
from tests.integration.conformance.ground import (
    IMPATIENT_S,
    PATIENT_S,
    RULES,
    Ground,
    Outcome,
    Verdict,
    asking,
    commands,
    opening,
    outcome,
    undisturbed,
)

Agree = Callable[[Any], None]
A, R, F = Reading.ACCEPTED, Reading.REPEAT, Reading.FOREIGN


async def given(ground: Ground, values: list[bytes]) -> None:
    """These commands are in the log."""
    for value in values:
        assert await ground.append("commands", value)


async def held(ground: Ground, replica: str, positions: list[int]) -> None:
    """Exactly these decisions of a replica are in hand."""
    await ground.until(lambda: ground.gate.of(replica) == positions)


async def become(
    ground: Ground, replica: str, positions: list[int], verdict: Verdict = Verdict.STORED
) -> None:
    """Something becomes of decisions in hand, in this order."""
    for position in positions:
        await ground.become(replica, position, verdict)


async def folded(ground: Ground, position: int, *replicas: str) -> None:
    """These replicas have folded the log up to a position."""
    for replica in replicas or ("r0",):
        await ground.until(lambda: ground.head(replica) >= position)  # noqa: B023 - asked in this turn only


async def judged(
    ground: Ground, agree: Agree, values: list[bytes], rules: list[int] | None = None
) -> Outcome:
    """The log holds exactly what is decided of these commands where nothing goes wrong, byte for byte, on both grounds."""
    found = outcome(ground.prefix, await ground.read("events"))
    assert found.told == undisturbed(ground.prefix, values, rules or [])
    agree(found)
    return found


def read(found: Outcome) -> list[tuple[Reading, int]]:
    """How each record was read, and for which position it stands."""
    return [(reading, position) for reading, _, position in found.readings]


@pytest.mark.parametrize(
    "verdict", [Verdict.FAILED, Verdict.TOO_LARGE, Verdict.VANISHED], ids=lambda v: v.name
)
async def test_one_is_lost_while_later_ones_are_stored(
    ground: Ground, agree: Agree, verdict: Verdict
) -> None:
    """The later ones are foreign to every reader; after a failure told, or after patience, all are decided again.

    No broker fails one record of a producer on request: the lost one is kept back, the later ones are stored for it.
    """
    values = commands(5)
    ground.gate.held.add("r0")
    await given(ground, values)
    await ground.start(patience_s=IMPATIENT_S if verdict is Verdict.VANISHED else PATIENT_S)
    await held(ground, "r0", [0, 1, 2, 3, 4])
    ground.gate.held.clear()
    await become(ground, "r0", [0, 1, 3, 4])
    await become(ground, "r0", [2], verdict)
    await folded(ground, 4)
    found = await judged(ground, agree, values)
    assert read(found) == [(A, 0), (A, 1), (F, 3), (F, 4), (A, 2), (A, 3), (A, 4)]
    assert ground.doubts() == 1


async def test_one_is_stored_and_told_to_have_failed(ground: Ground, agree: Agree) -> None:
    """What was sent behind it arrives from the old producer and from the new one: the second time it is a repeat."""
    values = commands(5)
    ground.gate.held.add("r0")
    await given(ground, values)
    await ground.start()
    await held(ground, "r0", [0, 1, 2, 3, 4])
    await become(ground, "r0", [0, 1])
    await become(ground, "r0", [2], Verdict.TOLD_FAILED)
    await held(ground, "r0", [3, 4, 3, 4])
    await become(ground, "r0", [3, 4, 3, 4])
    await folded(ground, 4)
    found = await judged(ground, agree, values)
    assert read(found) == [(A, 0), (A, 1), (A, 2), (A, 3), (A, 4), (R, 3), (R, 4)]


async def test_one_is_stored_and_never_told(ground: Ground, agree: Agree) -> None:
    """The log's word is enough: nobody starts over, and deciding goes on."""
    values = commands(5)
    ground.gate.held.add("r0")
    await given(ground, values[:4])
    await ground.start(patience_s=IMPATIENT_S)
    await held(ground, "r0", [0, 1, 2, 3])
    ground.gate.held.clear()
    await become(ground, "r0", [0, 1])
    await become(ground, "r0", [2], Verdict.UNHEARD)
    await become(ground, "r0", [3])
    await folded(ground, 3)
    await given(ground, values[4:])
    await folded(ground, 4)
    assert (await judged(ground, agree, values)).count() == {A: 5, R: 0, F: 0}
    assert ground.doubts() == 0


@pytest.mark.parametrize("rules", [RULES, RULES + 1], ids=["same", "newer"])
async def test_late_appends_of_the_dead_are_repeats(ground: Ground, agree: Agree, rules: int) -> None:
    """A successor, of the same code or of newer, has decided: what the dead one sent arrives and changes nothing."""
    values = commands(3)
    ground.gate.held.add("r0")
    await given(ground, values)
    await ground.start()
    await held(ground, "r0", [0, 1, 2])
    await become(ground, "r0", [0])
    await folded(ground, 0)
    await ground.kill()
    ground.gate.held.clear()
    await ground.start(rules=rules)
    await folded(ground, 2)
    await become(ground, "r0", [1, 2])
    await given(ground, [asking(9)])
    await folded(ground, 3)
    found = await judged(ground, agree, [*values, asking(9)], [RULES, rules, rules, rules])
    assert read(found) == [(A, 0), (A, 1), (A, 2), (R, 1), (R, 2), (A, 3)]


async def test_late_appends_that_come_in_time_are_adopted(ground: Ground, agree: Agree) -> None:
    """What a dead decider sent arrives before its successor decides: it is the decision, whoever is dead."""
    values = commands(3)
    ground.gate.held.add("r0")
    await given(ground, values)
    await ground.start()
    await held(ground, "r0", [0, 1, 2])
    await ground.kill()
    await become(ground, "r0", [0, 1])
    ground.gate.held.clear()
    await ground.start("r1")
    await folded(ground, 2, "r1")
    await become(ground, "r0", [2])
    found = await judged(ground, agree, values)
    assert (found.by, read(found)) == (("r0", "r0", "r1"), [(A, 0), (A, 1), (A, 2), (R, 2)])


async def test_death_between_sending_and_hearing(ground: Ground, agree: Agree) -> None:
    """All it sent is stored while it hears nothing, and it dies: the next life adopts it all and doubles nothing."""
    values = commands(4)
    ground.gate.held.add("r0")
    await given(ground, values[:3])
    await ground.start()
    await held(ground, "r0", [0, 1, 2])
    await ground.freeze("r0")
    await become(ground, "r0", [0, 1, 2], Verdict.UNHEARD)
    await ground.kill()
    ground.gate.held.clear()
    await given(ground, values[3:])
    await ground.start()
    await folded(ground, 3)
    assert (await judged(ground, agree, values)).count() == {A: 4, R: 0, F: 0}


@pytest.mark.parametrize("rules", [RULES, RULES + 1], ids=["same", "newer"])
async def test_a_slow_but_living_twin(ground: Ground, agree: Agree, rules: int) -> None:
    """Frozen with decisions in hand and replaced, then woken: they are repeats, and it follows from then on."""
    values = commands(7)
    await given(ground, values[:3])
    await ground.start("r0", standby=True)
    await ground.start("r1", standby=True, rules=rules)
    await folded(ground, 2, "r0", "r1")
    ground.gate.held.add("r0")
    await given(ground, values[3:5])
    await held(ground, "r0", [3, 4])
    await ground.freeze("r0")
    await folded(ground, 4, "r1")
    await ground.thaw("r0")
    await become(ground, "r0", [3, 4])
    await folded(ground, 4, "r0")
    await given(ground, values[5:])
    await folded(ground, 6, "r0", "r1")
    found = await judged(ground, agree, values, [RULES] * 3 + [rules] * 4)
    assert found.by == ("r0",) * 3 + ("r1",) * 4
    assert read(found)[5:] == [(R, 3), (R, 4), (A, 5), (A, 6)]


async def test_two_decide_the_same_at_once(ground: Ground, agree: Agree) -> None:
    """Of two equal decisions either may be the first, and the next may follow the other's: they are the same bytes."""
    values = commands(4)
    ground.gate.held |= {"r0", "r1"}
    await given(ground, values)
    await ground.start("r0")
    await ground.start("r1")
    await held(ground, "r0", [0, 1, 2, 3])
    await held(ground, "r1", [0, 1, 2, 3])
    await become(ground, "r0", [0])
    await become(ground, "r1", [0, 1, 2])
    await become(ground, "r0", [1, 2, 3])
    await become(ground, "r1", [3])
    await folded(ground, 3, "r0", "r1")
    found = await judged(ground, agree, values)
    assert found.by == ("r0", "r1", "r1", "r0")
    assert read(found) == [(A, 0), (R, 0), (A, 1), (A, 2), (R, 1), (R, 2), (A, 3), (R, 3)]


async def test_two_decide_differently_at_once(ground: Ground, agree: Agree) -> None:
    """One chain wins as a whole: the other's first is a repeat, what it built on that is foreign. Old rules then hold back.

    Allowed by the table, they decide again after newer ones, by their own number.
    """
    values = commands(5)
    ground.gate.held |= {"r0", "r1"}
    await given(ground, values[:4])
    await ground.start("r0", rules=RULES)
    await ground.start("r1", rules=RULES + 1)
    await held(ground, "r0", [0, 1, 2, 3])
    await held(ground, "r1", [0, 1, 2, 3])
    await become(ground, "r1", [0])
    await become(ground, "r0", [0, 1])
    await become(ground, "r1", [1, 2])
    await become(ground, "r0", [2, 3])
    await become(ground, "r1", [3])
    await folded(ground, 3, "r0", "r1")
    await ground.kill("r1")
    ground.gate.held.clear()
    await given(ground, values[4:])
    await ground.until(lambda: ground.complaint("r0") == "held back")
    found = outcome(ground.prefix, await ground.read("events"))
    assert read(found) == [(A, 0), (R, 0), (F, 1), (A, 1), (A, 2), (R, 2), (F, 3), (A, 3)]
    await ground.kill("r0")
    await ground.start("r0", rules=RULES, rules_allowed=RULES)
    await folded(ground, 4, "r0")
    found = await judged(ground, agree, values, [RULES + 1] * 4 + [RULES])
    assert found.by == ("r1",) * 4 + ("r0",)


async def test_records_that_nobody_decided(ground: Ground, agree: Agree) -> None:
    """Garbage, a leap, a forged hash and a copy in the events: no reader takes them and nobody stops for them."""
    values = commands(3)
    await given(ground, values[:2])
    await ground.start()
    await folded(ground, 1)
    last = (await ground.read("events"))[-1]
    forged = {**last.headers, "position": b"2", "prev": last.headers["hash"], "by": b"forger"}
    leap = {**forged, "position": b"99"}
    for headers in ({}, {"position": b"x", "by": b"forger"}, leap, forged, dict(last.headers)):
        assert await ground.append("events", RawRecord(-1, b"k", last.value, headers))
    await given(ground, values[2:])
    await folded(ground, 2)
    found = await judged(ground, agree, values)
    assert [reading for reading, _ in read(found)] == [A, A, F, F, F, F, R, A]


async def test_commands_at_and_over_the_limits(ground: Ground, agree: Agree) -> None:
    """Above a record's size the log takes none; above a command's it is decided `malformed`, and so are bytes of no sense."""
    large = b'{"x":"' + b"y" * COMMAND_BYTES_MAX + b'"}'
    values = [opening(), large, b"\xff no json", asking(1)]
    await given(ground, values[:1])
    assert not await ground.append("commands", b"x" * (TOPIC_MESSAGE_BYTES_MAX + 1))
    await given(ground, values[1:])
    await ground.start()
    await folded(ground, 3)
    found = await judged(ground, agree, values)
    assert found.count() == {A: 4, R: 0, F: 0}
    assert [b'"malformed"' in told.value for told in found.told] == [False, True, True, False]
