"""Documents of views as MongoDB gives them back."""

from typing import Any


def listing(number: int, state: str = "open") -> dict[str, Any]:
    """A document of bidding.open-listings."""
    return {
        "_id": f"lst_{number}",
        "listing_id": f"lst_{number}",
        "loan_id": f"loan_{number}",
        "borrower": "usr_secret",
        "state": state,
        "amount_fen": 100_000,
        "bid_min_fen": 10_000,
        "raised_fen": 0,
        "remaining_fen": 100_000,
        "bids": 0,
        "annual_rate": "0.12",
        "rate_units": 12_000_000,
        "tenor_months": 12,
        "grade": "B",
        "product": "",
        "region": "",
        "closes_on": "2024-03-25",
        "origination_fee_fen": 0,
        "interest_fee_permille": 100,
        "src": {"lst_1": "bidding/0/1/0"},
    }
