"""Bidding in one process, for specs that need many listings: real rules and real policies, commands in any order that is asked for."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

from libs.events.bidding import BidPlaced, FundsHeld
from libs.events.codec import name_of
from libs.events.deciding import Aggregate, Refused
from libs.events.records import RecordedEvent
from libs.events.standing import OrdersConsidered, OrderTerms
from libs.events.system import CommandRefused
from libs.events.topics import aggregate_of
from services.bidding.commands import ConfirmTopUp, OpenAccount, OpenListing, RequestTopUp
from services.bidding.commands.standing import QUEUE_STREAM, OpenStandingOrder
from services.bidding.domain import aggregates
from services.bidding.domain.profile import DEMO
from services.bidding.domain.standing_text import TEXT_HASH
from services.bidding.policies import POLICIES
from tests.unit.given import AT, TODAY, context

YUAN = 100


@dataclass
class Market:
    """Streams by name, and commands that wait: a random one is decided next, as if every stream lived in a partition of its own."""

    rng: Random
    states: dict[str, Any] = field(default_factory=dict)
    waiting: list[tuple[str, Any, str, dict[str, str]]] = field(default_factory=list)
    taken: Counter[str] = field(default_factory=Counter)
    """What listings took of each order, in fen."""
    turns: Counter[str] = field(default_factory=Counter)
    """How often each order spent."""
    events: list[Any] = field(default_factory=list)
    silent: str = ""
    """An account that does not decide until it speaks."""
    unheard: list[tuple[str, Any, str, dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._aggregates: dict[str, Aggregate] = {each.prefix: each for each in aggregates(DEMO)}

    def ask(self, stream: str, command: Any, who: str = "") -> None:
        """Somebody asks, and everything that follows happens."""
        self.waiting.append((stream, command, who, {}))
        while self.waiting:
            self._decide(*self.waiting.pop(self.rng.randrange(len(self.waiting))))

    def speak(self) -> None:
        """The silent account decides on what it was asked."""
        self.silent, self.waiting, self.unheard = "", self.unheard, []
        while self.waiting:
            self._decide(*self.waiting.pop(0))

    def _decide(self, stream: str, command: Any, who: str, about: dict[str, str]) -> None:
        if stream == self.silent:
            self.unheard.append((stream, command, who, about))
            return
        aggregate = self._aggregates[aggregate_of(stream)]
        state = self.states.get(stream, aggregate.initial)
        try:
            events = aggregate.decide(command, state, context(principal=who))
        except Refused as refused:
            kind = name_of(type(command))
            events = [CommandRefused(command_type=kind, code=refused.code, stream_id=stream, about=about)]
        for event in events:
            if not isinstance(event, CommandRefused):
                state = self.states[stream] = aggregate.evolve(state, event)
            self._happened(stream, event)

    def _happened(self, stream: str, event: Any) -> None:
        self.events.append(event)
        if isinstance(event, BidPlaced) and event.bid.standing_order:
            self.taken[event.bid.standing_order] += event.bid.amount_fen
            self.turns[event.bid.standing_order] += 1
        for send in POLICIES["bidding"](_recorded(stream, event)):
            self.waiting.append((send.stream_id, send.command, "", dict(send.about)))

    # --- people -------------------------------------------------------------------------------------------------

    def investor(self, name: str, amount_fen: int, terms: OrderTerms) -> None:
        """Somebody with money and a standing order."""
        who, account = f"usr_{name}", f"acc_{name}"
        self.ask(account, OpenAccount(owner=who), who)
        self.ask(account, RequestTopUp(top_up_id=f"top_{name}", amount_fen=amount_fen), who)
        self.ask(
            account,
            ConfirmTopUp(
                top_up_id=f"top_{name}", bank_reference=f"B{name}", amount_fen=amount_fen, succeeded=True
            ),
        )
        order = OpenStandingOrder(order_id=f"sto_{name}", terms=terms, text_hash=TEXT_HASH)
        self.ask(QUEUE_STREAM, order, who)

    def list_loan(self, number: int, amount_fen: int) -> None:
        """A loan is listed, and served."""
        loan = OpenListing(
            loan_id=f"loan_{number}",
            borrower=f"usr_borrower{number}",
            amount_fen=amount_fen,
            annual_rate=Decimal("0.12"),
            tenor_months=12,
            grade="B",
            window_days=5,
            origination_fee_fen=0,
            interest_fee_permille=100,
        )
        self.ask(f"lst_{number}", loan, "usr_operator")

    def looks(self) -> list[OrdersConsidered]:
        """Every look at the queue."""
        return [event for event in self.events if isinstance(event, OrdersConsidered)]

    def held_for_orders(self) -> list[FundsHeld]:
        """Every hold for an order."""
        return [event for event in self.events if isinstance(event, FundsHeld) and event.standing_order]


def order_terms(loan_max_fen: int, **changed: Any) -> OrderTerms:
    """An order that takes what is listed here."""
    fields: dict[str, Any] = {
        "grades": ("B",),
        "annual_rate_min": Decimal("0.1"),
        "tenor_months_max": 12,
        "loan_max_fen": loan_max_fen,
        "keep_back_fen": 0,
        "total_max_fen": None,
    }
    return OrderTerms(**(fields | changed))


def jain(amounts: Sequence[int]) -> float:
    """Jain's index of fairness: 1 where all have the same, 1/n where one has all (Jain, Chiu, Hawe 1984)."""
    return sum(amounts) ** 2 / (len(amounts) * sum(amount**2 for amount in amounts))


def _recorded(stream: str, event: Any) -> RecordedEvent:
    return RecordedEvent(
        data=event,
        type=name_of(type(event)),
        stream=stream,
        sequence=1,
        service="bidding",
        partition=0,
        position=1,
        index=0,
        at=AT,
        business_date=TODAY,
        principal="",
        correlation_id="",
        causation_id=None,
        command_id="",
        command_type="",
    )
