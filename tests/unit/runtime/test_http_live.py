"""A view as a stream: server-sent events whose data are CloudEvents, each caller with what he may see."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from libs.runtime.http import ServiceRouter, Sight, ThisPrincipal, live, scopes
from libs.runtime.http.edge import Streams
from libs.runtime.service import Service
from libs.runtime.views import Changed, Reset
from tests.unit.runtime.edge_world import World, running

AT = datetime(2024, 3, 15, 10, 30, tzinfo=UTC)
RICH_FEN = 500
BALANCE = {"_id": "acc_ada", "owner": "usr_ada", "available_fen": 700, "src": {"acc_ada": "bidding/0/1/0"}}


class Shown(BaseModel):
    """What a caller sees of a document."""

    available_fen: int


@cache
def _router() -> ServiceRouter:
    router = ServiceRouter("bidding", "two streams")

    @router.live(
        "/live/balances",
        scopes("account:own"),
        view="bidding.balances",
        shown=_shown,
        answer=Shown,
    )
    async def watch_balances(principal: ThisPrincipal) -> Sight:
        """One's own."""
        return Sight({"owner": principal.subject})

    @router.live("/live/rich", scopes("account:own"), view="bidding.balances", shown=_shown, answer=Shown)
    async def watch_rich() -> Sight:
        """What a field says, not a person."""
        return Sight({}, sees=lambda document: document["available_fen"] > RICH_FEN)

    return router


def _shown(document: Mapping[str, Any]) -> Shown:
    return Shown(available_fen=document["available_fen"])


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Bidding with nothing but a stream."""
    async with running(Service(name="bidding", router=_router), tmp_path) as world:
        yield world


def told(text: str) -> list[dict[str, Any]]:
    """The events of a stream: its fields, `data` as JSON; comments are left out."""
    events: list[dict[str, Any]] = []
    for block in text.split("\n\n"):
        fields: dict[str, Any] = dict(
            line.split(": ", 1) for line in block.splitlines() if not line.startswith(":")
        )
        if fields:
            events.append(fields | {"data": json.loads(fields["data"])})
    return events


async def test_a_change_is_a_cloud_event_with_what_a_get_shows(world: World) -> None:
    """A stream begins with `reset`; a document that is gone has no data."""
    world.views.told = [
        Reset("3."),
        Changed("3.8A", "acc_ada", BALANCE, AT),
        Changed("3.8B", "acc_ada", None, AT, BALANCE),
    ]
    answer = await world.http.get("/bidding/live/balances", headers=world.token("usr_ada", "account:own"))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    common = {"specversion": "1.0", "source": "/loanstream/views/bidding.balances"}
    common |= {"datacontenttype": "application/json"}
    changed = "loanstream.bidding.balances.changed.v1"
    assert [event["data"] for event in told(answer.text)] == [
        common
        | {
            "id": "3.",
            "type": "loanstream.bidding.balances.reset.v1",
            "subject": None,
            "time": None,
            "data": None,
        },
        common
        | {
            "id": "3.8A",
            "type": changed,
            "subject": "acc_ada",
            "time": "2024-03-15T10:30:00+00:00",
            "data": {"available_fen": 700},
        },
        common
        | {
            "id": "3.8B",
            "type": changed,
            "subject": "acc_ada",
            "time": "2024-03-15T10:30:00+00:00",
            "data": None,
        },
    ]
    assert [(event["id"], event["event"]) for event in told(answer.text)][1] == ("3.8A", changed)


async def test_a_caller_is_told_of_his_own_documents_and_goes_on_where_he_was(world: World) -> None:
    """The owner comes from the token; `Last-Event-ID` is handed to the view."""
    headers = world.token("usr_ada", "account:own") | {"Last-Event-ID": "3.8A"}
    await world.http.get("/bidding/live/balances", headers=headers)
    assert world.views.asked == [("bidding.balances", {"owner": "usr_ada"}, "3.8A")]


async def test_a_stream_needs_its_scope(world: World) -> None:
    """As every route."""
    assert (await world.http.get("/bidding/live/balances")).status_code == 401
    other = await world.http.get("/bidding/live/balances", headers=world.token("usr_ada", "loan:own"))
    assert other.status_code == 403


async def test_a_process_that_serves_enough_streams_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each stream holds a cursor at the database: more of them are sent away for a while; an ended one makes room."""
    streams = world.app.state.edge.streams
    monkeypatch.setattr(streams, "_at_most", 1)
    headers = world.token("usr_ada", "account:own")
    with streams:
        refused = await world.http.get("/bidding/live/balances", headers=headers)
        assert (refused.status_code, refused.json()["type"]) == (
            503,
            "urn:loanstream:problem:too_many_streams",
        )
    assert (await world.http.get("/bidding/live/balances", headers=headers)).status_code == 200
    assert not streams.are_full
    assert isinstance(streams, Streams)


async def test_what_a_caller_may_not_see_leaves_no_trace(world: World) -> None:
    """A document that leaves his sight is gone for him; one that was never in it, or nobody knows whether it was, is nothing."""
    poor = BALANCE | {"available_fen": 100}
    world.views.told = [
        Changed("1", "acc_a", BALANCE, AT, poor),
        Changed("2", "acc_a", poor, AT, BALANCE),
        Changed("3", "acc_b", poor, AT, poor),
        Changed("4", "acc_b", None, AT, poor),
        Changed("5", "acc_c", None, AT, BALANCE),
        Changed("6", "acc_d", None, AT),
        Changed("7", "acc_d", poor, AT),
    ]
    answer = await world.http.get("/bidding/live/rich", headers=world.token("usr_ada", "account:own"))
    seen = [(event["id"], event["data"]["subject"], event["data"]["data"]) for event in told(answer.text)]
    assert seen == [("1", "acc_a", {"available_fen": 700}), ("2", "acc_a", None), ("5", "acc_c", None)]


async def test_a_stream_ends_after_a_while(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one of which nothing is told: who lost his scope must connect again, and is refused."""
    ended: list[str] = []

    async def silent(_view: str, **_asked: Any) -> AsyncGenerator[Changed | Reset]:
        try:
            yield Reset("3.")
            await asyncio.Event().wait()
        finally:
            ended.append("closed")

    monkeypatch.setattr(world.views, "changes", silent)
    monkeypatch.setattr(live, "STREAM_LIMIT_S", 0.05)
    answer = await world.http.get("/bidding/live/balances", headers=world.token("usr_ada", "account:own"))
    assert [event["id"] for event in told(answer.text)] == ["3."]
    assert ended == ["closed"]
    assert not world.app.state.edge.streams.are_full
