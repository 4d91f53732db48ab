"""Who holds how much of a loan, beside its rows: what the expectation of a holder's payments is computed from.

It is a part of the loan's own document: its stream writes both, so rows and holders are of one moment.
"""

from collections.abc import Sequence

from libs.events.claims import ClaimTransferred
from libs.events.compensation import ClaimsSubrogated
from libs.events.in_kind import DebtSettledInKind
from libs.events.repayment import LoanOpened, RepaymentDistributed
from libs.events.views import Add, Op, Unset


def opened(loan: LoanOpened) -> Sequence[Op]:
    """Every claim is owed what was lent."""
    return [_held(loan.loan_id, claim.claim_id, claim.principal_fen) for claim in loan.claims]


def distributed(shared: RepaymentDistributed) -> Sequence[Op]:
    """Every holder is owed his part of the principal less."""
    return [_held(shared.loan_id, line.claim_id, -line.principal_fen) for line in shared.lines]


def settled(in_kind: DebtSettledInKind) -> Sequence[Op]:
    """What an asset stands for is owed no more."""
    return [_held(in_kind.loan_id, share.claim_id, -share.principal_fen) for share in in_kind.shares]


def transferred(sold: ClaimTransferred) -> Sequence[Op]:
    """What was sold is owed to the buyer's new claim; a claim that was sold whole is nobody's any more, so it goes."""
    amount_fen = sold.claim.principal_fen
    seller = (
        _held(sold.loan_id, sold.sold_claim_id, -amount_fen)
        if sold.left_fen
        else Unset(sold.loan_id, _at(sold.sold_claim_id))
    )
    return [seller, _held(sold.loan_id, sold.claim.claim_id, amount_fen)]


def repaid(loan_id: str) -> Op:
    """Nobody is owed anything."""
    return Unset(loan_id, "held")


def passed(change: ClaimTransferred | ClaimsSubrogated) -> Sequence[Op]:
    """A claim is somebody else's: he bought it, or paid for it as a guarantor."""
    return transferred(change) if isinstance(change, ClaimTransferred) else subrogated(change)


def subrogated(paid_for: ClaimsSubrogated) -> Sequence[Op]:
    """The guarantor's new claim; the distribution of the same record makes the others less."""
    return [_held(paid_for.loan_id, paid_for.claim.claim_id, paid_for.principal_fen)]


def _held(loan_id: str, claim_id: str, amount_fen: int) -> Op:
    """So much more of the loan's outstanding principal is owed to a claim."""
    return Add(loan_id, _at(claim_id), amount_fen)


def _at(claim_id: str) -> str:
    return f"held.{claim_id}"
