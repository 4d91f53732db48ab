"""A guarantor's account pays for a loan: all that is asked or nothing, out of its own money and no other (red line 2)."""

from collections.abc import Sequence

from libs.events.compensation import CompensationDebitDeclined, CompensationDebited, SubrogationRecorded
from services.bidding.commands.compensation import DebitCompensation, RecordSubrogation
from services.bidding.domain.account_state import Open
from services.bidding.domain.booking import book
from services.bidding.domain.dealings import Dealings
from services.bidding.domain.deceased import OWNER_DECEASED, has_died
from services.bidding.domain.ids import clearing_of


def debit(
    command: DebitCompensation, state: Open
) -> Sequence[CompensationDebited | CompensationDebitDeclined]:
    """The money is taken, or the answer is why not. What the loan does not take comes back as any payment does."""
    if state.loans.get(command.loan_id, Dealings()).payment_id == command.compensation_id:
        return []
    is_dead = has_died(state)
    if is_dead or state.available_fen < command.amount_fen:
        return [
            CompensationDebitDeclined(
                account_id=state.account_id,
                owner=state.owner,
                loan_id=command.loan_id,
                compensation_id=command.compensation_id,
                amount_fen=command.amount_fen,
                code=OWNER_DECEASED if is_dead else "insufficient_available",
            )
        ]
    return [
        CompensationDebited(
            loan_id=command.loan_id,
            compensation_id=command.compensation_id,
            amount_fen=command.amount_fen,
            value_date=command.value_date,
            **book(state, available_fen=-command.amount_fen, against=clearing_of(command.loan_id)),
        )
    ]


def subrogate(command: RecordSubrogation, state: Open) -> Sequence[SubrogationRecorded]:
    """He has a claim for it: who has claims cannot be forgotten."""
    return [
        SubrogationRecorded(
            account_id=state.account_id,
            owner=state.owner,
            loan_id=command.loan_id,
            compensation_id=command.compensation_id,
            claim_id=command.claim_id,
            principal_fen=command.principal_fen,
        )
    ]
