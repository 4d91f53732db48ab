"""Commands to accounts about an asset taken in settlement: its buyer pays, and what he paid goes to those who have shares in it."""

from libs.events.assets import ProceedsLine
from libs.events.codec import command
from libs.events.money import PositiveFen


@command("bidding.DebitAssetSale")
class DebitAssetSale:
    """The whole price is taken, or nothing and it is declined by event (`insufficient_available`, `account_closed`,
    `owner_deceased`). No effect for what was taken. Refused: `unknown_account`."""

    asset_id: str
    loan_id: str
    disposal_id: str
    amount_fen: PositiveFen


@command("bidding.CreditAssetProceeds")
class CreditAssetProceeds:
    """A line of what a sale brought. Refused: `unknown_account`, `amount_too_large`."""

    asset_id: str
    loan_id: str
    disposal_id: str
    line: ProceedsLine
