"""A loan decided again from what came to it: the same rules over the same inputs, with the days that passed in between.

That is the whole of a correction: the state without a payment is the state of the journal without it. A replay knows no money that
did not come: a debit that it asks for and the journal does not answer found nothing (docs/decisions/0024).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from libs.events.deciding import Context, Refused
from libs.events.repayment import LoanRepaid
from services.repayment.domain.accruing import Arrears
from services.repayment.domain.guarantee import Guarantee
from services.repayment.domain.journal import entries_of, with_entries, with_first_rows
from services.repayment.domain.journal_entries import AFTER_MISSES, BEFORE_DUES, BEFORE_MISSES, Entry, Moment
from services.repayment.domain.loan_day import next_wake
from services.repayment.domain.loan_state import LoanEvent, Repaid, Running, reopened
from services.repayment.domain.measure_entry import carried
from services.repayment.domain.profile import Profile, Rules
from services.repayment.domain.replay_run import Got, Row, Run
from services.repayment.domain.replay_start import begin, held_by
from services.repayment.domain.waiting import is_judged

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Replayed:
    """Where the inputs lead: the state, whether the loan ended, what each claim, the platform and whom a recovery's cost is owed to got."""

    state: Running
    is_repaid: bool
    got: dict[str, Got]
    platform_fen: int
    costs: dict[str, int]
    entries: tuple[Entry, ...]
    rows: dict[int, Row]
    repaid: LoanRepaid | None
    """How it ended, where it did."""
    applied: dict[str, tuple[LoanEvent, ...]]
    """What each measure came to."""
    waived_fen: int
    judged_on: date
    """The last day whose misses the loan has been looked at for."""
    reached: Moment
    """How far into its open date it was lived."""


def replay(profile: Profile, live: Running | Repaid, context: Context, entries: Sequence[Entry]) -> Replayed:
    """The loan that these inputs give by now; who pays, holds and waits is taken from `live`.

    Refused: `claim_sold_since` when less of a claim would have been there than was sold, `…_would_differ` when a measure would not have come about.
    """
    return finish(begin(profile, live, entries), live, context, entries)


def shared(
    profile: Profile, live: Running | Repaid, entries: Sequence[Entry], changed: Sequence[Entry]
) -> tuple[Run, int]:
    """A replay of as many inputs as are the same with and without an error, and how many they are."""
    run = begin(profile, live, entries)
    last = reopened(live)
    if held_by(last, entries) != held_by(last, changed):
        return run, 0
    pairs = enumerate(zip(entries, changed, strict=False))
    same = next((at for at, (one, other) in pairs if one != other), min(len(entries), len(changed)))
    for entry in entries[:same]:
        run.take(entry)
    return run, same


def finish(
    run: Run, live: Running | Repaid, context: Context, entries: Sequence[Entry], until: Moment | None = None
) -> Replayed:
    """Where the rest of the inputs leads by `until`; None: as far as the day has come to the loan, of which these are the inputs. Refused: as
    `replay`."""
    last = reopened(live)
    for entry in entries:
        run.take(entry)
    until = until or _now(run, live, context)
    run.until(until)
    state = reopened(run.state)
    journal = with_entries(last.journal, run.entries)
    if state.book.rows != last.book.rows:
        journal = with_first_rows(journal, last.book.rows)
    return Replayed(
        state=replace(
            state,
            book=replace(state.book, arrears=_as_told(last.book.arrears, state.book.arrears)),
            # What was asked was asked: a day is never asked for twice under one debit's id.
            asked_on=max(last.asked_on, state.asked_on),
            remembered=last.remembered,
            unanswered=last.unanswered,
            reservations=last.reservations,
            sold=last.sold,
            last_order=last.last_order,
            trouble=carried(last.trouble, state.trouble),
            guarantee=_asked_as(last.guarantee, state.guarantee),
            journal=journal,
        ),
        is_repaid=isinstance(run.state, Repaid),
        got=run.got,
        platform_fen=run.platform_fen,
        costs=run.costs,
        entries=tuple(run.entries),
        rows=run.rows,
        repaid=run.repaid,
        applied=run.applied,
        waived_fen=run.waived_fen,
        judged_on=until[0] if until[1] == AFTER_MISSES else until[0] - _DAY,
        reached=until,
    )


def _asked_as(live: Guarantee | None, replayed: Guarantee | None) -> Guarantee | None:
    """What the guarantor has paid for is decided again; what he is being asked for, and what his account said of it, is no input."""
    if live is None or replayed is None:
        return replayed
    return replace(replayed, under_way=live.under_way, asked_in_vain=live.asked_in_vain)


def _as_told(live: Arrears | None, replayed: Arrears | None) -> Arrears | None:
    """What a record did not say is not known better by a replay: it would be another loan, and none of before could be corrected."""
    is_untold = live is not None and live.accrued_fen is None
    return replace(replayed, accrued_fen=None) if replayed and is_untold else replayed


def is_replayable(profile: Profile, live: Running | Repaid, context: Context) -> bool:
    """Whether the loan's inputs give the loan, field by field, and each payment what was taken of it. They do unless
    records are from before it was said what came late, and what measures do."""
    try:
        replayed = replay(profile, live, context, entries_of(reopened(live).journal))
    except Refused:
        return False
    return replayed.state == reopened(live) and replayed.is_repaid == isinstance(live, Repaid)


def _now(run: Run, live: Running | Repaid, context: Context) -> Moment:
    """Before the dues of today unless the day's second phase has woken the loan: what they ask, if anything, the day itself does. It has where the
    loan has asked today, or is not due any more for what its inputs make due by then: a debit that was answered late is judged next morning.
    After the day's last phase where that has judged the loan and runs on."""
    on = context.business_date
    if is_judged(next_wake(run.rules, live) if isinstance(live, Running) else None, context):
        return on, AFTER_MISSES
    dues = (on, BEFORE_DUES)
    if reopened(live).asked_on >= on:
        return (on, BEFORE_MISSES)
    run.until(dues)
    is_woken = _is_due(run.rules, run.state, dues) and not _is_due(run.rules, live, dues)
    return (on, BEFORE_MISSES) if is_woken else dues


def _is_due(rules: Rules, state: Running | Repaid, moment: Moment) -> bool:
    """Whether a loan is to be woken by then."""
    due = next_wake(rules, state) if isinstance(state, Running) else None
    return due is not None and due <= moment
