"""以资抵债: a debt is settled by a thing instead of money. What is agreed of it stands in its measure's terms and in the asset's file (F19).

The loan's lenders hold the asset together from there on, each with a share; the platform never has one (domain.md section 9).
"""

from datetime import date
from typing import Literal

from libs.events.codec import event, record
from libs.events.money import Count, PositiveFen
from libs.events.onboarding import Reference
from libs.events.overdue import OverduePrincipal
from libs.events.repayment import AllocationLine

AssetKind = Literal["real_estate", "shares", "rights", "movables"]


@record
class SettlementInKind:
    """An asset takes the place of `agreed_fen` of the debt: valued at `valued_fen` by `valuer` on a day, by the agreement or award that
    has been in force since `acquired_on`. `cash_impossible` is the paper that no cash is to be had, `keeper` who keeps the thing.

    What it brings beyond the debt is the debtor's only where that was agreed. Rights end with `valid_to`.
    """

    asset: AssetKind
    agreed_fen: PositiveFen
    valued_fen: PositiveFen
    valued_on: date
    valuer: Reference
    valuation: Reference
    ground: Literal["agreement", "award"]
    acquired_on: date
    title: Reference
    keeper: Reference
    cash_impossible: Reference
    remainder_to_debtor: bool = False
    valid_to: date | None = None
    kind: Literal["settlement_in_kind"] = "settlement_in_kind"


@record
class AssetShare:
    """What one holder gave up of the debt, and so his share in the asset (fen); `principal_fen` of it was principal."""

    claim_id: str
    account_id: str
    investor: str
    amount_fen: PositiveFen
    principal_fen: Count
    interest_fen: Count
    penalty_fen: Count


@event("repayment.DebtSettledInKind.v1")
class DebtSettledInKind:
    """On the loan: `settled_fen` of the debt is owed no more, by `lines` as a payment's, and no money moves. Each holder's share of it is
    his share in the asset. `excess_fen` of the agreed value is more than was owed; what was not covered stays owed. `guarantor` stands in for
    no more than that, empty for none."""

    loan_id: str
    borrower: str
    borrower_account: str
    measure_id: str
    asset_id: str
    terms: SettlementInKind
    settled_fen: PositiveFen
    excess_fen: Count
    lines: tuple[AllocationLine, ...]
    shares: tuple[AssetShare, ...]
    principal_before_fen: Count
    principal_after_fen: Count
    overdue_after_fen: Count
    dpd: Count
    bucket: str
    settled_on: date
    product: str = ""
    region: str = ""
    guarantor: str = ""
    overdue_principal: OverduePrincipal | None = None
