"""The routes of standing orders over the real decider: set up by its owner alone, seen by him alone, explained for every listing."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from libs.events.records import RecordedEvent
from services.bidding.app import build
from services.bidding.domain.standing_text import TEXT_HASH
from services.bidding.projections.balances import VIEW as BALANCES
from services.bidding.projections.listings import VIEW as LISTINGS
from services.bidding.projections.standing import LOG, ORDERS, SERVICES
from tests.unit.bidding import listing_story as listing
from tests.unit.bidding import specs
from tests.unit.bidding.standing_story import (
    BROKE,
    LIFE,
    QUEUE,
    RESUMED,
    looked,
    opened,
    over,
    passed,
    queued,
)
from tests.unit.documents import documents, history, nested
from tests.unit.given import AT, TODAY
from tests.unit.runtime.edge_world import World, running

TERMS: dict[str, Any] = {
    "grades": ["B", "A", "B"],
    "annual_rate_min": "0.1",
    "tenor_months_max": 12,
    "loan_max_fen": 500_00,
    "keep_back_fen": 50_00,
}
[LISTED] = history("lst_1", listing.OPENED)
ORDER = TERMS | {"text_hash": TEXT_HASH}


@pytest.fixture
async def world(keys: Path) -> AsyncIterator[World]:
    """Bidding on a business day."""
    async with running(build("demo"), keys) as running_world:
        running_world.open_day(TODAY)
        yield running_world


async def post(world: World, path: str, body: Any, who: str = "usr_ann", key: str = "k") -> httpx.Response:
    """Somebody asks for something."""
    headers = world.token(who, "bid:own") | {"Idempotency-Key": key}
    return await world.http.post(f"/bidding/standing-orders{path}", json=body, headers=headers)


async def read(world: World, path: str, who: str = "usr_ann") -> Any:
    """What somebody reads."""
    return (await world.http.get(f"/bidding/{path}", headers=world.token(who, "bid:own"))).json()


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["type"].removeprefix("urn:loanstream:problem:")


async def test_an_order_lives_by_its_owners_acts_alone(world: World) -> None:
    """Set up after the text that he has read, changed, paused, resumed, ended; by nobody else, and one at a time."""
    assert problem(await post(world, "", ORDER, key="none")) == (404, "unknown_account")
    with_account(world)
    text = await read(world, "standing-orders/text")
    assert (text["text_hash"], "by your own act" in text["text"]) == (TEXT_HASH, True)
    assert problem(await post(world, "", ORDER | {"text_hash": "0" * 64}, key="x")) == (409, "text_differs")
    done = await post(world, "", ORDER)
    assert (done.status_code, done.json()["status"]) == (201, "active"), done.text
    assert problem(await post(world, "", ORDER, key="two")) == (409, "order_exists")
    order = done.json()["id"]
    known = replace(opened(), order_id=order)
    show(world, known)
    for path, body, status in (
        ("terms", TERMS | {"loan_max_fen": 300_00}, "changed"),
        ("pause", {}, "paused"),
        ("resumption", {}, "active"),
        ("end", {}, "ended"),
    ):
        stranger = await post(world, f"/{order}/{path}", body, "usr_cem", path)
        assert problem(stranger) == (404, "unknown_order")
        done = await post(world, f"/{order}/{path}", body, key=path)
        assert done.json() == {"id": order, "status": status}
    assert problem(await post(world, f"/{order}/pause", {}, key="late")) == (404, "unknown_order")


def with_account(world: World) -> None:
    """Ann has an account."""
    found = documents(BALANCES, history("acc_ann", specs.OPENED))
    world.views.documents[BALANCES.name] = {doc: nested(doc, fields) for doc, fields in found.items()}


def show(world: World, *events: Any, offered: RecordedEvent = LISTED) -> None:
    """The views after these events of the queue, beside Bea's listing."""
    for view in (ORDERS, LOG, SERVICES):
        found = documents(view, history(QUEUE, *events))
        world.views.documents[view.name] = {doc: nested(doc, fields) for doc, fields in found.items()}
    found = documents(LISTINGS, [offered])
    world.views.documents[LISTINGS.name] = {doc: nested(doc, fields) for doc, fields in found.items()}


async def test_an_owner_sees_his_place_and_his_log(world: World) -> None:
    """His place counts active orders before his; the log says what came of each listing; others see nothing of it."""
    show(world, *LIFE[:-1])
    places = {}
    for who in ("ann", "cem", "dan"):
        [order] = (await read(world, "standing-orders", f"usr_{who}"))["items"]
        places[who] = order["place"]
    assert places == {"cem": 1, "dan": 2, "ann": 3}
    [mine] = (await read(world, "standing-orders"))["items"]
    assert (mine["version"], mine["spent_fen"], mine["last_spent_on"]) == (2, 0, TODAY.isoformat())
    [row] = (await read(world, "standing-orders/sto_ann/log"))["items"]
    assert row == {
        "listing_id": "lst_1",
        "state": "returned",
        "version": 2,
        "asked_fen": 300_00,
        "amount_fen": 300_00,
        "code": "",
        "bid_id": "bid_auto1",
    }
    assert (await read(world, "standing-orders/sto_ann/log", "usr_cem"))["status"] == 404
    assert (await read(world, "standing-orders", "usr_eve"))["items"] == []


