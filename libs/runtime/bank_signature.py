"""How the custodian bank and we sign what we tell each other: HMAC-SHA-256 over the time, the path and the raw body.

One module for both sides, because a signature that two programs compute apart is a signature that drifts. Who calls sends
`Loanstream-Bank-Timestamp` (seconds since 1970, UTC) and `Loanstream-Bank-Signature: v1=<hex>`; the three parts are
joined by a line feed, which neither a timestamp nor a path can contain.
"""

import hmac
import re
from hashlib import sha256
from typing import Final

TIMESTAMP_HEADER: Final = "Loanstream-Bank-Timestamp"
SIGNATURE_HEADER: Final = "Loanstream-Bank-Signature"
#: How far a call-back's clock may be from ours, either way.
TOLERANCE_S: Final = 300

_VERSION = "v1="
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


def signature(secret: bytes, timestamp: int, path: str, body: bytes) -> str:
    """The signature header's value for one call."""
    message = b"\n".join((str(timestamp).encode(), path.encode(), body))
    return _VERSION + hmac.new(secret, message, sha256).hexdigest()


def signed_headers(secret: bytes, path: str, body: bytes, *, now: float) -> dict[str, str]:
    """Both headers of a call to `path` (as in the request line, without host and query)."""
    timestamp = int(now)
    return {TIMESTAMP_HEADER: str(timestamp), SIGNATURE_HEADER: signature(secret, timestamp, path, body)}


def answer_to(path: str) -> str:
    """What the answer to a call at `path` is signed for: no call has such a path, so no call can be sent back as an answer."""
    return f"{path}#answer"


def is_signed(
    secret: bytes, path: str, body: bytes, *, timestamp: str | None, claimed: str | None, now: float
) -> bool:
    """True if it was signed with this secret within the tolerance. Says no more than that, so that it gives nothing away."""
    if timestamp is None or claimed is None or not _TIMESTAMP.fullmatch(timestamp):
        return False
    expected = signature(secret, int(timestamp), path, body)
    genuine = hmac.compare_digest(expected.encode(), claimed.encode())
    return genuine and abs(now - int(timestamp)) <= TOLERANCE_S
