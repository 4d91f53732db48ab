"""People of the end-to-end tests: customers, an operator and the bank, all of whom know the platform's address only."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, TypeVar
from uuid import uuid4

import httpx
from pydantic_core import to_json

from deploy.local.stack import Stack
from libs.runtime.auth import CUSTOMER_SCOPES, issue_token
from libs.runtime.bank_signature import signed_headers

POSITION = "Loanstream-Position"
#: What a loaded machine may take; whoever waits for a condition goes on as soon as it holds.
PATIENCE_S = 90.0
_LOOK_S = 0.02

Found = TypeVar("Found")


def eventually(look: Callable[[], Found], *, within_s: float = PATIENCE_S) -> Found:
    """What `look` returns once its assertions hold: sagas and views follow the answer by a moment."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            return look()
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_LOOK_S)


def decided(send: Callable[[], httpx.Response]) -> httpx.Response:
    """The log's answer to a request: while there is none yet (202, 503) the same request is sent again, as clients do."""
    deadline = time.monotonic() + PATIENCE_S
    while (answer := send()).status_code in (202, 503) and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
    return answer


@dataclass
class Person:
    """Somebody with a token, who sends the last position he was told along with everything."""

    http: httpx.Client
    subject: str
    token: str
    position: str = ""

    @property
    def account(self) -> str:
        """The id of his custody account."""
        return "acc_" + self.subject.removeprefix("usr_")

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> httpx.Response:
        """Ask for something until it is decided, under a new key unless one is given."""
        headers = {"Idempotency-Key": key or uuid4().hex}
        content = to_json(body if body is not None else {})
        return decided(lambda: self._send("POST", path, headers, content=content))

    def get(self, path: str, **query: str) -> httpx.Response:
        """Read something, with his own writes in it."""
        return self._send("GET", path, {}, params=query)

    def read(self, path: str, **query: str) -> Any:
        """Read something that must be there, as fresh as what he was told last: a slow machine may answer stale at first."""
        deadline = time.monotonic() + PATIENCE_S
        while (
            "Loanstream-Stale" in (answer := self.get(path, **query)).headers and time.monotonic() < deadline
        ):
            pass
        assert answer.status_code == 200, answer.text
        return answer.json()

    def balance(self) -> dict[str, int]:
        """His account as he sees it."""
        found: dict[str, int] = self.read(f"/bidding/accounts/{self.account}")
        return found

    def _send(self, method: str, path: str, headers: dict[str, str], **request: Any) -> httpx.Response:
        headers = headers | {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if self.position:
            headers[POSITION] = self.position
        answer = self.http.request(method, path, headers=headers, **request)
        self.position = answer.headers.get(POSITION, self.position)
        return answer


@dataclass
class Town:
    """A running stack and who lives on it. `today` is the open business date."""

    stack: Stack
    http: httpx.Client
    today: date
    _number: int = field(default=0)

    def person(self, subject: str, *scopes: str, ttl_s: int = 3600) -> Person:
        """Somebody with these scopes."""
        return Person(self.http, subject, issue_token(self.stack.settings, subject, scopes, ttl_s))

    def operator(self) -> Person:
        """Who opens listings and closes days."""
        return self.person("stf_operator", "operator", "analyst")

    def customer(self, name: str, deposit_fen: int = 0) -> Person:
        """A new customer with an open account and, if wished, money in it."""
        self._number += 1
        person = self.person(f"usr_{name}{self._number}x{uuid4().hex[:6]}", *CUSTOMER_SCOPES)
        opened = person.post("/bidding/accounts")
        assert (opened.status_code, opened.json()) == (201, {"id": person.account})
        if deposit_fen:
            self.deposit(person, deposit_fen)
        return person

    def deposit(self, person: Person, amount_fen: int) -> None:
        """He tops up, and the bank confirms."""
        asked = person.post(f"/bidding/accounts/{person.account}/top-ups", {"amount_fen": amount_fen})
        assert asked.status_code == 201, asked.text
        answer = self.bank(f"/bidding/bank/top-ups/{person.account}/{asked.json()['id']}", amount_fen)
        assert answer.status_code == 200, answer.text
        person.position = answer.headers[POSITION]

    def bank(
        self,
        path: str,
        amount_fen: int,
        *,
        reference: str | None = None,
        succeeded: bool = True,
        changed: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The bank calls back, signed, under a new reference unless one is given; `changed` headers spoil it."""
        body = to_json(
            {
                "bank_reference": reference or f"B-{uuid4().hex[:16]}",
                "amount_fen": amount_fen,
                "succeeded": succeeded,
            }
        )
        signed = signed_headers(self.stack.settings.bank_key(), path, body, now=time.time())
        headers = signed | {"Content-Type": "application/json"} | dict(changed or {})
        return decided(lambda: self.http.post(path, content=body, headers=headers))

    def list_loan(self, borrower: Person, amount_fen: int, **terms: Any) -> dict[str, Any]:
        """The operator opens a loan request of 12 % a year."""
        asked = {
            "borrower": borrower.subject,
            "amount_fen": amount_fen,
            "annual_rate": "0.12",
            "tenor_months": 3,
            "grade": "B",
        }
        opened = self.operator().post("/bidding/listings", asked | terms)
        assert opened.status_code == 201, opened.text
        found: dict[str, Any] = opened.json()
        return found

    def bid(self, person: Person, listing_id: str, amount_fen: int) -> dict[str, Any]:
        """He bids; the money is held at once."""
        bid = person.post(
            f"/bidding/accounts/{person.account}/bids", {"listing_id": listing_id, "amount_fen": amount_fen}
        )
        assert bid.status_code == 201, bid.text
        found: dict[str, Any] = bid.json()
        return found

    def close_days_through(self, last: date) -> None:
        """Close every open date up to and including `last`; each is waited for, because the next one asks for it."""
        operator = self.operator()
        while self.today <= last:
            eventually(lambda: self._close(operator))
            self.today += timedelta(days=1)
        # The last one is closed when the next date could be: asking for the day after that is refused by its own name.
        eventually(lambda: self._is_open(operator))

    def _close(self, operator: Person) -> None:
        answer = operator.post("/repayment/calendar/close", {"business_date": self.today.isoformat()})
        assert answer.status_code == 200, answer.text

    def _is_open(self, operator: Person) -> None:
        beyond = self.today + timedelta(days=1)
        answer = operator.post("/repayment/calendar/close", {"business_date": beyond.isoformat()})
        assert answer.json()["type"] == "urn:loanstream:problem:day_not_reached", answer.text
