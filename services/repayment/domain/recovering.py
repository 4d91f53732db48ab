"""收回已核销: what a payment is on a loan that was written off, and what a correction makes owed of it (processes.md 1.P).

It goes to those who hold the claims on the day of its receipt, in the order of the original debt, as any payment does; it is only
told apart, for such a loan stands in a register beside the books.
"""

from collections.abc import Sequence
from datetime import date

from libs.events.corrections import OwedChange
from libs.events.measures import RecoveryReceived
from libs.events.repayment import AllocationLine
from services.repayment.domain.allocation import UNDUE, Book, line_fen, lines_through
from services.repayment.domain.loan_state import Running


def recovered(
    state: Running, payment_id: str, on: date, lines: Sequence[AllocationLine]
) -> Sequence[RecoveryReceived]:
    """A payment on a loan that was written off is a recovery; of any other loan, nothing is said."""
    if state.trouble.written_off_on is None:
        return []
    amount_fen, principal_fen = sum(map(line_fen, lines)), sum(line.principal_fen for line in lines)
    return [
        RecoveryReceived(
            loan_id=state.loan_id,
            borrower=state.borrower,
            payment_id=payment_id,
            amount_fen=amount_fen,
            principal_fen=principal_fen,
            value_date=on,
            recovered_fen=state.trouble.recovered_fen + amount_fen,
            outstanding_fen=state.book.outstanding_fen - principal_fen,
            product=state.product,
            region=state.region,
        )
    ]


def owed_change(live: Running, after: Book) -> OwedChange | None:
    """What a loan that was written off owes more (or less, below zero) than it did, due or not; None for any other."""
    if live.trouble.written_off_on is None:
        return None
    before, left = _owed(live.book), _owed(after)
    return OwedChange(
        principal_fen=left.principal_fen - before.principal_fen,
        interest_fen=left.interest_fen - before.interest_fen,
        fee_fen=left.fee_fen - before.fee_fen,
        penalty_fen=left.penalty_fen - before.penalty_fen,
    )


def _owed(book: Book) -> AllocationLine:
    """All that a book asks for still, as one line."""
    lines = lines_through(book, len(book.rows))
    return AllocationLine(
        number=UNDUE,
        principal_fen=sum(line.principal_fen for line in lines),
        interest_fen=sum(line.interest_fen for line in lines),
        fee_fen=sum(line.fee_fen for line in lines),
        penalty_fen=sum(line.penalty_fen for line in lines),
    )
