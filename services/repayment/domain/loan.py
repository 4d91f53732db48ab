"""The loan: what is owed, to whom, and everything that happens to it from its opening to the last fen.

Its claims live in its own stream, so "payment = Σ credits + fees" and "Σ claims = outstanding principal" are invariants
of one aggregate. Its state and fold stand in `loan_state`, what the day does to it in `loan_day`.

**The same payment twice.** The runtime drops a policy's repeated command exactly (design.md 2.4), so a second RecordDebit
or RecordPayment can only come from a person who retries a parked one twice. Debits are asked by this loan, so the unanswered
ones are known and every other answer is a repeat: exact, at no cost. Voluntary payments come unasked; the last
`PAYMENTS_REMEMBERED` ids are kept, which a hand-made repeat would have to wait out. Taking a debit twice would hand out money
that nobody paid; saying nothing leaves it in the loan's clearing, where it is seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import assert_never

from libs.events.claims import ClaimReserved, ClaimTransferred, ReservationReleased
from libs.events.deciding import Aggregate, Context, Refused, Wake, WakeOn
from libs.events.repayment import (
    AllocationLine,
    DebitFailureRecorded,
    DebitRequested,
    InstallmentDue,
    LoanClassified,
    LoanOpened,
    LoanRepaid,
    OverdueBucketChanged,
    OverpaymentReturned,
    PaymentMissed,
    PaymentReceived,
    PaymentReturned,
    PenaltyCharged,
    RepaymentDistributed,
)
from libs.events.schedules.rows import schedule
from libs.events.schedules.terms import RepaymentTerms
from services.repayment.commands import (
    OpenLoan,
    RecordDebit,
    RecordDebitFailure,
    RecordPayment,
    ReleaseClaim,
    ReserveClaim,
    TransferClaim,
)
from services.repayment.domain.allocation import (
    UNDUE,
    after,
    allocate,
    line_fen,
    overdue_fen,
    payoff_fen,
    settlement,
)
from services.repayment.domain.distribution import distribute
from services.repayment.domain.loan_day import better_bucket, charged_by, cured, next_wake, penalties, wake
from services.repayment.domain.loan_state import (
    LoanEvent,
    LoanState,
    NotOpened,
    Repaid,
    Running,
    evolve,
    takes_from_anyone,
)
from services.repayment.domain.profile import Profile, Rules
from services.repayment.domain.trading import CLAIMS_MAX, release, release_all, reserve, transfer

_TradeCommand = ReserveClaim | TransferClaim | ReleaseClaim
LoanCommand = OpenLoan | RecordDebit | RecordDebitFailure | RecordPayment | _TradeCommand | Wake


@dataclass(frozen=True, slots=True)
class _Money:
    """Money that has left a borrower's account for this loan."""

    payment_id: str
    account_id: str
    amount_fen: int
    value_date: date
    payer: str = ""
    """Who pays, empty for the borrower."""


def decide(profile: Profile, command: LoanCommand, state: LoanState, context: Context) -> Sequence[LoanEvent]:
    """The loan's answer to a command. Raises Refused with the codes that the commands name."""
    match command:
        case OpenLoan():
            return _open(profile, command) if isinstance(state, NotOpened) else []
        case RecordDebit():
            return _record_debit(profile, command, _lent(state), context)
        case RecordDebitFailure():
            return _record_debit_failure(command, _lent(state))
        case RecordPayment():
            return _record_payment(profile, command, _lent(state), context)
        case ReserveClaim() | TransferClaim() | ReleaseClaim():
            return _trade(profile, command, _lent(state))
        case Wake():
            return (
                wake(profile.on(state.book.funded_on), command, state) if isinstance(state, Running) else []
            )
        case _:
            assert_never(command)


def _lent(state: LoanState) -> Running | Repaid:
    if isinstance(state, NotOpened):
        raise Refused("unknown_loan")
    return state


def _trade(profile: Profile, command: _TradeCommand, state: Running | Repaid) -> Sequence[LoanEvent]:
    if isinstance(command, ReleaseClaim):
        return release(command, state)
    if isinstance(state, Repaid):
        raise Refused("loan_repaid")
    rules = profile.on(state.book.funded_on)
    if isinstance(command, ReserveClaim):
        return reserve(rules, command, state)
    return transfer(rules, command, state)


# --- opening -------------------------------------------------------------------------------------------------------


def _open(profile: Profile, command: OpenLoan) -> Sequence[LoanEvent]:
    if not 0 <= command.interest_fee_permille <= 1000:
        raise Refused("invalid_fee")
    claims = sorted(command.claims, key=lambda claim: claim.order)
    names = {claim.claim_id for claim in claims}
    orders = {claim.order for claim in claims}
    lent_fen = sum(claim.principal_fen for claim in claims)
    if not len(names) == len(orders) == len(claims) <= CLAIMS_MAX or lent_fen != command.principal_fen:
        raise Refused("invalid_claims")
    rules = profile.on(command.funded_on)
    plan = schedule(
        command.repayment or RepaymentTerms(method="equal_instalments", rounding=rules.rounding),
        amount_fen=command.principal_fen,
        annual_rate=command.annual_rate,
        months=command.tenor_months,
        funded_on=command.funded_on,
    )
    return [
        LoanOpened(
            loan_id=command.loan_id,
            listing_id=command.listing_id,
            borrower=command.borrower,
            borrower_account=command.borrower_account,
            principal_fen=command.principal_fen,
            annual_rate=command.annual_rate,
            tenor_months=command.tenor_months,
            grade=command.grade,
            interest_fee_permille=command.interest_fee_permille,
            funded_on=command.funded_on,
            installment_fen=plan.installment_fen,
            rows=plan.rows,
            claims=tuple(claims),
            penalty_rate=rules.penalty_rate(command.annual_rate),
            product=command.product,
            region=command.region,
            repayment=command.repayment,
        )
    ]


