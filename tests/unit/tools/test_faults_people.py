"""The checking client: what a caller may conclude from an answer, who asks again, and that nobody guesses."""

from random import Random
from typing import Any

import pytest
from pydantic_core import to_json

from tools.faults.history import Attempt, History, Kind, Told, Wish, code_of
from tools.faults.people import Crowd, settle


class Platform:
    """A caller whose answers the test decides; each attempt of a wish takes the next of `answers`, and then is an ok."""

    def __init__(self, answers: list[int | None]) -> None:
        self.answers = answers
        self.keys: list[tuple[Kind, str | None]] = []

    async def ask(self, wish: Wish) -> Attempt:
        """See Caller."""
        self.keys.append((wish.kind, wish.key))
        status = self.answers.pop(0) if self.answers else 201
        attempt = Attempt(0.0, 1.0, status, to_json({"id": "x_1", "type": "urn:loanstream:problem:no"}))
        wish.attempts.append(attempt)
        return attempt


def crowd(answers: list[int | None]) -> tuple[Crowd, History, Platform]:
    """People before a platform that answers so."""
    history, platform = History(), Platform(answers)
    caller: Any = platform
    return Crowd("t", caller, history, Random(1)), history, platform


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (201, Told.OK),
        (200, Told.OK),
        (202, Told.UNKNOWN),
        (404, Told.FAIL),
        (422, Told.FAIL),
        (429, Told.UNKNOWN),
        (500, Told.UNKNOWN),
        (502, Told.UNKNOWN),
        (503, Told.UNKNOWN),
        (None, Told.UNKNOWN),
    ],
)
def test_only_an_answer_is_an_answer(status: int | None, told: Told) -> None:
    """202, 5xx, "not now" and a broken connection say nothing about whether it happened."""
    assert Attempt(0.0, 1.0, status).told is told


async def test_an_unknown_outcome_is_asked_again_under_the_same_key() -> None:
    """Whoever was not answered is asked for until he is, and then once more to compare the bytes; the key stays."""
    people, history, platform = crowd([None, 503, 202])
    assert await people.send(0) is Told.UNKNOWN
    await settle(people, history, limit_s=5, again=0)
    (wish,) = history.wishes
    assert [attempt.told for attempt in wish.attempts] == [Told.UNKNOWN] * 3 + [Told.OK] * 2
    assert {key for _, key in platform.keys} == {wish.key}
    assert wish.was_unknown
    assert wish.told is Told.OK


async def test_whoever_waits_for_an_answer_does_nothing_else() -> None:
    """While one does not know, somebody else asks: each one's own arithmetic stays exact."""
    people, history, _ = crowd([None] * 10)
    for number in range(10):
        await people.send(number)
    assert len({wish.account for wish in history.wishes}) == 10


async def test_a_caller_who_is_never_answered_stays_unknown() -> None:
    """The limit passes, and nobody concludes anything."""
    people, history, _ = crowd([None] * 1000)
    await people.send(0)
    await settle(people, history, limit_s=0.3, again=0)
    assert history.told(Told.UNKNOWN) == history.wishes


async def test_his_own_arithmetic_follows_what_he_was_told() -> None:
    """Money counts when the bank has confirmed it, is gone when a bid was answered, and a refusal changes nothing."""
    people, _, _ = crowd([201, 201, 201, 201, 422])
    person = people.newcomer()
    await people.ask(person, people.opening(person))
    await people.ask(person, people.top_up(person, 1000))
    assert person.free_fen == 0
    await people.ask(person, people.confirmation(person))
    await people.ask(person, people.bid(person, "lst_1", 300))
    await people.ask(person, people.bid(person, "lst_1", 500))
    assert person.free_fen == 700


def test_a_refusal_is_known_by_its_name() -> None:
    """The last word of the problem's type."""
    assert code_of(b'{"type":"urn:loanstream:problem:insufficient_available"}') == "insufficient_available"