async def test_everybody_can_see_why_his_order_did_or_did_not_take_part(world: World) -> None:
    """Who spent, who had no money, who did not fit, who came too late in the queue, who came later: each by its code."""
    late = opened("fay", 4)
    begun: list[Any] = list(LIFE[:-3])
    begun[3:3] = [late]
    begun = [
        replace(event, last_turn=4) if type(event).__name__ == "OrdersConsidered" else event
        for event in begun
    ]
    show(world, *begun, over("listing_full", 4), opened("gil", 6))
    told = {}
    for who in ("ann", "cem", "dan", "fay", "gil"):
        answer = await read(world, "listings/lst_1/auto-invest/mine", f"usr_{who}")
        assert answer["service"] == "ended"
        [part] = answer["items"]
        told[who] = (part["state"], part["amount_fen"], part["code"])
    assert told == {
        "ann": ("took_part", 300_00, ""),
        "cem": ("passed", 0, "insufficient_available"),
        "dan": ("passed", 0, "grade_not_wanted"),
        "fay": ("passed", 0, "listing_full"),
        "gil": ("passed", 0, "set_up_later"),
    }
    nobody = await read(world, "listings/lst_1/auto-invest/mine", "usr_eve")
    assert nobody == {"listing_id": "lst_1", "service": "ended", "items": []}
    assert (await read(world, "listings/lst_2/auto-invest/mine"))["status"] == 404
    show(world, opened("ann"), queued())
    [waits] = (await read(world, "listings/lst_1/auto-invest/mine"))["items"]
    assert (waits["state"], waits["code"]) == ("waiting", "")


@pytest.mark.parametrize(
    ("minutes", "changed", "told"),
    [
        (1, {}, ("waiting", "")),
        (0, {}, ("waiting", "")),
        (-1, {}, ("passed", "set_up_later")),
        (1, {"newcomers_only": True}, ("passed", "newcomers_only")),
        (-1, {"newcomers_only": True}, ("passed", "newcomers_only")),
    ],
)
async def test_what_the_queue_has_not_heard_of_is_explained_too(
    world: World, minutes: int, changed: dict[str, Any], told: tuple[str, str]
) -> None:
    """An order that stood when the listing opened waits for its turn, a later one comes too late, and none bids where newcomers do."""
    [opening] = history("lst_1", listing.opened(**changed))
    show(world, opened("ann"), offered=msgspec.structs.replace(opening, at=AT + timedelta(minutes=minutes)))
    answer = await read(world, "listings/lst_1/auto-invest/mine")
    assert answer["service"] == "none"
    [part] = answer["items"]
    assert (part["state"], part["code"]) == told


async def test_why_not_costs_a_bounded_number_of_reads(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing that was looked through five hundred times explains itself to who came last in as many reads as any other."""
    looks = [
        looked(chunk=chunk, after_turn=chunk - 1, to_turn=chunk, last_turn=501, more=True,
            passed=(passed("rate_too_low", f"p{chunk}"),))
        for chunk in range(1, 501)
    ]  # fmt: skip
    last = looked(
        chunk=501, after_turn=500, to_turn=501, last_turn=501, passed=(passed("grade_not_wanted", "ann"),)
    )
    show(world, opened("ann", 501), queued(), *looks, last, over("orders_exhausted", 501))
    reads: list[str] = []
    get, page = world.views.get, world.views.page

    async def counted_get(view: str, doc: str) -> Any:
        reads.append(doc)
        return await get(view, doc)

    async def counted_page(view: str, **asked: Any) -> Any:
        reads.append(view)
        return await page(view, **asked)

    monkeypatch.setattr(world.views, "get", counted_get)
    monkeypatch.setattr(world.views, "page", counted_page)
    [part] = (await read(world, "listings/lst_1/auto-invest/mine"))["items"]
    assert part["code"] == "grade_not_wanted"
    assert len(reads) == 5, reads


async def test_what_came_back_is_over_whatever_was_heard_first(world: World) -> None:
    """The return of what a listing took may overtake the word that it was taken: the row says that it came back."""
    events = list(LIFE[:-1])
    events.insert(-3, events.pop())
    show(world, *events)
    [row] = (await read(world, "standing-orders/sto_ann/log"))["items"]
    assert (row["state"], row["amount_fen"]) == ("returned", 300_00)


async def test_who_could_not_pay_is_told_why_his_order_rests(world: World) -> None:
    """Paused by the platform's rule, not by him; resumed it is his again."""
    show(world, opened("ann"), BROKE)
    [order] = (await read(world, "standing-orders"))["items"]
    assert (order["state"], order["paused_because"]) == ("paused", "could_not_pay")
    show(world, opened("ann"), BROKE, RESUMED)
    [order] = (await read(world, "standing-orders"))["items"]
    assert (order["state"], order["paused_because"]) == ("active", None)
