"""The platform as its customers meet it: HTTP through the gateway, every wish with a key, every doubt sent again.

Sending again is the whole recovery: the log answers the same key with the same answer, so nothing here keeps state.
"""

import asyncio
import json
import time
from collections.abc import Collection, Mapping
from typing import Any, Final, Self

import httpx
from httpx_aiohttp import AiohttpTransport

from libs.runtime.auth import CUSTOMER_SCOPES, issue_token
from libs.runtime.bank_signature import signed_headers
from libs.runtime.errors import OperatorError
from libs.runtime.settings import Settings

#: Requests under way at the same time; more only wait in the same two cores.
CONCURRENCY: Final = 32

_TOKEN_S: Final = 24 * 3600
_REQUEST_S: Final = 15.0
#: How long one request is repeated before the replay gives up.
_PATIENCE_S: Final = 120.0
_PAUSE_S: Final = 0.05
_LOOK_FOR_S: Final = 5.0
_PAUSE_MAX_S: Final = 2.0
_SEND_AGAIN: Final = frozenset({502, 503, 504})


class ReplayFailed(OperatorError):
    """The platform answered something that the plan cannot live with."""


class Gateway:
    """An HTTP client for many users. An async context manager; safe to use from many tasks.

    `staff` says what the tokens of the platform's people let them do; everybody else is a customer.
    """

    def __init__(
        self,
        settings: Settings,
        client: httpx.AsyncClient | None = None,
        *,
        staff: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        if settings.gateway is None:
            raise OperatorError(
                "No gateway runs: start the stack with `loanstream up`, or use `loanstream demo`."
            )
        self._settings = settings
        self._staff = staff or {}
        self._secret = settings.bank_key()
        self._tokens: dict[str, str] = {}
        self._client = client or httpx.AsyncClient(
            base_url=settings.gateway,
            timeout=_REQUEST_S,
            transport=AiohttpTransport(limits=httpx.Limits(max_connections=CONCURRENCY)),
            trust_env=False,
        )
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self.requests = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._client.aclose()

    async def post(self, user: str, path: str, key: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send a user's wish until it is decided, and return the answer. Raises ReplayFailed for a refusal.

        An empty `user` is nobody yet: the wish goes without a token.
        """
        content = json.dumps(body).encode()
        headers = {**self._bearer(user), "Idempotency-Key": key, "Content-Type": "application/json"}
        return await self._decided(path, headers, content, user)

    async def bank(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send the custodian bank's signed call-back until it is decided. Raises ReplayFailed for a refusal."""
        content = json.dumps(body).encode()
        return await self._decided(path, {"Content-Type": "application/json"}, content, None)

    async def read(self, user: str, path: str) -> dict[str, Any] | None:
        """What a user is shown; None while it does not exist, or the view of the staff knows nothing of his post yet.

        Raises ReplayFailed.
        """
        response = await self._answered("GET", path, self._bearer(user), None)
        if response.status_code in (403, 404):
            return None
        return _body(response, "GET", path)

    async def _decided(
        self, path: str, headers: Mapping[str, str], content: bytes, user: str | None
    ) -> dict[str, Any]:
        give_up_at = time.monotonic() + _PATIENCE_S
        while True:
            response = await self._answered("POST", path, headers, content, by_bank=user is None)
            if response.status_code != 202:
                return _body(response, "POST", path)
            if time.monotonic() > give_up_at:
                raise ReplayFailed(
                    f"POST {path} was not decided in {_PATIENCE_S:.0f} seconds: look at the services' logs."
                )
            if user:
                await self._until_shown(user, response.headers["Location"])

    async def _until_shown(self, user: str, location: str) -> None:
        """Look at the address that a 202 names until it shows the decision, for a while: the same request sent again is
        answered with that decision, and is the remedy too where the view is what stands still."""
        stop_at = time.monotonic() + _LOOK_FOR_S
        while time.monotonic() < stop_at:
            shown = await self.read(user, location)
            if shown is not None and shown.get("status") != "pending":
                return
            await asyncio.sleep(_PAUSE_S)

    async def _answered(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        content: bytes | None,
        *,
        by_bank: bool = False,
    ) -> httpx.Response:
        """The first answer that is not "try again". Raises ReplayFailed when there is none for too long."""
        give_up_at = time.monotonic() + _PATIENCE_S
        pause_s = _PAUSE_S
        while True:
            self.requests += 1
            try:
                response = await self._send(method, path, headers, content, by_bank=by_bank)
            except httpx.TransportError as error:
                fault = f"{type(error).__name__} {error}"
            else:
                if response.status_code not in _SEND_AGAIN:
                    return response
                fault = f"{response.status_code} {response.text[:200]}"
            if time.monotonic() > give_up_at:
                raise ReplayFailed(
                    f"{method} {path} found nobody for {_PATIENCE_S:.0f} seconds; the last was: {fault}."
                )
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _PAUSE_MAX_S)

    async def _send(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | None, *, by_bank: bool
    ) -> httpx.Response:
        async with self._slots:
            # signed when it is sent, each time anew: the platform takes a signature for five minutes only
            signed = signed_headers(self._secret, path, content or b"", now=time.time()) if by_bank else {}
            return await self._client.request(method, path, headers={**headers, **signed}, content=content)

    def _bearer(self, user: str) -> dict[str, str]:
        if not user:
            return {}
        if user not in self._tokens:
            scopes = self._staff.get(user, CUSTOMER_SCOPES)
            self._tokens[user] = f"Bearer {issue_token(self._settings, user, scopes, _TOKEN_S)}"
        return {"Authorization": self._tokens[user]}


def _body(response: httpx.Response, method: str, path: str) -> dict[str, Any]:
    if response.is_success:
        answer: dict[str, Any] = response.json()
        return answer
    raise ReplayFailed(f"{method} {path} was answered {response.status_code}: {response.text[:300]}")
