"""Bearer tokens: only a token that our issuer signed for us, that is valid now, makes anybody anyone."""

import base64
import hmac
import json
import stat
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from libs.runtime.auth import SCOPES, Principal, TokenRefused, TokenVerifier, issue_token
from libs.runtime.errors import OperatorError
from libs.runtime.identity import ensure_identity
from libs.runtime.settings import Settings, load_settings

NOW = 1_710_500_000.0


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An installation with its own keys."""
    return ensure_identity(load_settings(tmp_path_factory.mktemp("auth")))


def verifier(
    settings: Settings, now: Callable[[], float] = lambda: NOW, remembered_max: int = 100
) -> TokenVerifier:
    """Its verifier at a fixed time."""
    return TokenVerifier(
        settings.token_public_path.read_bytes(),
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        now=now,
        remembered_max=remembered_max,
    )


def claims(settings: Settings, **changed: Any) -> dict[str, Any]:
    """Good claims, with some changed or (None) left out."""
    good = {
        "iss": settings.token_issuer,
        "aud": settings.token_audience,
        "sub": "usr_ada",
        "scope": "account:own",
        "iat": int(NOW),
        "nbf": int(NOW),
        "exp": int(NOW) + 60,
    }
    return {name: value for name, value in (good | changed).items() if value is not None}


def signed(
    settings: Settings,
    header: dict[str, Any],
    payload: dict[str, Any],
    sign: Callable[[bytes], bytes] | None = None,
) -> str:
    """A token with any header (None leaves a member out) and payload, signed RS256 by the issuer's key or otherwise."""
    own = _private_key(settings.token_private_path)
    merged = {"alg": "RS256", "typ": "at+jwt", "kid": verifier(settings).key_id} | header
    parts = ({name: value for name, value in merged.items() if value is not None}, payload)
    message = b".".join(_encoded(json.dumps(part).encode()) for part in parts)
    signature = sign(message) if sign else own.sign(message, padding.PKCS1v15(), hashes.SHA256())
    return b".".join((message, _encoded(signature))).decode()


def _encoded(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


@cache
def _private_key(path: Path) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def test_an_issued_token_names_its_subject_and_scopes(settings: Settings) -> None:
    """What the development issuer writes, the verifier reads."""
    token = issue_token(settings, "usr_ada", ["bid:own", "account:own"], 60, now=NOW)
    assert Principal("usr_ada", frozenset({"bid:own", "account:own"})) == verifier(settings).verify(token)


def test_the_private_key_is_readable_by_its_owner_only(settings: Settings) -> None:
    """The issuer's key is minted with mode 0600."""
    assert stat.S_IMODE(settings.token_private_path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "somebody-else"},
        {"iss": None},
        {"aud": "another-api"},
        {"aud": None},
        {"aud": ["another-api"]},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "usr_../../x"},
        {"sub": "no prefix"},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": 10**400},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"nbf": None},
        {"nbf": int(NOW) + 30},
        {"nbf": 10**400},
        {"iat": int(NOW) + 30},
        {"scope": ["account:own"]},
    ],
    ids=lambda changed: str(changed)[:40],
)
def test_wrong_claims_are_refused(settings: Settings, changed: dict[str, Any]) -> None:
    """A token that is signed by us but says something else than a token of ours must, is refused."""
    with pytest.raises(TokenRefused) as refused:
        verifier(settings).verify(signed(settings, {}, claims(settings, **changed)))
    assert not refused.value.expired


def test_an_expired_token_says_so(settings: Settings) -> None:
    """Expiry is told apart, because a client can help it."""
    with pytest.raises(TokenRefused) as refused:
        verifier(settings).verify(signed(settings, {}, claims(settings, exp=int(NOW))))
    assert refused.value.expired


def test_a_remembered_token_expires_too(settings: Settings) -> None:
    """The cache never outlives the token: verified, remembered, and refused from its last second on."""
    clock = [NOW]
    tokens = verifier(settings, now=lambda: clock[0])
    token = issue_token(settings, "usr_ada", ["account:own"], 60, now=NOW)
    assert tokens.verify(token) == tokens.verify(token)
    clock[0] = NOW + 60
    for _ in range(2):
        with pytest.raises(TokenRefused) as refused:
            tokens.verify(token)
        assert refused.value.expired


