"""The routes of finance about bank days over the real decider: the work list, and four eyes on every difference."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.events.onboarding import StaffAppointed
from libs.events.staff import staff_view
from libs.events.topics import commands_topic, partition_of
from libs.runtime.http.commands import sealed
from libs.runtime.kafka import Place
from services.bidding.app import build
from services.bidding.projections.bank_days import BREAKS, DAYS
from services.bidding.reconciler import order_of
from tests.unit.bidding import bank_day_story as story
from tests.unit.bidding.test_vouchers_api import problem
from tests.unit.documents import documents, history, nested
from tests.unit.given import TODAY
from tests.unit.runtime.edge_world import PARTITIONS, World, running

STAFF = staff_view("bidding")


def show(world: World, view: Any, events: Any) -> None:
    """A view's documents after these events."""
    shown = documents(view, events)
    world.views.documents[view.name] = {doc: nested(doc, fields) for doc, fields in shown.items()}


@pytest.fixture
async def world(keys: Path) -> AsyncIterator[World]:
    """Bidding on a business day, Monday reconciled; Ufa is an accountant, Lin a cashier, Lia reads texts."""
    async with running(build("demo"), keys) as made:
        made.open_day(TODAY)
        call, order = order_of(story.FILE, 0)
        sent = sealed(made.settings.fingerprint_secret(), call, order)
        place = Place(commands_topic("bidding"), partition_of(order.stream_id, PARTITIONS))
        made.log.append(place, order.stream_id.encode(), sent.value)
        made.decide()
        posts = {"stf_ufa": "accountant", "stf_lin": "cashier", "stf_lia": "legal"}
        show(
            made,
            STAFF,
            [
                event
                for who, role in posts.items()
                for event in history(who, StaffAppointed(staff_id=who, roles=(role,), region=None))
            ],
        )
        show(made, BREAKS, history("bankdays", *story.RECONCILED))
        show(made, DAYS, history("bankdays", *story.RECONCILED))
        made.views.documents["bidding.bank-bookings"] = {"partition:~p0": {"lives_on": str(TODAY)}}
        yield made


async def post(world: World, path: str, body: Any, who: str, key: str = "k") -> httpx.Response:
    """Somebody of finance asks for something."""
    headers = world.token(who, "finance") | {"Idempotency-Key": key}
    return await world.http.post(f"/bidding/{path}", json=body, headers=headers)


async def test_a_difference_is_explained_by_one_and_resolved_by_another(world: World) -> None:
    """Both of finance, by appointment; never one person both."""
    at = f"bank-breaks/{story.H}"
    assert problem(await post(world, f"{at}/explanation", {"code": "timing"}, "stf_lia")) == (
        403,
        "forbidden_post",
    )
    assert problem(await post(world, f"{at}/explanation", {"code": "see my note"}, "stf_ufa")) == (
        422,
        "invalid_request",
    )
    told = await post(world, f"{at}/explanation", {"code": "booked_later"}, "stf_ufa")
    assert (told.status_code, told.json()) == (201, {"id": story.H, "status": "explained"}), told.text
    mine = await post(world, f"{at}/resolution", {"code": "booked_later"}, "stf_ufa")
    assert problem(mine) == (403, "forbidden_second_signature")
    done = await post(world, f"{at}/resolution", {"code": "booked_later"}, "stf_lin")
    assert done.json() == {"id": story.H, "status": "resolved"}
    nothing = await post(world, "bank-matches", {"by": "reference"}, "stf_lin", "other")
    assert (nothing.status_code, nothing.json()["unchanged"]) == (200, True)
    gone = await post(world, "bank-breaks/brk_none/explanation", {"code": "timing"}, "stf_ufa", "third")
    assert problem(gone) == (409, "break_not_open")


async def test_the_work_list_says_kind_age_and_amount(world: World) -> None:
    """Of what is open, by default; the days beside it say what was compared."""
    headers = world.token("stf_ufa", "finance")
    page = (await world.http.get("/bidding/bank-breaks?kind=missing_here", headers=headers)).json()["items"]
    assert [(each["kind"], each["age_days"], each["difference_fen"]) for each in page] == [
        ("missing_here", 4, 200_00)
    ]
    assert (await world.http.get("/bidding/bank-breaks?state=closed", headers=headers)).json()["items"] == []
    assert (await world.http.get("/bidding/bank-breaks", headers=headers)).json()["waiting"] == []
    days = (await world.http.get("/bidding/bank-days", headers=headers)).json()["items"]
    assert [(day["bank_fen"], day["ledger_fen"], day["claims_fen"]) for day in days] == [
        (700_00, 550_00, None)
    ]
    stranger = await world.http.get("/bidding/bank-days", headers=world.token("stf_lia", "finance"))
    assert problem(stranger) == (403, "forbidden_post")


async def test_what_waits_for_room_is_said_beside_the_work_list(world: World) -> None:
    """How many differences of which date, and by how much the bank has more by them; the date says it too."""
    waits = replace(story.DONE, unlisted=3, unlisted_fen=-70_00, unclosed=1)
    show(world, DAYS, history("bankdays", *story.RECONCILED, waits))
    headers = world.token("stf_ufa", "finance")
    page = (await world.http.get("/bidding/bank-breaks", headers=headers)).json()
    assert page["waiting"] == [{"business_date": "2024-03-11", "breaks": 3, "differs_fen": -70_00}]
    [day] = (await world.http.get("/bidding/bank-days", headers=headers)).json()["items"]
    assert (day["unlisted"], day["unlisted_fen"], day["unclosed"]) == (3, -70_00, 1)
