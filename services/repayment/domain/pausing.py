"""Days that do not count: the arithmetic of pauses, which are intervals of whole days, both ends in them, in order and apart.

Everything that asks how late something is asks here (allocation.py), so a day counts for all of bucket, class, miss and penalty or
for none. Without pauses all of it is plain subtraction of dates.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from libs.events.codec import record
from libs.events.pauses import PauseCause

_DAY = timedelta(days=1)


@record
class Paused:
    """Days that do not count, and the measure that said so."""

    from_on: date
    to_on: date
    pause_id: str
    cause: PauseCause


def paused_days(pauses: Sequence[Paused], since: date, to: date) -> int:
    """How many of the days after `since`, up to `to`, do not count."""
    return sum(max(0, (min(each.to_on, to) - max(each.from_on, since + _DAY)).days + 1) for each in pauses)


def delinquent_days(pauses: Sequence[Paused], since: date, on: date) -> int:
    """How many of the days after `since`, up to `on`, count, 0 for none (rules.md 1.4)."""
    days = max(0, (on - since).days)
    return days - paused_days(pauses, since, on) if pauses and days else days


def reaches(pauses: Sequence[Paused], since: date, days: int) -> date:
    """The day on which so many (>= 1) days after `since` have counted."""
    on = since + timedelta(days=days)
    for each in pauses:
        if each.from_on > on:
            break
        on += timedelta(days=paused_days((each,), since, each.to_on))
    return on


def is_paused(pauses: Sequence[Paused], on: date) -> bool:
    """Whether a day does not count."""
    return any(each.from_on <= on <= each.to_on for each in pauses)


def last_counted(pauses: Sequence[Paused], on: date) -> date:
    """The last day that counts, up to this one."""
    for each in reversed(pauses):
        if each.from_on <= on <= each.to_on:
            on = each.from_on - _DAY
    return on


def next_counted(pauses: Sequence[Paused], on: date) -> date:
    """The first day that counts, from this one on."""
    for each in pauses:
        if each.from_on <= on <= each.to_on:
            on = each.to_on + _DAY
    return on


def standing(pauses: Sequence[Paused], on: date) -> Paused | None:
    """The pause that is not over with a day: it runs then, or is to come."""
    return pauses[-1] if pauses and pauses[-1].to_on > on else None


def most_in_a_year(pauses: Sequence[Paused]) -> int:
    """The most days that do not count in any one calendar year."""
    years = {year for each in pauses for year in range(each.from_on.year, each.to_on.year + 1)}
    return max(
        (paused_days(pauses, date(year - 1, 12, 31), date(year, 12, 31)) for year in sorted(years)), default=0
    )


def ended(pauses: Sequence[Paused], pause_id: str, to_on: date | None) -> tuple[Paused, ...]:
    """The pauses once this one is over with a day; None: it was none."""
    return tuple(
        replace(each, to_on=to_on) if to_on is not None and each.pause_id == pause_id else each
        for each in pauses
        if to_on is not None or each.pause_id != pause_id
    )
