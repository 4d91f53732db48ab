"""Whose the two ends of an asset's sale may be: who buys it, and whom its cost is paid to, of how much at most.

What a sale costs comes before the holders, so whoever decides about it has no part in it, nor has anybody who is a party already: a debtor,
a holder or a buyer who was paid the "cost" would have the holders' price. Of a price a fifth at most *(chosen: an auctioneer asks up to
5 % where nothing else was agreed, Auction Law art. 56; the rest is for valuing, keeping, moving and duties; a sale that costs more brings its
holders little, and is no better than keeping it)*.
"""

from typing import Protocol

from libs.events.deciding import Refused
from libs.events.platform import PLATFORM_ACCOUNTS
from services.repayment.domain.asset_state import Asset
from services.repayment.domain.himself import is_his, require_other_payee
from services.repayment.domain.profile import Rules


class Sale(Protocol):
    """A sale, proposed or about to be."""

    @property
    def price_fen(self) -> int: ...
    @property
    def cost_fen(self) -> int: ...
    @property
    def cost_account(self) -> str: ...
    @property
    def buyer_account(self) -> str: ...


def require_parties(rules: Rules, sale: Sale, asset: Asset) -> None:
    """Refused: `forbidden_buyer`, `forbidden_payee`, `cost_too_high`."""
    if sale.buyer_account in (asset.borrower_account, *PLATFORM_ACCOUNTS):
        raise Refused("forbidden_buyer")
    holders = [share.account_id for share in asset.shares]
    if sale.cost_account in (sale.buyer_account, asset.borrower_account, *holders, *PLATFORM_ACCOUNTS):
        raise Refused("forbidden_payee")
    if sale.cost_fen * 1000 > sale.price_fen * rules.disposal_cost_permille:
        raise Refused("cost_too_high")


def require_neither_end(sale: Sale, himself: str | None) -> None:
    """Nobody proposes or signs what he buys, nor what he is paid. Refused: `forbidden_buyer`, `forbidden_payee`."""
    if is_his(sale.buyer_account, himself):
        raise Refused("forbidden_buyer")
    require_other_payee(sale.cost_account, himself)
