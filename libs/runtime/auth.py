"""Who is calling: bearer tokens (JWT, RS256) verified against one public key, and the development issuer.

Deny by default: nothing here lets a request in without a verified signature, and a route names the scopes it asks for
(libs.runtime.http.access). What a token says is kept until it expires, so a busy caller costs one verification.
"""

import base64
import json
import re
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import RSAKey

from libs.runtime.errors import OperatorError
from libs.runtime.settings import Settings

#: The only signature that is accepted: an allow-list of one closes `none` and the RS/HS confusion at once.
ALGORITHM: Final = "RS256"
#: RFC 9068: an access token says so itself, so an ID token or any other JWT of the issuer is not one.
TOKEN_TYPE: Final = "at+jwt"  # noqa: S105  # a media type, not a secret
TOKEN_BYTES_MAX: Final = 8 * 1024

#: Every scope that a route may ask for, and what it lets its bearer do.
SCOPES: Final = {
    "account:own": "open and see one's own custody account, ask for top-ups and withdrawals",
    "bid:own": "bid with one's own account",
    "loan:own": "see and pay one's own loans",
    "listing:read": "see open listings",
    "user:own": "see oneself, be verified and assessed, declare relations, be forgotten",
    "application:own": "apply for a loan, hand in papers, accept or decline its terms",
    "customer_manager": "take customers in, check their papers, interview them",
    "risk": "judge eligibility, investigate, convene the committee, mark conditions",
    "committee": "vote on applications",
    "disbursement": "check what must hold before a listing opens (legal and disbursement posts)",
    "legal": "read what is to be published, and let it be published or not",
    "admin": "appoint and dismiss staff, print blank contracts",
    "operator": "open listings, run the calendar, see every loan",
    "finance": "review full listings and pay them out",
    "papers": "read contracts (legal), sign one's step of a deal pack",
    "redemption": "see emergency redemptions, approve them or release their sale by one's post",
    "measure": "propose measures for loans that are not paid as agreed, and sign them by one's post",
    "correction": "allow or refuse corrections of payments by one's post",
    "claim:own": "see the loans in which one holds claims",
    "analyst": "see figures of the whole book",
    "collector": "work the collection queue of one's own desk",
    "collections_supervisor": "see all of collections, assign its cases, fix its desks",
    "contract_stock": "keep a branch's blank contracts",
}
#: What the development issuer gives a customer.
CUSTOMER_SCOPES: Final = (
    "account:own",
    "bid:own",
    "loan:own",
    "listing:read",
    "claim:own",
    "user:own",
    "application:own",
)

_SUBJECT = re.compile(r"[a-z]{2,12}_[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a request acts for: a subject id (`usr_7f`, `bank`, empty for nobody) and the scopes it was given."""

    subject: str
    scopes: frozenset[str] = frozenset()

    def may(self, scope: str) -> bool:
        """True if the token carries the scope."""
        return scope in self.scopes


NOBODY: Final = Principal("")


class TokenRefused(Exception):
    """A token that proves nothing; `expired` tells a client that a new one will help."""

    def __init__(self, *, expired: bool = False) -> None:
        super().__init__("expired" if expired else "invalid")
        self.expired = expired


class TokenVerifier:
    """Verifies bearer tokens and remembers the verified ones, at most `remembered_max`, each until it expires."""

    def __init__(
        self,
        public_key: bytes,
        *,
        issuer: str,
        audience: str,
        now: Callable[[], float] = time.time,
        remembered_max: int = 10_000,
    ) -> None:
        self._key = RSAKey.import_key(public_key)
        self.key_id = self._key.thumbprint()
        self._now = now
        self._claims = jwt.JWTClaimsRegistry(
            now=lambda: int(self._now()),
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
            nbf={"essential": True},
            iat={"essential": True},
        )
        self._remembered: dict[str, tuple[Principal, float]] = {}
        self._remembered_max = remembered_max

    @staticmethod
    def from_settings(settings: Settings) -> "TokenVerifier":
        """The verifier of this installation. Raises OperatorError when its public key cannot be read."""
        path = settings.token_public_path
        return TokenVerifier(
            _read_key(path, "LOANSTREAM_TOKEN_PUBLIC_KEY"),
            issuer=settings.token_issuer,
            audience=settings.token_audience,
        )

    def verify(self, token: str) -> Principal:
        """The principal of a token. Raises TokenRefused for anything but a token of ours that is valid now."""
        known = self._remembered.get(token)
        if known is not None:
            principal, expires = known
            if self._now() < expires:
                return principal
            del self._remembered[token]
            raise TokenRefused(expired=True)
        principal, expires = self._verify(token)
        while len(self._remembered) >= self._remembered_max:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[token] = (principal, expires)
        return principal

    def _verify(self, token: str) -> tuple[Principal, float]:
        if len(token) > TOKEN_BYTES_MAX:
            raise TokenRefused
        try:
            self._check_header(token)
            claims = jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims
            self._claims.validate(claims)
            expires = float(claims["exp"])
        except ExpiredTokenError as error:
            raise TokenRefused(expired=True) from error
        except (JoseError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise TokenRefused from error
        subject, scope = claims["sub"], claims.get("scope", "")
        if not _SUBJECT.fullmatch(subject) or not isinstance(scope, str):
            raise TokenRefused
        return Principal(subject, frozenset(scope.split())), expires

    def _check_header(self, token: str) -> None:
        """Judge what the token claims about itself before any key is used. Raises TokenRefused, ValueError."""
        head = token.split(".", 1)[0]
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
        if not isinstance(header, dict) or header.keys() - {"alg", "typ", "kid"}:
            raise TokenRefused
        if (header.get("alg"), header.get("typ"), header.get("kid")) != (ALGORITHM, TOKEN_TYPE, self.key_id):
            raise TokenRefused


def issue_token(
    settings: Settings, subject: str, scopes: Collection[str], ttl_s: int, *, now: float | None = None
) -> str:
    """A bearer token of the development issuer, valid for `ttl_s` seconds.

    Raises OperatorError for a subject or scope that no route would accept, and where this installation has no issuer key.
    """
    if not _SUBJECT.fullmatch(subject):
        raise OperatorError(f"{subject!r} is no subject: write a short prefix and an id, for example usr_7f.")
    unknown = sorted(set(scopes) - SCOPES.keys())
    if unknown:
        raise OperatorError(f"There is no scope {', '.join(unknown)}. The scopes are {', '.join(SCOPES)}.")
    key = _private_key(_read_key(settings.token_private_path, "LOANSTREAM_TOKEN_PRIVATE_KEY"))
    issued = int(time.time() if now is None else now)
    return jwt.encode(
        {"alg": ALGORITHM, "typ": TOKEN_TYPE, "kid": key.thumbprint()},
        {
            "iss": settings.token_issuer,
            "aud": settings.token_audience,
            "sub": subject,
            "scope": " ".join(sorted(scopes)),
            "iat": issued,
            "nbf": issued,
            "exp": issued + ttl_s,
        },
        key,
        algorithms=[ALGORITHM],
    )


@lru_cache(maxsize=4)
def _private_key(pem: bytes) -> RSAKey:
    """Checking an RSA key takes 60 ms, and a replay of a book asks for a token per person."""
    return RSAKey.import_key(pem)


def _read_key(path: Path, setting: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise OperatorError(
            f"The key file {path} cannot be read ({error.strerror}): `loanstream up` mints it, or set {setting}."
        ) from None
