"""What collections does on events of repayment and onboarding: pure, seeing the event only. And the table of its sagas.

Facts of a loan go to its borrower's debtor stream. A payment on a loan that is in no overdue bucket concerns no case and sends
nothing, unless it counts as of a day before: most payments are such. No money moves here, so no step is declined and none has to be undone.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from libs.events.collections import (
    CaseClosed,
    CaseOpened,
    CasePaymentRecorded,
    CollectorEnrolled,
    CollectorRetired,
    MissAdded,
)
from libs.events.corrections import LoanRestated, PaymentRedated, PaymentReversed
from libs.events.flags import DebtorFlagged, DebtorUnflagged, LoanFlagged, LoanUnflagged
from libs.events.in_kind import DebtSettledInKind
from libs.events.lateness import LatenessJudged
from libs.events.measures import LoanWrittenOff, MeasureExecuted, MeasureFailed, MeasureRefused, PenaltyWaived
from libs.events.onboarding import StaffAppointed, StaffDismissed
from libs.events.plans import PlanAnswered, plan_of
from libs.events.records import RecordedEvent
from libs.events.repayment import (
    LoanRepaid,
    OverdueBucketChanged,
    PaymentMissed,
    PaymentReceived,
    PenaltyCharged,
)
from libs.events.sagas import Saga, Send, Step
from services.collections.commands import (
    CURRENT,
    WRITTEN_OFF,
    AnswerPlan,
    CloseCase,
    CorrectCasePayment,
    EnrolCollector,
    JudgeAgain,
    RecordBucket,
    RecordCasePayment,
    RecordFlag,
    RecordMiss,
    RecordPenalty,
    RecordUnflag,
    Retaken,
    RetireCollector,
    collector_of,
    debtor_of,
)

#: The role of the staff who work the queues, as onboarding names it.
COLLECTOR_ROLE = "collector"

_Ended = MeasureExecuted | MeasureRefused | MeasureFailed


def on_repayment(event: RecordedEvent) -> list[Send]:
    """Misses, buckets, penalties, payments and the end of a loan become facts of its debtor."""
    match event.data:
        case PaymentMissed(paid_on=None) as missed:
            return [_miss(missed)]
        case OverdueBucketChanged():
            return [_bucket(event.data)]
        case PenaltyCharged() as charged:
            return [_overdue("penalty", charged, charged.charged_on)]
        case LatenessJudged(penalty_fen=fen, overdue_after_fen=overdue_fen) as late if fen and overdue_fen:
            return [_overdue("lateness", late, late.judged_on)]
        case PenaltyWaived() as waiver:
            return [_overdue("waiver", waiver, waiver.waived_on)]
        case DebtSettledInKind() as settled if settled.bucket != CURRENT:
            return [_overdue("in-kind", settled, settled.settled_on)]
        case PaymentReversed() | PaymentRedated() | LoanRestated() as corrected:
            return _corrected(corrected)
        case LoanWrittenOff() as loss:
            moved = RecordBucket(
                loan_id=loss.loan_id,
                bucket=WRITTEN_OFF,
                dpd=loss.dpd,
                overdue_fen=loss.overdue_after_fen,
                changed_on=loss.written_off_on,
            )
            return [Send("written-off", debtor_of(loss.borrower), moved)]
        case PaymentReceived() as payment if payment.bucket != CURRENT or _came_late(event, payment):
            return [_payment(event, payment)]
        case LoanRepaid() as repaid:
            close = CloseCase(loan_id=repaid.loan_id, repaid_on=repaid.repaid_on)
            return [Send("close", debtor_of(repaid.borrower), close)]
        case LoanFlagged() as raised:
            flag = RecordFlag(
                loan_id=raised.loan_id,
                borrower=raised.borrower,
                flag=raised.flag,
                flagged_on=raised.flagged_on,
            )
            return [Send("flag", debtor_of(raised.borrower), flag)]
        case LoanUnflagged() as lifted:
            unflag = RecordUnflag(
                loan_id=lifted.loan_id,
                borrower=lifted.borrower,
                flag=lifted.flag,
                unflagged_on=lifted.unflagged_on,
            )
            return [Send("unflag", debtor_of(lifted.borrower), unflag)]
        case MeasureExecuted() | MeasureRefused() | MeasureFailed() as ended if ended.debtor_id:
            return [Send("answer", ended.debtor_id, _answer(ended))]
        case _:
            return []


def on_onboarding(event: RecordedEvent) -> list[Send]:
    """Who is appointed to collect gets a desk; who is dismissed loses it."""
    match event.data:
        case StaffAppointed() as appointed if COLLECTOR_ROLE in appointed.roles:
            enrol = EnrolCollector(staff_id=appointed.staff_id, region=appointed.region)
            return [Send("enrol", collector_of(appointed.staff_id), enrol)]
        case StaffAppointed() | StaffDismissed() as other:
            # an appointment replaces the earlier one, which may have been a collector's
            return [Send("retire", collector_of(other.staff_id), RetireCollector(staff_id=other.staff_id))]
        case _:
            return []


def on_collections(_event: RecordedEvent) -> list[Send]:
    """Nothing of its own; reading itself is what keeps its business day (ticks)."""
    return []


POLICIES: Mapping[str, Callable[[RecordedEvent], Sequence[Send]]] = {
    "repayment": on_repayment,
    "onboarding": on_onboarding,
    "collections": on_collections,
}


def _miss(missed: PaymentMissed) -> Send:
    command = RecordMiss(
        loan_id=missed.loan_id,
        borrower=missed.borrower,
        number=missed.number,
        due_on=missed.due_on,
        open_fen=missed.open_fen,
        dpd=missed.dpd,
        region=missed.region,
        product=missed.product,
        again=missed.again,
        overdue_after_fen=missed.overdue_after_fen,
    )
    return Send("miss", debtor_of(missed.borrower), command)


def _bucket(changed: OverdueBucketChanged) -> Send:
    command = RecordBucket(
        loan_id=changed.loan_id,
        bucket=changed.to_bucket,
        dpd=changed.dpd,
        overdue_fen=changed.overdue_fen,
        changed_on=changed.changed_on,
    )
    return Send("bucket", debtor_of(changed.borrower), command)


def _overdue(
    name: str,
    event: PenaltyCharged | LatenessJudged | PenaltyWaived | DebtSettledInKind | LoanRestated,
    on: date,
) -> Send:
    """What is overdue since a day, whatever changed it; bucket and stage are told apart from it."""
    command = RecordPenalty(
        loan_id=event.loan_id, dpd=event.dpd, overdue_fen=event.overdue_after_fen, charged_on=on
    )
    return Send(name, debtor_of(event.borrower), command)


def _came_late(event: RecordedEvent, payment: PaymentReceived) -> bool:
    """It counts as of a day that is over, on which something may have been promised: somebody else may have cured the loan since."""
    return event.business_date is not None and payment.value_date < event.business_date


def _payment(event: RecordedEvent, payment: PaymentReceived) -> Send:
    """What is still overdue was counted on the business date of the loan's decision, not on the payment's value date."""
    command = RecordCasePayment(
        loan_id=payment.loan_id,
        payment_id=payment.payment_id,
        amount_fen=payment.amount_fen,
        value_date=payment.value_date,
        as_of=event.business_date or payment.value_date,
        overdue_fen=payment.overdue_after_fen,
    )
    return Send("payment", debtor_of(payment.borrower), command)


def _corrected(event: PaymentReversed | PaymentRedated | LoanRestated) -> list[Send]:
    """Whether the loan has a case or not: what a correction takes back may be what closed it."""
    debtor_id = debtor_of(event.borrower)
    if not isinstance(event, LoanRestated):
        counts = CorrectCasePayment(
            loan_id=event.loan_id,
            payment_id=event.payment_id,
            amount_fen=0 if isinstance(event, PaymentReversed) else None,
            value_date=event.value_date if isinstance(event, PaymentReversed) else event.to_date,
        )
        return [Send("corrected", debtor_id, counts)]
    retaken = tuple(Retaken(payment_id=line.payment_id, amount_fen=line.after_fen) for line in event.retaken)
    sends = [Send("judge-again", debtor_id, JudgeAgain(loan_id=event.loan_id, retaken=retaken))]
    if event.from_bucket not in (None, CURRENT):
        sends.append(_overdue("restated", event, event.restated_on))
    return sends


def _answer(ended: _Ended) -> AnswerPlan:
    code = None if isinstance(ended, MeasureExecuted) else ended.code
    return AnswerPlan(plan_id=plan_of(ended.measure_id), agreed=code is None, code=code)


def _of_a_plan(ended: _Ended) -> str | tuple[str, ...]:
    """Most measures are nobody's plan."""
    return plan_of(ended.measure_id) if ended.debtor_id else ()


