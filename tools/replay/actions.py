"""What people do on a business date, as data: the plan makes it, the driver turns each into requests.

Every action carries the key that its request will carry, so sending it again is always safe.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class OpenAccount:
    """A user opens his custody account."""

    key: str
    user: str


@dataclass(frozen=True, slots=True)
class TopUp:
    """A user asks the bank for money, and the bank's signed call-back says that it has come."""

    key: str
    user: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class OpenListing:
    """An operator opens the loan request of a borrower. `loan` is the book's number."""

    key: str
    loan: str
    borrower: str
    amount_fen: int
    annual_rate: Decimal
    tenor_months: int
    grade: str
    origination_fee_fen: int
    interest_fee_permille: int


@dataclass(frozen=True, slots=True)
class Bid:
    """An investor bids on a loan's listing. `closing`: an odd amount, good only as the last one."""

    key: str
    user: str
    loan: str
    amount_fen: int
    closing: bool


@dataclass(frozen=True, slots=True)
class AwaitFunded:
    """Nobody does anything until the loan's money is collected: it must carry this business date."""

    key: str
    loan: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """A user has money paid out as soon as it is there, and the bank confirms."""

    key: str
    user: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Pay:
    """A borrower pays on his loan by himself; `settle` = all of it, early."""

    key: str
    user: str
    loan: str
    amount_fen: int
    settle: bool


Action = OpenAccount | TopUp | OpenListing | Bid | AwaitFunded | Withdraw | Pay


def step_of(action: Action) -> int:
    """The order within a day: whatever has a lower step is done before; equal steps may run together."""
    match action:
        case OpenAccount():
            return 0
        case TopUp() | OpenListing():
            return 1
        case Bid(closing=False) | Pay():
            return 2
        case Bid():
            return 3
        case AwaitFunded():
            return 4
        case Withdraw():
            return 5


def in_steps(actions: Iterable[Action]) -> tuple[tuple[Action, ...], ...]:
    """The actions of a day by step, in order; empty steps are left out."""
    steps: dict[int, list[Action]] = {}
    for action in actions:
        steps.setdefault(step_of(action), []).append(action)
    return tuple(tuple(steps[number]) for number in sorted(steps))
