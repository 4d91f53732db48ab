"""The view of claims: who holds how much of which loan, and what it has brought him. Each document is one claim.

An investor reads in it the loans that he holds claims in. A loan's stream alone writes its claims; of what was settled in kind an asset's
sale tells what came of it, in sums. A claim that is sold, whole
or in part, goes on as a new one of its buyer: so each document has one holder for ever, and what it brought is what it brought him.
"""

from collections.abc import Sequence

from libs.events.assets import AssetDisposed
from libs.events.bidding import ClaimTerms
from libs.events.claims import ClaimReserved, ClaimTransferred, ReservationReleased
from libs.events.compensation import ClaimsSubrogated, SubrogatedClaim
from libs.events.corrections import LoanRestated
from libs.events.in_kind import DebtSettledInKind
from libs.events.records import RecordedEvent
from libs.events.repayment import LoanOpened, RepaymentDistributed
from libs.events.views import Add, Op, Set, View
from services.repayment.projections import receipts, restated


def project(event: RecordedEvent) -> Sequence[Op]:
    """Changes of the loan's claims; amounts in fen."""
    match event.data:
        case LoanOpened() as loan:
            return [op for claim in loan.claims for op in _opened(loan.loan_id, claim, event)]
        case RepaymentDistributed() as shared:
            return [
                op
                for line in shared.lines
                for op in (
                    Add(line.claim_id, "outstanding_fen", -line.principal_fen),
                    Add(line.claim_id, "principal_back_fen", line.principal_fen),
                    Add(line.claim_id, "interest_fen", line.interest_fen),
                    Add(line.claim_id, "penalty_fen", line.penalty_fen),
                    Add(line.claim_id, "fee_fen", line.fee_fen),
                    *receipts.received(line, shared.value_date),
                    Set(line.claim_id, f"src.{event.stream}", event.address),
                )
            ]
        case DebtSettledInKind() as settled:
            return [
                op
                for share in settled.shares
                for op in (
                    Add(share.claim_id, "outstanding_fen", -share.principal_fen),
                    Add(share.claim_id, "in_kind_fen", share.amount_fen),
                    Add(share.claim_id, "assets_kept", 1),
                    Set(share.claim_id, f"src.{event.stream}", event.address),
                )
            ]
        case AssetDisposed() as sale:
            return [
                op
                for share in sale.lines
                if share.part == "holder"
                for op in (
                    Add(share.line_id, "assets_kept", -1),
                    Add(share.line_id, "in_kind_back_fen", share.amount_fen),
                    Set(share.line_id, f"src.{event.stream}", event.address),
                )
            ]
        case LoanRestated() as loan:
            owed = {claim.claim_id for claim in loan.standing.claims}
            # Of a claim that was sold whole something may be its seller's again.
            whole = (Set(each.claim_id, "sold_whole", each.claim_id not in owed) for each in loan.claims)
            sources = (Set(change.claim_id, f"src.{event.stream}", event.address) for change in loan.claims)
            return [*restated.claims(loan), *receipts.restated(loan), *whole, *sources]
        case ClaimReserved() as reserved:
            return _reserved(reserved.claim_id, reserved.offer_id, event)
        case ReservationReleased() as released:
            return _reserved(released.claim_id, None, event)
        case ClaimTransferred() as sold:
            return [
                Add(sold.sold_claim_id, "outstanding_fen", -sold.claim.principal_fen),
                Add(sold.sold_claim_id, "sold_fen", sold.claim.principal_fen),
                Set(sold.sold_claim_id, "sold_whole", sold.left_fen == 0),
                *_reserved(sold.sold_claim_id, None, event),
                *_opened(sold.loan_id, sold.claim, event),
            ]
        case ClaimsSubrogated() as paid_for:
            return [
                *_opened(paid_for.loan_id, paid_for.claim, event),
                Set(paid_for.claim.claim_id, "compensation_id", paid_for.compensation_id),
            ]
        case _:
            return []


def _reserved(claim_id: str, offer_id: str | None, event: RecordedEvent) -> Sequence[Op]:
    return [
        Set(claim_id, "offer_id", offer_id),
        Set(claim_id, f"src.{event.stream}", event.address),
    ]


def _opened(loan_id: str, claim: ClaimTerms | SubrogatedClaim, event: RecordedEvent) -> Sequence[Op]:
    claim_id = claim.claim_id
    return [
        Set(claim_id, "claim_id", claim_id),
        Set(claim_id, "loan_id", loan_id),
        Set(claim_id, "investor", claim.investor),
        Set(claim_id, "account_id", claim.account_id),
        Set(claim_id, "principal_fen", claim.principal_fen),
        Add(claim_id, "outstanding_fen", claim.principal_fen),
        Set(claim_id, "offer_id", None),
        *(
            Add(claim_id, name, 0)
            for name in ("principal_back_fen", "interest_fen", "penalty_fen", "fee_fen", "sold_fen")
        ),
        Set(claim_id, f"src.{event.stream}", event.address),
    ]


VIEW = View(
    name="repayment.claims",
    version=5,
    reads=(
        LoanOpened,
        RepaymentDistributed,
        ClaimReserved,
        ReservationReleased,
        ClaimTransferred,
        ClaimsSubrogated,
        LoanRestated,
        DebtSettledInKind,
        AssetDisposed,
    ),
    project=project,
    owner_field="investor",
    indexes=("investor", "loan_id"),
)
