"""The courier hands over once, asks after a while, survives a death anywhere, and never says what a call-back does not say."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from libs.runtime.observability import BANK_REQUEST_AGE_SECONDS, BANK_REQUESTS_OPEN
from services.bidding.courier import VIEW, Courier
from services.bidding.custodian import (
    BankAnswer,
    BankOrder,
    BankRefused,
    BankUnavailable,
    Kind,
    Standing,
)
from services.bidding.projections.bank_requests import VIEW as BANK_REQUESTS
from tests.unit.bidding.specs import asked
from tests.unit.documents import documents, history
from tests.unit.given import AT
from tests.unit.runtime.edge_world import MemoryViews

ANSWER = BankAnswer("B1", 500_00, True)


@dataclass
class Bank:
    """A custodian that takes every order, answers what a test says, and may be away or refuse."""

    orders: list[tuple[Kind, BankOrder]] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    standings: dict[str, Standing] = field(default_factory=dict)
    away_for: Callable[[str], bool] = lambda _request: False
    refuses: str | None = None

    async def collect(self, order: BankOrder) -> None:
        """See Custodian."""
        self._take("collect", order)

    async def pay_out(self, order: BankOrder) -> None:
        """See Custodian."""
        self._take("pay_out", order)

    async def query(self, request_id: str) -> Standing:
        """See Custodian."""
        self.queries.append(request_id)
        self._check(request_id)
        return self.standings.get(request_id, "pending")

    def _take(self, kind: Kind, order: BankOrder) -> None:
        self.orders.append((kind, order))
        self._check(order.request_id)

    def _check(self, request_id: str) -> None:
        if self.away_for(request_id):
            raise BankUnavailable("away")
        if self.refuses:
            raise BankRefused(self.refuses)


@dataclass
class Office:
    """A courier with its bank, the view that it reads, what it has put on the log, and a clock."""

    bank: Bank = field(default_factory=Bank)
    views: MemoryViews = field(default_factory=MemoryViews)
    heard: list[tuple[Kind, str, str, BankAnswer]] = field(default_factory=list)
    at_s: float = 0.0

    def __post_init__(self) -> None:
        self.courier = self.another()

    def another(self) -> Courier:
        """A courier that remembers nothing: after a restart, or on another machine."""
        return Courier(
            self.views, self.bank, self._hear, answer_s=30, clock=lambda: self.at_s, now=lambda: AT + self.passed
        )  # fmt: skip

    @property
    def passed(self) -> timedelta:
        """Since everything was asked for."""
        return timedelta(seconds=self.at_s)

    def has_open(self, *top_ups: str) -> None:
        """Ann asked for these, and nobody has answered."""
        requests = [asked(top_up) for top_up in top_ups]
        fields = documents(BANK_REQUESTS, history("acc_ann", *requests))
        self.views.documents[VIEW] = {
            name: {key: value for key, value in document.items() if "." not in key}
            for name, document in fields.items()
        }

    def handed(self) -> list[str]:
        """The requests that the bank was handed, in order."""
        return [order.request_id for _, order in self.bank.orders]

    async def _hear(self, kind: Kind, account: str, request_id: str, answer: BankAnswer) -> None:
        self.heard.append((kind, account, request_id, answer))


@pytest.fixture
def office() -> Office:
    """One open top-up of Ann's."""
    made = Office()
    made.has_open("top_1")
    return made


async def test_an_open_request_is_handed_over_once_with_all_that_it_says(office: Office) -> None:
    """Account, holder, card, amount and the business date of the request; a second look hands nothing over."""
    await office.courier.once()
    await office.courier.once()
    order = BankOrder("top_1", "acc_ann", "usr_ann", None, 500_00, "2024-03-15")
    assert office.bank.orders == [("collect", order)]
    assert (office.bank.queries, office.heard) == ([], [])


async def test_what_nobody_answers_is_asked_about_and_the_answer_is_heard(office: Office) -> None:
    """Not before its time; pending is asked again after as long; the answer reaches the log."""
    await office.courier.once()
    office.at_s = 29.9
    await office.courier.once()
    assert office.bank.queries == []
    office.at_s = 30.0
    await office.courier.once()
    await office.courier.once()
    assert (office.bank.queries, office.heard) == (["top_1"], [])
    office.at_s, office.bank.standings = 60.0, {"top_1": ANSWER}
    await office.courier.once()
    assert office.heard == [("collect", "acc_ann", "top_1", ANSWER)]


async def test_what_the_bank_never_heard_of_is_handed_over_again(office: Office) -> None:
    """A bank that lost an order gets it once more, and no answer is made up."""
    await office.courier.once()
    office.at_s, office.bank.standings = 30.0, {"top_1": "unknown"}
    await office.courier.once()
    assert (office.handed(), office.heard) == (["top_1", "top_1"], [])


async def test_a_courier_that_begins_anew_and_one_beside_it_hand_over_the_same(office: Office) -> None:
    """Whoever remembers nothing hands the same order over: the bank knows it by its id, so that is harmless."""
    await office.courier.once()
    await office.another().once()
    assert len(office.bank.orders) == 2
    assert office.bank.orders[0] == office.bank.orders[1]


async def test_while_the_bank_is_away_requests_wait_and_age(office: Office) -> None:
    """Nothing is lost or made up, the round says so, and the age of the oldest is told in seconds."""
    office.bank.away_for = lambda _request: True
    office.at_s = 12.5
    with pytest.raises(BankUnavailable):
        await office.courier.once()
    assert BANK_REQUEST_AGE_SECONDS._value.get() == 12.5
    assert BANK_REQUESTS_OPEN._value.get() == 1
    office.bank.away_for = lambda _request: False
    await office.courier.once()
    assert office.handed() == ["top_1", "top_1"]
    office.views.documents[VIEW] = {}
    await office.courier.once()
    assert BANK_REQUEST_AGE_SECONDS._value.get() == 0
    assert office.handed() == ["top_1", "top_1"]


async def test_one_request_that_always_fails_holds_up_no_other() -> None:
    """It comes last after its first failure, and the others are handed over in the order in which they were asked for."""
    office = Office()
    office.has_open(*(f"top_{number:02d}" for number in range(40)))
    office.bank.away_for = lambda request: request == "top_00"
    for _ in range(5):
        with suppress(BankUnavailable):
            await office.courier.once()
    others = [request for request in office.handed() if request != "top_00"]
    assert others == [f"top_{number:02d}" for number in range(1, 40)]


async def test_an_order_that_the_bank_refuses_to_take_stays_open(office: Office) -> None:
    """It is not handed over at once again, and nothing is put on the log: people see its age."""
    office.bank.refuses = "order_differs"
    for _ in range(3):
        await office.courier.once()
    assert (office.handed(), office.heard) == (["top_1"], [])


async def test_an_answer_that_the_log_does_not_take_is_said_ever_less_often(office: Office) -> None:
    """A day of an answer that contradicts what was asked: each time costs two records for nothing, so there are few of them."""
    office.bank.standings = {"top_1": ANSWER}
    for _ in range(24 * 60):
        office.at_s += 60
        await office.courier.once()
    assert 24 <= len(office.heard) <= 32
