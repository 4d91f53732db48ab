"""Where a replay starts: the loan as it was lent, and what of its inputs must be known before the first of them comes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from libs.events.deciding import Refused
from services.repayment.domain.allocation import book_of
from services.repayment.domain.guarantee import Guarantee
from services.repayment.domain.journal import Journal, lent
from services.repayment.domain.journal_entries import Answer, Entry, Payment, Wait
from services.repayment.domain.loan_state import Claim, Repaid, Running, reopened
from services.repayment.domain.pending import Pending
from services.repayment.domain.profile import CURRENT, Profile, Rules
from services.repayment.domain.replay_run import Run
from services.repayment.domain.sales import sellers
from services.repayment.domain.trouble import Trouble

#: Shares of payments that a replay may have to make: some 3 s of processor time with both replays of a correction (decision 24),
#: before the 5 s at which a decision counts as one that hangs.
SHARES_MAX = 500_000


def require_short(live: Running, entries: Sequence[Entry]) -> None:
    """Refused: `replay_too_long` when so many payments went to so many holders that the decision would stop its partition."""
    payments = sum(isinstance(entry, Payment) for entry in entries)
    if payments * max(len(live.claims), len(lent(live.journal))) > SHARES_MAX:
        raise Refused("replay_too_long")


def begin(profile: Profile, live: Running | Repaid, entries: Sequence[Entry]) -> Run:
    """A replay of these inputs before the first of them; who pays, holds and waits is taken from `live`."""
    last = reopened(live)
    rules = profile.on(last.book.funded_on)
    bare = Journal(rows=last.journal.rows or last.book.rows)
    gaps = tuple(
        ((entry.since, entry.since_phase), (entry.until, entry.until_phase))
        for entry in entries
        if isinstance(entry, Wait)
    )
    held_now = frozenset(claim.claim_id for claim in last.claims)
    first = _first(rules, last, entries, bare)
    held = held_by(last, entries)
    asked = (Pending(debit_id=debit_id, asked_on=on) for debit_id, on in held.items() if on)
    waiting = tuple(sorted(asked, key=lambda debit: debit.asked_on))
    return Run(profile, rules, first, frozenset(held), waiting, bare, gaps, held_now)


def held_by(last: Running, entries: Sequence[Entry]) -> dict[str, date | None]:
    """Debits that were answered late, or not yet, by the day of their asking."""
    late = (
        (entry.payment_id, entry.value_date)
        for entry in entries
        if isinstance(entry, Payment) and entry.is_debit and entry.booked_on > entry.value_date
    )
    empty = ((entry.debit_id, entry.asked_on) for entry in entries if isinstance(entry, Answer))
    return dict((*((debit.debit_id, debit.asked_on) for debit in last.unanswered), *late, *empty))


def _first(rules: Rules, last: Running, entries: Sequence[Entry], bare: Journal) -> Running:
    """The loan as it was lent."""
    book = last.book
    # A write-off has ended the penalty: what it was before, the rules say. Any other loan has its contract's, which may name none.
    is_ended = last.trouble.written_off_on is not None
    penalty_rate = rules.penalty_rate(book.annual_rate) if is_ended else book.penalty_rate
    return replace(
        last,
        book=book_of(
            book.funded_on,
            book.annual_rate,
            bare.rows,
            penalty_rate=penalty_rate,
            repayment=book.repayment,
        ),
        claims=tuple(_lent(last, entries)),
        weights=(),
        bucket=CURRENT,
        loan_class="normal",
        next_due=1,
        next_missed=1,
        asked_on=book.funded_on,
        unanswered=(),
        remembered=(),
        reservations=(),
        sold=(),
        trouble=Trouble(),
        unjudged=(),
        freed=(),
        answered_on=None,
        guarantee=Guarantee(guarantor=last.guarantee.guarantor) if last.guarantee else None,
        journal=bare,
    )


def _lent(last: Running, entries: Sequence[Entry]) -> Iterator[Claim]:
    """The first holders: those who stand, and those who sold all that they had."""
    known = {claim.order: claim for claim in (*last.claims, *sellers(entries))}
    for order, fen in lent(last.journal).items():
        yield replace(known[order], principal_fen=fen)
