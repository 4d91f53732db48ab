"""The shape of a policy and of a saga's table: event in, commands of the same service out, nothing done.

The tables are data, so `docs/sagas.md` is generated from them and a test asserts that every decline is handled.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

SagaKey = Callable[[Any], str | tuple[str, ...]]
"""The key, or keys, that an event opens or closes a saga under."""


@dataclass(frozen=True, slots=True)
class Send:
    """One command that a policy wants sent. `slot` is a name unique within the event, e.g. `capture:<hold_id>`.

    `about` are the ids that the saga wants back in a refusal.
    """

    slot: str
    stream_id: str
    command: Any
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a saga: on this event this command is sent; what declines it, and the command that undoes."""

    on: type
    send: type
    declined_by: tuple[type, ...] = ()
    compensation: type | None = None


@dataclass(frozen=True, slots=True)
class Saga:
    """A chain of steps through the service's streams, open from one event to another.

    `opened_by` and `closed_by` map an event type to the function that gives the saga's key (an id of the business), or
    a tuple of keys where the event opens or closes one per thing it fans out to, none where it does not concern the saga.
    `expected_refusals` are the command types whose refusal the saga handles; any other refusal of a policy's command alarms.
    """

    name: str
    why: str
    opened_by: Mapping[type, SagaKey]
    closed_by: Mapping[type, SagaKey]
    steps: tuple[Step, ...]
    expected_refusals: tuple[type, ...] = ()
