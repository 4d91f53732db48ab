"""The way of a measure: the loan is asked, then told, and says what came of it. A loan that cannot says why, and the measure ends."""

from libs.events.codec import name_of
from libs.events.deferrals import MeasureResumed
from libs.events.flags import LoanFlagged, LoanUnflagged
from libs.events.in_kind import DebtSettledInKind
from libs.events.measures import (
    LoanMoved,
    LoanRescheduled,
    LoanWrittenOff,
    MeasureAdmitted,
    MeasureApproved,
    MeasureExamined,
    MeasureExecuted,
    MeasureFailed,
    MeasureProposed,
    PenaltyWaived,
)
from libs.events.non_accrual import NonAccrualEnded, NonAccrualStarted
from libs.events.pauses import DelinquencyPaused, DelinquencyPauseEnded
from libs.events.records import RecordedEvent
from libs.events.recovery_costs import PayeeConfirmed, RecoveryCostBooked, payee_of
from libs.events.repayment import LoanClassified
from libs.events.sagas import Saga, Send, Step
from libs.events.system import CommandRefused
from libs.events.voidance import LoanVoided
from services.repayment.commands.measures import (
    AdmitMeasure,
    CarryOutMeasure,
    CompleteMeasure,
    ExamineMeasure,
    FailMeasure,
)

_Done = (
    LoanRescheduled
    | LoanWrittenOff
    | RecoveryCostBooked
    | PenaltyWaived
    | LoanClassified
    | NonAccrualStarted
    | NonAccrualEnded
    | LoanMoved
    | DebtSettledInKind
    | LoanVoided
    | DelinquencyPaused
    | DelinquencyPauseEnded
    | LoanFlagged
    | LoanUnflagged
)


def on_bidding(event: RecordedEvent) -> list[Send]:
    """Whom a measure would pay has an account for it, or the measure ends as why not."""
    match event.data:
        case PayeeConfirmed() as confirmed:
            return [_examine(confirmed)]
        case CommandRefused(command_type="bidding.ConfirmPayee") as refused if refused.about:
            return [Send("fail", refused.about["payee_of"], FailMeasure(code=refused.code))]
        case _:
            return []


def on_repayment(event: RecordedEvent) -> list[Send]:
    """What a measure and its loan ask of each other."""
    match event.data:
        case MeasureProposed() as proposed:
            # Who would be paid a cost is asked first, and bidding asks him.
            return [] if payee_of(proposed.terms) else [_examine(proposed)]
        case MeasureExamined() as examined:
            admit = AdmitMeasure(
                borrower=examined.borrower,
                mandate=examined.mandate,
                voters=examined.voters,
                silence_consents=examined.silence_consents,
                guarantor=examined.guarantor,
                holders=examined.holders,
                waived_before_fen=examined.waived_before_fen,
                flags=examined.flags,
            )
            return [Send("admit", examined.measure_id, admit)]
        case MeasureApproved() | MeasureResumed() as approved:
            carry_out = CarryOutMeasure(
                measure_id=approved.measure_id, terms=approved.terms, waivable_fen=approved.waivable_fen
            )
            return [Send("carry-out", approved.loan_id, carry_out, {"measure_id": approved.measure_id})]
        case (
            LoanRescheduled()
            | LoanWrittenOff()
            | RecoveryCostBooked()
            | PenaltyWaived()
            | LoanClassified()
            | NonAccrualStarted()
            | NonAccrualEnded()
            | LoanMoved()
            | DebtSettledInKind()
            | LoanVoided()
            | DelinquencyPaused()
            | DelinquencyPauseEnded()
            | LoanFlagged()
            | LoanUnflagged()
        ) as done:
            return _complete(done)
        case CommandRefused() as refused:
            return _fail(refused)
        case _:
            return []


def _examine(asked: MeasureProposed | PayeeConfirmed) -> Send:
    examine = ExamineMeasure(measure_id=asked.measure_id, terms=asked.terms, himself=asked.himself)
    return Send("examine", asked.loan_id, examine, {"measure_id": asked.measure_id})


def _complete(done: _Done) -> list[Send]:
    """A class, non-accrual and a cost may be what a measure asked for, or what another brought along: the measure ends once."""
    return [Send("complete", done.measure_id, CompleteMeasure())] if done.measure_id else []


def _fail(refused: CommandRefused) -> list[Send]:
    measure_id = refused.about.get("measure_id")
    asked = (name_of(ExamineMeasure), name_of(CarryOutMeasure))
    if measure_id is None or refused.command_type not in asked:
        return []
    return [Send("fail", measure_id, FailMeasure(code=refused.code))]


SAGAS = (
    Saga(
        name="examine measure",
        why="Only the loan knows whether a measure could be taken, and whose word it needs.",
        opened_by={MeasureProposed: lambda proposed: proposed.measure_id},
        closed_by={
            MeasureAdmitted: lambda admitted: admitted.measure_id,
            MeasureFailed: lambda failed: failed.measure_id,
        },
        steps=(
            Step(
                on=MeasureProposed,
                send=ExamineMeasure,
                declined_by=(CommandRefused,),
                compensation=FailMeasure,
            ),
            Step(
                on=PayeeConfirmed,
                send=ExamineMeasure,
                declined_by=(CommandRefused,),
                compensation=FailMeasure,
            ),
            Step(on=CommandRefused, send=FailMeasure),
            Step(on=MeasureExamined, send=AdmitMeasure),
        ),
        expected_refusals=(ExamineMeasure,),
    ),
    Saga(
        name="carry out measure",
        why="What all have signed the loan does once, or says why it cannot any more. Behind a debit that is on its way it waits.",
        opened_by={MeasureApproved: lambda approved: approved.measure_id},
        closed_by={
            MeasureExecuted: lambda executed: executed.measure_id,
            MeasureFailed: lambda failed: failed.measure_id,
        },
        steps=(
            Step(
                on=MeasureApproved,
                send=CarryOutMeasure,
                declined_by=(CommandRefused,),
                compensation=FailMeasure,
            ),
            Step(
                on=MeasureResumed,
                send=CarryOutMeasure,
                declined_by=(CommandRefused,),
                compensation=FailMeasure,
            ),
            Step(on=LoanRescheduled, send=CompleteMeasure),
            Step(on=LoanWrittenOff, send=CompleteMeasure),
            Step(on=RecoveryCostBooked, send=CompleteMeasure),
            Step(on=PenaltyWaived, send=CompleteMeasure),
            Step(on=LoanClassified, send=CompleteMeasure),
            Step(on=NonAccrualStarted, send=CompleteMeasure),
            Step(on=NonAccrualEnded, send=CompleteMeasure),
            Step(on=LoanMoved, send=CompleteMeasure),
            Step(on=DebtSettledInKind, send=CompleteMeasure),
            Step(on=LoanVoided, send=CompleteMeasure),
            Step(on=DelinquencyPaused, send=CompleteMeasure),
            Step(on=DelinquencyPauseEnded, send=CompleteMeasure),
            Step(on=LoanFlagged, send=CompleteMeasure),
            Step(on=LoanUnflagged, send=CompleteMeasure),
        ),
        expected_refusals=(CarryOutMeasure,),
    ),
)
