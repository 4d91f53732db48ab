"""A replay on its way: one input after the other comes to the loan, and the days between them, by the loan's own rules.

What is reached can be forked: with and without an error the days before it are the same, and are lived once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import NamedTuple, assert_never

from libs.events.compensation import ClaimsSubrogated
from libs.events.deciding import Context, Refused, Wake
from libs.events.in_kind import DebtSettledInKind
from libs.events.lateness import LatenessJudged
from libs.events.measures import MeasureApplied, PenaltyWaived
from libs.events.recovery_costs import RecoveryCostPaid
from libs.events.repayment import (
    AllocationLine,
    LoanRepaid,
    PaymentMissed,
    PaymentReceived,
    PenaltyCharged,
    RepaymentDistributed,
)
from libs.events.rescheduling import ScheduleChanged
from services.repayment.commands import RecordCompensation, RecordDebit, RecordPayment
from services.repayment.domain.compensating import record
from services.repayment.domain.guarantee import Asked
from services.repayment.domain.journal import Journal
from services.repayment.domain.journal_entries import (
    AFTER_MISSES,
    Answer,
    Compensation,
    Entry,
    Measure,
    Moment,
    Payment,
    Sale,
    Wait,
    moment_of,
)
from services.repayment.domain.lateness import late_at_the_end
from services.repayment.domain.loan_day import next_wake, wake
from services.repayment.domain.loan_state import LoanEvent, Repaid, Running, evolve, found, reopened
from services.repayment.domain.measure_entry import comes_to_nothing
from services.repayment.domain.paying import record_debit, record_payment
from services.repayment.domain.pending import Pending, answered, waits_for
from services.repayment.domain.profile import Profile, Rules
from services.repayment.domain.replay_told import is_late, told_as_booked
from services.repayment.domain.sales import bought
from services.repayment.domain.trading import CLAIMS_MAX
from services.repayment.domain.troubled import effect, require_within


class Got(NamedTuple):
    """What a claim has got of all payments, in fen. A tuple, because a replay makes one for each claim of each payment."""

    principal_fen: int = 0
    interest_fen: int = 0
    penalty_fen: int = 0
    fee_fen: int = 0


_NOTHING = Got()


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


@dataclass(slots=True)
class Run:
    """A replay on its way."""

    profile: Profile
    rules: Rules
    state: Running | Repaid
    held: frozenset[str]
    """Debits that were answered late, or not yet: while they have no answer the loan is not judged."""
    waiting: tuple[Pending, ...]
    """Those of them whose asking is still to come, in its order."""
    bare: Journal
    """No entry, and the contract's rows."""
    gaps: tuple[tuple[Moment, Moment], ...]
    """From when to when the day did not come to the loan."""
    held_now: frozenset[str]
    """The claims of the loan as it is: none of them goes, though nothing may be left of it."""
    reached: Moment = (date.min, 0)
    entries: list[Entry] = field(default_factory=list)
    got: dict[str, Got] = field(default_factory=dict)
    platform_fen: int = 0
    costs: dict[str, int] = field(default_factory=dict)
    """What each account got of what recovery cost (fen)."""
    rows: dict[int, Row] = field(default_factory=dict)
    repaid: LoanRepaid | None = None
    applied: dict[str, tuple[LoanEvent, ...]] = field(default_factory=dict)
    """What each measure, and each compensation, came to."""
    waived_fen: int = 0

    def fork(self) -> "Run":
        """Another one that goes on from here."""
        return replace(
            self,
            entries=[*self.entries],
            got={**self.got},
            costs={**self.costs},
            rows={**self.rows},
            applied={**self.applied},
        )

    def take(self, entry: Entry) -> None:
        """An input comes. Refused: `claim_sold_since`, and `…_would_differ` by a measure's kind."""
        match entry:
            case Payment():
                self.pay(entry)
            case Sale():
                self.sell(entry)
            case Measure():
                self.apply(entry)
            case Compensation():
                self.compensate(entry)
            case Answer():
                self.until(moment_of(entry))
                self.entries.append(entry)
                self.state = found(self.state, entry.debit_id, entry.found_fen, entry.answered_on)
                self._answered(entry.debit_id)
                self._end(entry.answered_on)
            case Wait():
                self.entries.append(entry)
                if entry.woken:
                    self.until(moment_of(entry), with_it=True)
            case _:
                assert_never(entry)

    def until(self, moment: Moment, *, with_it: bool = False) -> None:
        """Wake the loan for all that comes before a moment, or with it."""
        while True:
            at = self._next(self.state) if isinstance(self.state, Running) else None
            if self._hold(moment if at is None else min(at, moment)):
                continue
            if (
                not isinstance(self.state, Running)
                or at is None
                or at > moment
                or (at == moment and not with_it)
            ):
                break
            on, phase = at
            events = wake(self.rules, Wake(business_date=on, phase=phase), self.state)
            if not events:
                break
            self._fold(events)
            self._answer()
            self.reached = max(self.reached, at)
        self.reached = max(self.reached, moment)

    def _hold(self, before: Moment) -> bool:
        """What was asked was asked: a debit that this history does not ask for holds it too once the day of its asking is over."""
        if not self.waiting or (self.waiting[0].asked_on, AFTER_MISSES) >= before:
            return False
        debit, *rest = self.waiting
        self.waiting = tuple(rest)
        if not waits_for(self.state.unanswered, debit.debit_id):
            self.state = replace(self.state, unanswered=(*self.state.unanswered, debit))
        return True

    def _next(self, state: Running) -> Moment | None:
        due = next_wake(self.rules, state)
        if due is None:
            return None
        at = max(due, self.reached)
        for since, until in self.gaps:
            if since <= at < until:
                at = until
        return at

    def pay(self, payment: Payment) -> None:
        """A payment comes, if it counts."""
        self.until((payment.booked_on, payment.before_phase))
        if payment.is_reversed:
            if is_late(payment):
                self.state = found(self.state, payment.payment_id, 0, payment.booked_on)
            self._answered(payment.payment_id)
            self.entries.append(payment)
            self._end(payment.booked_on)
            return
        if payment.is_debit:  # its money comes, asked for or not
            asked = Pending(debit_id=payment.payment_id, asked_on=payment.value_date)
            others = answered(self.state.unanswered, payment.payment_id)
            self.state = replace(self.state, unanswered=(*others, asked))
        events = self._decided(payment)
        taken_fen = sum(event.amount_fen for event in events if isinstance(event, PaymentReceived))
        cost_fen = sum(event.amount_fen for event in events if isinstance(event, RecoveryCostPaid))
        self.entries.append(replace(payment, taken_fen=taken_fen, cost_fen=cost_fen))
        self._fold([told_as_booked(event, payment) for event in events])
        self._answered(payment.payment_id)
        self._end(payment.booked_on)

    def sell(self, sale: Sale) -> None:
        """The sale stands: the buyer has what he paid for, and what the claim would have been owed beyond that stays the seller's. Refused:
        `claim_sold_since` when less was there to be sold, or the claims are more than a distribution can say."""
        self.entries.append(sale)
        state = self.state
        sold = next((c for c in reopened(state).claims if c.claim_id == sale.sold_claim_id), None)
        if isinstance(state, Repaid) or sold is None or sold.principal_fen < sale.principal_fen:
            raise Refused("claim_sold_since")
        left_fen = sold.principal_fen - sale.principal_fen
        is_kept = left_fen or sold.claim_id in self.held_now
        claims = tuple(
            replace(claim, principal_fen=left_fen) if claim is sold else claim
            for claim in state.claims
            if claim is not sold or is_kept
        )
        if len(claims) >= CLAIMS_MAX:
            raise Refused("claim_sold_since")
        self.state = replace(state, claims=(*claims, bought(sale)))

    def apply(self, measure: Measure) -> None:
        """A measure is decided again on what the loan is now."""
        self.until(moment_of(measure))
        self.entries.append(measure)
        if isinstance(self.state, Repaid):
            if not comes_to_nothing(measure.terms, "loan_repaid"):
                raise Refused(f"{measure.terms.kind}_would_differ")
            return
        applied = MeasureApplied(
            loan_id=self.state.loan_id,
            borrower=self.state.borrower,
            measure_id=measure.measure_id,
            terms=measure.terms,
            applied_on=measure.applied_on,
            before_phase=measure.before_phase,
            waivable_fen=measure.waivable_fen,
        )
        events = self._effect(measure, self.state)
        self.applied[measure.measure_id] = tuple(events)
        self._fold([applied, *events])
        self._end(measure.applied_on)

    def compensate(self, paid: Compensation) -> None:
        """A guarantor's money comes, for what he was asked for. Refused: `compensation_would_differ` where the loan would not have taken it."""
        self.until(moment_of(paid))
        self.entries.append(paid)
        state = self.state
        if isinstance(state, Repaid) or state.guarantee is None:
            raise Refused("compensation_would_differ")
        asked = Asked(compensation_id=paid.compensation_id, lines=paid.lines)
        state = replace(state, guarantee=replace(state.guarantee, under_way=asked), last_order=paid.order - 1)
        command = RecordCompensation(
            compensation_id=paid.compensation_id,
            account_id=paid.account_id,
            amount_fen=paid.amount_fen,
            value_date=paid.value_date,
        )
        context = Context(at=_NEVER, business_date=paid.booked_on, principal="")
        events = record(self.rules, command, state, context)
        if not any(isinstance(event, ClaimsSubrogated) for event in events):
            raise Refused("compensation_would_differ")
        self.applied[paid.compensation_id] = tuple(events)
        self.state = state
        self._fold(events)
        self._end(paid.booked_on)

    def _effect(self, measure: Measure, state: Running) -> Sequence[LoanEvent]:
        try:
            events = effect(self.rules, measure.measure_id, measure.terms, state, measure.applied_on)
            require_within(measure.waivable_fen, state, events)
        except Refused as refused:
            if comes_to_nothing(measure.terms, refused.code):
                return []
            raise Refused(f"{measure.terms.kind}_would_differ") from refused
        return events

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
        return record_debit(self.profile, debit, state, context)

    def _share(self, shared: RepaymentDistributed) -> None:
        self.platform_fen += shared.fee_fen
        for line in shared.lines:
            principal_fen, interest_fen, penalty_fen, fee_fen = self.got.get(line.claim_id, _NOTHING)
            self.got[line.claim_id] = Got(
                principal_fen + line.principal_fen,
                interest_fen + line.interest_fen,
                penalty_fen + line.penalty_fen,
                fee_fen + line.fee_fen,
            )

    def _allocate(self, lines: Sequence[AllocationLine]) -> None:
        for line in lines:
            row = self.rows.get(line.number, Row())
            self.rows[line.number] = replace(
                row,
                principal_fen=row.principal_fen + line.principal_fen,
                interest_fen=row.interest_fen + line.interest_fen,
                fee_fen=row.fee_fen + line.fee_fen,
                paid_penalty_fen=row.paid_penalty_fen + line.penalty_fen,
            )

    def _owed_less(self, penalty_fen: Mapping[int, int]) -> None:
        for number, fen in penalty_fen.items():
            row = self.rows.get(number, Row())
            self.rows[number] = replace(row, penalty_fen=row.penalty_fen - fen)

    def _note(self, event: LoanEvent) -> None:
        """What each claim got and each row received, beside the state."""
        match event:
            case RepaymentDistributed():
                self._share(event)
            case RecoveryCostPaid(account_id=payee):
                self.costs[payee] = self.costs.get(payee, 0) + event.amount_fen
            case PaymentReceived(allocation=lines, lapsed=lapsed):
                self._allocate(lines)
                self._owed_less({each.number: each.penalty_fen for each in lapsed})
            case DebtSettledInKind(lines=lines):
                self._allocate(lines)
            case PenaltyWaived(lines=given_up):
                self._owed_less({each.number: each.waived_fen for each in given_up})
                self.waived_fen += sum(each.waived_fen for each in given_up)
            case ScheduleChanged(rows=rows):
                for asked in rows:
                    if asked.number in self.rows:
                        self.rows[asked.number] = replace(self.rows[asked.number], missed=False)
            case PenaltyCharged(lines=charges, charged_on=on):
                for charge in charges:
                    row = self.rows.get(charge.number, Row())
                    fen = row.penalty_fen + charge.penalty_fen
                    self.rows[charge.number] = replace(row, penalty_fen=fen, penalty_to=on)
            case LatenessJudged(number=number, penalty_fen=fen) if fen:
                row = self.rows.get(number, Row())
                self.rows[number] = replace(row, penalty_fen=row.penalty_fen + fen)
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
        # What came is written down once, at the end; a measure looks at the contract's rows.
        self.state = (
            replace(state, journal=self.bare)
            if isinstance(state, Running)
            else replace(state, last=replace(state.last, journal=self.bare))
        )

    def _end(self, on: date) -> None:
        """Where the loan has ended, and all debits have an answer, what it was late with is said."""
        self._fold(late_at_the_end(self.rules, self.state, on))

    def _answer(self) -> None:
        """A debit that was answered on its day waits for nothing here: its money comes with its entry."""
        if self.state.unanswered:
            waiting = tuple(debit for debit in self.state.unanswered if debit.debit_id in self.held)
            self.state = replace(self.state, unanswered=waiting)

    def _answered(self, payment_id: str) -> None:
        if waits_for(self.state.unanswered, payment_id):
            self.state = replace(self.state, unanswered=answered(self.state.unanswered, payment_id))


#: No rule of a loan asks for the time of day.
_NEVER = datetime.min.replace(tzinfo=UTC)
