"""The edges of the overdue buckets, kept once more by the name of the profile that the services obey (rules.md 1.4: two readings)."""

from typing import Final

_BY_MONTH: Final = (
    ("current", 0),
    ("M1", 1),
    ("M2", 31),
    ("M3", 61),
    ("M4", 91),
    ("M5", 121),
    ("M6", 151),
    ("M6+", 181),
)
_BY_THIRTY: Final = (("current", 0), ("1-29", 1), ("30-59", 30), ("60-89", 60), ("90+", 90))


def buckets_of(profile: str) -> tuple[tuple[str, int], ...]:
    """Each bucket with the days past due from which a loan is in it."""
    return _BY_THIRTY if profile == "demo-30-days" else _BY_MONTH
