"""What identifies one call: its command id, the ids minted from it, and the fingerprint of its body.

All of it follows from the request alone, so a retry, to whichever process, meets the same stream with the same id and is
answered from the log; there is no store of idempotency keys (design.md 2.2).
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Annotated, Final
from uuid import UUID, uuid5

from fastapi import Depends, Request

from libs.runtime.auth import Principal
from libs.runtime.http.problems import Problem

KEY_HEADER: Final = "Idempotency-Key"
#: Namespace of all command ids of people. Never changes: another one would make every retry a new command.
_NAMESPACE: Final = UUID("6f4b4c0e-5b0c-5f0e-9f39-0a3d2f6f9a51")
_KEY = re.compile(r"[\x21-\x7e]{1,200}")


@dataclass(frozen=True, slots=True)
class Call:
    """One admitted request of a command route: who calls what, under which key, with which bytes."""

    principal: Principal
    route: str
    path: Mapping[str, str]
    key: str | None
    body: bytes

    def command_id(self, key: str | None = None) -> UUID:
        """The command's id: uuid5 over the length-prefixed principal, route, path parameters and key.

        `key` replaces the header's where the caller's own words identify the call (the bank's answer).
        """
        chosen = key if key is not None else self.key
        if chosen is None:
            raise RuntimeError("a command route must require a key or name one")
        return _command_id((self.principal.subject, self.route, *self.path.values(), chosen))

    def mint(self, prefix: str) -> str:
        """An id that follows from the command's: `mint("bid")` and `mint("hold")` of one call share their suffix."""
        return f"{prefix}_{self.command_id().hex}"


@lru_cache(maxsize=64)
def _command_id(parts: tuple[str, ...]) -> UUID:
    """Kept for a moment: a call asks for its command's id, and for every id that is minted from it."""
    return uuid5(_NAMESPACE, "".join(f"{len(part.encode())}:{part}" for part in parts))


def fingerprint(secret: bytes, body: bytes) -> str:
    """HMAC-SHA-256 of a request's bytes in hex: tells whether a key is used again for another request."""
    return hmac.new(secret, body, sha256).hexdigest()


def idempotency_key(request: Request, principal: Principal) -> str:
    """The request's key. Raises Problem 400 when it is missing, given twice, or not what its caller may use."""
    given = request.headers.getlist(KEY_HEADER)
    if not given:
        raise Problem(
            400,
            "missing_idempotency_key",
            f"Send {KEY_HEADER} with a value of your own, new for each new wish.",
        )
    if len(given) > 1 or not _KEY.fullmatch(given[0]):
        raise Problem(
            400,
            "malformed_idempotency_key",
            f"{KEY_HEADER} is one word of 1 to 200 visible ASCII characters.",
        )
    if not principal.subject:
        return _as_uuid(given[0])
    return given[0]


def _as_uuid(key: str) -> str:
    """Callers without a token share one name space, so their keys must be unguessable and never meet by chance."""
    try:
        return str(UUID(key))
    except ValueError:
        raise Problem(
            400, "malformed_idempotency_key", f"Without a token {KEY_HEADER} must be a UUID."
        ) from None


async def _call(request: Request) -> Call:
    call = request.state.call
    assert isinstance(call, Call)
    return call


ThisCall = Annotated[Call, Depends(_call)]
"""The call that a command route is asked to turn into a command."""


async def _principal(request: Request) -> Principal:
    principal = request.state.principal
    assert isinstance(principal, Principal)
    return principal


ThisPrincipal = Annotated[Principal, Depends(_principal)]
"""Who asks."""