def test_the_cache_is_bounded(settings: Settings) -> None:
    """A flood of good tokens does not fill the memory: the oldest are forgotten and verified again."""
    tokens = verifier(settings, remembered_max=3)
    issued = [issue_token(settings, f"usr_{number}", [], 60, now=NOW) for number in range(5)]
    for token in issued + issued:
        tokens.verify(token)
    assert len(tokens._remembered) == 3


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": None},
        {"kid": "another"},
        {"kid": None},
        {"alg": "RS512"},
        {"jku": "https://attacker.example/keys"},
        {"jwk": {"kty": "oct", "k": "AA"}},
        {"crit": ["b64"]},
    ],
    ids=str,
)
def test_wrong_headers_are_refused(settings: Settings, header: dict[str, Any]) -> None:
    """Another type, another or no key, another algorithm, or a header that brings its own key: refused."""
    with pytest.raises(TokenRefused):
        verifier(settings).verify(signed(settings, header, claims(settings)))


def test_no_signature_is_no_token(settings: Settings) -> None:
    """`alg: none` is refused, with and without our key id."""
    for kid in (verifier(settings).key_id, None):
        with pytest.raises(TokenRefused):
            verifier(settings).verify(
                signed(settings, {"alg": "none", "kid": kid}, claims(settings), lambda _: b"")
            )


def test_the_public_key_is_no_shared_secret(settings: Settings) -> None:
    """HS256 over the public key's bytes (RS/HS confusion) is refused."""
    secret = settings.token_public_path.read_bytes()
    token = signed(
        settings, {"alg": "HS256"}, claims(settings), lambda message: hmac.digest(secret, message, "sha256")
    )
    with pytest.raises(TokenRefused):
        verifier(settings).verify(token)


def test_a_key_of_somebody_else_signs_nothing(settings: Settings) -> None:
    """A forged token with our key id is refused."""
    forger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    token = signed(
        settings,
        {},
        claims(settings),
        lambda message: forger.sign(message, padding.PKCS1v15(), hashes.SHA256()),
    )
    with pytest.raises(TokenRefused):
        verifier(settings).verify(token)


def test_a_changed_claim_breaks_the_signature(settings: Settings) -> None:
    """A good token with somebody else's subject put into it is refused."""
    head, _, signature = issue_token(settings, "usr_ada", ["account:own"], 60, now=NOW).split(".")
    other = _encoded(json.dumps(claims(settings, sub="usr_bob")).encode()).decode()
    with pytest.raises(TokenRefused):
        verifier(settings).verify(f"{head}.{other}.{signature}")


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é.é.é", "[" * 4000, "x" * 20_000, "e30.e30.e30"])
def test_rubbish_is_refused(settings: Settings, token: str) -> None:
    """Whatever stands in the header, the answer is a refusal and never a crash."""
    with pytest.raises(TokenRefused):
        verifier(settings).verify(token)


def test_a_deeply_nested_header_is_refused(settings: Settings) -> None:
    """A header that would exhaust the parser's stack is refused like any other."""
    head = base64.urlsafe_b64encode(b"[" * 5000).decode().rstrip("=")
    with pytest.raises(TokenRefused):
        verifier(settings).verify(f"{head}.e30.e30")


def test_the_issuer_refuses_what_no_route_accepts(settings: Settings) -> None:
    """A misspelt scope or subject is an operator's error, not a token that never works."""
    with pytest.raises(OperatorError, match="no scope"):
        issue_token(settings, "usr_ada", ["account:owm"], 60)
    with pytest.raises(OperatorError, match="no subject"):
        issue_token(settings, "ada", list(SCOPES), 60)


def test_missing_keys_are_an_operators_error(tmp_path: Path) -> None:
    """Without a key file the sentence says what to do."""
    with pytest.raises(OperatorError, match="loanstream up"):
        TokenVerifier.from_settings(load_settings(tmp_path))
