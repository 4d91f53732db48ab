"""A loan decided again from what came to it: the same rules over the same inputs, with the days that passed in between.

That is the whole of a correction: the state without a payment is the state of the journal without it. A replay knows no money that
did not come: a debit that it asks for and the journal does not answer found nothing (docs/decisions/0024).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from libs.events.deciding import Refused
from libs.events.repayment import LoanRepaid
from services.repayment.domain.journal import entries_of, with_entries, with_first_rows
from services.repayment.domain.journal_entries import BEFORE_DUES, BEFORE_MISSES, Entry, Moment
from services.repayment.domain.loan_state import LoanEvent, Repaid, Running, reopened
from services.repayment.domain.measure_entry import carried
from services.repayment.domain.profile import Profile
from services.repayment.domain.replay_run import Got, Row, Run, begin, held_by


@dataclass(frozen=True, slots=True)
class Replayed:
    """Where the inputs lead: the state, whether the loan ended, what each claim and the platform got."""

    state: Running
    is_repaid: bool
    got: dict[str, Got]
    platform_fen: int
    entries: tuple[Entry, ...]
    rows: dict[int, Row]
    repaid: LoanRepaid | None
    """How it ended, where it did."""
    applied: dict[str, tuple[LoanEvent, ...]]
    """What each measure came to."""
    waived_fen: int


def replay(profile: Profile, live: Running | Repaid, on: date, entries: Sequence[Entry]) -> Replayed:
    """The loan that these inputs give by now, while business date `on` is open; who pays, holds and waits is taken from `live`.

    Refused: `claim_sold_since` when less of a claim would have been there than was sold, `…_would_differ` when a measure would not have come about.
    """
    return finish(begin(profile, live, entries), live, on, entries)


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


def finish(run: Run, live: Running | Repaid, on: date, entries: Sequence[Entry]) -> Replayed:
    """Where the rest of the inputs leads. Refused: as `replay`."""
    last = reopened(live)
    for entry in entries:
        run.take(entry)
    run.until(_now(last, on))
    state = reopened(run.state)
    journal = with_entries(last.journal, run.entries)
    if state.book.rows != last.book.rows:
        journal = with_first_rows(journal, last.book.rows)
    return Replayed(
        state=replace(
            state,
            # What was asked was asked: a day is never asked for twice under one debit's id.
            asked_on=max(last.asked_on, state.asked_on),
            remembered=last.remembered,
            unanswered=last.unanswered,
            reservations=last.reservations,
            sold=last.sold,
            last_order=last.last_order,
            trouble=carried(last.trouble, state.trouble),
            journal=journal,
        ),
        is_repaid=isinstance(run.state, Repaid),
        got=run.got,
        platform_fen=run.platform_fen,
        entries=tuple(run.entries),
        rows=run.rows,
        repaid=run.repaid,
        applied=run.applied,
        waived_fen=run.waived_fen,
    )


def is_replayable(profile: Profile, live: Running | Repaid, on: date) -> bool:
    """Whether the loan's inputs give the loan, field by field, and each payment what was taken of it. They do unless
    records are from before it was said what came late, and what measures do."""
    try:
        replayed = replay(profile, live, on, entries_of(reopened(live).journal))
    except Refused:
        return False
    return replayed.state == reopened(live) and replayed.is_repaid == isinstance(live, Repaid)


def _now(last: Running, on: date) -> Moment:
    """Before the dues of today unless the loan has asked today: what they ask, if anything, the day itself does."""
    return (on, BEFORE_MISSES if last.asked_on >= on else BEFORE_DUES)
