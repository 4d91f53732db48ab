"""Bidding in one place without a log: streams, and policies whose commands arrive late and in any order between streams.

What it keeps of the real thing: one stream decides in order, and what follows from one stream's events arrives in order.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

from libs.events.codec import name_of
from libs.events.deciding import Wake
from libs.events.records import RecordedEvent
from libs.events.sagas import Send
from libs.events.system import CommandRefused
from libs.events.topics import aggregate_of
from services.bidding.domain import aggregates
from services.bidding.domain.profile import DEMO, Profile
from services.bidding.policies import POLICIES
from tests.unit.documents import recorded
from tests.unit.given import TODAY, Outcome, context, step


class Town:
    """All accounts and listings, their histories, and the commands that are on their way."""

    def __init__(self, profile: Profile = DEMO) -> None:
        self.aggregates = {aggregate.prefix: aggregate for aggregate in aggregates(profile)}
        self.states: dict[str, Any] = {}
        self.histories: dict[str, list[RecordedEvent]] = {}
        self.waiting: dict[str, list[Send]] = {}
        self.refused: list[tuple[str, str]] = []
        self.today = TODAY

    def does(self, stream: str, command: Any, principal: str = "") -> Outcome:
        """A person, or time, does this now."""
        aggregate = self.aggregates[aggregate_of(stream)]
        state = self.states.get(stream, aggregate.initial)
        outcome = step(aggregate, state, command, context(self.today, principal))
        self.states[stream] = outcome.state
        for event in outcome.events:
            history = self.histories.setdefault(stream, [])
            history.append(recorded(event, stream, len(history) + 1))
            self._follow(stream, history[-1])
        return outcome

    def hears(self, source: str, stream: str, event: Any) -> None:
        """Another service says something."""
        self.waiting.setdefault(stream, []).extend(POLICIES[source](recorded(event, stream, service=source)))

    def deliver(self, choose: Callable[[int], int]) -> bool:
        """Decide one waiting command; `choose(n)` says which of n streams' oldest. False when nothing waits."""
        streams = sorted(stream for stream, sends in self.waiting.items() if sends)
        if not streams:
            return False
        stream = streams[choose(len(streams))]
        send = self.waiting[stream].pop(0)
        outcome = self.does(send.stream_id, send.command)
        if outcome.refused is not None:
            refusal = CommandRefused(
                command_type=name_of(type(send.command)),
                code=outcome.refused,
                stream_id=send.stream_id,
                about=dict(send.about),
            )
            self.refused.append((refusal.command_type, refusal.code))
            self._follow(send.stream_id, recorded(refusal, service="bidding"))
        return True

    def settle(self, choose: Callable[[int], int]) -> None:
        """Deliver until nothing waits."""
        while self.deliver(choose):
            pass

    def wake(self, day: date) -> None:
        """Phase 1 of a day: what is due on it is woken, and the next date is set by whoever calls."""
        for stream, state in sorted(self.states.items()):
            due = self.aggregates[aggregate_of(stream)].wake_on(state)
            if due is not None and due <= (day, 1):
                self.does(stream, Wake(business_date=day, phase=1))

    def _follow(self, stream: str, event: RecordedEvent) -> None:
        self.waiting.setdefault(stream, []).extend(POLICIES["bidding"](event))
