"""What the sale of an asset brings to whom: its cost, then the holders at their shares, then the debtor where that was agreed.

The holders get what they gave up of the debt at most, and the rest is the debtor's; where that was not agreed, all of it is theirs. What
a sale does not bring is their loss. Nothing of it is the platform's (domain.md section 9).
"""

from libs.events.assets import ProceedsLine
from libs.events.money import split_fen
from services.repayment.domain.asset_state import Asset, Disposal


def proceeds(asset: Asset, disposal: Disposal) -> tuple[ProceedsLine, ...]:
    """The whole price in lines (fen): a holder's line stands there when it brings nothing, too, because his principal ends by it."""
    left_fen = disposal.price_fen - disposal.cost_fen
    weights = [share.amount_fen for share in asset.shares]
    held_fen = min(left_fen, sum(weights)) if asset.remainder_to_debtor else left_fen
    lines = [
        ProceedsLine(
            line_id=share.claim_id,
            part="holder",
            account_id=share.account_id,
            amount_fen=fen,
            principal_fen=share.principal_fen,
        )
        for share, fen in zip(asset.shares, split_fen(held_fen, weights), strict=True)
    ]
    if disposal.cost_fen:
        cost = ProceedsLine(
            line_id="cost", part="cost", account_id=disposal.cost_account, amount_fen=disposal.cost_fen
        )
        lines.insert(0, cost)
    if left_fen > held_fen:
        lines.append(
            ProceedsLine(
                line_id="debtor",
                part="debtor",
                account_id=asset.borrower_account,
                amount_fen=left_fen - held_fen,
            )
        )
    return tuple(lines)
