"""The view `bidding.lent`: what lenders paid for their claims and have not got back, beside what the claims' own register says.

The first is money that moved here, the second what `repayment` keeps: two services, which agree whenever nothing is on its way
between them. `all` is the sum, one document per loan says where a difference is.
"""

from collections.abc import Sequence

from libs.events.adjustments import AdjustmentBooked
from libs.events.assets import AssetDisposed, AssetProceedsCredited
from libs.events.bidding import HoldCaptured, InvestorCredited
from libs.events.compensation import ClaimsSubrogated, SubrogationRecorded
from libs.events.corrections import LoanRestated
from libs.events.records import RecordedEvent
from libs.events.repayment import LoanOpened, RepaymentDistributed
from libs.events.views import Add, Op, View


def project(event: RecordedEvent) -> Sequence[Op]:
    """Principal in an asset is lent until the asset is sold. A part that is paid, a claim that is entered, a guarantor's too, principal that comes back, and what corrections make of it, on
    both sides."""
    match event.data:
        case HoldCaptured() as data:
            field, amount_fen = "ledger_fen", data.amount_fen
        case InvestorCredited() as data:
            field, amount_fen = "ledger_fen", -data.principal_fen
        case SubrogationRecorded() as data:
            field, amount_fen = "ledger_fen", data.principal_fen
        case ClaimsSubrogated() as data:
            field, amount_fen = "register_fen", data.principal_fen
        case AdjustmentBooked() as data:
            field, amount_fen = "ledger_fen", -data.line.principal_fen
        case LoanRestated() as data:
            field, amount_fen = "register_fen", data.principal_after_fen - data.principal_before_fen
        case AssetProceedsCredited() as data:
            field, amount_fen = "ledger_fen", -data.principal_fen
        case AssetDisposed() as data:
            field, amount_fen = "register_fen", -sum(line.principal_fen for line in data.lines)
        case LoanOpened() as data:
            field, amount_fen = "register_fen", sum(claim.principal_fen for claim in data.claims)
        case RepaymentDistributed() as data:
            field, amount_fen = "register_fen", -data.principal_fen
        case _:
            raise TypeError(f"{event.type} is not read by this view")
    return [Add("all", field, amount_fen), Add(f"loan:{data.loan_id}", field, amount_fen)]


VIEW = View(
    name="bidding.lent",
    version=3,
    reads=(
        HoldCaptured,
        InvestorCredited,
        SubrogationRecorded,
        AdjustmentBooked,
        LoanOpened,
        RepaymentDistributed,
        ClaimsSubrogated,
        LoanRestated,
        AssetProceedsCredited,
        AssetDisposed,
    ),
    project=project,
)
