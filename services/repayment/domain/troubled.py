"""What the loan does when a measure is carried out, and whether it could: both are one function, so they never differ.

Each effect is computed from the loan's state of the day and the measure's own terms, which its event repeats. Sources:
processes.md 1.P; General Rules on Loans art. 12 (extension); rules.md 1.4 (cure, observation).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import assert_never

from libs.events.deciding import Context, Refused
from libs.events.flags import Flag, Unflag
from libs.events.in_kind import SettlementInKind
from libs.events.lateness import LatenessJudged
from libs.events.measures import (
    BranchMove,
    Extension,
    LoanMoved,
    LoanWrittenOff,
    MeasureApplied,
    MeasureExamined,
    MeasureTerms,
    NonAccrual,
    PenaltyWaived,
    Reclassification,
    Restructuring,
    Waiver,
    WriteOff,
)
from libs.events.pauses import Pause, PauseEnd
from libs.events.repayment import LoanRepaid, PaymentMissed
from libs.events.rescheduling import ScheduleChanged
from libs.events.schedules.row import ScheduleRow
from libs.events.voidance import Voidance
from services.repayment.commands.measures import CarryOutMeasure, ExamineMeasure
from services.repayment.domain.accrual import resumed, resumed_by_hand, stopped
from services.repayment.domain.accruing import Arrears
from services.repayment.domain.allocation import (
    counted_due,
    days_past_due,
    lines_through,
    overdue_fen,
    overdue_lines,
)
from services.repayment.domain.deferring import ON_ITS_WAY
from services.repayment.domain.himself import guarantor_of, holders_of
from services.repayment.domain.lateness import lateness, missed_and_paid
from services.repayment.domain.loan_day import (
    better_bucket,
    charged_by,
    classified,
    cured,
    next_wake,
    penalties,
)
from services.repayment.domain.loan_state import LoanEvent, Running, shared_by
from services.repayment.domain.mandate import Need, need_of
from services.repayment.domain.pausing_loan import (
    flagged,
    pause_ended,
    paused_or_flagged,
    require_ahead,
    require_of_the_loan,
)
from services.repayment.domain.profile import Rules
from services.repayment.domain.recovery_cost import booked, require_other_payee
from services.repayment.domain.restructuring import reschedule
from services.repayment.domain.settling_in_kind import require_lately, settled_in_kind
from services.repayment.domain.trading import release_all
from services.repayment.domain.trouble import observed_on
from services.repayment.domain.unjudged import fined
from services.repayment.domain.waiting import place_on, waited
from services.repayment.domain.waiving import waived, waived_lines

#: What may still be done to a loan whose contract is void: nothing that would be a term of it.
_OF_A_VOID_LOAN = (WriteOff, Reclassification, BranchMove, SettlementInKind, Flag, Unflag)


def examine(
    rules: Rules, command: ExamineMeasure, state: Running, context: Context
) -> Sequence[MeasureExamined]:
    """Whether the loan could do it today, and whose word it needs. Refusals stand on CarryOutMeasure."""
    if command.measure_id in state.trouble.examined:
        return []
    require_other_payee(command.terms, command.himself)
    effect(rules, command.measure_id, command.terms, state, context.business_date)
    if isinstance(command.terms, Pause):
        require_ahead(command.terms, context.business_date)
    _require_now(rules, command.terms, state, context.business_date)
    need = _need(command.terms, state)
    return [
        MeasureExamined(
            loan_id=state.loan_id,
            measure_id=command.measure_id,
            borrower=state.borrower,
            examined_on=context.business_date,
            mandate=need.by,
            voters=need.voters,
            silence_consents=need.silence_consents,
            product=state.product,
            region=state.region,
            guarantor=guarantor_of(state),
            holders=holders_of(state),
            waived_before_fen=waived_before_fen(command.terms, state),
            flags=state.trouble.flags,
        )
    ]


def carry_out(
    rules: Rules, command: CarryOutMeasure, state: Running, context: Context
) -> Sequence[LoanEvent]:
    """The loan does it. Refusals stand on CarryOutMeasure."""
    if command.measure_id in state.trouble.done:
        return []
    due = next_wake(rules, state)
    on, phase = place_on(state, due, context)
    applied = MeasureApplied(
        loan_id=state.loan_id,
        borrower=state.borrower,
        measure_id=command.measure_id,
        terms=command.terms,
        applied_on=on,
        before_phase=phase,
        waivable_fen=command.waivable_fen,
    )
    done = effect(rules, command.measure_id, command.terms, state, on)
    require_within(command.waivable_fen, state, done)
    _require_now(rules, command.terms, state, on)
    return [*waited(state, due, (on, phase)), applied, *done]


def _require_now(rules: Rules, terms: MeasureTerms, state: Running, on: date) -> None:
    """What is asked of a measure when it is agreed on or done, and of none in a replay: those of before were not asked, and are what they are."""
    # No penalty is charged behind a debit without an answer, and none after a write-off: it would be lost.
    if isinstance(terms, WriteOff) and state.unanswered:
        raise Refused(ON_ITS_WAY)
    if isinstance(terms, SettlementInKind):
        require_lately(rules, terms, state, on)
    if isinstance(terms, Pause):
        require_of_the_loan(rules, terms, state, on)


def require_within(waivable_fen: int | None, state: Running, events: Sequence[LoanEvent]) -> None:
    """Others may have been carried out since this one was proposed, and a correction makes all of them find more: the sum is what its
    signatures must reach."""
    waived_fen = sum(event.waived_fen for event in events if isinstance(event, PenaltyWaived))
    if waivable_fen is not None and state.trouble.waived_fen + waived_fen > waivable_fen:
        raise Refused("waiver_limit_passed")


def waived_before_fen(terms: MeasureTerms, state: Running) -> int:
    """What the loan was forgiven over its life, for a measure that forgives it more *(chosen: a window would let small ones begin anew)*."""
    return state.trouble.waived_fen if isinstance(terms, Waiver) else 0


def lift(command: CarryOutMeasure, terms: Unflag, last: Running, context: Context) -> Sequence[LoanEvent]:
    """A loan that is repaid takes a flag back; nothing of how it ran depends on that. Refusals stand on CarryOutMeasure."""
    if command.measure_id in last.trouble.done:
        return []
    return flagged(command.measure_id, terms, last, context.business_date)


def _need(terms: MeasureTerms, state: Running) -> Need:
    """Whose money it is decides (red line 2): a new schedule, a write-off and a thing instead of money touch the lenders'."""
    if isinstance(terms, Extension | Restructuring | WriteOff | SettlementInKind):
        return need_of(state.book.repayment, terms.kind, shared_by(state))
    return Need(by="not_needed")


