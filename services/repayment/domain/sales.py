"""Claims as the journal's sales tell them: the buyer's, and the seller's, of which a correction may leave something his (docs/decisions/0024)."""

from collections.abc import Iterable

from services.repayment.domain.holding import Claim
from services.repayment.domain.journal_entries import Entry, Sale


def bought(sale: Sale) -> Claim:
    """What the buyer has."""
    return Claim(
        order=sale.order,
        claim_id=sale.claim_id,
        account_id=sale.account_id,
        investor=sale.investor,
        principal_fen=sale.principal_fen,
    )


def sellers(entries: Iterable[Entry]) -> tuple[Claim, ...]:
    """Every claim of which something was sold, as if nothing were left of it."""
    return tuple(
        Claim(
            order=sale.sold_order,
            claim_id=sale.sold_claim_id,
            account_id=sale.seller_account,
            investor=sale.seller,
            principal_fen=0,
        )
        for sale in entries
        if isinstance(sale, Sale)
    )
