"""How cases stand in the queue: one integer per case, computed where it is decided, so that a view only has to copy it.

A promised call-back goes before everything (domain.md section 5), then what is due by money, days and broken promises, then
what rests until its next step. A next step becomes due by the day's close alone, which is why a debtor asks to be woken.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from libs.events.collections import CaseRanked, QueueEntry
from services.collections.domain.contact_gate import MINUTES_PER_DAY
from services.collections.domain.debtor_flags import flags_on
from services.collections.domain.debtor_state import Debtor, DebtorState, Free, NoDebtor, OpenCase
from services.collections.domain.profile import Rules

#: Points within a tier stay below this, so that a tier is never overtaken.
TIER = 1_000_000
RESTING, DUE, CALL_BACK = 0, 1, 2


def ranked(rules: Rules, state: DebtorState, on: date) -> Sequence[CaseRanked]:
    """What has to be said of the cases whose place in the queue is not what was last said of them."""
    if isinstance(state, NoDebtor):
        return []
    return [
        CaseRanked(debtor_id=state.debtor_id, case_id=case.case_id, before=case.entry, entry=entry)
        for case in state.cases
        if isinstance(case, OpenCase) and (entry := entry_of(rules, case, state, on)) != case.entry
    ]


def entry_of(rules: Rules, case: OpenCase, debtor: Debtor, on: date) -> QueueEntry:
    """The case as the queue shows it on a business date. What once was due stays due until its next step changes."""
    was_due = case.entry is not None and case.entry.due and case.entry.next_on == case.next_on
    due = case.next_on is None or case.next_on <= on or was_due
    lease = debtor.lease
    entry = QueueEntry(
        loan_id=case.loan_id,
        stage=case.stage,
        bucket=case.bucket,
        region=case.region,
        product=case.product,
        overdue_fen=case.overdue_fen,
        dpd=case.dpd,
        broken_promises=case.broken_promises,
        priority=0,
        due=due,
        next_on=case.next_on,
        call_back_minute=case.call_back_minute,
        assigned_to=case.assigned_to,
        claimed_by=None if isinstance(lease, Free) else lease.collector,
        claimed_until=None if isinstance(lease, Free) else lease.until,
        flags=flags_on(debtor, case.loan_id),
    )
    return replace(entry, priority=priority_of(rules, entry))


def priority_of(rules: Rules, entry: QueueEntry) -> int:
    """The integer by which the queue is sorted, higher first: tier, then points (all weights chosen, see the profile)."""
    if entry.due and entry.call_back_minute is not None:
        return CALL_BACK * TIER + MINUTES_PER_DAY - entry.call_back_minute
    points = (
        rules.stage_named(entry.stage).points
        + min(entry.overdue_fen // rules.fen_per_point, rules.money_points_max)
        + min(entry.dpd, rules.days_counted_max) * rules.day_points
        + min(entry.broken_promises, rules.broken_counted_max) * rules.broken_points
    )
    return (DUE if entry.due else RESTING) * TIER + min(points, TIER - 1)
