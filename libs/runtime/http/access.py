"""Who may call a route: every route declares it, and an application with a route that does not refuses to start.

Admission comes before anything of the request's body is looked at; only the bank's signature needs the body's bytes.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from fastapi import FastAPI, Request
from starlette.routing import BaseRoute

from libs.runtime.auth import NOBODY, SCOPES, Principal, TokenRefused, TokenVerifier
from libs.runtime.bank_signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, is_signed
from libs.runtime.http.problems import Problem

BANK: Final = Principal("bank")


class UndeclaredAccess(TypeError):
    """A route was built without saying who may call it, or asks for a scope that nobody can have."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What admission needs of this installation."""

    tokens: TokenVerifier
    bank_secret: bytes


class Access(Protocol):
    """One way to be admitted."""

    async def admit(self, request: Request, keys: Keys) -> Principal:
        """The caller's principal. Raises Problem 401 or 403."""

    def security(self) -> list[dict[str, list[str]]]:
        """The same as an OpenAPI security requirement."""


@dataclass(frozen=True, slots=True)
class AnyScope:
    """A bearer token with at least one of these scopes."""

    scopes: tuple[str, ...]

    async def admit(self, request: Request, keys: Keys) -> Principal:
        """See Access."""
        given = request.headers.getlist("Authorization")
        if not given:
            raise _unauthorized("missing_token", "Send a bearer token in the Authorization header.", "Bearer")
        kind, _, token = given[0].partition(" ")
        if len(given) > 1 or kind.lower() != "bearer":
            raise _unauthorized("invalid_token", None, 'Bearer error="invalid_token"')
        try:
            principal = keys.tokens.verify(token.strip())
        except TokenRefused as refused:
            code = "expired_token" if refused.expired else "invalid_token"
            raise _unauthorized(code, None, 'Bearer error="invalid_token"') from None
        if not any(principal.may(scope) for scope in self.scopes):
            wanted = " ".join(self.scopes)
            raise Problem(
                403,
                "forbidden_scope",
                f"The token carries none of the scopes that this address asks for: {wanted}.",
                headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{wanted}"'},
            )
        return principal

    def security(self) -> list[dict[str, list[str]]]:
        """See Access."""
        return [{"bearer": [scope]} for scope in self.scopes]


@dataclass(frozen=True, slots=True)
class BankSignature:
    """The custodian bank, by its signature over time, path and body."""

    async def admit(self, request: Request, keys: Keys) -> Principal:
        """See Access."""
        if not is_signed(
            keys.bank_secret,
            request.url.path,
            await request.body(),
            timestamp=request.headers.get(TIMESTAMP_HEADER),
            claimed=request.headers.get(SIGNATURE_HEADER),
            now=time.time(),
        ):
            raise _unauthorized(
                "bad_signature",
                "The call is not signed, signed for something else, or too old.",
                "Loanstream-Bank",
            )
        return BANK

    def security(self) -> list[dict[str, list[str]]]:
        """See Access."""
        return [{"bank": []}]


@dataclass(frozen=True, slots=True)
class Anybody:
    """No token asked for."""

    async def admit(self, request: Request, keys: Keys) -> Principal:  # noqa: ARG002
        """See Access."""
        return NOBODY

    def security(self) -> list[dict[str, list[str]]]:
        """See Access."""
        return [{}]


def scopes(*names: str) -> AnyScope:
    """Access by a token that carries one of these scopes. Raises UndeclaredAccess for an unknown or missing name."""
    if not names or set(names) - SCOPES.keys():
        raise UndeclaredAccess(f"a route asks for one of the scopes {', '.join(SCOPES)}, not for {names}")
    return AnyScope(names)


@dataclass(frozen=True, slots=True)
class Admission:
    """What is declared about an endpoint: who may call it, and whether a call must bring an Idempotency-Key."""

    access: Access
    needs_key: bool = False


_MARK: Final = "loanstream_admission"


def declare(endpoint: Callable[..., Any], admission: Admission) -> None:
    """Say who may call an endpoint."""
    setattr(endpoint, _MARK, admission)


def declared(endpoint: Any) -> Admission:
    """What was declared about an endpoint. Raises UndeclaredAccess."""
    admission: Admission | None = getattr(endpoint, _MARK, None)
    if admission is None:
        raise UndeclaredAccess(f"{getattr(endpoint, '__qualname__', endpoint)} does not say who may call it")
    return admission


def require_declared(app: FastAPI) -> None:
    """Look at every route of a finished application. Raises UndeclaredAccess for one that nobody decided about."""
    for route in app.routes:
        _require(route)


def _require(route: BaseRoute) -> None:
    endpoint = getattr(route, "endpoint", None)
    if endpoint is None:
        raise UndeclaredAccess(
            f"{route!r} is not a plain route: mounts and included routers escape admission"
        )
    declared(endpoint)


def _unauthorized(code: str, detail: str | None, challenge: str) -> Problem:
    return Problem(401, code, detail, headers={"WWW-Authenticate": challenge})
