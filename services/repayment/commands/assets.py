"""Commands about assets taken in settlement: the loan hands one over, staff keep, count and sell it, bidding says whether it was paid."""

from datetime import date

from libs.events.assets import DisposalManner, DisposalStep
from libs.events.codec import command
from libs.events.in_kind import AssetShare, SettlementInKind
from libs.events.money import Count, PositiveFen
from libs.events.onboarding import Code, Reference


@command("repayment.TakeAsset")
class TakeAsset:
    """A loan was settled by it. No effect once it is in the register."""

    asset_id: str
    loan_id: str
    measure_id: str
    borrower: str
    borrower_account: str
    terms: SettlementInKind
    settled_fen: PositiveFen
    excess_fen: Count
    shares: tuple[AssetShare, ...]
    taken_on: date
    product: str
    region: str


@command("repayment.CountAsset")
class CountAsset:
    """Somebody has looked for it. No effect for the same again on the same day.

    Refused: `unknown_asset`, `asset_disposed`, `forbidden_not_staff`.
    """

    found: bool
    paper: Reference


@command("repayment.RecordFailedAuction")
class RecordFailedAuction:
    """A public auction with this reserve brought nothing. No effect for the same report.

    Refused: `unknown_asset`, `asset_disposed`, `forbidden_not_staff`.
    """

    reserve_fen: PositiveFen
    report: Reference


@command("repayment.ProposeDisposal")
class ProposeDisposal:
    """Propose to sell it. No effect for the same again.

    Refused: `unknown_asset`, `asset_disposed`, `forbidden_not_staff`, `disposal_under_way`, `reserve_missing` (an auction has a
    reserve price, nothing else has), `below_reserve`, `auction_first` (no auction failed, and no reason is given), `cost_too_high`
    (more than a fifth of the price), `invalid_cost` (a cost has an account, none has not), `invalid_account`, `forbidden_buyer` (the debtor buys nothing
    back, nor does whoever proposes it: `himself`, as a customer, nor the platform), `forbidden_payee` (its cost is paid to none of these, nor to a
    holder or the buyer), `forbidden_borrower`, `forbidden_holder` (he gave it, or has a share in it).
    """

    disposal_id: str
    manner: DisposalManner
    price_fen: PositiveFen
    buyer_account: str
    paper: Reference
    reserve_fen: PositiveFen | None = None
    cost_fen: Count = 0
    cost_account: str = ""
    reason: Code | None = None
    himself: str | None = None


@command("repayment.SignDisposal")
class SignDisposal:
    """Agree to a sale by the post of a step, or refuse it (`refused`, a code), which ends it. `himself` is the signer as a customer. No
    effect for the same again.

    Refused: `unknown_asset`, `forbidden_not_staff`, `no_disposal` (none that waits), `step_out_of_order`, `disposal_expired` (its days to sign are over),
    `forbidden_second_signature` (he proposed it, or signed another step), `forbidden_buyer` (he is the buyer),
    `forbidden_payee` (its cost is paid to him), `forbidden_borrower` (he gave it), `forbidden_holder` (he has a share in it); whoever agrees
    also `forbidden_buyer`, `forbidden_payee`, `cost_too_high` of what was proposed before these were looked at.
    """

    disposal_id: str
    step: DisposalStep
    refused: Code | None = None
    himself: str | None = None


@command("repayment.RecordDisposal")
class RecordDisposal:
    """The buyer has paid. No effect once it is disposed of. Refused: `unknown_asset`, `no_disposal`."""

    disposal_id: str


@command("repayment.DeclineDisposal")
class DeclineDisposal:
    """The buyer does not pay (`code`). No effect for one that has ended. Refused: `unknown_asset`."""

    disposal_id: str
    code: Code