def _require_contract(terms: MeasureTerms, state: Running) -> None:
    if state.trouble.voided_on is not None and not isinstance(terms, _OF_A_VOID_LOAN):
        raise Refused("loan_voided")


def effect(
    rules: Rules, measure_id: str, terms: MeasureTerms, state: Running, on: date
) -> Sequence[LoanEvent]:
    """What a measure comes to on a day. Refusals stand on CarryOutMeasure."""
    _require_contract(terms, state)
    match terms:
        case Extension() | Restructuring():
            return reschedule(rules, measure_id, terms, state, on)
        case WriteOff():
            return _written_off(rules, measure_id, terms, state, on)
        case Waiver():
            return _waived(rules, measure_id, terms, state, on)
        case Reclassification():
            return _reclassified(rules, measure_id, terms, state, on)
        case NonAccrual(ends=True):
            return resumed_by_hand(state, on, measure_id)
        case NonAccrual():
            if state.trouble.non_accrual:
                raise Refused("not_accruing")
            return stopped(state, on, "by_hand", measure_id=measure_id)
        case BranchMove():
            return _moved(measure_id, terms, state, on)
        case SettlementInKind():
            return settled_in_kind(rules, measure_id, terms, state, on)
        case Voidance():
            raise AssertionError("a voidance has a room of its own, which sees the profile")
        case Pause() | PauseEnd() | Flag() | Unflag():
            return paused_or_flagged(rules, measure_id, terms, state, on)
        case _:
            assert_never(terms)


# --- write-off -----------------------------------------------------------------------------------------------------


def _written_off(
    rules: Rules, measure_id: str, terms: WriteOff, state: Running, on: date
) -> Sequence[LoanEvent]:
    """What is owed on the day, or a payment has touched, stays owed; nothing more comes to it. The running period's interest is given up *(chosen)*."""
    cost = booked(measure_id, terms, state, on)
    if state.trouble.written_off_on is not None:
        if cost:
            return cost
        raise Refused("loan_written_off")
    dpd = days_past_due(state.book, on)
    if terms.ground == "overdue" and dpd < rules.write_off_dpd:
        raise Refused("overdue_too_short")
    paid, told = _late_so_far(rules, state, on)
    for judged in told:
        state = replace(state, book=fined(state.book, judged.number, judged.penalty_fen))
    charges = penalties(rules, state, on)
    book = charged_by(state.book, charges)
    through = counted_due(book, on)
    due = lines_through(book, through)
    later = book.rows[through:]
    bare = tuple(_bare(book.arrears, row) for row in later)
    kept_interest_fen, kept_fee_fen = sum(row.interest_fen for row in bare), sum(row.fee_fen for row in bare)
    dropped_interest_fen = sum(row.interest_fen for row in later) - kept_interest_fen
    dropped_fee_fen = sum(row.fee_fen for row in later) - kept_fee_fen
    events: list[LoanEvent] = [
        *paid,
        *told,
        *charges,
        LoanWrittenOff(
            loan_id=state.loan_id,
            borrower=state.borrower,
            measure_id=measure_id,
            ground=terms.ground,
            written_off_on=on,
            from_bucket=state.bucket,
            dpd=dpd,
            principal_fen=book.outstanding_fen,
            interest_fen=sum(line.interest_fen for line in due) + kept_interest_fen,
            fee_fen=sum(line.fee_fen for line in due) + kept_fee_fen,
            penalty_fen=book.penalty_fen,
            dropped_interest_fen=dropped_interest_fen,
            dropped_fee_fen=dropped_fee_fen,
            overdue_after_fen=overdue_fen(book, state.next_missed),
            product=state.product,
            region=state.region,
        ),
    ]
    if dropped_interest_fen or dropped_fee_fen:
        events.append(
            ScheduleChanged(
                loan_id=state.loan_id,
                borrower=state.borrower,
                change_id=measure_id,
                reason="written_off",
                changed_on=on,
                outstanding_fen=book.outstanding_fen,
                rows=bare,
                product=state.product,
                region=state.region,
            )
        )
    if state.loan_class != "loss":
        events += classified(state, book, "loss", on, measure_id=measure_id)
    events += stopped(state, on, "written_off", measure_id=measure_id, book=book)
    events += pause_ended(measure_id, state, on, "written_off")
    return [*events, *cost, *release_all(state, "loan_written_off")]


