"""What the books of standing orders keep of one order, one account that was asked, and one listing's service."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class OrderBook:
    """One order: whose, on which terms, paused or not, what it has spent on which listings."""

    owner: str
    terms: Any
    version: int = 1
    is_paused: bool = False
    misses: int = 0
    """Listings in a row that it could not pay for."""
    spent: dict[str, int] = field(default_factory=dict)
    """By listing, of those that have not come to nothing."""


@dataclass(slots=True)
class AskBook:
    """What an order was asked for, and what its account answered: an amount, or nothing (0)."""

    order: str
    owner: str
    most_fen: int
    keep_back_fen: int
    held_fen: int | None = None
    is_late: bool = False
    """Nobody waits for the account any more."""


@dataclass(slots=True)
class ServiceBook:
    """A listing's service: who stood in the queue when it began, how many of them had their turn, and who is asked now."""

    listing: str
    remaining_fen: int
    queue: list[str]
    turns: int = 0
    asks: dict[str, AskBook] = field(default_factory=dict)
    bids: list[str] = field(default_factory=list)
    """Holds whose bids the listing has not answered yet, in their turns."""
    placed: dict[str, int] = field(default_factory=dict)
    in_full: bool = False
    """Nobody who was asked last held anything, so all that are left are asked."""
