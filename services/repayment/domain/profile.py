"""The rules that are settings: dated tables, chosen by the profile's name and a business date.

They are code, not configuration, because a decision must be recomputable from the log and the code alone. A loan lives
under the rules of the day it was funded on, for life: a later change of the table never reaches a contract that stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from libs.events.money import Rounding

#: The bucket of a loan that is not overdue, in every profile.
CURRENT = "current"


@dataclass(frozen=True, slots=True)
class Bucket:
    """An overdue bucket: its name and the smallest DPD (days past due) that belongs to it."""

    name: str
    dpd_from: int


@dataclass(frozen=True, slots=True)
class Rules:
    """What a profile fixes for the loans of one period.

    `day_basis` divides actual days (interest to the day); `retry_days` are the days after a due date on which an unpaid
    rest is asked from the borrower's account again; `buckets` rise from `current` at DPD 0.
    """

    rounding: Rounding
    day_basis: int
    retry_days: tuple[int, ...]
    buckets: tuple[Bucket, ...]

    def bucket_of(self, dpd: int) -> str:
        """The bucket to which a DPD >= 0 belongs."""
        return [bucket.name for bucket in self.buckets if bucket.dpd_from <= dpd][-1]

    def rank_of(self, bucket: str) -> int:
        """A bucket's place from 0 (`current`). Raises ValueError for a name that the table lacks."""
        return [known.name for known in self.buckets].index(bucket)

    def dpd_after(self, bucket: str) -> int | None:
        """The DPD at which the next worse bucket begins, None after the last."""
        worse = self.buckets[self.rank_of(bucket) + 1 :]
        return worse[0].dpd_from if worse else None


#: domain.md section 4: current 0 · M1 1–30 · M2 31–60 · M3 61–90 · M4 91–120 · M5 121–150 · M6 151–180 · M6+ > 180
_BY_MONTH = (
    Bucket(CURRENT, 0),
    Bucket("M1", 1),
    Bucket("M2", 31),
    Bucket("M3", 61),
    Bucket("M4", 91),
    Bucket("M5", 121),
    Bucket("M6", 151),
    Bucket("M6+", 181),
)

#: Half-up (domain.md section 4), actual/365 fixed (rules.md 1.2), three retries (chosen).
_STANDARD = Rules(rounding=Rounding.HALF_UP, day_basis=365, retry_days=(1, 2, 3), buckets=_BY_MONTH)

#: profile name -> (first day on which the rules hold, rules), oldest first
PROFILES: Mapping[str, tuple[tuple[date, Rules], ...]] = {
    "demo": ((date.min, _STANDARD),),
    "cn-p2p-2016": ((date.min, _STANDARD),),
}


@dataclass(frozen=True, slots=True)
class Profile:
    """A named profile: its dated table of rules."""

    name: str
    dated: tuple[tuple[date, Rules], ...]

    def on(self, day: date) -> Rules:
        """The rules in force on a date. Raises ValueError for a date before the profile's first."""
        in_force = [rules for since, rules in self.dated if since <= day]
        if not in_force:
            raise ValueError(f"the profile {self.name} has no rules for {day}")
        return in_force[-1]


def profile_named(name: str) -> Profile:
    """The profile of that name. Raises ValueError naming those that exist."""
    if name not in PROFILES:
        raise ValueError(f"unknown profile {name!r}; known: {', '.join(sorted(PROFILES))}")
    return Profile(name, PROFILES[name])
