"""What an account remembers of corrections: what it owes for each, oldest first."""

from collections.abc import Iterable
from dataclasses import replace

from libs.events.adjustments import AdjustmentBooked, AdjustmentDebited, FeeAdjusted
from libs.events.codec import record
from libs.events.corrections import CorrectionBooking
from libs.events.money import Count


@record
class Owed:
    """What is still to be given back for one correction."""

    correction_id: str
    loan_id: str
    booking: CorrectionBooking
    amount_fen: Count


def total_fen(owed: Iterable[Owed]) -> int:
    """All that is to be given back."""
    return sum(debt.amount_fen for debt in owed)


def with_debt(owed: tuple[Owed, ...], event: AdjustmentBooked) -> tuple[Owed, ...]:
    """What is owed once a correction is booked: nothing new where it gives."""
    amount_fen = -event.line.amount_fen
    if amount_fen <= 0:
        return owed
    debt = Owed(
        correction_id=event.correction_id,
        loan_id=event.loan_id,
        booking=event.booking,
        amount_fen=amount_fen,
    )
    return (*owed, debt)


def still_owed(owed: tuple[Owed, ...], event: AdjustmentDebited | FeeAdjusted) -> tuple[Owed, ...]:
    """What is owed once something was given: the event's rest. The fee account hears of a debt by its first rest."""
    known = any(debt.correction_id == event.correction_id for debt in owed)
    if not known and isinstance(event, FeeAdjusted) and event.rest_fen:
        debt = Owed(
            correction_id=event.correction_id,
            loan_id=event.loan_id,
            booking=event.booking,
            amount_fen=event.rest_fen,
        )
        return (*owed, debt)
    rests = (
        replace(debt, amount_fen=event.rest_fen) if debt.correction_id == event.correction_id else debt
        for debt in owed
    )
    return tuple(debt for debt in rests if debt.amount_fen)
