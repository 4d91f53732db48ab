"""The routes of listings over the real decider: opened by hand for a day to come, found by newcomers, and marked for who reads them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from services.bidding.app import build
from services.bidding.projections.listings import VIEW
from tests.unit.bidding.listing_story import opened
from tests.unit.bidding.newcomer_story import SCHEDULED
from tests.unit.bidding.test_packs_api import problem, show
from tests.unit.given import TODAY
from tests.unit.runtime.edge_world import World, running

LISTING = {
    "borrower": "usr_bea",
    "amount_fen": 10_000_00,
    "annual_rate": "0.12",
    "tenor_months": 3,
    "grade": "B",
    "window_days": 5,
}


@pytest.fixture
async def world(keys: Path) -> AsyncIterator[World]:
    """Bidding on a business day."""
    async with running(build("demo"), keys) as running_world:
        running_world.open_day(TODAY)
        yield running_world


async def test_a_hand_opens_a_listing_for_a_day_to_come(world: World) -> None:
    """The answer names the day, and its window begins with it; a day that is over is refused by name."""
    headers = world.token("stf_ole", "operator")
    body = LISTING | {"opens_on": str(TODAY + timedelta(days=3)), "newcomers_only": True}
    answer = await world.http.post("/bidding/listings", json=body, headers=headers | {"Idempotency-Key": "1"})
    assert answer.status_code == 201, answer.text
    assert (answer.json()["opens_on"], answer.json()["closes_on"]) == ("2024-03-18", "2024-03-22")
    past = body | {"opens_on": str(TODAY - timedelta(days=1))}
    answer = await world.http.post("/bidding/listings", json=past, headers=headers | {"Idempotency-Key": "2"})
    assert problem(answer) == (422, "invalid_opening")


async def test_listings_are_found_by_whom_they_are_for(world: World) -> None:
    """Newcomers' or the others', or all; each says whether its borrower is near to the staff; what is not open yet is not there."""
    show(world, VIEW, "lst_1", opened(newcomers_only=True))
    show(world, VIEW, "lst_2", opened(listing_id="lst_2", related_to_staff=True))
    show(world, VIEW, "lst_3", replace(SCHEDULED, listing_id="lst_3"))
    headers = world.token("usr_ann", "listing:read")
    for query, found in (
        ("", {"lst_1": False, "lst_2": True}),
        ("?newcomers_only=true", {"lst_1": False}),
        ("?newcomers_only=false", {"lst_2": True}),
    ):
        page = (await world.http.get(f"/bidding/listings{query}", headers=headers)).json()
        assert {item["id"]: item["related_to_staff"] for item in page["items"]} == found
    assert problem(await world.http.get("/bidding/listings/lst_3", headers=headers)) == (
        404,
        "unknown_listing",
    )
