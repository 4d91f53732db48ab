"""To whom what is paid on which instalment goes: a guarantor all that is paid on those he paid for, the holders the rest by their shares."""

from collections.abc import Collection, Sequence

from libs.events.repayment import AllocationLine, DistributionLine
from services.repayment.domain.distribution import distribute
from services.repayment.domain.guarantee import by_owner
from services.repayment.domain.loan_state import Claim, Running, shared_by
from services.repayment.domain.profile import Rules


def shares(rules: Rules, state: Running, paid: Sequence[AllocationLine]) -> tuple[DistributionLine, ...]:
    """The lines of a distribution: the holders' in claim order, then the guarantor's, who bears no fee on interest."""
    parts = by_owner(state.guarantee.subrogated if state.guarantee else (), paid)
    shared = _of_holders(rules, state, parts[None], parts.keys())
    own = (_of_guarantor(claim, parts[claim.claim_id]) for claim in state.claims if claim.claim_id in parts)
    return (*shared, *(part for part in own if part is not None))


def _of_holders(
    rules: Rules, state: Running, paid: Sequence[AllocationLine], his: Collection[str | None]
) -> tuple[DistributionLine, ...]:
    principal_fen = sum(line.principal_fen for line in paid)
    interest_fen = sum(line.interest_fen for line in paid)
    penalty_fen = sum(line.penalty_fen for line in paid)
    if not principal_fen + interest_fen + penalty_fen:
        return ()
    holders = [claim for claim in shared_by(state) if claim.claim_id not in his]
    return distribute(
        principal_fen,
        interest_fen,
        holders,
        state.interest_fee_permille,
        rules.rounding,
        penalty_fen=penalty_fen,
    )


def _of_guarantor(claim: Claim, paid: Sequence[AllocationLine]) -> DistributionLine | None:
    principal_fen = sum(line.principal_fen for line in paid)
    interest_fen = sum(line.interest_fen for line in paid)
    penalty_fen = sum(line.penalty_fen for line in paid)
    if not principal_fen + interest_fen + penalty_fen:
        return None
    return DistributionLine(
        claim_id=claim.claim_id,
        account_id=claim.account_id,
        investor=claim.investor,
        principal_fen=principal_fen,
        interest_fen=interest_fen,
        fee_fen=0,
        penalty_fen=penalty_fen,
    )