def _cured(event: OverdueBucketChanged) -> str | tuple[str, ...]:
    is_cured = event.to_bucket == CURRENT and event.from_bucket != WRITTEN_OFF
    return f"{event.loan_id}/{event.changed_on}" if is_cured else ()


def _in_arrears(event: PaymentReceived) -> str | tuple[str, ...]:
    """A loan in a bucket has a case; one that was written off may never have had one."""
    return () if event.bucket in (CURRENT, WRITTEN_OFF) else event.payment_id


def _appointed(event: StaffAppointed | StaffDismissed) -> str | tuple[str, ...]:
    return event.staff_id if COLLECTOR_ROLE in event.roles else ()


def _to_collect(missed: PaymentMissed) -> str | tuple[str, ...]:
    """Nothing is where it had been paid before anybody knew."""
    return f"{missed.loan_id}/{missed.due_on}" if missed.paid_on is None else ()


SAGAS = (
    Saga(
        name="open-case",
        why="Every missed payment opens its loan's case or is added to it.",
        opened_by={PaymentMissed: _to_collect},
        closed_by={
            CaseOpened: lambda event: f"{event.loan_id}/{event.due_on}",
            MissAdded: lambda event: f"{event.loan_id}/{event.due_on}",
        },
        steps=(Step(on=PaymentMissed, send=RecordMiss),),
    ),
    Saga(
        name="case-payment",
        why="Every payment on a loan in arrears is held against its promise.",
        opened_by={PaymentReceived: _in_arrears},
        closed_by={CasePaymentRecorded: lambda event: str(event.payment_id)},
        steps=(Step(on=PaymentReceived, send=RecordCasePayment),),
    ),
    Saga(
        name="follow-arrears",
        why="A case shows the arrears of its loan as they change, and is closed when there are none.",
        opened_by={OverdueBucketChanged: _cured},
        closed_by={CaseClosed: lambda event: f"{event.loan_id}/{event.closed_on}"},
        steps=(
            Step(on=OverdueBucketChanged, send=RecordBucket),
            Step(on=PenaltyCharged, send=RecordPenalty),
            Step(on=LatenessJudged, send=RecordPenalty),
            Step(on=PenaltyWaived, send=RecordPenalty),
            Step(on=LoanWrittenOff, send=RecordBucket),
            Step(on=PaymentReversed, send=CorrectCasePayment),
            Step(on=PaymentRedated, send=CorrectCasePayment),
            Step(on=LoanRestated, send=JudgeAgain),
            Step(on=LoanRestated, send=RecordPenalty),
            Step(on=DebtSettledInKind, send=RecordPenalty),
            Step(on=LoanRepaid, send=CloseCase),
        ),
    ),
    Saga(
        name="enrol-collector",
        why="Who is appointed to collect has a desk.",
        opened_by={StaffAppointed: _appointed},
        closed_by={CollectorEnrolled: lambda event: str(event.staff_id)},
        steps=(Step(on=StaffAppointed, send=EnrolCollector),),
    ),
    Saga(
        name="retire-collector",
        why="Who has left, or was appointed to something else, collects no more.",
        opened_by={StaffDismissed: _appointed},
        closed_by={CollectorRetired: lambda event: str(event.staff_id)},
        steps=(
            Step(on=StaffDismissed, send=RetireCollector),
            Step(on=StaffAppointed, send=RetireCollector),
        ),
    ),
    Saga(
        name="answer-plan",
        why="Whoever asked for a plan hears what became of it.",
        opened_by={MeasureExecuted: _of_a_plan, MeasureRefused: _of_a_plan, MeasureFailed: _of_a_plan},
        closed_by={PlanAnswered: lambda event: str(event.plan_id)},
        steps=(
            Step(on=MeasureExecuted, send=AnswerPlan),
            Step(on=MeasureRefused, send=AnswerPlan),
            Step(on=MeasureFailed, send=AnswerPlan),
        ),
    ),
    Saga(
        name="flag-debtor",
        why="Who has died is not rung up, and who disputes a debt is written to.",
        opened_by={LoanFlagged: lambda event: f"{event.loan_id}/{event.flag}"},
        closed_by={DebtorFlagged: lambda event: f"{event.loan_id}/{event.flag}"},
        steps=(Step(on=LoanFlagged, send=RecordFlag),),
    ),
    Saga(
        name="unflag-debtor",
        why="A flag that is lifted keeps nobody from his work.",
        opened_by={LoanUnflagged: lambda event: f"{event.loan_id}/{event.flag}"},
        closed_by={DebtorUnflagged: lambda event: f"{event.loan_id}/{event.flag}"},
        steps=(Step(on=LoanUnflagged, send=RecordUnflag),),
    ),
)
