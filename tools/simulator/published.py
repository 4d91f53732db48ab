"""The fees that the platform has published, kept once more by hand: what a listing costs beside them is found."""

from datetime import date
from typing import Any, Final

from tools.simulator.loan_books import require

#: Per mille of the amount up front, of the interest, and of the amount with each instalment, by version and product.
_PUBLISHED: Final = {
    (1, "consumer"): (2, 100, 0),
    (1, "business"): (3, 100, 0),
    (2, "consumer"): (2, 100, 0),
    (2, "business"): (3, 100, 0),
    (2, "bridge"): (2, 100, 0),
    (2, "seasonal"): (2, 100, 1),
    (2, "instalment_plan"): (0, 100, 0),
}
_SINCE: Final = date(2016, 8, 24)


def costs_what_is_published(where: str, told: Any, on: date) -> None:
    """Whether a disclosure's fees are those of the version that it names."""
    if on < _SINCE:
        require(told["fees_version"] == 0, f"{where}: fees are published before there are any")
        return
    fees = _PUBLISHED.get((told["fees_version"], told["product"]))
    require(fees is not None, f"{where}: {told['product']} has no published fee")
    assert fees is not None
    up_front = (2 * told["amount_fen"] * fees[0] + 1_000) // 2_000
    period = told["repayment"]["period_fee_permille"] if told["repayment"] else 0
    asked = (told["origination_fee_fen"], told["interest_fee_permille"], period)
    require(asked == (up_front, *fees[1:]), f"{where}: fees {asked} are not the published ones")
