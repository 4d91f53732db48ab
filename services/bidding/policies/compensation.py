"""A loan asks its guarantor's account for money, and the account learns what is owed to it for that."""

from libs.events.compensation import (
    ClaimsSubrogated,
    CompensationDebitDeclined,
    CompensationDebited,
    CompensationExecuted,
    SubrogationRecorded,
)
from libs.events.records import RecordedEvent
from libs.events.sagas import Saga, Send, Step
from libs.events.system import CommandRefused
from services.bidding.commands.compensation import DebitCompensation, RecordSubrogation


def on_repayment(event: RecordedEvent) -> list[Send]:
    """The loan decides what the guarantor pays and what he gets for it."""
    match event.data:
        case CompensationExecuted() as asked:
            debit = DebitCompensation(
                loan_id=asked.loan_id,
                compensation_id=asked.compensation_id,
                amount_fen=asked.amount_fen,
                value_date=asked.value_date,
            )
            about = {"loan_id": asked.loan_id, "compensation_id": asked.compensation_id}
            return [Send("compensation", asked.account_id, debit, about)]
        case ClaimsSubrogated() as paid_for if paid_for.claim.principal_fen:
            claim = paid_for.claim
            record = RecordSubrogation(
                loan_id=paid_for.loan_id,
                compensation_id=paid_for.compensation_id,
                claim_id=claim.claim_id,
                principal_fen=claim.principal_fen,
            )
            return [Send("subrogation", claim.account_id, record)]
        case _:
            return []


def _claims(paid_for: ClaimsSubrogated) -> tuple[str, ...]:
    return (paid_for.claim.claim_id,) if paid_for.claim.principal_fen else ()


SAGAS = (
    Saga(
        name="compensation",
        why="What a loan asks of its guarantor is taken from his account whole, or not at all.",
        opened_by={CompensationExecuted: lambda asked: f"debit {asked.compensation_id}"},
        closed_by={
            CompensationDebited: lambda debited: f"debit {debited.compensation_id}",
            CompensationDebitDeclined: lambda declined: f"debit {declined.compensation_id}",
            CommandRefused: lambda refused: (
                (f"debit {refused.about['compensation_id']}",) if "compensation_id" in refused.about else ()
            ),
        },
        steps=(
            Step(
                on=CompensationExecuted,
                send=DebitCompensation,
                declined_by=(CompensationDebitDeclined, CommandRefused),
            ),
        ),
        expected_refusals=(DebitCompensation,),
    ),
    Saga(
        name="subrogation",
        why="Who paid for a borrower has a claim, so he cannot be forgotten while it is open.",
        opened_by={ClaimsSubrogated: _claims},
        closed_by={SubrogationRecorded: lambda recorded: recorded.claim_id},
        steps=(Step(on=ClaimsSubrogated, send=RecordSubrogation),),
    ),
)
