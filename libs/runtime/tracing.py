"""What came of a command: the tree of its decision's events, the commands that policies sent for them, and so on. Pure.

Every decision names its command and what caused it (`causation_id` = the address of an event), so the tree is in the log
and nowhere else. Decisions that belong together share a correlation id.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from libs.events.records import Decision, StoredEvent


@dataclass(frozen=True, slots=True)
class Traced:
    """One decision as it stands in the log. `address` is `service/partition/position`, `at_ms` the log's time."""

    address: str
    command_id: str
    command_type: str
    decision: Decision
    at_ms: int


@dataclass(frozen=True, slots=True)
class EventNode:
    """An event and the decisions that followed from it."""

    address: str
    event: StoredEvent
    followed_by: tuple["DecisionNode", ...]


@dataclass(frozen=True, slots=True)
class DecisionNode:
    """A decision and its events."""

    traced: Traced
    events: tuple[EventNode, ...]


@dataclass(slots=True)
class Trace:
    """Decisions of one correlation, gathered in any order."""

    correlation_id: str
    _by_cause: dict[str, dict[str, Traced]] = field(default_factory=dict)

    def add(self, traced: Traced) -> bool:
        """Keep a decision that belongs to the correlation; False for any other."""
        decision = traced.decision
        if decision.correlation_id != self.correlation_id or decision.causation_id is None:
            return False
        known = self._by_cause.setdefault(decision.causation_id, {})
        known.setdefault(traced.address, traced)  # the log may hold a record twice; it counts once
        return True

    def tree(self, root: Traced) -> DecisionNode:
        """What came of a decision, in the order of the log's time."""
        events = tuple(
            EventNode(
                f"{root.address}/{index}",
                event,
                tuple(self.tree(next_one) for next_one in self._caused_by(f"{root.address}/{index}")),
            )
            for index, event in enumerate(root.decision.events)
        )
        return DecisionNode(root, events)

    def _caused_by(self, address: str) -> list[Traced]:
        found = self._by_cause.get(address, {}).values()
        return sorted(found, key=lambda traced: (traced.at_ms, traced.address))


def decisions_in(node: DecisionNode) -> Iterator[Traced]:
    """A tree's decisions, causes before what they caused."""
    yield node.traced
    for event in node.events:
        for next_one in event.followed_by:
            yield from decisions_in(next_one)


def told(event: StoredEvent) -> str:
    """An event in a line: its name, its stream, and its plain fields."""
    name = event.type.split(".")[1]
    where = "" if event.stream is None else f" {event.stream}#{event.sequence}"
    data = event.data if isinstance(event.data, Mapping) else {}
    plain = [
        f"{field_name}={value}"
        for field_name, value in data.items()
        if isinstance(value, str | int) and value not in ("", event.stream)
    ]
    return " ".join([name + where, *plain])
