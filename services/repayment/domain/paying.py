"""What a loan does with money that comes for it: dues first, the rest where its terms say, and every fen has a holder.

**The same payment twice.** The runtime drops a policy's repeated command exactly (design.md 2.4), so a second RecordDebit
or RecordPayment can only come from a person who retries a parked one twice. Debits are asked by this loan, so the unanswered
ones are known and every other answer is a repeat: exact, at no cost. Voluntary payments come unasked; what was taken of them stands
in the loan's journal for good, and of those that went back the last `PAYMENTS_REMEMBERED` ids are kept. Taking money twice would
hand out what nobody paid; saying nothing leaves it in the loan's clearing, where it is seen.
"""

from collections.abc import Sequence
from datetime import date

from libs.events.deciding import Context, Refused
from libs.events.repayment import (
    AllocationLine,
    DebitFailureRecorded,
    LoanRepaid,
    OverpaymentReturned,
    PaymentReceived,
    PaymentReturned,
    PenaltyCharged,
    RepaymentDistributed,
)
from libs.events.rescheduling import Prepay, ScheduleChanged
from services.repayment.commands import RecordDebit, RecordDebitFailure, RecordPayment
from services.repayment.domain.accrual import resumed
from services.repayment.domain.allocation import (
    UNDUE,
    Book,
    after,
    allocate,
    line_fen,
    overdue_fen,
    rescheduled,
)
from services.repayment.domain.journal import has_payment, why_not_replaced
from services.repayment.domain.loan_day import better_bucket, charged_by, cured, penalties
from services.repayment.domain.loan_state import LoanEvent, Repaid, Running, reopened
from services.repayment.domain.money_in import Money
from services.repayment.domain.pay_order import order_of
from services.repayment.domain.pending import judged_to, waits_for
from services.repayment.domain.prepaying import Prepayment, prepayment, reason_of
from services.repayment.domain.profile import WRITTEN_OFF, Profile, Rules
from services.repayment.domain.recovering import recovered
from services.repayment.domain.recovery_cost import cost_first
from services.repayment.domain.settling import lapsed, settlement
from services.repayment.domain.sharing import shares
from services.repayment.domain.trading import release_all


def record_debit(
    profile: Profile, command: RecordDebit, state: Running | Repaid, context: Context
) -> Sequence[LoanEvent]:
    """A debit's money is allocated, or goes back from a loan that is repaid."""
    if not waits_for(state.unanswered, command.debit_id):
        return []
    money = Money(command.debit_id, command.account_id, command.debited_fen, command.value_date)
    if isinstance(state, Repaid):
        return _returned(state, money, "loan_repaid")
    return cost_first(state, money, lambda rest: _paid(profile, state, rest, context))


def record_debit_failure(command: RecordDebitFailure, state: Running | Repaid) -> Sequence[LoanEvent]:
    """A debit that found nothing is answered."""
    if not waits_for(state.unanswered, command.debit_id):
        return []
    return [
        DebitFailureRecorded(
            loan_id=state.loan_id,
            borrower=state.borrower,
            debit_id=command.debit_id,
            requested_fen=command.requested_fen,
            value_date=command.value_date,
        )
    ]


def record_payment(
    profile: Profile, command: RecordPayment, state: Running | Repaid, context: Context
) -> Sequence[LoanEvent]:
    """A voluntary payment is allocated to what is due, settles the loan, or goes back."""
    if command.payment_id in state.remembered or has_payment(reopened(state).journal, command.payment_id):
        return []
    payer = "" if command.payer == state.borrower else command.payer
    money = Money(command.payment_id, command.account_id, command.amount_fen, command.value_date, payer)
    if payer and not takes_from_anyone(state):
        return _returned(state, money, "not_the_borrower")
    if isinstance(state, Repaid):
        return _returned(state, money, "loan_repaid")
    if money.value_date < state.book.funded_on:
        return _returned(state, money, "before_funding")
    if command.prepay is not None and not command.settle and state.trouble.voided_on is not None:
        return _returned(state, money, "loan_voided")
    if command.replaces and (code := why_not_replaced(state.journal, command.replaces, payer)):
        return _returned(state, money, code)

    def take(rest: Money) -> Sequence[LoanEvent]:
        if command.settle:
            return _settled(profile.on(state.book.funded_on), state, rest, context)
        if command.prepay is not None:
            return _prepaid(profile.on(state.book.funded_on), state, rest, command.prepay, context)
        return _paid(profile, state, rest, context)

    return cost_first(state, money, take, is_whole=command.settle or command.prepay is not None)


def takes_from_anyone(state: Running | Repaid) -> bool:
    """Whether somebody else than the borrower may pay. A loan that is repaid takes nothing, and tells nobody else so."""
    terms = state.book.repayment if isinstance(state, Running) else None
    return terms is not None and terms.payer == "anyone"


def _charged_to(state: Running, money: Money, context: Context) -> date:
    """Up to when penalty is owed before the money counts: its value date, but no day of which a debit's answer may still be on its way.
    Of today's debits a replay knows no order (docs/decisions/0024), so money of tomorrow waits for all of them, answered or not."""
    to = judged_to(state.unanswered, money.value_date)
    return min(to, context.business_date) if state.asked_on >= context.business_date else to


def _settled(rules: Rules, state: Running, money: Money, context: Context) -> Sequence[LoanEvent]:
    """All that is owed, or nothing."""
    penalty_to = _charged_to(state, money, context)
    paid_for = state.guarantee.subrogated if state.guarantee else ()
    owned = max((each.through for each in paid_for if each.through is not None), default=0)
    lines = settlement(state.book, money.value_date, rules, penalty_to=penalty_to, owned=owned)
    if money.amount_fen < sum(map(line_fen, lines)):
        return _returned(state, money, "below_payoff")
    return _taken(rules, state, money, lines, context)


