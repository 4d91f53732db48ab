"""The contact gate: whether a collector may reach for a person now. The one place that knows the legal limits.

National standard announced on 2025-03-13 (rules.md 1.8, domain.md section 5): the debtor only, other people merely while he
cannot be reached and never again once they refuse; nothing from 22:00 to 8:00 of his local time unless he agreed; at most
three effective calls per debtor and local day, over all collectors. Who calls us himself is not being contacted. Where a debtor has died,
or disputes the debt, only letters go out, and of the dead also to others *(chosen)*.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from libs.events.collections import AgreedHours
from libs.events.flags import FlagKind
from services.collections.commands import Channel, Direction, Party
from services.collections.domain.profile import Rules

MINUTES_PER_DAY = 24 * 60

#: Post arrives when it arrives; it wakes nobody.
_UNTIMED: tuple[Channel, ...] = ("letter",)


@dataclass(frozen=True, slots=True)
class Approach:
    """Who is to be reached, how, and from which side. `party_id` is None for the debtor himself."""

    channel: Channel
    direction: Direction
    party: Party
    party_id: str | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the debtor at his local minute of the day.

    `calls` are the effective calls of that local day and those still going on, which may become effective; `unanswered` the
    attempts at himself since he was last spoken to; `stopped` the third parties who are never contacted again; `flags` what stands on the
    loan that is spoken of.
    """

    minute: int
    calls: int
    unanswered: int
    stopped: tuple[str, ...]
    agreed: AgreedHours | None
    flags: tuple[FlagKind, ...] = ()


def local_time(at: datetime, offset_minutes: int) -> tuple[date, int]:
    """The calendar day and the minute of the day at `at` (UTC), `offset_minutes` east of it."""
    local = at + timedelta(minutes=offset_minutes)
    return local.date(), local.hour * 60 + local.minute


def may_disturb(rules: Rules, minute: int, agreed: AgreedHours | None) -> bool:
    """Whether a local minute lies in the contact hours, or in those to which the debtor agreed."""
    if rules.contact_from_minute <= minute < rules.contact_to_minute:
        return True
    return agreed is not None and agreed.from_minute <= minute < agreed.to_minute


def objection(rules: Rules, approach: Approach, facts: Facts) -> str | None:
    """The code of the limit that forbids the contact, or None."""
    if approach.direction == "inbound":
        return None
    if approach.channel != "letter":
        if "death" in facts.flags:
            return "debtor_deceased"
        if "dispute" in facts.flags:
            return "debt_disputed"
    if approach.party != "debtor":
        if approach.party_id in facts.stopped:
            return "party_refused"
        # The dead are reached by nobody, and nobody may try: their guarantors and heirs are written to at once (chosen).
        if "death" not in facts.flags and facts.unanswered < rules.unreachable_after:
            return "debtor_reachable"
    # only the debtor can agree to other hours, and only for himself
    agreed = facts.agreed if approach.party == "debtor" else None
    if approach.channel not in _UNTIMED and not may_disturb(rules, facts.minute, agreed):
        return "contact_hours"
    if approach.channel == "call" and facts.calls >= rules.effective_calls_max:
        return "call_limit"
    return None
