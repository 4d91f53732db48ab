"""What each has had of a contract that is void, and what is left: all that was paid is principal (docs/decisions/0027)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from libs.events.corrections import AdjustingLine, ClaimChange
from libs.events.money import split_fen
from services.repayment.domain.journal_entries import Sale
from services.repayment.domain.loan_state import Running
from services.repayment.domain.replay_run import Got
from services.repayment.domain.replaying import Replayed


@dataclass(frozen=True, slots=True)
class Shares:
    """What is left of each claim, what each claim's history becomes, and what the borrower gets back (fen)."""

    left: dict[str, int]
    changes: tuple[ClaimChange, ...]
    returned_fen: int


def shares_of(live: Running, paid: Replayed, knew: Sequence[str] = ()) -> Shares:
    """What a void contract leaves of each claim: less by what its holder has had, and by his share of what others give back. Of that
    those who knew of an illegal purpose have a share only when nothing is left to the others.
    """
    owed = {claim.claim_id: claim.principal_fen for claim in live.claims}
    after = {name: owed.get(name, 0) - kept_fen(paid.got.get(name, Got())) for name in owed | paid.got}
    open_ = {name: fen for name, fen in after.items() if fen > 0}
    collected_fen = paid.platform_fen + sum(-fen for fen in after.values() if fen < 0)
    unprotected = {claim.claim_id for claim in live.claims if claim.investor in knew}
    spread_fen = min(collected_fen, sum(open_.values()))
    less = _spread(spread_fen, {name: fen for name, fen in open_.items() if name not in unprotected})
    less |= _spread(
        spread_fen - sum(less.values()), {name: fen for name, fen in open_.items() if name in unprotected}
    )
    left = {name: open_.get(name, 0) - less.get(name, 0) for name in owed}
    changes = (
        ClaimChange(
            claim_id=name,
            principal_fen=owed.get(name, 0) - left.get(name, 0),
            interest_fen=-got.interest_fen,
            penalty_fen=-got.penalty_fen,
            fee_fen=-got.fee_fen,
        )
        for name in after
        for got in [paid.got.get(name, Got())]
    )
    return Shares(left, tuple(filter(_is_change, changes)), collected_fen - spread_fen)


def _spread(amount_fen: int, open_: Mapping[str, int]) -> dict[str, int]:
    """At most so much among these claims, by their size."""
    parts = split_fen(min(amount_fen, sum(open_.values())), list(open_.values())) if open_ else ()
    return dict(zip(open_, parts, strict=True))


def kept_fen(got: Got) -> int:
    """What a claim's holder has had beside principal."""
    return got.interest_fen + got.penalty_fen - got.fee_fen


def _is_change(change: ClaimChange) -> bool:
    return any((change.principal_fen, change.interest_fen, change.penalty_fen, change.fee_fen))


def lines_of(live: Running, paid: Replayed, shares: Shares) -> tuple[AdjustingLine, ...]:
    """One line per account, the borrower's first; what a holder keeps moves nothing."""
    sold = {entry.sold_claim_id: entry.seller_account for entry in paid.entries if isinstance(entry, Sale)}
    accounts = sold | {claim.claim_id: claim.account_id for claim in live.claims}
    mine: dict[str, list[ClaimChange]] = {}
    for change in shares.changes:
        mine.setdefault(accounts[change.claim_id], []).append(change)
    lines = [_line(account_id, changes) for account_id, changes in mine.items()]
    back = [_line(live.borrower_account, (), shares.returned_fen)] if shares.returned_fen else []
    return (*back, *lines)


def _line(account_id: str, changes: Sequence[ClaimChange], returned_fen: int = 0) -> AdjustingLine:
    principal_fen = sum(change.principal_fen for change in changes)
    interest_fen = sum(change.interest_fen for change in changes)
    penalty_fen = sum(change.penalty_fen for change in changes)
    fee_fen = sum(change.fee_fen for change in changes)
    return AdjustingLine(
        account_id=account_id,
        principal_fen=principal_fen,
        interest_fen=interest_fen,
        penalty_fen=penalty_fen,
        fee_fen=fee_fen,
        returned_fen=returned_fen,
        amount_fen=principal_fen + interest_fen + penalty_fen - fee_fen + returned_fen,
    )
