"""The routes of vouchers over the real decider: the bank funds, an operator grants, the investor redeems, others find nothing."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic_core import to_json

from libs.events.onboarding import StaffAppointed
from libs.events.staff import staff_view
from libs.runtime.bank_signature import signed_headers
from services.bidding.app import build
from services.bidding.projections.vouchers import VIEW as VOUCHERS
from tests.unit.bidding.test_packs_api import show
from tests.unit.bidding.voucher_story import LIFE
from tests.unit.documents import documents, history, nested
from tests.unit.given import TODAY
from tests.unit.runtime.edge_world import World, running

VOUCHER = {"investor": "usr_ann", "amount_fen": 50_00, "bid_min_fen": 900_00, "valid_to": "2024-03-31"}


@pytest.fixture
async def world(keys: Path) -> AsyncIterator[World]:
    """Bidding on a business day, its marketing account funded with 100 yuan."""
    async with running(build("demo"), keys) as running_world:
        running_world.open_day(TODAY)
        assert (await fund(running_world, "M1")).status_code == 200
        yield running_world


async def fund(world: World, reference: str, amount_fen: int = 100_00) -> httpx.Response:
    """The bank's signed call."""
    path, content = f"/bidding/bank/marketing/bankref_{reference}", to_json({"amount_fen": amount_fen})
    headers = signed_headers(world.settings.bank_key(), path, content, now=time.time())
    return await world.http.post(
        path, content=content, headers=headers | {"Content-Type": "application/json"}
    )


async def post(world: World, path: str, body: Any, who: str, scope: str, key: str = "k") -> httpx.Response:
    """Somebody asks for something."""
    headers = world.token(who, scope) | {"Idempotency-Key": key}
    return await world.http.post(f"/bidding/{path}", json=body, headers=headers)


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["type"].removeprefix("urn:loanstream:problem:")


async def test_a_voucher_is_granted_and_redeemed(world: World) -> None:
    """Out of what the bank booked once, whatever it says twice; by its holder only; and never more than there is."""
    assert (await fund(world, "M1")).json() == {"id": "M1", "amount_fen": 100_00}
    assert problem(await fund(world, "M1", 1)) == (409, "amount_differs")
    granted = await post(world, "vouchers", VOUCHER, "stf_ole", "operator")
    assert (granted.status_code, granted.json()["status"]) == (201, "granted"), granted.text
    too_much = VOUCHER | {"amount_fen": 50_01}
    answer = await post(world, "vouchers", too_much, "stf_ole", "operator", "other")
    assert problem(answer) == (409, "marketing_exhausted")
    at, listing = f"vouchers/{granted.json()['id']}/redemption", {"listing_id": "lst_1"}
    assert problem(await post(world, at, listing, "usr_cem", "bid:own")) == (404, "unknown_voucher")
    redeemed = await post(world, at, listing, "usr_ann", "bid:own")
    assert redeemed.json() == {"id": granted.json()["id"], "status": "redeemed"}
    again = await post(world, at, listing, "usr_ann", "bid:own", "again")
    assert (again.status_code, again.json()["unchanged"]) == (200, True)
    other = await post(world, at, {"listing_id": "lst_2"}, "usr_ann", "bid:own", "second")
    assert other.json() == redeemed.json()


async def test_a_listing_that_is_too_short_is_refused_at_once(world: World) -> None:
    """The view of listings knows its term; one that it does not know is judged when it is funded."""
    world.views.documents["bidding.open-listings"] = {"lst_1": {"tenor_months": 5}}
    long = VOUCHER | {"tenor_min_months": 6}
    at = f"vouchers/{(await post(world, 'vouchers', long, 'stf_ole', 'operator')).json()['id']}/redemption"
    answer = await post(world, at, {"listing_id": "lst_1"}, "usr_ann", "bid:own")
    assert problem(answer) == (409, "term_too_short")
    assert (await post(world, at, {"listing_id": "lst_2"}, "usr_ann", "bid:own", "other")).status_code == 201


async def test_nobody_grants_himself_a_voucher(world: World) -> None:
    """Who its caller is as a customer, the register of staff says, not he; a stranger's voucher he may grant."""
    ann = StaffAppointed(staff_id="stf_ann", roles=("operations",), region=None, user_id="usr_ann")
    show(world, staff_view("bidding"), "stf_ann", ann)
    assert problem(await post(world, "vouchers", VOUCHER, "stf_ann", "operator")) == (403, "forbidden_holder")
    granted = await post(world, "vouchers", VOUCHER | {"investor": "usr_cem"}, "stf_ann", "operator", "other")
    assert granted.status_code == 201, granted.text


async def test_nobody_without_the_banks_signature_funds(world: World) -> None:
    """Money comes from the bank: an operator's token is no signature."""
    answer = await post(world, "bank/marketing/bankref_M2", {"amount_fen": 1}, "stf_ole", "operator")
    assert problem(answer) == (401, "bad_signature")


async def test_an_investor_sees_his_own_vouchers(world: World) -> None:
    """Each with what became of it."""
    shown = documents(VOUCHERS, history("marketing", *LIFE))
    world.views.documents["bidding.vouchers"] = {doc: nested(doc, fields) for doc, fields in shown.items()}
    for who, states in (("usr_ann", ["paid", "expired"]), ("usr_cem", [])):
        page = await world.http.get("/bidding/vouchers", headers=world.token(who, "bid:own"))
        assert [item["state"] for item in page.json()["items"]] == states
