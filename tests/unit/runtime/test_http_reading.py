"""Reading a view: one's own writes with a token, pages by cursor, only what the answer's model names."""

import time
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from libs.runtime.auth import SCOPES
from libs.runtime.http.positions import format_positions, has_reached, merged, parse_positions
from libs.runtime.http.problems import Problem
from services.bidding.app import build
from tests.unit.runtime.edge_world import World, running
from tests.unit.runtime.view_documents import listing

TOKEN = "Loanstream-Position"


@pytest.fixture
async def world(keys: Path) -> AsyncIterator[World]:
    """Bidding with five open listings and one that is funded."""
    async with running(build("demo"), keys, read_wait_s=0.1) as running_world:
        running_world.open_day(date(2024, 3, 15))
        documents = [listing(number) for number in range(5)] + [listing(9, "funded")]
        running_world.views.documents["bidding.open-listings"] = {
            document["listing_id"]: document for document in documents
        }
        yield running_world


async def test_an_account_shows_its_own_fields_only(world: World) -> None:
    """A document is never returned raw: missing sums are zero, inner fields stay inside."""
    world.views.documents["bidding.balances"] = {
        "acc_ada": {
            "_id": "acc_ada",
            "account_id": "acc_ada",
            "owner": "usr_ada",
            "available_fen": 7,
            "held_fen": 3,
        }
    }
    answer = await world.http.get("/bidding/accounts/acc_ada", headers=world.token("usr_ada", "account:own"))
    zeros = dict.fromkeys(
        (
            "deposited_fen",
            "withdrawn_fen",
            "invested_fen",
            "principal_back_fen",
            "interest_fen",
            "penalty_fen",
            "fees_fen",
            "borrowed_fen",
            "repaid_fen",
            "vouchers_fen",
            "bought_fen",
            "sold_fen",
            "adjusted_fen",
            "assets_fen",
            "owed_fen",
        ),
        0,
    )
    assert answer.status_code == 200
    assert answer.json() == {"id": "acc_ada", "available_fen": 7, "held_fen": 3} | zeros
    assert answer.headers["Cache-Control"] == "no-store"


async def test_the_platforms_account_is_nobodys(world: World) -> None:
    """A user whose id ends as the fee account's does neither reads it nor writes to it."""
    fees = {"account_id": "acc_fees", "owner": "platform", "available_fen": 689_700, "held_fen": 0}
    world.views.documents["bidding.balances"] = {"acc_fees": fees}
    caller = world.token("usr_fees", "account:own")
    read = await world.http.get("/bidding/accounts/acc_fees", headers=caller)
    assert (read.status_code, read.json()["type"]) == (404, "urn:loanstream:problem:unknown_account")
    asked = await world.http.post(
        "/bidding/accounts/acc_fees/withdrawals",
        json={"amount_fen": 1},
        headers=caller | {"Idempotency-Key": "k"},
    )
    assert (asked.status_code, asked.json()["type"]) == (404, "urn:loanstream:problem:unknown_account")


async def test_a_listing_hides_its_borrower(world: World) -> None:
    """Who borrows is nobody's business before the loan; where a document comes from neither."""
    answer = await world.http.get("/bidding/listings/lst_9", headers=world.token("usr_ada", "listing:read"))
    assert answer.json()["state"] == "funded"
    assert answer.json().keys() & {"borrower", "src", "_id"} == set()


async def test_pages_follow_a_cursor(world: World) -> None:
    """Open listings come page by page, each once, until `next` is null."""
    headers = world.token("usr_ada", "listing:read")
    seen: list[str] = []
    query: dict[str, str] = {"limit": "2"}
    while True:
        page = (await world.http.get("/bidding/listings", params=query, headers=headers)).json()
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert seen == [f"lst_{number}" for number in range(5)]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x"])
async def test_a_bad_page_is_422(world: World, query: str) -> None:
    """Limits are checked like everything else."""
    answer = await world.http.get(
        f"/bidding/listings?{query}", headers=world.token("usr_ada", "listing:read")
    )
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_read_waits_for_ones_own_write(world: World) -> None:
    """With a token that the view has reached, the answer is at once and not stale; the token is handed on."""
    world.views.applied["bidding.open-listings"] = {("bidding", 0): 41, ("bidding", 1): 7}
    headers = world.token("usr_ada", "listing:read") | {TOKEN: "bidding/0=41"}
    answer = await world.http.get("/bidding/listings", headers=headers)
    assert "Loanstream-Stale" not in answer.headers
    assert answer.headers[TOKEN] == "bidding/0=41"


async def test_a_view_that_is_behind_answers_stale(world: World) -> None:
    """After the wait the answer comes anyway, marked; it waited, and not for longer than it may."""
    world.views.applied["bidding.open-listings"] = {("bidding", 0): 40}
    headers = world.token("usr_ada", "listing:read") | {TOKEN: "bidding/0=41"}
    started = time.monotonic()
    answer = await world.http.get("/bidding/listings", headers=headers)
    assert 0.1 <= time.monotonic() - started < 2
    assert (answer.status_code, answer.headers["Loanstream-Stale"]) == (200, "true")
    assert len(answer.json()["items"]) == 5


async def test_a_stale_view_says_so_of_what_it_lacks(world: World) -> None:
    """A 404 from a view that is behind is marked like any other answer: it may be there in a moment."""
    world.views.applied["bidding.open-listings"] = {("bidding", 0): 40}
    headers = world.token("usr_ada", "listing:read") | {TOKEN: "bidding/0=41"}
    answer = await world.http.get("/bidding/listings/lst_new", headers=headers)
    assert (answer.status_code, answer.headers["Loanstream-Stale"]) == (404, "true")
    assert answer.headers[TOKEN] == "bidding/0=41"


