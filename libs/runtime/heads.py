"""Signed heads: where each chain stood, minute by minute, signed and kept outside Kafka.

A chain proves that nothing between its records was changed, but not that its end is still there, nor that the whole of it
was not written anew by somebody who knows the log id. A signed head proves both: the log must go on holding that decision.
"""

import asyncio
import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from libs.events.chain import Checkpoint
from libs.events.codec import Undecodable, decode, encode, record
from libs.events.money import Count
from libs.events.records import Token
from libs.runtime import observability as metrics
from libs.runtime.errors import OperatorError
from libs.runtime.settings import PREFIX, Settings
from libs.runtime.waiting import until_set

log = structlog.get_logger()

#: Signed before the head itself, so that a signature of something else can never pass for one of a head.
_DOMAIN = b"loanstream head 1\n"


@record
class Head:
    """Where one partition's chain stood at a moment (UTC). `hash` is the hex of the decision's hash."""

    log_id: Token
    service: Token
    partition: Count
    offset: Count
    position: Count
    hash: Token
    at: datetime


@record
class SignedHead:
    """A line of the file. `signature` is the hex of the Ed25519 signature over the head's JSON."""

    head: Head
    signature: Token


def heads_file(settings: Settings, service: str) -> Path:
    """Where the heads of one service are kept: JSON lines, only ever appended to."""
    return settings.heads_path / f"{settings.topic_prefix}{service}.jsonl"


def signing_key(settings: Settings) -> Ed25519PrivateKey:
    """The key that signs heads. Raises OperatorError when it is missing or none."""
    path = settings.heads_private_path
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise _no_key(path, "HEADS_PRIVATE_KEY", error) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_key(path, "HEADS_PRIVATE_KEY", "it is of another kind")
    return key


def verifying_key(settings: Settings) -> Ed25519PublicKey:
    """The key that heads are checked with. Raises OperatorError when it is missing or none."""
    path = settings.heads_public_path
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise _no_key(path, "HEADS_PUBLIC_KEY", error) from None
    if not isinstance(key, Ed25519PublicKey):
        raise _no_key(path, "HEADS_PUBLIC_KEY", "it is of another kind")
    return key


def key_if_any(settings: Settings) -> Ed25519PublicKey | None:
    """The key that heads are checked with, or None where there is none: then nothing counts as signed."""
    return verifying_key(settings) if settings.heads_public_path.exists() else None


def _no_key(path: Path, name: str, why: object) -> OperatorError:
    return OperatorError(
        f"The Ed25519 key {path} of signed heads cannot be used ({why}): `loanstream up` mints one where none is, or set "
        f"{PREFIX}{name} to the PEM file of yours."
    )


def sign(key: Ed25519PrivateKey, head: Head) -> SignedHead:
    """Sign one head."""
    return SignedHead(head=head, signature=key.sign(_DOMAIN + encode(Head, head)).hex())


def is_signed_by(key: Ed25519PublicKey, signed: SignedHead) -> bool:
    """Whether the signature is this key's, over exactly this head."""
    try:
        key.verify(bytes.fromhex(signed.signature), _DOMAIN + encode(Head, signed.head))
    except (InvalidSignature, ValueError):
        return False
    return True


def append(path: Path, heads: list[SignedHead]) -> None:
    """Append lines and return when the disk has them. Several processes may do so at once. Raises OSError.

    A last line without its end was cut by a crash, before anybody could rely on it: it is taken away.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 64 * 1024))
        tail = file.read()
        torn = len(tail) - (tail.rfind(b"\n") + 1)
        if torn:
            file.truncate(size - torn)
        file.write(b"".join(encode(SignedHead, signed) + b"\n" for signed in heads))
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def read(path: Path) -> Iterator[tuple[int, SignedHead | None]]:
    """Every line with its number; None where it is no signed head. A last line without its end is being written."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            try:
                yield number, decode(SignedHead, line)
            except Undecodable:
                yield number, None


class HeadsRole:
    """Signs the heads of a decider's partitions, at the start of its deciding, every minute, and at the end."""

    def __init__(
        self, settings: Settings, service: str, heads: Callable[[], Mapping[int, Checkpoint]]
    ) -> None:
        self._settings = settings
        self._service = service
        self._heads = heads
        self._path = heads_file(settings, service)
        self._signed: dict[int, Checkpoint] = {}
        self._failure: str | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Sign until `stop`. Raises OperatorError for a missing key. A full disk is told, and tried again."""
        key = signing_key(self._settings)
        while not stop.is_set():
            await self._sign(key)
            await until_set(stop, self._settings.heads_every_s)
        await self._sign(key)

    async def _sign(self, key: Ed25519PrivateKey) -> None:
        now = datetime.now(UTC)
        moved = {
            partition: head
            for partition, head in self._heads().items()
            if head.position >= 0 and self._signed.get(partition) != head
        }
        lines = [sign(key, self._head(partition, head, now)) for partition, head in moved.items()]
        try:
            if lines:
                await asyncio.to_thread(append, self._path, lines)
        except OSError as error:
            self._failure = f"{self._path} cannot be written ({error.strerror})"
            metrics.HEADS_NOT_SIGNED.labels(self._service).inc()
            log.error("heads_not_signed", service=self._service, cause=str(error))
            return
        self._failure = None
        self._signed |= moved

    def _head(self, partition: int, head: Checkpoint, at: datetime) -> Head:
        return Head(
            log_id=self._settings.require_log_id(),
            service=self._service,
            partition=partition,
            offset=head.offset,
            position=head.position,
            hash=head.hash.hex(),
            at=at,
        )

    def ready(self) -> tuple[bool, str]:
        """Always of use: deciding goes on without signatures, and the reason tells what is amiss."""
        return True, self._failure or ""
