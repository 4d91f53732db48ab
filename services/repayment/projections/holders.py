"""Who holds how much of a loan, beside its rows: what the expectation of a holder's payments is computed from.

It is a part of the loan's own document: its stream writes both, so rows and holders are of one moment. A claim that changes
hands in part, under a new id, is two of `held`: less under the one, more under the other; a whole one keeps its id and its place.
"""

from collections.abc import Sequence

from libs.events.repayment import LoanOpened, RepaymentDistributed
from libs.events.views import Add, Op


def opened(loan: LoanOpened) -> Sequence[Op]:
    """Every claim is owed what was lent."""
    return [held(loan.loan_id, claim.claim_id, claim.principal_fen) for claim in loan.claims]


def distributed(shared: RepaymentDistributed) -> Sequence[Op]:
    """Every holder is owed his part of the principal less."""
    return [held(shared.loan_id, line.claim_id, -line.principal_fen) for line in shared.lines]


def held(loan_id: str, claim_id: str, amount_fen: int) -> Op:
    """So much more of the loan's outstanding principal is owed to a claim."""
    return Add(loan_id, f"held.{claim_id}", amount_fen)
