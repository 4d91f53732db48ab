"""The auditor of lateness: what a loan was late with while a debit had no answer is known from the dates of its payments.

More of such bugs are planted where debits are answered late in the simulation (tools/simulator/planted/lateness.py).
"""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

import services.repayment.domain.lateness as lateness
import services.repayment.domain.loan_state as loan_state
from libs.events.codec import encode, name_of
from tests.unit.repayment.late_story import Story
from tests.unit.repayment.stories import FIRST_DUE, INSTALLMENT, SECOND_DUE, days, pays
from tools.simulator.books import Books
from tools.simulator.bucket_books import buckets_of
from tools.simulator.loan_books import WrongBooks

ANSWERED, END = days(FIRST_DUE, 33), days(FIRST_DUE, 40)
LATER = days(FIRST_DUE, 20)


def nothing_was_there() -> Story:
    """The first debit finds nothing, which is told when the second has paid for both."""
    return Story(finds={SECOND_DUE: 10**6}, told_on={FIRST_DUE: ANSWERED})


def a_part_was_there() -> Story:
    """Of the first instalment 100.00 were there in time."""
    return Story(finds={FIRST_DUE: 10_000, SECOND_DUE: 10**6}, told_on={FIRST_DUE: ANSWERED})


def all_was_there() -> Story:
    """So nothing was late."""
    return Story(finds={FIRST_DUE: INSTALLMENT, SECOND_DUE: 10**6}, told_on={FIRST_DUE: ANSWERED})


def repaid_by_then() -> Story:
    """By hand, before the answer."""
    payment = pays(LATER, 200_000, settle=True)
    return Story(told_on={FIRST_DUE: ANSWERED}, paid={LATER: [payment]})


def audited(story: Story, *, evenings: bool = True, until: date = END) -> None:
    """Every decision, and every evening on which all is answered; not those of a loan of which measures were taken, which `measure_books` knows."""
    story.live(until)
    books, day = Books(), story.decisions[0][0]
    while day <= until:
        for _, events in (each for each in story.decisions if each[0] == day):
            books.record(f"on {day}", [_recorded(event) for event in events])
        loan = books.loans["loan_7"]
        if evenings and not loan.unanswered:  # the platform closes no day before; here one answer is late
            loan.closed(f"evening of {day}", day, buckets_of("demo"))
        day += timedelta(days=1)


def _recorded(event: Any) -> Any:
    data = json.loads(encode(type(event), event))
    return {"type": name_of(type(event)), "stream": "loan_7", "data": data}


def still_open() -> Story:
    """When it is told that nothing was there: the same record asks the account again, and misses what was open the evening before."""
    return Story(told_on={FIRST_DUE: ANSWERED})


STORIES = (still_open, nothing_was_there, a_part_was_there, all_was_there, repaid_by_then)


@pytest.mark.parametrize("story", STORIES)
def test_what_is_said_late_is_what_the_dates_say(story: Any) -> None:
    """Missed or not, and what it costs."""
    audited(story())


def _hidden(patched: pytest.MonkeyPatch) -> None:
    """The rule before: only what is open when the answer comes."""
    patched.setattr(loan_state, "with_paid", lambda paid, *_: replace(paid.kept, freed=()))


def _said_without_misses(patched: pytest.MonkeyPatch) -> None:
    """Charged, and never said."""
    for room in (lateness, __import__("services.repayment.domain.loan_day", fromlist=["loan_day"])):
        patched.setattr(room, "missed_and_paid", lambda *_: [])


@pytest.mark.parametrize(
    ("plant", "story", "words"),
    [
        (_hidden, repaid_by_then, "was late with .1. in silence"),
        (_said_without_misses, a_part_was_there, "does not say that it missed"),
    ],
)
def test_a_bug_of_lateness_is_found(
    plant: Any, story: Any, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the accountant, who knows nothing but the dates."""
    plant(monkeypatch)
    with pytest.raises(WrongBooks, match=words):
        audited(story())
