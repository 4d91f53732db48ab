"""Marks of a repair: how a commands topic says, signed, that another record than the decided command stands at a position.

Where the commands below a chain's head were lost, their offsets must be taken by something, or new commands would get old
positions. The bytes of the lost commands are gone for good, so their hashes can never fit again: a mark says for which
position, and for which two hashes, and only the holder of the key of the signed heads can write one.
"""

from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from libs.events.records import RawRecord
from libs.runtime.kafka import Place

#: The header that holds a mark's signature, and the one that names the position it is about.
MARK_HEADER = "repair"
POSITION_HEADER = "repair-position"
_DOMAIN = b"loanstream repair 1\n"


def placeholder(decided: bytes) -> bytes:
    """The value of a record that takes the place of a lost command, of which only the hash is known."""
    return b'{"lost_command":"' + decided.hex().encode() + b'"}'


def mark(
    key: Ed25519PrivateKey, log_id: str, commands: Place, position: int, *, decided: bytes, found: bytes
) -> dict[str, bytes]:
    """The headers that excuse a position: there `decided` was decided, and `found` stands (hashes of values)."""
    signature = key.sign(_signed(log_id, commands, position, decided, found))
    return {MARK_HEADER: signature, POSITION_HEADER: str(position).encode()}


class Marks:
    """The marks of one partition's commands. Without a key none of them counts."""

    def __init__(self, key: Ed25519PublicKey | None, log_id: str, commands: Place) -> None:
        self._key = key
        self._log_id = log_id
        self._commands = commands
        self._signatures: dict[int, list[bytes]] = {}

    def add(self, raw: RawRecord) -> None:
        """Take the mark of a record, if it has one."""
        signature, position = raw.headers.get(MARK_HEADER), raw.headers.get(POSITION_HEADER, b"")
        if signature is not None and position.isdigit():
            self._signatures.setdefault(int(position), []).append(signature)

    def excuse(self, position: int, *, decided: bytes | None, found: bytes) -> bool:
        """Whether a repair says that `found` stands there instead of the command that was decided."""
        if self._key is None or decided is None:
            return False
        signed = _signed(self._log_id, self._commands, position, decided, found)
        return any(self._is_signed(signature, signed) for signature in self._signatures.get(position, ()))

    def _is_signed(self, signature: bytes, signed: bytes) -> bool:
        assert self._key is not None, "asked before"
        try:
            self._key.verify(signature, signed)
        except InvalidSignature:
            return False
        return True


def hash_of(raw: RawRecord) -> bytes:
    """The hash of a command as decisions carry it."""
    return sha256(raw.value).digest()


def _signed(log_id: str, commands: Place, position: int, decided: bytes, found: bytes) -> bytes:
    where = f"{log_id}\n{commands.topic}\n{commands.partition}\n{position}\n{decided.hex()}\n{found.hex()}\n"
    return _DOMAIN + where.encode()