def _late_so_far(
    rules: Rules, state: Running, on: date
) -> tuple[Sequence[PaymentMissed], Sequence[LatenessJudged]]:
    """What was paid unjudged is said while there is a penalty: between the last answer and the next wake nobody has said it yet."""
    if state.unanswered:
        return [], []
    still_open = [line.number for line in overdue_lines(state.book, on)]
    return missed_and_paid(state, still_open), lateness(rules, state, on)


def _bare(arrears: Arrears | None, row: ScheduleRow) -> ScheduleRow:
    """Of a row that is not due the principal is owed, and what a restructuring put into it: that was due before."""
    if arrears is None or row.number != arrears.number:
        return replace(row, interest_fen=0, fee_fen=0)
    return replace(row, interest_fen=arrears.interest_fen, fee_fen=arrears.fee_fen)


# --- waiver --------------------------------------------------------------------------------------------------------


def _waived(rules: Rules, measure_id: str, terms: Waiver, state: Running, on: date) -> Sequence[LoanEvent]:
    """What is charged up to the day, of which the amount gives up the oldest first that is not the guarantor's."""
    charges = penalties(rules, state, on)
    book = charged_by(state.book, charges)
    lines = waived_lines(book, terms.amount_fen, state.guarantee)
    if not lines:
        raise Refused("nothing_to_waive")
    book = waived(book, lines)
    events: list[LoanEvent] = [
        *charges,
        PenaltyWaived(
            loan_id=state.loan_id,
            borrower=state.borrower,
            measure_id=measure_id,
            amount_fen=terms.amount_fen,
            waived_fen=sum(line.waived_fen for line in lines),
            waived_on=on,
            lines=lines,
            penalty_after_fen=book.penalty_fen,
            overdue_after_fen=overdue_fen(book, state.next_missed),
            dpd=days_past_due(book, on),
            bucket=state.bucket,
            product=state.product,
            region=state.region,
        ),
        *better_bucket(rules, state, book, on),
        *cured(rules, state, book, on),
        *resumed(state, book, on),
    ]
    if book.oldest_due_on is None:
        events += release_all(state, "loan_repaid")
        events.append(
            LoanRepaid(
                loan_id=state.loan_id,
                borrower=state.borrower,
                repaid_on=on,
                early=False,
                product=state.product,
                region=state.region,
            )
        )
    return events


# --- another class -------------------------------------------------------------------------------------------------


def _reclassified(
    rules: Rules, measure_id: str, terms: Reclassification, state: Running, on: date
) -> Sequence[LoanEvent]:
    """Either way; better only once all arrears are paid, whatever days count, and nothing is observed, never better than the days past due
    say."""
    wanted, current = rules.class_rank(terms.to_class), rules.class_rank(state.loan_class)
    dpd = days_past_due(state.book, on)
    if wanted == current:
        raise Refused("class_unchanged")
    if wanted < current and state.book.is_behind(on):
        raise Refused("not_cured")
    if wanted < rules.class_rank(rules.class_of(dpd)):
        raise Refused("better_than_overdue")
    if wanted < rules.class_rank(observed_on(state.trouble, on)):
        raise Refused("under_observation")
    if state.trouble.written_off_on is not None:
        raise Refused("loan_written_off")
    return classified(state, state.book, terms.to_class, on, measure_id=measure_id)


# --- another branch ------------------------------------------------------------------------------------------------


def _moved(measure_id: str, terms: BranchMove, state: Running, on: date) -> Sequence[LoanMoved]:
    if terms.from_branch != (state.trouble.branch or state.region):
        raise Refused("other_branch")
    return [
        LoanMoved(
            loan_id=state.loan_id,
            borrower=state.borrower,
            measure_id=measure_id,
            from_branch=terms.from_branch,
            to_branch=terms.to_branch,
            moved_on=on,
        )
    ]
