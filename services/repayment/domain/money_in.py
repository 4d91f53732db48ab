"""Money on its way into a loan, before anything is decided of it: a room of its own, for whoever takes a part of it first."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Money:
    """Money that has left an account for this loan."""

    payment_id: str
    account_id: str
    amount_fen: int
    value_date: date
    payer: str = ""
    """Who pays, empty for the borrower."""
