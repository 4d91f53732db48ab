"""The auditor of penalty that lapses: none that is owed, and all that was charged for days after the one as of which a loan ends."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from libs.events.repayment import AllocationLine
from services.repayment.domain.allocation import Penalty
from services.repayment.domain.settling import lapsed
from tests.unit.repayment.late_story import Story
from tests.unit.repayment.stories import FIRST_DUE, days, pays
from tests.unit.repayment.test_lapsing import fined, restructured
from tests.unit.tools.test_late_books import audited
from tools.simulator.loan_books import WrongBooks

TOLD_ON = date(2024, 4, 2)


def settled(value_date: date) -> Story:
    """Told in April as of some day; penalty was charged at the end of March."""
    return Story(paid={TOLD_ON: [pays(value_date, 10**6, settle=True)]})


JUNE = date(2024, 6, 2)
BEFORE = days(FIRST_DUE, -1)


@pytest.mark.parametrize("value_date", [BEFORE, FIRST_DUE, TOLD_ON])
def test_what_lapses_is_what_the_books_know(value_date: date) -> None:
    """As of a day before anything was due, of the due day and of today."""
    audited(settled(value_date))


@pytest.mark.parametrize("story", [restructured, fined])
def test_what_was_owed_before_the_own_days_of_a_row_is_paid(story: Callable[[], Story]) -> None:
    """That of rows that had other days, and what a late answer made owed."""
    audited(story(), evenings=False, until=JUNE)


@pytest.mark.parametrize("story", [restructured, fined])
def test_the_auditor_sees_older_penalty_that_lapses(
    monkeypatch: pytest.MonkeyPatch, story: Callable[[], Story]
) -> None:
    """All or nothing by the day up to which it was charged."""

    def all_or_nothing(penalty: Penalty, due_on: date) -> int:
        return penalty.owed_fen if penalty.to <= due_on else 0

    monkeypatch.setattr(Penalty, "owed_before", all_or_nothing)
    with pytest.raises(WrongBooks, match="charged since is"):
        audited(story(), evenings=False, until=JUNE)


def _nothing(_real: Any) -> Any:
    return lambda *_, **__: ()


def _half(real: Any) -> Any:
    return lambda *book, **fields: tuple(
        replace(line, penalty_fen=line.penalty_fen // 2) for line in real(*book, **fields)
    )


def _interest(real: Any) -> Any:
    return lambda *book, **fields: tuple(replace(line, interest_fen=1) for line in real(*book, **fields))


def _paid_as_well(_real: Any) -> Any:
    line = AllocationLine(number=1, interest_fen=0, principal_fen=0, penalty_fen=1)
    return lambda *_, **__: (line,)


@pytest.mark.parametrize(
    ("bug", "value_date", "words"),
    [
        (_nothing, BEFORE, "is paid early, penalty of"),
        (_half, BEFORE, "charged since is"),
        (_interest, BEFORE, "which is no loss"),
        (_paid_as_well, TOLD_ON, "charged since is 0"),
    ],
)
def test_the_auditor_sees_penalty_that_is_lost_or_made_up(
    monkeypatch: pytest.MonkeyPatch, bug: Callable[[Any], Any], value_date: date, words: str
) -> None:
    """What lapses in silence, in part, with interest that nobody owed, or though it was owed."""
    monkeypatch.setattr("services.repayment.domain.paying.lapsed", bug(lapsed))
    with pytest.raises(WrongBooks, match=words):
        audited(settled(value_date))
