"""The queue's order as a rule: tiers are never overtaken, and worse is never lower."""

from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events.collections import PRIORITY_MAX, QueueEntry
from services.collections.domain.ranking import priority_of
from tests.unit.collections.stories import RULES, entry

ENTRIES = st.builds(
    entry,
    stage=st.sampled_from(["early", "mid", "late"]),
    overdue_fen=st.integers(0, 10**15),
    dpd=st.integers(0, 20_000),
    broken_promises=st.integers(0, 1_000),
    due=st.booleans(),
    next_on=st.just(date(2024, 3, 18)),
    call_back_minute=st.none() | st.integers(0, 1439),
)


def tier(shown: QueueEntry) -> int:
    """A call-back that is due, then what is due, then what rests."""
    if not shown.due:
        return 0
    return 1 if shown.call_back_minute is None else 2


@settings(max_examples=100)
@given(ENTRIES, ENTRIES)
def test_no_points_lift_a_case_into_another_tier(one: QueueEntry, other: QueueEntry) -> None:
    """A promised call-back overrides everything, a case that rests waits behind every one that is due."""
    higher, lower = priority_of(RULES, one), priority_of(RULES, other)
    assert 0 <= lower <= PRIORITY_MAX
    if tier(one) > tier(other):
        assert higher > lower


@settings(max_examples=100)
@given(ENTRIES, st.integers(0, 10**12), st.integers(0, 400), st.integers(0, 5))
def test_more_money_days_or_broken_promises_never_rank_lower(
    shown: QueueEntry, more_fen: int, more_days: int, more_broken: int
) -> None:
    """Points only add."""
    changes: dict[str, Any] = {
        name: getattr(shown, name) for name in ("stage", "due", "next_on", "call_back_minute")
    }
    worse = entry(
        **changes,
        overdue_fen=shown.overdue_fen + more_fen,
        dpd=shown.dpd + more_days,
        broken_promises=shown.broken_promises + more_broken,
    )
    assert priority_of(RULES, worse) >= priority_of(RULES, shown)


def test_earlier_call_backs_rank_higher() -> None:
    """By the minute that was promised."""
    at_nine, at_ten = (
        priority_of(RULES, entry(next_on=date(2024, 3, 18), call_back_minute=minute)) for minute in (540, 600)
    )
    assert at_nine > at_ten
