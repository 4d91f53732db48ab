"""What people read of an asset, and of the loan and claims that it took the place of."""

from typing import Any

from services.repayment.api.asset_shapes import AssetOut
from services.repayment.projections.assets import VIEW as ASSETS
from services.repayment.projections.claims import VIEW as CLAIMS
from services.repayment.projections.loans import VIEW as LOANS
from services.repayment.projections.overdue_buckets import VIEW as BUCKETS
from tests.unit.documents import documents, history, nested
from tests.unit.repayment import asset_story as a


def _shown(view: Any, stream: str, *events: Any) -> dict[str, Any]:
    return documents(view, history(stream, *events))


def _whole(*events: Any) -> Any:
    return nested("ast_1", _shown(ASSETS, "ast_1", *events)["ast_1"])


def test_an_asset_is_shown_from_its_taking_to_its_price() -> None:
    """By when it is counted and sold, whose signature its sale waits for, what it brought to whom; or why a sale came to nothing."""
    shown = AssetOut.of(_whole(a.TAKEN, a.NO_BID, a.MISSED, a.OVERDUE))
    assert (shown.stage, shown.counts_missed, shown.is_overdue) == ("kept", 1, True)
    assert shown.failed_auctions == {"2024-03-15": 50_000}
    sold = (*a.ON_SALE, a.BY_FAY)
    assert _shown(ASSETS, "ast_1", *sold)["ast_1"]["stage"] == "general_manager"
    assert _shown(ASSETS, "ast_1", *a.SIGNED)["ast_1"]["stage"] == "payment"
    gone = AssetOut.of(_whole(*a.SIGNED, a.DISPOSED))
    assert (gone.stage, gone.price_fen, gone.loss_fen) == ("disposed", 30_001, 5_001)
    assert sum(gone.proceeds.values()) == 30_001
    kept = _shown(ASSETS, "ast_1", *a.ON_SALE, a.NO)["ast_1"]
    assert (kept["stage"], kept["code"], kept["disposal"]) == ("kept", "price_too_low", None)


def test_a_loan_and_its_claims_are_less_by_what_was_settled() -> None:
    """The loan, each of its holders and its row of the book owe the same less, and say by which asset."""
    events = (*a.LATE, a.SETTLED)
    loan = _shown(LOANS, "loan_7", *events)["loan_7"]
    assert (loan["outstanding_fen"], loan["overdue_fen"]) == (66_998, 0)
    assert loan["rows.1.paid_principal_fen"] == 33_002
    assert loan["in_kind.ast_1"] == {
        "settled_on": "2024-03-15",
        "settled_fen": 34_002,
        "principal_fen": 33_002,
        "interest_fen": 1_000,
    }
    claims = _shown(CLAIMS, "loan_7", *events)
    assert sum(claim["outstanding_fen"] for claim in claims.values()) == 66_998
    assert sum(claim["in_kind_fen"] for claim in claims.values()) == 34_002
    assert all(claim["principal_back_fen"] == 0 for claim in claims.values())
    assert _shown(BUCKETS, "loan_7", *events)["bucket:current"]["principal_fen"] == 66_998
