"""The simulation's people of blank contracts against the rules alone: their books hold, and would find what is wrong with them."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from pydantic_core import to_jsonable_python

from libs.events.codec import name_of
from libs.events.deciding import Aggregate, Context, Refused
from services.bidding.domain import aggregates
from services.bidding.domain.profile import DEMO
from tests.unit.bidding.listing_story import EXPIRED, FUNDED, OPENED
from tests.unit.given import AT, TODAY
from tools.simulator.loan_books import WrongBooks
from tools.simulator.planted import PLANTS
from tools.simulator.stock_books import StockBooks
from tools.simulator.stock_keepers import StockKeepers

_ROOMS: dict[str, Aggregate] = {aggregate.prefix: aggregate for aggregate in aggregates(DEMO)}


class Office:
    """Streams that decide at once; what comes of it is in the books and known to the people."""

    def __init__(self, seed: int) -> None:
        self.people = StockKeepers(Random(seed), self)  # type: ignore[arg-type]  # all that they ask of it
        self.books, self.today, self.refused = StockBooks(), TODAY, set[str]()
        self._states: dict[str, Any] = {}
        self.tell("lst_1", [OPENED])
        for number in range(9):
            funded = to_jsonable_python(asdict(FUNDED) | {"loan_id": f"loan_{number}", "listing_id": ""})
            self.people.sight.fold("bidding.LoanFunded.v1", funded)

    def ask(self, _service: str, stream: str, command: Any, *, principal: str) -> None:
        """Decide it."""
        room = _ROOMS[stream.partition("_")[0]]
        state = self._states.get(stream, room.initial)
        try:
            events = room.decide(
                command, state, Context(at=AT, business_date=self.today, principal=principal)
            )
        except Refused as refused:
            self.refused.add(refused.code)
            return
        self.tell(stream, events)

    def tell(self, stream: str, events: Sequence[Any]) -> None:
        """It happened."""
        room = _ROOMS[stream.partition("_")[0]]
        for event in events:
            self._states[stream] = room.evolve(self._states.get(stream, room.initial), event)
            told = {"type": name_of(type(event)), "data": to_jsonable_python(asdict(event))}
            self.books.record(stream, told)
            self.people.sight.fold(told["type"], told["data"])

    def work(self, days: int) -> "Office":
        """So many days pass."""
        for _ in range(days):
            self.people.new_day(self.today)
            self.today += timedelta(days=1)
        return self


def test_the_books_of_a_sound_office_hold() -> None:
    """Over many days all is done that can be, what is refused is refused by name, and nothing is found wrong."""
    refused = set().union(*(Office(seed).work(40).refused for seed in range(12)))
    assert {
        "forbidden_second_signature",
        "not_holder",
        "not_receiver",
        "copies_missing",
        "quota_exceeded",
        "loan_signed",
        "difference_unexplained",
        "month_counted",
        "own_stock",
    } <= refused


@pytest.mark.parametrize("name", ["missing-contract-not-named", "one-person-voids-a-contract"])
def test_what_is_wrong_with_it_is_found(name: str) -> None:
    """Each planted bug is seen by the books within a few runs, in the words that it is to be found by."""
    plant = PLANTS[name]
    with plant.planted():
        found = []
        for seed in range(6):
            try:
                Office(seed).work(34)
            except WrongBooks as wrong:
                found.append(str(wrong))
    assert found
    assert all(any(words in each for words in plant.killed_by) for each in found)


def test_a_listing_that_ends_by_itself_is_void_for_nobody() -> None:
    """Whether somebody had proposed it or not."""
    office = Office(0)
    office.tell("lst_1", [EXPIRED])
    assert office.people.sight.live == {}
