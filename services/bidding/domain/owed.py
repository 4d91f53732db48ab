"""What an account owes for corrections: the next money that becomes available in it is taken first, by a named entry each time.

While an account owes anything it has nothing available, so nothing of it is withdrawn, bid or paid; and never is platform money put
in its place.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from libs.events.adjustments import AdjustmentBooked, AdjustmentCredited, AdjustmentDebited, FeeAdjusted
from libs.events.deciding import Refused
from libs.events.money import MAX_INTEGER
from services.bidding.commands import FEE_ACCOUNT
from services.bidding.commands.adjustments import BookAdjustment, CreditAdjustment
from services.bidding.domain.account_state import (
    AccountEvent,
    AccountState,
    FeeAccount,
    NotOpened,
    Open,
    evolve,
)
from services.bidding.domain.booking import FEES, book, postings
from services.bidding.domain.ids import clearing_of_correction
from services.bidding.domain.owing import Owed, total_fen


def book_adjustment(command: BookAdjustment, state: Open) -> Sequence[AdjustmentBooked]:
    """The account knows what it owes, and what its owner's claims are worth more or less; what there is is taken by `swept`."""
    return [
        AdjustmentBooked(
            account_id=state.account_id,
            owner=state.owner,
            loan_id=command.loan_id,
            correction_id=command.correction_id,
            booking=command.booking,
            line=command.line,
            owed_after_fen=total_fen(state.owed) + max(0, -command.line.amount_fen),
        )
    ]


def credit_adjustment(command: CreditAdjustment, state: Open) -> Sequence[AdjustmentCredited]:
    """What was collected belongs to the account."""
    clearing = clearing_of_correction(command.correction_id, command.booking)
    return [
        AdjustmentCredited(
            loan_id=command.loan_id,
            correction_id=command.correction_id,
            amount_fen=command.amount_fen,
            **book(state, available_fen=command.amount_fen, against=clearing),
        )
    ]


def adjust_fees(
    command: BookAdjustment | CreditAdjustment, state: NotOpened | FeeAccount
) -> Sequence[FeeAdjusted]:
    """The platform gives back a fee that was wrong out of its fees, as any account does, or gets what it lacked."""
    fees = state if isinstance(state, FeeAccount) else FeeAccount(balance_fen=0)
    if isinstance(command, CreditAdjustment):
        if fees.balance_fen + command.amount_fen > MAX_INTEGER:
            raise Refused("amount_too_large")
        owed = Owed(
            correction_id=command.correction_id,
            loan_id=command.loan_id,
            booking=command.booking,
            amount_fen=0,
        )
        return [_fee(fees, owed, command.amount_fen)]
    amount_fen = -command.line.amount_fen
    if amount_fen <= 0:
        return []
    owed = Owed(
        correction_id=command.correction_id,
        loan_id=command.loan_id,
        booking=command.booking,
        amount_fen=amount_fen,
    )
    given_fen = min(amount_fen, fees.balance_fen)
    return [_fee(replace(fees, owed=(*fees.owed, owed)), owed, -given_fen)]


def swept(state: AccountState, events: Sequence[AccountEvent]) -> Iterator[AdjustmentDebited | FeeAdjusted]:
    """What is taken of the money that a decision makes available, oldest debt first."""
    for event in events:
        state = evolve(state, event)
    if isinstance(state, Open):
        for owed in state.owed:
            if not state.available_fen:
                return
            taken = _debit(state, owed)
            state = evolve(state, taken)
            assert isinstance(state, Open), "an open account stays open"
            yield taken
    elif isinstance(state, FeeAccount):
        for owed in state.owed:
            if not state.balance_fen:
                return
            given = _fee(state, owed, -min(owed.amount_fen, state.balance_fen))
            state = evolve(state, given)
            assert isinstance(state, FeeAccount), "the fee account stays"
            yield given


def _debit(state: Open, owed: Owed) -> AdjustmentDebited:
    amount_fen = min(owed.amount_fen, state.available_fen)
    return AdjustmentDebited(
        loan_id=owed.loan_id,
        correction_id=owed.correction_id,
        amount_fen=amount_fen,
        rest_fen=owed.amount_fen - amount_fen,
        owed_after_fen=total_fen(state.owed) - amount_fen,
        **book(
            state,
            available_fen=-amount_fen,
            against=clearing_of_correction(owed.correction_id, owed.booking),
        ),
    )


def _fee(fees: FeeAccount, owed: Owed, amount_fen: int) -> FeeAdjusted:
    """`amount_fen` below zero gives back so much of what is owed."""
    given_fen = max(0, -amount_fen)
    clearing = clearing_of_correction(owed.correction_id, owed.booking)
    return FeeAdjusted(
        account_id=FEE_ACCOUNT,
        loan_id=owed.loan_id,
        correction_id=owed.correction_id,
        booking=owed.booking,
        amount_fen=amount_fen,
        balance_after_fen=fees.balance_fen + amount_fen,
        rest_fen=owed.amount_fen - given_fen,
        owed_after_fen=total_fen(fees.owed) - given_fen,
        postings=postings((clearing, -amount_fen), (FEES, amount_fen)),
    )
