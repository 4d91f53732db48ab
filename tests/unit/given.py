"""Given these events, when this command, then these events: how every aggregate's rules are specified.

Each step also proves what the runtime relies on: deciding is the same on a state that was stored and loaded again,
byte for byte; what is decided can be written, read back and folded; postings balance; a wake ends what woke it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from libs.events.codec import decode, encode, name_of
from libs.events.deciding import Aggregate, Context, Refused, Wake

AT = datetime(2024, 3, 15, 10, 30, tzinfo=UTC)
TODAY = date(2024, 3, 15)


def context(business_date: date = TODAY, principal: str = "", phase: int = 0) -> Context:
    """What a decision may know: the business date, for a command of a person his principal, and the phase that runs."""
    return Context(at=AT, business_date=business_date, principal=principal, phase=phase)


def stored_and_loaded(aggregate: Aggregate, state: Any) -> Any:
    """The state as the decider's store gives it back."""
    return decode(aggregate.state, encode(aggregate.state, state))


def fold(aggregate: Aggregate, events: Iterable[Any], state: Any = None) -> Any:
    """The state after `events`, each written and read back first; folding on a loaded state gives the same bytes."""
    state = aggregate.initial if state is None else state
    for event in events:
        assert type(event) in aggregate.events, f"{aggregate.name} does not declare {type(event).__name__}"
        event = decode(type(event), encode(type(event), event))
        after = aggregate.evolve(state, event)
        again = aggregate.evolve(stored_and_loaded(aggregate, state), event)
        assert encode(aggregate.state, after) == encode(aggregate.state, again), (
            "evolve differs on the loaded state"
        )
        state = after
    return state


def written(events: Sequence[Any]) -> list[tuple[str, bytes]]:
    """Events as they reach the log: wire name and bytes."""
    return [(name_of(type(event)), encode(type(event), event)) for event in events]


def decided(aggregate: Aggregate, state: Any, command: Any, given_context: Context) -> tuple[Any, ...] | str:
    """The decision's events, or the code of its refusal."""
    assert isinstance(command, Wake) or type(command) in aggregate.commands, (
        f"{type(command).__name__} is not declared"
    )
    try:
        return tuple(aggregate.decide(command, state, given_context))
    except Refused as refused:
        return refused.code


@dataclass(frozen=True)
class Outcome:
    """What a command came to: its events or the code of its refusal, and the state after it."""

    events: tuple[Any, ...]
    refused: str | None
    state: Any

    def then(self, *expected: Any) -> None:
        """Exactly these events, whole, in this order."""
        assert self.refused is None, f"refused: {self.refused}"
        assert self.events == expected

    def then_refused(self, code: str) -> None:
        """Refused by exactly this code."""
        assert self.refused == code, f"expected the refusal {code}, got {self.refused or self.events}"

    def then_nothing(self) -> None:
        """Accepted, with nothing left to say: the outcome already holds."""
        self.then()


def step(aggregate: Aggregate, state: Any, command: Any, given_context: Context) -> Outcome:
    """Decide one command on a state and on its loaded copy, compare, and fold what was decided."""
    decision = decided(aggregate, state, command, given_context)
    again = decided(aggregate, stored_and_loaded(aggregate, state), command, given_context)
    if isinstance(decision, str) or isinstance(again, str):
        assert decision == again, "the loaded state is decided differently"
        return Outcome((), str(decision), state)
    assert written(decision) == written(again), "the loaded state is decided differently"
    for event in decision:
        assert sum(posting.amount_fen for posting in getattr(event, "postings", ())) == 0, (
            f"{event} does not balance"
        )
    after = fold(aggregate, decision, state)
    if isinstance(command, Wake):
        due = aggregate.wake_on(after)
        assert due is None or due > (command.business_date, command.phase), (
            f"still due on {due} after {command}"
        )
    return Outcome(decision, None, after)


@dataclass(frozen=True)
class Given:
    """A stream with a history."""

    aggregate: Aggregate
    state: Any

    def when(self, command: Any, given_context: Context | None = None) -> Outcome:
        """Decide `command` on it, by default on TODAY and for nobody in particular."""
        return step(self.aggregate, self.state, command, given_context or context())


def given(aggregate: Aggregate, *events: Any) -> Given:
    """A stream that these events have happened to."""
    return Given(aggregate, fold(aggregate, events))
