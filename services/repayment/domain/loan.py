"""The loan: what is owed, to whom, and everything that happens to it from its opening to the last fen.

Its claims live in its own stream, so "payment = Σ credits + fees" and "Σ claims = outstanding principal" are invariants
of one aggregate. Its state and fold stand in `loan_state`, what the day does to it in `loan_day`, what payments do in
`paying`.
"""

from collections.abc import Sequence
from functools import partial, reduce
from typing import assert_never, cast, get_args

from libs.events.arrival import LoanWaited
from libs.events.claims import ClaimReserved, ClaimTransferred, ReservationReleased
from libs.events.compensation import (
    ClaimsSubrogated,
    CompensationApproved,
    CompensationDeclined,
    CompensationExecuted,
    CompensationProposed,
)
from libs.events.corrections import LoanRestated, PaymentRedated, PaymentReversed
from libs.events.deciding import Aggregate, Context, Refused, Wake, WakeOn
from libs.events.flags import Unflag
from libs.events.lateness import LatenessJudged
from libs.events.repayment import (
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
from libs.events.rescheduling import ScheduleChanged
from libs.events.schedules.rows import schedule
from libs.events.schedules.terms import RepaymentTerms
from libs.events.voidance import LoanVoided, Voidance
from services.repayment.commands import (
    ApproveCompensation,
    DeclineCompensation,
    ExecuteCompensation,
    OpenLoan,
    ProposeCompensation,
    RecordCompensation,
    RecordDebit,
    RecordDebitFailure,
    RecordPayment,
    RefuseCompensation,
    ReleaseClaim,
    ReserveClaim,
    TransferClaim,
)
from services.repayment.commands.corrections import CorrectPayment, ExamineCorrection
from services.repayment.commands.measures import CarryOutMeasure, ExamineMeasure
from services.repayment.domain import overdue_split, voidance
from services.repayment.domain.arriving import told, told_compensation
from services.repayment.domain.compensating import CompensationCommand, compensate, compensate_repaid
from services.repayment.domain.compensation_days import expired, expires_on
from services.repayment.domain.correcting import correct, examine_correction
from services.repayment.domain.deferring import deferred, resumed
from services.repayment.domain.himself import require_no_part_in
from services.repayment.domain.lateness import late_at_the_end
from services.repayment.domain.loan_day import next_wake
from services.repayment.domain.loan_state import (
    LoanEvent,
    LoanState,
    NotOpened,
    Repaid,
    Running,
    evolve,
    reopened,
)
from services.repayment.domain.paying import record_debit, record_debit_failure, record_payment
from services.repayment.domain.profile import Profile
from services.repayment.domain.trading import CLAIMS_MAX, release, reserve, transfer
from services.repayment.domain.trouble import TroubledEvent
from services.repayment.domain.troubled import carry_out, examine, lift
from services.repayment.domain.waiting import told_late, woken

_TradeCommand = ReserveClaim | TransferClaim | ReleaseClaim
_MeasureCommand = ExamineMeasure | CarryOutMeasure
LoanCommand = (
    OpenLoan
    | RecordDebit
    | RecordDebitFailure
    | RecordPayment
    | _TradeCommand
    | CompensationCommand
    | _MeasureCommand
    | ExamineCorrection
    | CorrectPayment
    | Wake
)


def decide(profile: Profile, command: LoanCommand, state: LoanState, context: Context) -> Sequence[LoanEvent]:
    """The loan's answer to a command, and where that is its end, or comes after it, what it was late with. Raises Refused with the codes that
    the commands name."""
    events = _decided(profile, command, state, context)
    may_end = isinstance(state, Repaid) or any(isinstance(event, LoanRepaid) for event in events)
    if may_end and not isinstance(state, NotOpened):
        rules = profile.on(reopened(state).book.funded_on)
        after = reduce(evolve, events, cast(LoanState, state))
        events = [*events, *late_at_the_end(rules, after, context.business_date)]
    return overdue_split.said(state, events)


def _decided(
    profile: Profile, command: LoanCommand, state: LoanState, context: Context
) -> Sequence[LoanEvent]:
    match command:
        case OpenLoan():
            return _open(profile, command) if isinstance(state, NotOpened) else []
        case RecordDebit():
            taken = record_debit(profile, command, _lent(state), context)
            answer = told(profile, command, _lent(state), context, taken)
            return resumed(_lent(state), context, answer)
        case RecordDebitFailure():
            lent = _lent(state)
            rules = profile.on(reopened(lent).book.funded_on)
            failed = record_debit_failure(command, lent)
            answer = told_late(rules, (command.debit_id, command.value_date), lent, context, failed)
            return resumed(lent, context, answer)
        case RecordPayment():
            taken = record_payment(profile, command, _lent(state), context)
            return told(profile, command, _lent(state), context, taken)
        case ExamineCorrection():
            return examine_correction(command, _lent(state))
        case CorrectPayment():
            return correct(profile, command, _lent(state), context)
        case ReserveClaim() | TransferClaim() | ReleaseClaim():
            return _trade(profile, command, _lent(state))
        case (
            ProposeCompensation()
            | ApproveCompensation()
            | RefuseCompensation()
            | ExecuteCompensation()
            | RecordCompensation()
            | DeclineCompensation()
        ):
            return resumed(_lent(state), context, _compensate(profile, command, _lent(state), context))
        case ExamineMeasure():
            return _measured(profile, command, _lent(state), context)
        case CarryOutMeasure():
            try:
                return _measured(profile, command, _lent(state), context)
            except Refused as refused:
                return deferred(refused, command, _lent(state), context)
        case Wake():
            return [*_woken(profile, command, state), *expired(command, state)]
        case _:
            assert_never(command)


def _woken(profile: Profile, call: Wake, state: LoanState) -> Sequence[LoanEvent]:
    return woken(profile.on(state.book.funded_on), call, state) if isinstance(state, Running) else []


def _lent(state: LoanState) -> Running | Repaid:
    if isinstance(state, NotOpened):
        raise Refused("unknown_loan")
    return state


def _trade(profile: Profile, command: _TradeCommand, state: Running | Repaid) -> Sequence[LoanEvent]:
    if isinstance(command, ReleaseClaim):
        return release(command, state)
    if isinstance(state, Repaid):
        raise Refused("share_not_for_sale" if state.last.trouble.in_kind else "loan_repaid")
    rules = profile.on(state.book.funded_on)
    if state.trouble.written_off_on is not None:
        raise Refused("loan_written_off")
    if state.trouble.voided_on is not None and isinstance(command, ReserveClaim):
        raise Refused("loan_voided")
    if isinstance(command, ReserveClaim):
        return reserve(rules, command, state)
    return transfer(rules, command, state)


def _compensate(
    profile: Profile, command: CompensationCommand, state: Running | Repaid, context: Context
) -> Sequence[LoanEvent]:
    if isinstance(state, Repaid):
        return compensate_repaid(command, state, context)
    rules = profile.on(state.book.funded_on)
    events = compensate(rules, command, state, context)
    if isinstance(command, RecordCompensation):
        return told_compensation(rules, command, state, context, events)
    return events


def _measured(
    profile: Profile, command: _MeasureCommand, state: Running | Repaid, context: Context
) -> Sequence[LoanEvent]:
    if isinstance(command, ExamineMeasure):
        require_no_part_in(reopened(state), command.himself)
    if isinstance(command.terms, Voidance):
        if isinstance(command, ExamineMeasure):
            return voidance.examine(profile, command, command.terms, state, context)
        return voidance.carry_out(profile, command, command.terms, state, context)
    if isinstance(state, Repaid):
        # What was said wrongly of a debtor is taken back also when he owes nothing any more.
        if not isinstance(command.terms, Unflag):
            raise Refused("loan_repaid")
        if isinstance(command, CarryOutMeasure):
            return lift(command, command.terms, state.last, context)
        state = state.last
    rules = profile.on(state.book.funded_on)
    if isinstance(command, ExamineMeasure):
        return examine(rules, command, state, context)
    return carry_out(rules, command, state, context)


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
            guarantor=command.guarantor,
        )
    ]


# --- the aggregate -------------------------------------------------------------------------------------------------


def wake_on(profile: Profile, state: LoanState) -> WakeOn:
    """When the day next has something to do with the loan, or with what is asked of its guarantor."""
    due = next_wake(profile.on(state.book.funded_on), state) if isinstance(state, Running) else None
    last = expires_on(state)
    return due if last is None else last if due is None else min(due, last)


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
            *get_args(CompensationCommand),
            ExamineCorrection,
            CorrectPayment,
            ExamineMeasure,
            CarryOutMeasure,
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
            ScheduleChanged,
            CompensationProposed,
            CompensationApproved,
            CompensationExecuted,
            CompensationDeclined,
            ClaimsSubrogated,
            *get_args(TroubledEvent),
            PaymentReversed,
            PaymentRedated,
            LoanRestated,
            LoanVoided,
            LoanWaited,
            LatenessJudged,
        ),
        state=LoanState,
        initial=NotOpened(),
        decide=partial(decide, profile),
        evolve=overdue_split.evolve,
        wake_on=partial(wake_on, profile),
    )
