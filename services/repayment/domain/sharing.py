"""To whom what is paid on which instalment goes: a guarantor all that is paid on those he paid for, the holders the rest by their shares."""

from collections.abc import Sequence

from libs.events.repayment import AllocationLine, DistributionLine
from services.repayment.domain.distribution import distribute
from services.repayment.domain.guarantee import Subrogated
from services.repayment.domain.loan_state import Claim, Running, shared_by
from services.repayment.domain.profile import Rules


def shares(rules: Rules, state: Running, paid: Sequence[AllocationLine]) -> tuple[DistributionLine, ...]:
    """The lines of a distribution: the holders' in claim order, then the guarantor's, who bears no fee on interest."""
    subrogated = state.guarantee.subrogated if state.guarantee else ()
    his = {each.claim_id for each in subrogated}
    rest = [line for line in paid if not any(each.holds(line.number) for each in subrogated)]
    parts = [_of_guarantor(each, state.claims, paid) for each in subrogated]
    return (*_of_holders(rules, state, rest, his), *(part for part in parts if part is not None))


def _of_holders(
    rules: Rules, state: Running, paid: Sequence[AllocationLine], his: Sequence[str] | set[str]
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


def _of_guarantor(
    subrogated: Subrogated, claims: Sequence[Claim], paid: Sequence[AllocationLine]
) -> DistributionLine | None:
    lines = [line for line in paid if subrogated.holds(line.number)]
    principal_fen = sum(line.principal_fen for line in lines)
    interest_fen = sum(line.interest_fen for line in lines)
    penalty_fen = sum(line.penalty_fen for line in lines)
    claim = next((claim for claim in claims if claim.claim_id == subrogated.claim_id), None)
    if claim is None or not principal_fen + interest_fen + penalty_fen:
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
