"""What each caller asked and what he was told: the history with which the log is compared.

A request is invoked, and then ends as ok (an answer), fail (a refusal by name) or unknown: a time-out, a broken connection,
a 202 or a 5xx say nothing about whether it happened. Nobody here guesses: an unknown one is asked again under the same key
until it is answered, as the platform tells its callers to do.
"""

import re
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import httpx
from httpx_aiohttp import AiohttpTransport
from pydantic_core import from_json

from libs.runtime.auth import CUSTOMER_SCOPES, issue_token
from libs.runtime.bank_signature import signed_headers
from libs.runtime.errors import OperatorError
from libs.runtime.settings import Settings
from tools.faults.log_copy import At

#: How long one attempt may take before its caller gives up and knows nothing.
ATTEMPT_LIMIT_S: Final = 6.0
CONNECTIONS_MAX: Final = 400
STAFF: Final = "stf_operator"
BANK: Final = ""
_TOKEN_S: Final = 6 * 3600
_POSITION = re.compile(r"([a-z]+)/([0-9]+)=([0-9]+)")
#: 4xx that say "not now": the same request may still be taken.
_NOT_NOW: Final = frozenset({408, 425, 429})


class Kind(StrEnum):
    """What is asked for."""

    OPEN = "open an account"
    TOP_UP = "ask for a top-up"
    DEPOSIT = "the bank confirms a top-up"
    BID = "bid"
    WITHDRAW = "ask for a withdrawal"
    PAID = "the bank confirms a withdrawal"
    LIST = "open a listing"


class Told(StrEnum):
    """How a request ended, for whoever asked."""

    OK = "ok"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One time that a request was sent: when (seconds of the monotonic clock), and what came back."""

    sent_s: float
    ended_s: float
    status: int | None
    body: bytes = b""
    at: At | None = None
    """Where the answer says that its command stands."""
    trouble: str = ""

    @property
    def told(self) -> Told:
        """What its caller may conclude."""
        if self.status is None or self.status == 202 or self.status >= 500 or self.status in _NOT_NOW:
            return Told.UNKNOWN
        return Told.OK if self.status < 400 else Told.FAIL


@dataclass(slots=True)
class Wish:
    """One request of one caller, under one key, however often it is sent."""

    kind: Kind
    who: str
    """The token's subject; empty for the bank."""
    path: str
    body: bytes
    account: str
    amount_fen: int = 0
    key: str | None = None
    misuses: "Wish | None" = None
    """The wish whose key this one uses for another body: it must be refused (422) and change nothing."""
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def conclusive(self) -> list[Attempt]:
        """The attempts that were answered."""
        return [attempt for attempt in self.attempts if attempt.told is not Told.UNKNOWN]

    @property
    def told(self) -> Told:
        """What its caller knows by now."""
        answered = self.conclusive
        return answered[0].told if answered else Told.UNKNOWN

    @property
    def was_unknown(self) -> bool:
        """Whether there was a time at which its caller did not know."""
        return any(attempt.told is Told.UNKNOWN for attempt in self.attempts)

    @property
    def answer(self) -> dict[str, Any]:
        """The first answer's body. Raises LookupError before there is one."""
        for attempt in self.conclusive:
            body: dict[str, Any] = from_json(attempt.body)
            return body
        raise LookupError(f"{self.kind} was not answered")


@dataclass(slots=True)
class History:
    """All wishes of one fault, in the order of asking."""

    wishes: list[Wish] = field(default_factory=list)

    def add(self, wish: Wish) -> Wish:
        """A caller is about to ask."""
        self.wishes.append(wish)
        return wish

    def told(self, outcome: Told) -> list[Wish]:
        """The wishes whose callers know this by now."""
        return [wish for wish in self.wishes if wish.told is outcome]

    @property
    def attempts(self) -> int:
        """How often anything was sent."""
        return sum(len(wish.attempts) for wish in self.wishes)


class Caller:
    """Sends wishes to the gateway of a local stack; never raises for a platform that is in trouble. An async context manager."""

    def __init__(self, settings: Settings) -> None:
        if settings.gateway is None or not settings.gateway.startswith("http://127.0.0.1:"):
            raise OperatorError(
                "The faults call a local stack of their own, through its gateway on 127.0.0.1."
            )
        self._settings = settings
        self._secret = settings.bank_key()
        self._tokens: dict[str, str] = {}
        self._client = httpx.AsyncClient(
            base_url=settings.gateway,
            timeout=ATTEMPT_LIMIT_S,
            transport=AiohttpTransport(limits=httpx.Limits(max_connections=CONNECTIONS_MAX)),
            trust_env=False,
        )

    async def __aenter__(self) -> "Caller":
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._client.aclose()

    async def ask(self, wish: Wish) -> Attempt:
        """Send a wish once and keep what came back with it."""
        headers = {"Content-Type": "application/json"}
        if wish.who == BANK:
            headers |= signed_headers(self._secret, wish.path, wish.body, now=time.time())
        else:
            headers["Authorization"] = self._bearer(wish.who)
        if wish.key is not None:
            headers["Idempotency-Key"] = wish.key
        sent_s = time.monotonic()
        try:
            answer = await self._client.post(wish.path, content=wish.body, headers=headers)
        except httpx.TransportError as error:
            attempt = Attempt(sent_s, time.monotonic(), None, trouble=type(error).__name__)
        else:
            attempt = Attempt(
                sent_s, time.monotonic(), answer.status_code, answer.content, _place(answer.headers)
            )
        wish.attempts.append(attempt)
        return attempt

    async def read(self, path: str, who: str = STAFF, **query: str | int) -> Any:
        """What a view shows now. Raises httpx.TransportError, or LookupError for anything but 200."""
        answer = await self._client.get(path, params=query, headers={"Authorization": self._bearer(who)})
        if answer.status_code != 200:
            raise LookupError(f"GET {path} was answered {answer.status_code}")
        return from_json(answer.content)

    def _bearer(self, who: str) -> str:
        if who not in self._tokens:
            scopes = ("operator", "analyst") if who == STAFF else CUSTOMER_SCOPES
            self._tokens[who] = f"Bearer {issue_token(self._settings, who, scopes, _TOKEN_S)}"
        return self._tokens[who]


def _place(headers: httpx.Headers) -> At | None:
    found = _POSITION.fullmatch(headers.get("Loanstream-Position", ""))
    return At(found[1], int(found[2]), int(found[3])) if found else None


def code_of(body: bytes) -> str:
    """The name of a refusal: the last word of its problem's type."""
    problem = from_json(body)
    return str(problem.get("type", "")).rsplit(":", 1)[-1]
