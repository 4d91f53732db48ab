"""Sends wishes over HTTP through the gateway, as customers, the operator and the bank do, and keeps what came back."""

import re
import time
from collections.abc import Mapping
from typing import Any, Final, Self

import httpx
from httpx_aiohttp import AiohttpTransport
from pydantic_core import from_json

from libs.runtime.auth import CUSTOMER_SCOPES, issue_token
from libs.runtime.bank_signature import signed_headers
from libs.runtime.errors import OperatorError
from libs.runtime.settings import Settings
from tools.faults.history import BANK, STAFF, Attempt, Wish
from tools.faults.log_copy import At

#: How long one attempt may take before its caller gives up and knows nothing.
ATTEMPT_LIMIT_S: Final = 6.0
CONNECTIONS_MAX: Final = 400
_TOKEN_S: Final = 6 * 3600
_POSITION = re.compile(r"([a-z]+)/([0-9]+)=([0-9]+)")


class NotShown(Exception):
    """A view answered something else than what it shows."""


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

    async def __aenter__(self) -> Self:
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

    async def read(self, path: str, who: str = STAFF, query: Mapping[str, str | int] | None = None) -> Any:
        """What a view shows now. Raises httpx.TransportError, or NotShown for anything but 200."""
        answer = await self._client.get(
            path, params=dict(query or {}), headers={"Authorization": self._bearer(who)}
        )
        if answer.status_code != 200:
            raise NotShown(f"GET {path} was answered {answer.status_code}")
        return from_json(answer.content)

    def _bearer(self, who: str) -> str:
        if who not in self._tokens:
            scopes = ("operator", "analyst") if who == STAFF else CUSTOMER_SCOPES
            self._tokens[who] = f"Bearer {issue_token(self._settings, who, scopes, _TOKEN_S)}"
        return self._tokens[who]


def _place(headers: httpx.Headers) -> At | None:
    found = _POSITION.fullmatch(headers.get("Loanstream-Position", ""))
    return At(found[1], int(found[2]), int(found[3])) if found else None
