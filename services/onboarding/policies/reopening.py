"""What a correction changes of a loan's principal changes what counts against its borrower's cap."""

from libs.events.corrections import LoanRestated
from libs.events.records import RecordedEvent
from libs.events.sagas import Saga, Send, Step
from services.onboarding.commands import RestoreExposure


def on_repayment(event: RecordedEvent) -> list[Send]:
    """More is owed, of a loan that was repaid as well, or less."""
    match event.data:
        case LoanRestated() as loan:
            restore = RestoreExposure(
                user_id=loan.borrower, loan_id=loan.loan_id, owed_fen=loan.principal_after_fen
            )
            return [Send("restore", loan.borrower, restore)]
        case _:
            return []


SAGAS = (
    Saga(
        name="exposure corrected",
        why="What a correction makes owed again counts against the cap again: it is a fact, and is not asked whether there is room.",
        opened_by={},  # what counts that much already says nothing, so nothing would close it
        closed_by={},
        steps=(Step(on=LoanRestated, send=RestoreExposure),),
    ),
)