def _paid(profile: Profile, state: Running, money: Money, context: Context) -> Sequence[LoanEvent]:
    """Allocated to what is due, with its penalty."""
    rules = profile.on(state.book.funded_on)
    charges = penalties(rules, state, _charged_to(state, money, context))
    book = charged_by(state.book, charges)
    order = order_of(book.repayment, state.loan_class)
    lines = allocate(book, money.amount_fen, money.value_date, order)
    if not lines:
        return _returned(state, money, "nothing_due")
    return _taken(rules, state, money, lines, context, charges=charges)


def _prepaid(
    rules: Rules, state: Running, money: Money, mode: Prepay, context: Context
) -> Sequence[LoanEvent]:
    """All that is due, and then principal that is not; what cannot be prepaid goes back whole, by its name."""
    try:
        found = prepayment(
            state.book,
            money.amount_fen,
            money.value_date,
            mode,
            rules,
            asked=state.next_due - 1,
            penalty_to=_charged_to(state, money, context),
        )
    except Refused as refused:
        return _returned(state, money, refused.code)
    change = _change(state, money, mode, found)
    return _taken(rules, state, money, found.lines, context, change)


def _change(state: Running, money: Money, mode: Prepay, found: Prepayment) -> ScheduleChanged | None:
    if not found.rows:
        return None
    return ScheduleChanged(
        loan_id=state.loan_id,
        borrower=state.borrower,
        change_id=money.payment_id,
        reason=reason_of(mode),
        changed_on=money.value_date,
        outstanding_fen=sum(row.principal_fen for row in found.rows),
        rows=found.rows,
        product=state.product,
        region=state.region,
    )


def _returned(state: Running | Repaid, money: Money, code: str) -> Sequence[LoanEvent]:
    return [
        PaymentReturned(
            loan_id=state.loan_id,
            payment_id=money.payment_id,
            account_id=money.account_id,
            amount_fen=money.amount_fen,
            code=code,
        )
    ]


def _taken(
    rules: Rules,
    state: Running,
    money: Money,
    lines: tuple[AllocationLine, ...],
    context: Context,
    change: ScheduleChanged | None = None,
    *,
    charges: Sequence[PenaltyCharged] | None = None,
) -> Sequence[LoanEvent]:
    if charges is None:
        charges = penalties(rules, state, _charged_to(state, money, context))
    owed = charged_by(state.book, charges)
    book = after(owed, lines)
    if change is not None:
        book = rescheduled(book, change.rows)
    early = any(line.number == UNDUE for line in lines)
    amount_fen = sum(line_fen(line) for line in lines)
    events: list[LoanEvent] = [
        *charges,
        PaymentReceived(
            loan_id=state.loan_id,
            borrower=state.borrower,
            payment_id=money.payment_id,
            amount_fen=amount_fen,
            value_date=money.value_date,
            allocation=lines,
            early=early,
            bucket=state.bucket,
            principal_before_fen=state.book.outstanding_fen,
            principal_after_fen=book.outstanding_fen,
            overdue_after_fen=overdue_fen(book, state.next_missed),
            product=state.product,
            region=state.region,
            payer=money.payer,
            guarantor=state.guarantee.guarantor if state.guarantee else "",
            behind_charge=_is_behind_charge(state.book, money.value_date),
            lapsed=lapsed(owed, lines, is_lost=state.bucket == WRITTEN_OFF),
        ),
        _distributed(rules, state, money, lines),
        *recovered(state, money.payment_id, money.value_date, lines),
        *([change] if change else []),
        *better_bucket(rules, state, book, context.business_date),
        *cured(rules, state, book, context.business_date),
        *resumed(state, book, context.business_date),
    ]
    if excess_fen := money.amount_fen - amount_fen:
        events.append(
            OverpaymentReturned(
                loan_id=state.loan_id,
                payment_id=money.payment_id,
                account_id=money.account_id,
                amount_fen=excess_fen,
            )
        )
    if book.oldest_due_on is None:
        events.extend(release_all(state, "loan_repaid"))
        events.append(
            LoanRepaid(
                loan_id=state.loan_id,
                borrower=state.borrower,
                repaid_on=money.value_date,
                early=early,
                product=state.product,
                region=state.region,
            )
        )
    return events


def _is_behind_charge(book: Book, value_date: date) -> bool:
    """Whether penalty of days after it was charged. What a late answer made owed with a row stands there with the row's own day."""
    return any(
        penalty.to > max(value_date, book.rows[penalty.number - 1].due_on) for penalty in book.penalties
    )


def _distributed(
    rules: Rules, state: Running, money: Money, paid: tuple[AllocationLine, ...]
) -> RepaymentDistributed:
    principal_fen = sum(line.principal_fen for line in paid)
    interest_fen = sum(line.interest_fen for line in paid)
    penalty_fen = sum(line.penalty_fen for line in paid)
    period_fee_fen = sum(line.fee_fen for line in paid)
    lines = shares(rules, state, paid)
    return RepaymentDistributed(
        loan_id=state.loan_id,
        distribution_id=f"dst_{money.payment_id}",
        payment_id=money.payment_id,
        value_date=money.value_date,
        principal_fen=principal_fen,
        interest_fen=interest_fen,
        fee_fen=sum(line.fee_fen for line in lines) + period_fee_fen,
        lines=lines,
        penalty_fen=penalty_fen,
        period_fee_fen=period_fee_fen,
    )
