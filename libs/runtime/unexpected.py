"""Which decisions somebody must look at: the one rule behind the view of what is parked and the decider's alarm.

A refusal told to a person is final. One that a policy meets is told to nobody but its saga; where no saga expects it, money
would stop in silence (design.md 2.5).
"""

from collections.abc import Mapping
from typing import Final, Literal

from libs.events.codec import name_of
from libs.events.records import StoredEvent
from libs.events.system import CommandRefused, PolicyFailed
from libs.runtime.service import Service

_REFUSED: Final = name_of(CommandRefused)
_POLICY_FAILED: Final = name_of(PolicyFailed)
#: Refusals that the runtime makes because a command could not be decided at all.
_UNDECIDABLE: Final = ("malformed", "internal")

#: Stands, in a policy's command that is sent again without its source, where a person's has the HMAC of his request.
RETRY_FINGERPRINT: Final = "retry"

Kind = Literal["refused", "policy_failed"]


def expected_refusals(service: Service) -> frozenset[str]:
    """The wire names of the commands whose refusal a saga of this service handles."""
    return frozenset(name_of(kind) for saga in service.sagas for kind in saga.expected_refusals)


def is_from_policy(headers: Mapping[str, bytes]) -> bool:
    """Whether a policy wanted the command of a decision with these headers, be it sent by its group or once more by a person."""
    return "source" in headers or headers.get("fingerprint") == RETRY_FINGERPRINT.encode()


def unexpected(stored: StoredEvent, *, from_policy: bool, expected: frozenset[str]) -> Kind | None:
    """What somebody must look at in an event of a decision; None for everything that goes its way."""
    if stored.type == _POLICY_FAILED:
        return "policy_failed"
    if stored.type != _REFUSED:
        return None
    undecidable = stored.data["code"] in _UNDECIDABLE
    unhandled = from_policy and stored.data["command_type"] not in expected
    return "refused" if undecidable or unhandled else None
