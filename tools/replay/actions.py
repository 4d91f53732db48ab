"""What people do on a business date, as data: the plan makes it, the driver turns each into requests.

Every action carries the key that its request will carry, so sending it again is always safe.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum

from tools.replay.people import Person


@dataclass(frozen=True, slots=True)
class Join:
    """Somebody registers and is verified, whereupon he has a custody account. `user` is his name in the plan.

    He comes alone, brought by a customer (`referrer`), or to the desk of a member of staff (`helper`).
    """

    key: str
    user: str
    person: Person
    referrer: str | None = None
    helper: str | None = None


@dataclass(frozen=True, slots=True)
class Assess:
    """An investor answers the suitability questionnaire: one number from 1 to 5 per question."""

    key: str
    user: str
    answers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TopUp:
    """A user asks the bank for money, and the bank's signed call-back says that it has come.

    `ahead`: it may come the evening before, while that day is being closed, because nothing else can take it.
    """

    key: str
    user: str
    amount_fen: int
    ahead: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """What a borrower asks for and the committee grants: amounts in fen, the rate per year, the platform's grade."""

    amount_fen: int
    annual_rate: Decimal
    tenor_months: int
    grade: str
    origination_fee_fen: int
    interest_fee_permille: int


class Stage(Enum):
    """The steps of an application in their order, each on a day of its own, each by the people whose post it is."""

    SUBMIT = "submit"
    INTAKE = "intake"
    REVIEW = "review"
    REPORT = "report"
    CONVENE = "convene"
    VOTE = "vote"
    ACCEPT = "accept"
    PRECEDENTS = "precedents"


@dataclass(frozen=True, slots=True)
class Apply:
    """One step of the application for a loan; with the last one its listing opens. `loan` is the book's number."""

    key: str
    user: str
    loan: str
    stage: Stage
    terms: Terms


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
    """A borrower has his loan paid out as soon as it is there, and the bank confirms."""

    key: str
    user: str
    loan: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Pay:
    """A borrower pays on his loan by himself; `settle` = all of it, early."""

    key: str
    user: str
    loan: str
    amount_fen: int
    settle: bool


@dataclass(frozen=True, slots=True)
class CallIn:
    """A borrower who missed instalment `number` rings up; his collector takes down what he promises to pay until a date.

    `keeps`: whether he will.
    """

    key: str
    user: str
    loan: str
    number: int
    amount_fen: int
    promised_on: date
    keeps: bool


@dataclass(frozen=True, slots=True)
class Dun:
    """A collector writes to the borrower of a case that has come to a later stage; the supervisor may give it to him."""

    key: str
    user: str
    loan: str
    stage: str
    assigned: bool


Action = Join | Assess | TopUp | Apply | Bid | AwaitFunded | Withdraw | Pay | CallIn | Dun


def step_of(action: Action) -> int:
    """The order within a day: whatever has a lower step is done before; equal steps may run together."""
    match action:
        case Join() | CallIn():
            return 0
        case TopUp() | Assess():
            return 1
        case Bid(closing=False) | Pay() | Apply() | Dun():
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
