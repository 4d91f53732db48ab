"""To whom a payment goes: every holder of the moment his share, the platform its fee on the interest, nothing lost.

No standard for the split was found (rules.md 1.1, "lender split"), so it is stated: floor to the fen, left-over fen by
largest remainder, then by claim order; principal, interest and penalty each by outstanding principal. Penalty interest is the
holders' whole, because it is their money that is late: the platform's fee is taken on interest only *(chosen)*.
"""

from collections.abc import Sequence
from typing import Protocol

from libs.events.money import Rounding, divide_fen, split_fen
from libs.events.repayment import DistributionLine


class Holder(Protocol):
    """A claim as the split sees it; `principal_fen` is what it is still owed."""

    @property
    def claim_id(self) -> str: ...
    @property
    def account_id(self) -> str: ...
    @property
    def investor(self) -> str: ...
    @property
    def principal_fen(self) -> int: ...


def distribute(
    principal_fen: int,
    interest_fen: int,
    claims: Sequence[Holder],
    fee_permille: int,
    mode: Rounding,
    *,
    penalty_fen: int = 0,
) -> tuple[DistributionLine, ...]:
    """Split a payment's principal, interest and penalty among `claims` (in claim order) by their outstanding principal.

    A holder's fee is round(his interest · permille / 1000) and never exceeds it; he is credited principal + interest +
    penalty − fee. No claim gets more principal than it is owed while `principal_fen` does not exceed their sum. Lines of nothing
    are left out. Raises ValueError when no claim has principal left.
    """
    weights = [claim.principal_fen for claim in claims]
    shares = zip(
        claims,
        split_fen(principal_fen, weights),
        split_fen(interest_fen, weights),
        split_fen(penalty_fen, weights),
        strict=True,
    )
    return tuple(
        DistributionLine(
            claim_id=claim.claim_id,
            account_id=claim.account_id,
            investor=claim.investor,
            principal_fen=principal,
            interest_fen=interest,
            fee_fen=divide_fen(interest * fee_permille, 1000, mode),
            penalty_fen=penalty,
        )
        for claim, principal, interest, penalty in shares
        if principal or interest or penalty
    )
