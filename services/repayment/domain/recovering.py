"""收回已核销: what a payment is on a loan that was written off (processes.md 1.P).

It goes to those who hold the claims on the day of its receipt, in the order of the original debt, as any payment does; it is only
told apart.
"""

from collections.abc import Sequence
from datetime import date

from libs.events.measures import RecoveryReceived
from libs.events.repayment import AllocationLine
from services.repayment.domain.allocation import line_fen
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
