"""What a claim is worth on a day: its principal, its share of interest that is due, and of what runs since.

It is what the loan would owe for the claim if it were settled on that day (settling.py), so payoff, market and portfolio never
differ. Penalty is not in it: whether that will be paid, nobody knows.
"""

from dataclasses import dataclass
from datetime import date

from services.repayment.domain.accruing import accrued_interest_fen
from services.repayment.domain.allocation import UNDUE, Book, counted_due
from services.repayment.domain.expected import Holders
from services.repayment.domain.guarantee import by_owner
from services.repayment.domain.profile import Rules
from services.repayment.domain.settling import settlement


@dataclass(frozen=True, slots=True)
class Worth:
    """In fen: principal that is not repaid, interest that is due and not paid, and interest that has accrued and is not due."""

    principal_fen: int
    interest_due_fen: int = 0
    accrued_interest_fen: int = 0


def worth_of(rules: Rules, book: Book, holders: Holders, claim_id: str, on: date) -> Worth:
    """The worth of a claim; its shares of what is due are floored. While nothing is overdue its accrued interest is to the fen what a
    buyer would pay for it on that day. Of what a guarantor paid for all is his, of the rest nothing (sharing.py)."""
    is_his = any(each.claim_id == claim_id for each in holders.subrogated)
    held_fen = holders.held.get(claim_id, 0)
    principal_fen = held_fen if book.outstanding_fen else 0
    part, of = (1, 1) if is_his else (held_fen, sum(holders.sharing.values()))
    if not part:
        return Worth(principal_fen)
    lines = settlement(book, on, rules)
    through = counted_due(book, on)
    undue_fen = sum(line.principal_fen for line in lines if line.number == UNDUE)
    own = by_owner(holders.subrogated, lines)[claim_id if is_his else None]
    # What a restructuring left in arrears is not due: whoever buys the claim pays for it as for what runs.
    due_fen = sum(line.interest_fen for line in own if UNDUE < line.number <= through)
    part_fen = sum(line.principal_fen for line in own if line.number == UNDUE) * part // of
    accrued_fen = accrued_interest_fen(rules, book, part_fen, on, of_fen=undue_fen, through=through)
    return Worth(principal_fen, due_fen * part // of, accrued_fen)
