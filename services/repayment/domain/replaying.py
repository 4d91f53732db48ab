"""A loan decided again from what came to it: the same rules over the same inputs, with the days that passed in between.

That is the whole of a correction: the state without a payment is the state of the journal without it. A replay knows no money that
did not come: a debit that it asks for and the journal does not answer found nothing (docs/decisions/0024).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import assert_never

from libs.events.deciding import Context, Refused, Wake
from libs.events.repayment import (
    LoanRepaid,
    PaymentMissed,
    PaymentReceived,
    PenaltyCharged,
    RepaymentDistributed,
)
from services.repayment.commands import RecordDebit, RecordPayment
from services.repayment.domain.allocation import book_of
from services.repayment.domain.journal import (
    BEFORE_DUES,
    BEFORE_MISSES,
    EMPTY,
    Entry,
    Payment,
    Sale,
    entries_of,
    lent,
    with_entries,
    with_first_rows,
)
from services.repayment.domain.loan_day import next_wake, wake
from services.repayment.domain.loan_state import Claim, LoanEvent, Repaid, Running, evolve, reopened
from services.repayment.domain.paying import record_debit, record_payment
from services.repayment.domain.profile import CURRENT, Profile, Rules
from services.repayment.domain.trouble import Trouble

#: (date, phase) before which the loan has been woken for everything.
Moment = tuple[date, int]


@dataclass(frozen=True, slots=True)
class Got:
    """What a claim has got of all payments, in fen."""

    principal_fen: int = 0
    interest_fen: int = 0
    penalty_fen: int = 0
    fee_fen: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """What an instalment has received in all, in fen, and the penalty charged on it; number 0 is what was not due."""

    principal_fen: int = 0
    interest_fen: int = 0
    fee_fen: int = 0
    paid_penalty_fen: int = 0
    penalty_fen: int = 0
    penalty_to: date | None = None
    missed: bool = False


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


def replay(profile: Profile, live: Running | Repaid, on: date, entries: Sequence[Entry]) -> Replayed:
    """The loan that these inputs give by now, while business date `on` is open; who pays, holds and waits is taken from `live`.

    Refused: `claim_sold_since` when a sale would have been of another amount.
    """
    last = reopened(live)
    run = _Run(profile, profile.on(last.book.funded_on), _first(last, entries), _held(last, entries))
    for entry in entries:
        match entry:
            case Payment():
                run.pay(entry)
            case Sale():
                run.sell(entry)
            case _:
                assert_never(entry)
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
            trouble=replace(last.trouble, non_accrual=state.trouble.non_accrual),
            journal=journal,
        ),
        is_repaid=isinstance(run.state, Repaid),
        got=run.got,
        platform_fen=run.platform_fen,
        entries=tuple(run.entries),
        rows=run.rows,
        repaid=run.repaid,
    )


def is_replayable(profile: Profile, live: Running | Repaid, on: date) -> bool:
    """Whether the loan's inputs give the loan, field by field, and each payment what was taken of it. They do unless a debit was
    answered days after it was asked: the loan waited for it then, and a replay does not know how long."""
    try:
        replayed = replay(profile, live, on, entries_of(reopened(live).journal))
    except Refused:
        return False
    return replayed.state == reopened(live) and replayed.is_repaid == isinstance(live, Repaid)


@dataclass(slots=True)
class _Run:
    """A replay on its way."""

    profile: Profile
    rules: Rules
    state: Running | Repaid
    held: frozenset[str]
    """Debits that were answered late, or not yet: while they have no answer the loan is not judged."""
    reached: Moment = (date.min, 0)
    entries: list[Entry] = field(default_factory=list)
    got: dict[str, Got] = field(default_factory=dict)
    platform_fen: int = 0
    rows: dict[int, Row] = field(default_factory=dict)
    repaid: LoanRepaid | None = None

    def until(self, moment: Moment) -> None:
        """Wake the loan for all that comes before a moment."""
        while isinstance(self.state, Running):
            due = next_wake(self.rules, self.state)
            if due is None or max(due, self.reached) >= moment:
                break
            on, phase = max(due, self.reached)
            events = wake(self.rules, Wake(business_date=on, phase=phase), self.state)
            if not events:
                break
            self._fold(events)
            self._answer()
        self.reached = max(self.reached, moment)

    def pay(self, payment: Payment) -> None:
        """A payment comes, if it counts."""
        self.until((payment.booked_on, payment.before_phase))
        if payment.is_reversed:
            self._answered(payment.payment_id)
            self.entries.append(payment)
            return
        events = self._decided(payment)
        taken_fen = sum(event.amount_fen for event in events if isinstance(event, PaymentReceived))
        self.entries.append(replace(payment, taken_fen=taken_fen))
        self._fold(events)
        self._answered(payment.payment_id)

    def sell(self, sale: Sale) -> None:
        """The sale stands. Refused: `claim_sold_since` when it would have been of another amount."""
        self.entries.append(sale)
        state = self.state
        sold = next((c for c in reopened(state).claims if c.claim_id == sale.sold_claim_id), None)
        whole_fen = sale.left_fen + sale.principal_fen
        if isinstance(state, Repaid) or sold is None or sold.principal_fen != whole_fen:
            raise Refused("claim_sold_since")
        claims = tuple(
            replace(claim, principal_fen=sale.left_fen) if claim is sold else claim
            for claim in state.claims
            if claim is not sold or sale.left_fen
        )
        self.state = replace(state, claims=(*claims, _bought(sale)))

    def _decided(self, payment: Payment) -> Sequence[LoanEvent]:
        state, borrower = self.state, self.state.borrower
        context = Context(at=_NEVER, business_date=payment.booked_on, principal="")
        account_id = payment.account_id or reopened(state).borrower_account
        if not payment.is_debit:
            mode = payment.mode
            paid = RecordPayment(
                payment_id=payment.payment_id,
                account_id=account_id,
                payer=payment.payer or borrower,
                amount_fen=payment.amount_fen,
                value_date=payment.value_date,
                settle=mode == "settle",
                prepay=mode if mode in ("reamortise", "shorten") else None,
            )
            return record_payment(self.profile, paid, replace(state, remembered=()), context)
        debit = RecordDebit(
            debit_id=payment.payment_id,
            account_id=account_id,
            debited_fen=payment.amount_fen,
            value_date=payment.value_date,
        )
        asked = (*state.unanswered, payment.payment_id)
        return record_debit(self.profile, debit, replace(state, unanswered=asked), context)

    def _share(self, shared: RepaymentDistributed) -> None:
        self.platform_fen += shared.fee_fen
        for line in shared.lines:
            before = self.got.get(line.claim_id, Got())
            self.got[line.claim_id] = Got(
                principal_fen=before.principal_fen + line.principal_fen,
                interest_fen=before.interest_fen + line.interest_fen,
                penalty_fen=before.penalty_fen + line.penalty_fen,
                fee_fen=before.fee_fen + line.fee_fen,
            )

    def _note(self, event: LoanEvent) -> None:
        """What each claim got and each row received, beside the state."""
        match event:
            case RepaymentDistributed():
                self._share(event)
            case PaymentReceived(allocation=lines):
                for line in lines:
                    row = self.rows.get(line.number, Row())
                    self.rows[line.number] = replace(
                        row,
                        principal_fen=row.principal_fen + line.principal_fen,
                        interest_fen=row.interest_fen + line.interest_fen,
                        fee_fen=row.fee_fen + line.fee_fen,
                        paid_penalty_fen=row.paid_penalty_fen + line.penalty_fen,
                    )
            case PenaltyCharged(lines=charges, charged_on=on):
                for charge in charges:
                    row = self.rows.get(charge.number, Row())
                    fen = row.penalty_fen + charge.penalty_fen
                    self.rows[charge.number] = replace(row, penalty_fen=fen, penalty_to=on)
            case LoanRepaid():
                self.repaid = event
            case PaymentMissed(number=number):
                self.rows[number] = replace(self.rows.get(number, Row()), missed=True)
            case _:
                pass

    def _fold(self, events: Sequence[LoanEvent]) -> None:
        state: Running | Repaid = self.state
        for event in events:
            self._note(event)
            evolved = evolve(state, event)
            assert isinstance(evolved, Running | Repaid), "a loan that was lent stays lent"
            state = evolved
        # What came is written down once, at the end.
        self.state = (
            replace(state, journal=EMPTY)
            if isinstance(state, Running)
            else replace(state, last=replace(state.last, journal=EMPTY))
        )

    def _answer(self) -> None:
        """A debit that was answered on its day waits for nothing here: its money comes with its entry."""
        waiting = tuple(debit for debit in self.state.unanswered if debit in self.held)
        self.state = replace(self.state, unanswered=waiting)

    def _answered(self, payment_id: str) -> None:
        waiting = tuple(debit for debit in self.state.unanswered if debit != payment_id)
        self.state = replace(self.state, unanswered=waiting)


#: No rule of a loan asks for the time of day.
_NEVER = datetime.min.replace(tzinfo=UTC)


def _held(last: Running, entries: Sequence[Entry]) -> frozenset[str]:
    late = (
        entry.payment_id
        for entry in entries
        if isinstance(entry, Payment) and entry.is_debit and entry.booked_on > entry.value_date
    )
    return frozenset((*last.unanswered, *late))


def _now(last: Running, on: date) -> Moment:
    """Before the dues of today unless the loan has asked today: what they ask, if anything, the day itself does."""
    return (on, BEFORE_MISSES if last.asked_on >= on else BEFORE_DUES)


def _first(last: Running, entries: Sequence[Entry]) -> Running:
    """The loan as it was lent."""
    book = last.book
    return replace(
        last,
        book=book_of(
            book.funded_on,
            book.annual_rate,
            last.journal.rows or book.rows,
            penalty_rate=book.penalty_rate,
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
        journal=EMPTY,
    )


def _lent(last: Running, entries: Sequence[Entry]) -> Iterator[Claim]:
    """The first holders: those who stand, and those who sold all that they had."""
    known = {claim.order: claim for claim in last.claims}
    for sale in entries:
        if isinstance(sale, Sale):
            known[sale.sold_order] = Claim(
                order=sale.sold_order,
                claim_id=sale.sold_claim_id,
                account_id=sale.seller_account,
                investor=sale.seller,
                principal_fen=0,
            )
    for order, fen in lent(last.journal).items():
        yield replace(known[order], principal_fen=fen)


def _bought(sale: Sale) -> Claim:
    return Claim(
        order=sale.order,
        claim_id=sale.claim_id,
        account_id=sale.account_id,
        investor=sale.investor,
        principal_fen=sale.principal_fen,
    )
