"""From a proposed correction to its loan, which says who has a part in it; from an allowed one to the loan that is put right, and back when
its money has moved.

The loan may say no (`CommandRefused` brings the correction back: to its end, or to the finance head where the year has ended meanwhile); once it is put right nothing can be declined, only waited for.
"""

from libs.events.adjustments import CorrectionSettled
from libs.events.corrections import (
    CorrectionAuthorised,
    CorrectionBooked,
    CorrectionClosed,
    CorrectionExamined,
    CorrectionProposed,
    CorrectionRefused,
    CorrectionSigned,
    LoanRestated,
    moved_fen,
)
from libs.events.records import RecordedEvent
from libs.events.sagas import Saga, Send, Step
from libs.events.system import CommandRefused
from services.repayment.commands.corrections import (
    AdmitCorrection,
    CloseCorrection,
    CorrectPayment,
    DeclineCorrection,
    ExamineCorrection,
    RecordCorrectionBooked,
)

_CORRECT, _EXAMINE = "repayment.CorrectPayment", "repayment.ExamineCorrection"


def on_bidding(event: RecordedEvent) -> list[Send]:
    """All of a correction's money has moved."""
    match event.data:
        case CorrectionSettled() as settled if _is_correction(settled.correction_id):
            return [Send("close-correction", settled.correction_id, CloseCorrection())]
        case _:
            return []


def on_repayment(event: RecordedEvent) -> list[Send]:
    """What is allowed is done; what the loan refuses, or has done, the correction hears."""
    match event.data:
        case CorrectionProposed(correction=asked, himself=clerk):
            examine = ExamineCorrection(correction_id=asked.correction_id, himself=clerk or None)
            return [Send("examine", asked.loan_id, examine, {"correction_id": asked.correction_id})]
        case CorrectionExamined() as examined:
            admit = AdmitCorrection(
                borrower=examined.borrower, guarantor=examined.guarantor, holders=examined.holders
            )
            return [Send("admit-correction", examined.correction_id, admit)]
        case CorrectionAuthorised() as allowed:
            asked = allowed.correction
            command = CorrectPayment(correction=asked, booking=allowed.booking, people=allowed.people)
            return [Send("correct", asked.loan_id, command, {"correction_id": asked.correction_id})]
        case LoanRestated() as restated if _is_correction(restated.correction_id):
            booked = RecordCorrectionBooked(open_fen=moved_fen(restated))
            return [Send("correction-booked", restated.correction_id, booked)]
        case CommandRefused() as refused if _is_refused_correction(refused):
            decline = DeclineCorrection(code=refused.code, examined=refused.command_type == _EXAMINE)
            return [Send("decline-correction", refused.about["correction_id"], decline)]
        case _:
            return []


def _is_correction(correction_id: str) -> bool:
    """A measure that restates its loan is no correction, and hears of it by its own event."""
    return correction_id.startswith("cor_")


def _is_refused_correction(refused: CommandRefused) -> bool:
    return refused.command_type in (_CORRECT, _EXAMINE) and "correction_id" in refused.about


def _examined(refused: CommandRefused) -> tuple[str, ...]:
    return (refused.about["correction_id"],) if refused.command_type == _EXAMINE else ()


SAGAS = (
    Saga(
        name="examine correction",
        why="Only the loan knows who has a part in it, and so may not ask for its correction, allow it or refuse it.",
        opened_by={CorrectionProposed: lambda event: str(event.correction.correction_id)},
        closed_by={
            CorrectionExamined: lambda event: str(event.correction_id),
            CommandRefused: _examined,
        },
        steps=(
            Step(
                on=CorrectionProposed,
                send=ExamineCorrection,
                declined_by=(CommandRefused,),
                compensation=DeclineCorrection,
            ),
            Step(on=CorrectionExamined, send=AdmitCorrection),
        ),
        expected_refusals=(ExamineCorrection,),
    ),
    Saga(
        name="correction",
        why="A correction that is allowed puts its loan right, or the loan refuses it. What waits for money is no open step: a work list shows it.",
        opened_by={CorrectionAuthorised: lambda event: str(event.correction.correction_id)},
        closed_by={
            CorrectionBooked: lambda event: str(event.correction_id),
            CorrectionClosed: lambda event: str(event.correction_id),
            CorrectionRefused: lambda event: str(event.correction_id),
            CorrectionSigned: lambda event: str(event.correction_id),
        },
        steps=(
            Step(
                on=CorrectionAuthorised,
                send=CorrectPayment,
                declined_by=(CommandRefused,),
                compensation=DeclineCorrection,
            ),
            Step(on=LoanRestated, send=RecordCorrectionBooked),
            Step(on=CorrectionSettled, send=CloseCorrection),
        ),
        expected_refusals=(CorrectPayment,),
    ),
)
