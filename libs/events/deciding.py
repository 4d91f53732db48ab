"""The shape of a decider: what a pure aggregate module gives the runtime, and what it gets back.

Four names per aggregate (initial, decide, evolve, wake_on) and the closed lists of its commands and events.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from libs.events.codec import record


class Refused(Exception):
    """A decision against a command, by a stable code in snake_case; never free text.

    Codes that start with `unknown_` become 404 over HTTP, `invalid_` 422, `forbidden_` 403, all others 409.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Context:
    """What a decision may know beside its state: the command's time (UTC), the partition's business date, the principal, and which phase of
    the date runs on the partition, 0 while none does. Commands come between its ticks, to streams that it has woken and to others."""

    at: datetime
    business_date: date
    principal: str
    phase: int = 0


@record
class Wake:
    """The day's phase has reached a stream that asked for it: decided like any command, by the same `decide`."""

    business_date: date
    phase: int


WakeOn = tuple[date, int] | None
"""When a stream next has something to do: (business date, phase), or None."""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One aggregate of a service.

    `prefix` is what stands before the first underscore of its stream ids (the whole id where there is none).
    `state` is the union of its situations, each a `record` with a `kind` literal. `decide(command, state, context)`
    returns the events, nothing when the outcome already holds, or raises Refused. `evolve(state, event)` never refuses.
    `dateless` aggregates decide even before the partition has a business date; others do so on their `dateless_commands` alone.
    """

    name: str
    prefix: str
    commands: tuple[type, ...]
    events: tuple[type, ...]
    state: Any
    initial: Any
    decide: Callable[[Any, Any, Context], Sequence[Any]]
    evolve: Callable[[Any, Any], Any]
    wake_on: Callable[[Any], WakeOn]
    dateless: bool = False
    dateless_commands: tuple[type, ...] = ()