# --- payments ------------------------------------------------------------------------------------------------------


def _record_debit(
    profile: Profile, command: RecordDebit, state: Running | Repaid, context: Context
) -> Sequence[LoanEvent]:
    if command.debit_id not in state.unanswered:
        return []
    money = _Money(command.debit_id, command.account_id, command.debited_fen, command.value_date)
    if isinstance(state, Repaid):
        return _returned(state, money, "loan_repaid")
    return _paid(profile, state, money, context)


def _record_debit_failure(command: RecordDebitFailure, state: Running | Repaid) -> Sequence[LoanEvent]:
    if command.debit_id not in state.unanswered:
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


def _record_payment(
    profile: Profile, command: RecordPayment, state: Running | Repaid, context: Context
) -> Sequence[LoanEvent]:
    if command.payment_id in state.remembered:
        return []
    payer = "" if command.payer == state.borrower else command.payer
    money = _Money(command.payment_id, command.account_id, command.amount_fen, command.value_date, payer)
    if payer and not takes_from_anyone(state):
        return _returned(state, money, "not_the_borrower")
    if isinstance(state, Repaid):
        return _returned(state, money, "loan_repaid")
    if command.settle:
        rules = profile.on(state.book.funded_on)
        if money.amount_fen < payoff_fen(state.book, money.value_date, rules):
            return _returned(state, money, "below_payoff")
        lines = settlement(state.book, money.value_date, rules)
        return _taken(rules, state, money, lines, context)
    return _paid(profile, state, money, context)


def _paid(profile: Profile, state: Running, money: _Money, context: Context) -> Sequence[LoanEvent]:
    """Allocated to what is due, penalty up to the value date included."""
    rules = profile.on(state.book.funded_on)
    book = charged_by(state.book, penalties(rules, state, money.value_date))
    lines = allocate(book, money.amount_fen, money.value_date)
    return _taken(rules, state, money, lines, context) if lines else _returned(state, money, "nothing_due")


def _returned(state: Running | Repaid, money: _Money, code: str) -> Sequence[LoanEvent]:
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
    rules: Rules, state: Running, money: _Money, lines: tuple[AllocationLine, ...], context: Context
) -> Sequence[LoanEvent]:
    charges = penalties(rules, state, money.value_date)
    book = after(charged_by(state.book, charges), lines)
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
            overdue_after_fen=overdue_fen(book, context.business_date),
            product=state.product,
            region=state.region,
            payer=money.payer,
        ),
        _distributed(rules, state, money, lines),
        *better_bucket(rules, state, book, context.business_date),
        *cured(rules, state, book, context.business_date),
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


def _distributed(
    rules: Rules, state: Running, money: _Money, paid: tuple[AllocationLine, ...]
) -> RepaymentDistributed:
    principal_fen = sum(line.principal_fen for line in paid)
    interest_fen = sum(line.interest_fen for line in paid)
    penalty_fen = sum(line.penalty_fen for line in paid)
    period_fee_fen = sum(line.fee_fen for line in paid)
    lines = distribute(
        principal_fen,
        interest_fen,
        state.claims,
        state.interest_fee_permille,
        rules.rounding,
        penalty_fen=penalty_fen,
    )
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


# --- the aggregate -------------------------------------------------------------------------------------------------


def wake_on(profile: Profile, state: LoanState) -> WakeOn:
    """When the day next has something to do with the loan; None while it is not running."""
    return next_wake(profile.on(state.book.funded_on), state) if isinstance(state, Running) else None


def loan_aggregate(profile: Profile) -> Aggregate:
    """The aggregate of the streams `loan_…` under a profile's rules."""
    return Aggregate(
        name="loan",
        prefix="loan",
        commands=(
            OpenLoan,
            RecordDebit,
            RecordDebitFailure,
            RecordPayment,
            ReserveClaim,
            TransferClaim,
            ReleaseClaim,
        ),
        events=(
            LoanOpened,
            InstallmentDue,
            DebitRequested,
            DebitFailureRecorded,
            PaymentReceived,
            RepaymentDistributed,
            OverpaymentReturned,
            PaymentReturned,
            PaymentMissed,
            PenaltyCharged,
            OverdueBucketChanged,
            LoanClassified,
            LoanRepaid,
            ClaimReserved,
            ReservationReleased,
            ClaimTransferred,
        ),
        state=LoanState,
        initial=NotOpened(),
        decide=partial(decide, profile),
        evolve=evolve,
        wake_on=partial(wake_on, profile),
    )
