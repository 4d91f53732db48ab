"""What came of a command, from decisions gathered in any order."""

from io import StringIO
from itertools import permutations
from typing import Any

from rich.console import Console

from libs.events.records import Decision, StoredEvent
from libs.events.views import Figure, OtherThan
from libs.runtime.explain import EVENTS, ExplainedFigure, ExplainedRow
from libs.runtime.telling import explained_figure
from libs.runtime.tracing import Trace, Traced, decisions_in, told


def traced(
    address: str, cause: str | None, *events: StoredEvent, correlation: str = "cmd-1", at_ms: int = 0
) -> Traced:
    """A decision of a correlation."""
    decision = Decision(None, None, "usr_ada", correlation, cause, events)
    return Traced(address, f"id of {address}", "toy.Do", decision, at_ms)


def event(name: str, stream: str | None = "jar_1", **data: Any) -> StoredEvent:
    """An event as it is stored."""
    return StoredEvent(f"toy.{name}.v1", stream, 1 if stream else None, data)


ROOT = traced("bidding/0/7", None, event("Held"), event("Told"))
FIRST = traced("bidding/1/3", "bidding/0/7/0", event("Placed"), at_ms=5)
SECOND = traced("repayment/0/9", "bidding/0/7/0", event("Opened"), at_ms=6)
LAST = traced("bidding/0/8", "bidding/1/3/0", event("Released"), at_ms=9)


def test_a_command_is_followed_through_all_services() -> None:
    """Whatever order the partitions are read in, and however often the log holds a record."""
    for order in permutations((FIRST, SECOND, LAST)):
        trace = Trace("cmd-1")
        assert all(trace.add(each) for each in (*order, FIRST))
        tree = trace.tree(ROOT)
        assert [each.address for each in decisions_in(tree)] == [
            "bidding/0/7",
            "bidding/1/3",
            "bidding/0/8",
            "repayment/0/9",
        ]
        assert tree.events[1].followed_by == ()
        assert [node.traced for node in tree.events[0].followed_by] == [FIRST, SECOND]


def test_other_wishes_and_wishes_without_a_cause_stay_out() -> None:
    """Only what names the same correlation and a cause belongs to a tree."""
    trace = Trace("cmd-1")
    assert not trace.add(traced("bidding/1/3", "bidding/0/7/0", event("Placed"), correlation="cmd-2"))
    assert not trace.add(ROOT)
    assert trace.tree(ROOT).events[0].followed_by == ()


def test_an_event_is_told_in_a_line() -> None:
    """Its name, where it stands, and its plain fields; lists and what is empty are left out."""
    line = told(event("Held", "acc_1", account="acc_1", amount_fen=5, reason="", bids=[1], note=None))
    assert line == "Held acc_1#1 amount_fen=5"
    assert told(event("CommandRefused", None, code="too_late")) == "CommandRefused code=too_late"


def test_a_row_that_names_many_events_shows_some_and_says_how_many_more() -> None:
    """Of a figure that counts documents, with where it does so."""
    figure = Figure(
        name="bidders",
        title="Users with a bid",
        unit="users",
        formula="number of users with a bid",
        rule="a rule",
        view="toy.users",
        doc=None,
        field="bid",
        rows_view="toy.users",
        rows_where={"bid": OtherThan(None)},
        rows_field=None,
    )
    row = {"_id": "usr_ada", "bid": 12, "src": {f"jar_{number}": f"toy/0/{number}/0" for number in range(12)}}
    events = tuple((f"toy/0/{number}/0", event("Placed")) for number in range(EVENTS))
    console = Console(width=120, record=True, file=StringIO())
    console.print(explained_figure(ExplainedFigure(figure, 1, (ExplainedRow(row, events),), more=False)))
    lines = [line.strip(" │┃") for line in console.export_text().splitlines()]
    assert lines[:3] == [
        "Users with a bid: 1 users",
        "= number of users with a bid  (a rule)",
        "counts the documents of toy.users that have the field bid",
    ]
    assert sum("Placed jar_1#1" in line for line in lines) == EVENTS
    assert lines[-2] == "and 2 more events"
    assert sum("bid 12" in line for line in lines) == 1
