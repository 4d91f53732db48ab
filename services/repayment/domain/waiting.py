"""When something comes to a loan, and how late the day is with it: what a replay cannot know from dates (docs/decisions/0024).

In time is what `next_wake` asks for, or as soon as what came last made it due. All else is said (LoanWaited, Answered), so that a loan that was
stuck, or whose debit was answered days later, is decided again with the same days missing.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from libs.events.arrival import Answered, LoanWaited
from libs.events.deciding import Context, Wake, WakeOn
from libs.events.repayment import DebitFailureRecorded, PaymentReturned
from services.repayment.domain.journal import last_moment
from services.repayment.domain.journal_entries import AFTER_MISSES, BEFORE_DUES, BEFORE_MISSES, Moment
from services.repayment.domain.loan_day import MISSES_PHASE, next_wake, wake
from services.repayment.domain.loan_state import LoanEvent, Repaid, Running, reopened
from services.repayment.domain.pending import waits_for
from services.repayment.domain.profile import Rules


def woken(rules: Rules, call: Wake, state: Running) -> Sequence[LoanEvent]:
    """What the day does to the loan, and first how long it had not come to it."""
    events = wake(rules, call, state)
    if not events:
        return []
    return [
        *waited(state, next_wake(rules, state), (call.business_date, call.phase), is_woken=True),
        *events,
    ]


def waited(state: Running, due: WakeOn, moment: Moment, *, is_woken: bool = False) -> Sequence[LoanWaited]:
    """What was `due` before a moment and has not come; nothing where the day is in time."""
    if due is None or due >= moment:
        return []
    since = max(due, last_moment(state.journal))
    if since >= moment:
        return []
    return [
        LoanWaited(
            loan_id=state.loan_id,
            since=since[0],
            since_phase=since[1],
            until=moment[0],
            until_phase=moment[1],
            woken=is_woken,
        )
    ]


def is_judged(due: WakeOn, context: Context) -> bool:
    """Whether the last phase of today runs and has nothing (more) to do with the loan: what comes now comes after its judgement. It runs in
    many ticks, and commands come between them."""
    return context.phase == MISSES_PHASE and (due is None or due > (context.business_date, MISSES_PHASE))


def place_on(state: Running, due: WakeOn, context: Context) -> Moment:
    """Where in an open date the loan is: before its dues, unless it has asked on it and has no more to ask, or something has come to it after
    them. A loan with nothing to ask does not know whether that is over, which makes no difference to it."""
    on = context.business_date
    if is_judged(due, context):
        return on, AFTER_MISSES
    has_asked = state.asked_on >= on and (due is None or due > (on, BEFORE_DUES))
    return max((on, BEFORE_MISSES if has_asked else BEFORE_DUES), last_moment(state.journal))


def told_late(
    rules: Rules,
    asked: tuple[str, date],
    state: Running | Repaid,
    context: Context,
    events: Sequence[LoanEvent],
) -> Sequence[LoanEvent]:
    """The answer to a debit (its id and day) of which nothing is taken: where it came after that day, with its place and what had been
    due before it."""
    debit_id, asked_on = asked
    if context.business_date <= asked_on or not waits_for(state.unanswered, debit_id):
        return events
    last = reopened(state)
    due = next_wake(rules, last) if isinstance(state, Running) else None
    moment = place_on(last, due, context)
    answered = Answered(on=moment[0], before_phase=moment[1])
    return [
        *waited(last, due, moment),
        *(
            replace(event, answered=answered)
            if isinstance(event, DebitFailureRecorded | PaymentReturned)
            else event
            for event in events
        ),
    ]
