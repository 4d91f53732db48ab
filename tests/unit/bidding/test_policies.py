"""Each event is answered by its next commands, and every decline by the command that undoes."""

from typing import Any

import pytest

from libs.events.sagas import Send
from services.bidding.policies import POLICIES
from tests.unit.bidding.policy_story import ANSWERS
from tests.unit.documents import recorded


@pytest.mark.parametrize(("source", "event", "sends"), ANSWERS)
def test_each_event_is_answered(source: str, event: Any, sends: list[Send]) -> None:
    """An event's commands are these, to these streams, in slots of their own; other events are nobody's business here."""
    answer = POLICIES[source](recorded(event, "stream_1", service=source))
    assert answer == sends
    assert len({send.slot for send in answer}) == len(answer)
