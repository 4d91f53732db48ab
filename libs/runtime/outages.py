"""What a person is told when the broker, MongoDB or the disk is away: one sentence, as for his own mistakes.

The clients' errors are traced no further than the command line: whoever works inside a process catches them by name and
goes on by reading the log again.
"""

from typing import Final

from libs.runtime.errors import the_one_to_tell
from libs.runtime.generations import DatabaseUnavailable
from libs.runtime.kafka import LogUnavailable, OffsetMissing
from libs.runtime.mongo import DatabaseError
from libs.runtime.settings import PREFIX

#: Where the clients' texts stop to be of use to a person: lists of addresses, of limits, the server's whole answer.
_ENDS: Final = (" from [(", " (configured timeouts", ", full error", "\n")


def sentence_of(error: BaseException) -> str | None:
    """What is away and what to do; None for an error that is none of ours to explain."""
    if isinstance(error, BaseExceptionGroup):
        error = the_one_to_tell(error)
    if isinstance(error, LogUnavailable):
        return (
            f"The Kafka broker cannot be used ({_reason(error)}): see that it runs and that {PREFIX}KAFKA is its address, "
            "then try again."
        )
    if isinstance(error, OffsetMissing):
        return (
            f"The log ends before what was read of it ({_reason(error)}): its tail was cut. Start again: what is kept of it is "
            "looked at anew, and rebuilt where the log has lost it."
        )
    if isinstance(error, DatabaseError | DatabaseUnavailable):
        return (
            f"MongoDB cannot be used ({_reason(error)}): see that it runs and that {PREFIX}MONGO is its address, then try "
            "again."
        )
    if isinstance(error, OSError):
        what = error.strerror or str(error) or type(error).__name__
        place = f" {error.filename}" if error.filename else ""
        return (
            f"The operating system refuses{place} ({what}): put that right, or set {PREFIX}DATA_DIR to a directory that can "
            "be written."
        )
    return None


def _reason(error: Exception) -> str:
    reason = str(error)
    for end in _ENDS:
        reason = reason.split(end, 1)[0]
    return reason[:200] or type(error).__name__
