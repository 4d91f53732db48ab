"""The arithmetic of paused days, held against counting them one by one."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.repayment.domain.pausing import (
    Paused,
    delinquent_days,
    ended,
    is_paused,
    last_counted,
    most_in_a_year,
    next_counted,
    paused_days,
    reaches,
    standing,
)

EPOCH = date(2023, 11, 20)
offsets = st.integers(0, 160)


def day(offset: int) -> date:
    """So many days after the first that the tests know."""
    return EPOCH + timedelta(days=offset)


def pause(first: int, last: int, pause_id: str = "msr_1") -> Paused:
    """A pause of the days from one to another, both in it."""
    return Paused(from_on=day(first), to_on=day(last), pause_id=pause_id, cause="illness")


@st.composite
def pauses(draw: st.DrawFn) -> tuple[Paused, ...]:
    """Up to four pauses, in order and apart; two may follow on each other without a day between them."""
    found: list[Paused] = []
    at = draw(st.integers(0, 40))
    for number in range(draw(st.integers(0, 4))):
        length = draw(st.integers(1, 30))
        found.append(pause(at, at + length - 1, f"msr_{number}"))
        at += length + draw(st.integers(0, 20))
    return tuple(found)


def counts(known: tuple[Paused, ...], on: date) -> bool:
    """Whether a day counts, as anybody would say it."""
    return all(not (each.from_on <= on <= each.to_on) for each in known)


@given(pauses(), offsets, offsets)
def test_days_are_counted_one_by_one(known: tuple[Paused, ...], since: int, on: int) -> None:
    """Delinquent days are the days after one date, up to another, that no pause holds; the others are paused, and together they are all."""
    between = [day(offset) for offset in range(since + 1, on + 1)]
    late = sum(counts(known, each) for each in between)
    assert delinquent_days(known, day(since), day(on)) == late
    assert paused_days(known, day(since), day(on)) == len(between) - late


@given(pauses(), offsets, st.integers(1, 120))
def test_so_many_days_are_reached_on_the_first_day_on_which_they_have_counted(
    known: tuple[Paused, ...], since: int, days: int
) -> None:
    """`reaches` is the inverse of the count: that many on the day, one less the day before."""
    found = reaches(known, day(since), days)
    assert delinquent_days(known, day(since), found) == days
    assert delinquent_days(known, day(since), found - timedelta(days=1)) == days - 1


@given(pauses(), offsets)
def test_the_day_that_counts_is_the_nearest_that_does(known: tuple[Paused, ...], on: int) -> None:
    """Backwards for what is late by now, forwards for what is to be asked next."""
    assert is_paused(known, day(on)) != counts(known, day(on))
    before = next(day(on - back) for back in range(on + 1000) if counts(known, day(on - back)))
    after = next(day(on + ahead) for ahead in range(1000) if counts(known, day(on + ahead)))
    assert (last_counted(known, day(on)), next_counted(known, day(on))) == (before, after)


@given(pauses())
def test_the_most_of_a_calendar_year_is_that_of_its_days(known: tuple[Paused, ...]) -> None:
    """Paused days are counted by the year in which they lie, whichever pause they are of."""
    paused = [day(offset) for offset in range(400) if not counts(known, day(offset))]
    assert most_in_a_year(known) == max(
        (sum(each.year == year for each in paused) for year in (2023, 2024, 2025)), default=0
    )


def test_a_pause_stands_until_its_last_day_and_ends_early_or_is_none() -> None:
    """On its last day it is over with the day; ended before that it is shorter, and before it begins it is gone."""
    known = (pause(10, 20),)
    assert standing(known, day(5)) == standing(known, day(19)) == pause(10, 20)
    assert standing(known, day(20)) is None
    assert ended(known, "msr_1", day(15)) == (pause(10, 15),)
    assert ended(known, "msr_1", None) == ()