async def test_partitions_that_a_view_does_not_read_are_ignored(world: World) -> None:
    """A token may name other services: a view waits only for what it reads."""
    world.views.applied["bidding.open-listings"] = {("bidding", 0): 41}
    headers = world.token("usr_ada", "listing:read") | {TOKEN: "repayment/0=99,bidding/0=41"}
    answer = await world.http.get("/bidding/listings", headers=headers)
    assert "Loanstream-Stale" not in answer.headers


@pytest.mark.parametrize(
    "token", ["x", "bidding/0", "bidding/-1=4", "bidding/0=4;drop", "a/0=1," * 4000, "b/0=0x1"]
)
async def test_a_token_that_we_never_wrote_is_400(world: World, token: str) -> None:
    """A position header is ours or wrong, on reads and on commands."""
    headers = world.token("usr_ada", "listing:read", "account:own") | {TOKEN: token, "Idempotency-Key": "k"}
    for answer in (
        await world.http.get("/bidding/listings", headers=headers),
        await world.http.post("/bidding/accounts", headers=headers),
    ):
        assert (answer.status_code, answer.json()["type"]) == (
            400,
            "urn:loanstream:problem:malformed_position",
        )
    assert world.commands() == []


def test_positions_read_back_what_they_write() -> None:
    """The header is a map in a fixed order; merging keeps the higher position."""
    first, second = {("bidding", 2): 1041, ("repayment", 0): 3}, {("bidding", 2): 7, ("bidding", 0): 1}
    text = format_positions(merged(first, second))
    assert text == "bidding/0=1,bidding/2=1041,repayment/0=3"
    assert parse_positions(text) == merged(second, first)
    assert parse_positions(None) == {}
    with pytest.raises(Problem):
        parse_positions(",")


def test_reached_means_every_partition_of_the_view() -> None:
    """All wanted positions must be applied where the view reads; others do not count."""
    assert has_reached({("a", 0): 5, ("a", 1): 2}, {("a", 0): 5, ("b", 0): 9})
    assert not has_reached({("a", 0): 5, ("a", 1): 2}, {("a", 0): 5, ("a", 1): 3})


COMMAND = "00000000-0000-5000-8000-000000000000"


def decided(outcome: str, event_type: str, data: dict[str, Any], owner: str = "usr_ada") -> dict[str, Any]:
    """A document of bidding.commands."""
    return {
        "owner": owner,
        "type": "bidding.OpenAccount",
        "outcome": outcome,
        "code": data.get("code"),
        "position": "bidding/1/7",
        "at": None,
        "events": [{"type": event_type, "stream": "acc_ada", "sequence": 1, "data": data}],
    }


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        (
            decided("decided", "bidding.AccountOpened.v1", {"account_id": "acc_ada", "owner": "usr_ada"}),
            {"status": "decided", "code": None, "answer": {"id": "acc_ada"}},
        ),
        (
            decided("refused", "system.CommandRefused.v1", {"code": "account_exists"}),
            {"status": "refused", "code": "account_exists", "answer": None},
        ),
        (
            decided("no_effect", "system.CommandHadNoEffect.v1", {}),
            {"status": "no_effect", "code": None, "answer": None},
        ),
    ],
    ids=["decided", "refused", "no_effect"],
)
async def test_a_command_is_shown_to_its_sender(
    world: World, document: dict[str, Any], shown: dict[str, Any]
) -> None:
    """What became of a command, with the answer that its request gets when it is sent again."""
    world.views.documents["bidding.commands"] = {COMMAND: document}
    headers = world.token("usr_ada", "account:own")
    answer = await world.http.get(f"/bidding/commands/{COMMAND}", headers=headers)
    assert answer.status_code == 200, answer.text
    expected = {"id": COMMAND, "type": "bidding.OpenAccount", "position": "bidding/1/7"} | shown
    assert answer.json() == expected


@pytest.mark.parametrize("scope", sorted(SCOPES))
async def test_every_scope_lets_its_bearer_ask_for_his_own_command(world: World, scope: str) -> None:
    """Staff and customers alike follow the Location of a 202: what they sent is theirs, whatever allowed them to."""
    world.views.documents["bidding.commands"] = {COMMAND: decided("refused", "x", {"code": "c"})}
    own = await world.http.get(f"/bidding/commands/{COMMAND}", headers=world.token("usr_ada", scope))
    assert (own.status_code, own.json()["code"]) == (200, "c")
    other = await world.http.get(f"/bidding/commands/{COMMAND}", headers=world.token("stf_eve", scope))
    assert other.status_code == 404


async def test_other_peoples_commands_do_not_exist(world: World) -> None:
    """Somebody else's command, one that is not decided yet and one that never was give the same 404."""
    world.views.documents["bidding.commands"] = {COMMAND: decided("refused", "x", {"code": "c"}, "usr_bob")}
    headers = world.token("usr_ada", "account:own")
    other = await world.http.get(f"/bidding/commands/{COMMAND}", headers=headers)
    none = await world.http.get(f"/bidding/commands/{COMMAND[:-1]}1", headers=headers)
    assert (other.status_code, other.json()["type"]) == (404, "urn:loanstream:problem:unknown_command")
    assert other.content == none.content
