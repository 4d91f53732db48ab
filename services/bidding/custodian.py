"""The custodian bank, as bidding knows it: three calls, and one implementation of them that signs what it sends.

The bank keeps the money; we only ask. A call that is not answered has an unknown outcome, and the same call again is harmless:
the bank knows a request by its id.
"""

import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Final, Literal, Protocol

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_json

from libs.events.money import MAX_INTEGER
from libs.runtime.bank_signature import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    answer_to,
    is_signed,
    signed_headers,
)

Kind = Literal["collect", "pay_out"]
"""What the bank is asked for: to collect money from the owner's card, or to pay it out to that."""

#: The form of a bank's reference, whoever brings it: a code, never a text.
REFERENCE_PATTERN: Final = "^[A-Za-z0-9._-]{1,64}$"

_CALL_LIMIT_S: Final = 5.0
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class BankOrder:
    """One request as the bank is told of it. Ids and codes only; `business_date` (ISO 8601) is the day that it is booked on."""

    request_id: str
    account: str
    holder: str
    card_ref: str | None
    amount_fen: int
    business_date: str


@dataclass(frozen=True, slots=True)
class BankAnswer:
    """What became of a request, under the bank's own reference; `code` says why not, where it says so."""

    bank_reference: str
    amount_fen: int
    succeeded: bool
    code: str | None = None

    def key(self) -> str:
        """What makes two answers to one request the same: all that they say. A corrected one is another, because the refusal of
        the first is final for its key."""
        said = f"{self.bank_reference}|{self.amount_fen}|{self.succeeded}"
        return said if self.code is None else f"{said}|{self.code}"


Standing = BankAnswer | Literal["unknown", "pending"]
"""What the bank says of a request: its answer, or that it has none yet, or that it never heard of it."""


class BankUnavailable(Exception):
    """The bank did not answer, or not in its own words: the outcome is unknown, and the same call may be made again."""


class BankRefused(Exception):
    """The bank does not take the call at all (`code`); nothing was booked for it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Custodian(Protocol):
    """The calls to a custodian bank. All raise BankUnavailable or BankRefused."""

    async def collect(self, order: BankOrder) -> None:
        """Ask for a top-up. The bank answers later, by call-back or when it is asked."""

    async def pay_out(self, order: BankOrder) -> None:
        """Ask for a withdrawal, likewise."""

    async def query(self, request_id: str) -> Standing:
        """Ask what became of a request."""


class _AnswerIn(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    bank_reference: Annotated[str, Field(pattern=REFERENCE_PATTERN)]
    amount_fen: Annotated[int, Field(ge=1, le=MAX_INTEGER)]
    succeeded: bool
    code: Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$")] | None = None


class _StandingIn(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    status: Literal["unknown", "pending", "done"]
    answer: _AnswerIn | None = None


class HttpCustodian:
    """A custodian behind HTTP: `PUT` and `GET /orders/{request}`, calls and answers signed as `libs.runtime.bank_signature` says.

    An answer is worth what a call-back is, so it is believed for its signature like one.
    """

    def __init__(
        self, client: httpx.AsyncClient, secret: bytes, now: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._secret = secret
        self._now = now

    @staticmethod
    def client(url: str) -> httpx.AsyncClient:
        """A client of the bank at this base URL, to be closed by who asked for it."""
        return httpx.AsyncClient(base_url=url, timeout=_CALL_LIMIT_S)

    async def collect(self, order: BankOrder) -> None:
        """See Custodian."""
        await self._order("collect", order)

    async def pay_out(self, order: BankOrder) -> None:
        """See Custodian."""
        await self._order("pay_out", order)

    async def query(self, request_id: str) -> Standing:
        """See Custodian."""
        answer = await self._call("GET", f"/orders/{request_id}", b"")
        try:
            found = _StandingIn.model_validate_json(answer)
        except ValidationError:
            raise BankUnavailable("an answer that is none") from None
        if found.status != "done":
            return found.status
        if found.answer is None:
            raise BankUnavailable("an answer that is none")
        return BankAnswer(**found.answer.model_dump())

    async def _order(self, kind: Kind, order: BankOrder) -> None:
        body = asdict(order) | {"kind": kind}
        del body["request_id"]
        await self._call("PUT", f"/orders/{order.request_id}", to_json(body))

    async def _call(self, method: str, path: str, body: bytes) -> bytes:
        headers = signed_headers(self._secret, path, body, now=self._now())
        if body:
            headers["Content-Type"] = "application/json"
        try:
            answer = await self._client.request(method, path, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise BankUnavailable(type(error).__name__) from error
        if answer.status_code >= 500 or answer.status_code in (401, 408, 429):
            # 401 too: a key or a clock that is wrong is put right by people, and then the same call is taken
            raise BankUnavailable(f"status {answer.status_code}")
        if answer.status_code >= 400:
            raise BankRefused(_code_of(answer))
        if not is_signed(
            self._secret,
            answer_to(path),
            answer.content,
            timestamp=answer.headers.get(TIMESTAMP_HEADER),
            claimed=answer.headers.get(SIGNATURE_HEADER),
            now=self._now(),
        ):
            raise BankUnavailable("an answer that is not signed")
        return answer.content


def _code_of(answer: httpx.Response) -> str:
    """The bank's word for it, if it is one: it reaches our logs."""
    try:
        said: Any = answer.json()
    except ValueError:
        said = None
    code = said.get("code") if isinstance(said, dict) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else f"status_{answer.status_code}"
