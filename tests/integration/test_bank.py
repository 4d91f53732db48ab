"""Customers' money at a bank of its own process: whatever the bank, the line between or the courier does, it moves once."""

import asyncio
import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pymongo import MongoClient

from deploy.local.parts import Parts
from deploy.local.stack import ProcessPlan, Stack, answers
from libs.runtime.errors import OperatorError
from libs.runtime.identity import ensure_identity
from libs.runtime.settings import load_settings
from services.bidding.commands import RecordCard
from tests.e2e.town import Person, Town, eventually
from tests.integration.log_client import LogClient
from tools.bank.client import ask, behave
from tools.bank.reconcile import reconcile

FIRST_DAY = date(2024, 1, 15)
PROCESSES = (
    ProcessPlan("bidding", "bidding", "api,decider,policy,courier"),
    ProcessPlan("courier", "bidding", "courier"),  # a second one, always
    ProcessPlan("repayment", "repayment", "api,decider,policy"),
    ProcessPlan("views", "all", "projector"),
)


class Bankers(Town):
    """Customers whose requests the simulator answers."""

    def asks(self, person: Person, what: str, amount_fen: int) -> str:
        """He asks for a top-up or a withdrawal; the request's id."""
        asked = person.post(f"/bidding/accounts/{person.account}/{what}", {"amount_fen": amount_fen})
        assert asked.status_code == 201, asked.text
        return str(asked.json()["id"])

    def bank_says(self, path: str) -> Any:
        """What the simulator tells of itself."""
        answer = ask(self.stack.settings, "GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def stands(self, request: str, status: str) -> Callable[[], None]:
        """That the bank says this of a request."""

        def look() -> None:
            assert self.bank_says(f"/orders/{request}")["status"] == status

        return look

    def has(self, person: Person, available_fen: int, held_fen: int = 0) -> None:
        """Wait until he has this much."""

        def look() -> None:
            shown = person.balance()
            assert (shown["available_fen"], shown["held_fen"]) == (available_fen, held_fen)

        eventually(look)

    def revive(self, name: str) -> None:
        """A killed process is started again, as the stack does with all that die."""
        self.stack.check()
        port = self.stack.settings.api_ports[name]
        self.stack.child(name).wait_until(lambda: answers(port, "/readyz"), 60)

    def at_rest(self, *requests: str) -> None:
        """Wait until the bank has answered these and every call-back of its has a final status."""
        for request in requests:
            eventually(self.stands(request, "done"))

        def look() -> None:
            assert all(call["status"] for call in self.bank_says("/calls"))

        eventually(look)

    def statuses(self, request: str) -> list[int]:
        """The final statuses of the bank's call-backs for a request, in their order."""
        return [call["status"] for call in self.bank_says("/calls") if call["path"].endswith(request)]

    def check_books(self) -> None:
        """The bank's custody is the platform's, to the fen: the view, the balances, the day's file, and nothing is open."""
        custody_fen = self.bank_says("/ledger")["custody"]

        def look() -> None:
            shown = self.documents("bidding.custody")["bank:custody"]
            accounts = self.documents("bidding.balances").values()
            held = sum(account["available_fen"] + account["held_fen"] for account in accounts)
            assert (-shown["balance_fen"], held) == (custody_fen, custody_fen)
            assert self.documents("bidding.bank-requests") == {}

        eventually(look)
        *_, end = ask(self.stack.settings, "GET", f"/files/{FIRST_DAY.isoformat()}").text.splitlines()
        _, _, in_fen, out_fen, balance_fen = end.split("|")
        assert int(in_fen) - int(out_fen) == int(balance_fen) == custody_fen

    def documents(self, view: str) -> dict[str, dict[str, Any]]:
        """All documents of a view."""
        settings = self.stack.settings
        with MongoClient[dict[str, Any]](settings.require_mongo()) as client:
            database = client[settings.mongo_database]
            pointer = database["views"].find_one({"_id": view})
            assert pointer is not None
            return {document["_id"]: document for document in database[pointer["collection"]].find()}


@pytest.fixture(scope="module")
def town(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bankers]:
    """Bidding with two couriers and the bank, on a day; nobody answers by hand."""
    name = uuid4().hex[:12]
    settings = ensure_identity(
        load_settings(
            tmp_path_factory.mktemp("bank"),
            topic_prefix=f"b{name}.",
            mongo_database=f"bank_{name}",
            bank_simulator=True,
            bank_answer_s=2.0,
            bank_look_s=0.1,
        )
    )
    with Stack(settings, processes=PROCESSES, parts=parts) as stack:
        assert stack.settings.gateway is not None
        with httpx.Client(base_url=stack.settings.gateway, timeout=60) as http:
            running = Bankers(stack, http, FIRST_DAY)
            opened = running.operator().post("/repayment/calendar", {"business_date": FIRST_DAY.isoformat()})
            assert opened.status_code == 201, opened.text
            eventually(lambda: _has_date(running))
            yield running
            stack.check()


def _has_date(town: Town) -> None:
    for number in range(16):
        probe = town.person(f"usr_probe{number}", "account:own")
        answer = probe.post(f"/bidding/accounts/{probe.account}/withdrawals", {"amount_fen": 1})
        assert answer.json()["type"] == "urn:loanstream:problem:unknown_account", answer.text


def test_a_top_up_and_a_withdrawal_go_to_the_bank_and_come_back(town: Bankers) -> None:
    """Asked for at the platform, booked by the bank under its reference, told by its signed call-back: nobody's hand helps."""
    ada = town.customer("ada")
    top_up = town.asks(ada, "top-ups", 500_00)
    town.has(ada, 500_00)
    out = town.asks(ada, "withdrawals", 200_00)
    town.has(ada, 300_00)
    town.at_rest(top_up, out)
    assert (town.statuses(top_up), town.statuses(out)) == ([200], [200])
    town.check_books()


def test_what_the_bank_refuses_moves_nothing_and_frees_what_was_held(town: Bankers) -> None:
    """A withdrawal that the bank does not pay out is available again; over another's card nothing is collected."""
    bob, eve = town.customer("bob"), town.customer("eve")
    town.asks(bob, "top-ups", 100_00)
    town.has(bob, 100_00)
    behave(town.stack.settings, 1, refuse="card_blocked", hold_s=4.0)
    out = town.asks(bob, "withdrawals", 60_00)
    town.has(bob, 40_00, 60_00)
    town.has(bob, 100_00)
    card = f"card_{uuid4().hex}"
    asyncio.run(_has_card(town, bob, card))
    asyncio.run(_has_card(town, eve, card))
    town.asks(bob, "top-ups", 20_00)
    town.has(bob, 120_00)
    theft = town.asks(eve, "top-ups", 70_00)
    town.at_rest(out, theft)
    assert town.bank_says(f"/orders/{theft}")["answer"]["code"] == "not_own_name"
    town.has(eve, 0)
    town.check_books()


async def _has_card(town: Bankers, person: Person, card: str) -> None:
    """As if onboarding had verified him by it."""
    async with LogClient(town.stack.settings, ("bidding",)) as client:
        await client.send(
            "bidding", person.account, RecordCard(owner=person.subject, card_ref=card), uuid4().hex
        )


def test_a_lost_call_back_is_asked_for(town: Bankers) -> None:
    """The bank books and says nothing: after its time the courier asks, and the money is there, in and out."""
    cy = town.customer("cy")
    behave(town.stack.settings, 2, times=0)
    lost = town.asks(cy, "top-ups", 90_00)
    town.has(cy, 90_00)
    lost_too = town.asks(cy, "withdrawals", 40_00)
    town.has(cy, 50_00)
    assert (town.statuses(lost), town.statuses(lost_too)) == ([], [])
    town.check_books()


def test_late_repeated_and_contradictory_call_backs_change_nothing(town: Bankers) -> None:
    """Three times the truth, then a lie of each kind: the truth is answered alike, the lie is refused, the money moves once."""
    dan = town.customer("dan")
    requests = []
    for number, lie in enumerate(("outcome", "amount", "reference")):
        # later than the courier asks: its answer and the call-backs meet
        behave(town.stack.settings, 1, times=3, late_s=2.5 * (number == 0), contradiction=lie)
        requests.append(town.asks(dan, "top-ups", 100_00 + number))
        eventually(town.stands(requests[-1], "done"))
    town.at_rest(*requests)
    for request in requests:
        assert town.statuses(request) == [200, 200, 200, 409]
    town.has(dan, 300_03)
    behave(town.stack.settings, 1, times=2, contradiction="outcome")
    out = town.asks(dan, "withdrawals", 300_03)
    town.at_rest(out)
    assert town.statuses(out) == [200, 200, 409]
    town.has(dan, 0)
    town.check_books()


def test_the_bank_and_bidding_are_killed_in_between(town: Bankers) -> None:
    """Orders that the bank had taken, orders that found it dead, answers that bidding never heard: all are settled, once."""
    kim = town.customer("kim")
    behave(town.stack.settings, 3, hold_s=6.0)  # long enough to be seen, whatever the machine
    taken = [town.asks(kim, "top-ups", 100_00 + number) for number in range(3)]
    for request in taken:
        eventually(town.stands(request, "pending"))
    town.stack.child("bank").kill()
    waiting = [town.asks(kim, "top-ups", 200_00 + number) for number in range(3)]
    eventually(lambda: _waits(town))
    town.revive("bank")
    town.has(kim, 900_06)
    behave(town.stack.settings, 3, times=0)
    unheard = [town.asks(kim, "withdrawals", 50_00 + number) for number in range(3)]
    for request in unheard:
        eventually(town.stands(request, "done"))
    for name in ("bidding", "courier"):
        town.stack.child(name).kill()
    for name in ("bidding", "courier"):
        town.revive(name)
    town.has(kim, 900_06 - 150_03)
    town.at_rest(*taken, *waiting, *unheard)
    town.check_books()


def _waits(town: Bankers) -> None:
    """The second courier tells how old the oldest request is."""
    port = town.stack.settings.api_ports["courier"]
    told = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    age = re.search(r"^loanstream_bank_request_age_seconds ([0-9.e+-]+)$", told, re.MULTILINE)
    assert age is not None
    assert float(age[1]) > 0.5


def test_the_day_is_reconciled_with_the_banks_own_file(town: Bankers) -> None:
    """When the day is over in every partition, its file is fetched, matched and decided: nothing differs, said again it says nothing."""
    closed = town.operator().post("/repayment/calendar/close", {"business_date": FIRST_DAY.isoformat()})
    assert closed.status_code in (200, 201), closed.text
    custody_fen = town.bank_says("/ledger")["custody"]
    for _ in range(2):
        day = eventually(lambda: _reconciled(town))
        figures = {day[name] for name in ("bank_fen", "ledger_fen", "accounts_fen")}
        assert (figures, day["bank_bookings"], day["open_after"]) == (
            {custody_fen},
            day["ledger_bookings"],
            0,
        )
        assert (day["revision"], day["claims_fen"], day["bank_bookings"] > 10) == (1, 0, True)


def _reconciled(town: Bankers) -> dict[str, Any]:
    """As `loanstream reconcile` does it; AssertionError while the day is not over everywhere."""
    try:
        return reconcile(town.stack.settings, FIRST_DAY, None, lambda *_move: None)
    except OperatorError as error:
        raise AssertionError(str(error)) from error
