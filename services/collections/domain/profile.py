"""The rules of collecting that are settings: dated tables, chosen by the profile's name and a business date.

The limits on contacts are those of the national standard announced on 2025-03-13 (rules.md 1.8) and hold from the first day of
every profile: stricter than the law of earlier years, never weaker. Everything else is chosen, as each line says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of collecting (processes.md 1.I): its overdue buckets, the skill it asks for, days to the next step, weight."""

    name: str
    buckets: tuple[str, ...]
    skill: str
    rhythm_days: int
    points: int


@dataclass(frozen=True, slots=True)
class Rules:
    """What a profile fixes for one period.

    Contact hours are local minutes of the day, from inclusive to exclusive; `offsets` give a region's minutes east of UTC
    (no region that we serve has summer time). Leases are minutes, promise dates at most `promise_days_max` ahead.
    """

    stages: tuple[Stage, ...]
    contact_from_minute: int = 8 * 60
    contact_to_minute: int = 22 * 60
    effective_calls_max: int = 3
    #: attempts at the debtor himself without an answer before anybody else may be asked for him (chosen)
    unreachable_after: int = 3
    #: how long a claimed debtor is kept from others (chosen)
    lease_minutes: int = 30
    #: a promise further off is no plan to pay but a postponement (chosen)
    promise_days_max: int = 14
    offsets: Mapping[str, int] = field(default_factory=dict)
    offset_default: int = 0
    #: priority: overdue money, each point this many fen, at most so many; per day late; per broken promise (all chosen)
    fen_per_point: int = 100_00
    money_points_max: int = 100_000
    day_points: int = 100
    days_counted_max: int = 360
    broken_points: int = 5_000
    broken_counted_max: int = 10

    def stage_of(self, bucket: str) -> Stage | None:
        """The stage in which a bucket is worked, None where the profile has none for it."""
        return next((stage for stage in self.stages if bucket in stage.buckets), None)

    def stage_named(self, name: str) -> Stage:
        """A stage by its name. Raises KeyError."""
        return {stage.name: stage for stage in self.stages}[name]

    def offset_minutes(self, region: str) -> int:
        """Minutes east of UTC in a region."""
        return self.offsets.get(region, self.offset_default)


#: Early M1, middle M2-M3, late from M4; rhythm 2 days, a week, a month; who and what weighs how much (all chosen,
#: domain.md section 5, processes.md 1.I). A case always begins in the first bucket of the first stage.
_STAGES = (
    Stage("early", ("M1",), skill="phone", rhythm_days=2, points=10_000),
    Stage("mid", ("M2", "M3"), skill="negotiation", rhythm_days=7, points=20_000),
    Stage("late", ("M4", "M5", "M6", "M6+"), skill="legal", rhythm_days=30, points=30_000),
)

#: The same of buckets of thirty days.
_STAGES_BY_THIRTY = (
    replace(_STAGES[0], buckets=("1-29",)),
    replace(_STAGES[1], buckets=("30-59", "60-89")),
    replace(_STAGES[2], buckets=("90+",)),
)

#: Books from anywhere: local time is UTC.
_DEMO = Rules(stages=_STAGES)

#: All of mainland China is on UTC+8, without summer time since 1992.
_CHINA = Rules(stages=_STAGES, offset_default=8 * 60)

#: profile name -> (first day on which the rules hold, rules), oldest first
PROFILES: Mapping[str, tuple[tuple[date, Rules], ...]] = {
    "demo": ((date.min, _DEMO),),
    "demo-30-days": ((date.min, replace(_DEMO, stages=_STAGES_BY_THIRTY)),),
    "cn-p2p-2016": ((date.min, _CHINA),),
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
