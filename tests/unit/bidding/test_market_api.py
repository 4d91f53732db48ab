"""The routes of the secondary market over the real decider: the seller from the token, the order book by what a buyer looks for."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.bidding.api.market_shapes import TransferFeesOut
from services.bidding.app import build
from services.bidding.domain.contract_text import hash_of
from services.bidding.domain.profile import CN_P2P_2016
from services.bidding.domain.transfer_text import transfer_text
from services.bidding.projections.market import OFFERS, TRANSFERS
from services.bidding.projections.papers import CONTRACTS
from tests.unit.bidding import market_story as market
from tests.unit.bidding.paper_story import ISSUED
from tests.unit.bidding.test_papers_api import shown
from tests.unit.documents import documents, history, nested
from tests.unit.given import TODAY
from tests.unit.runtime.edge_world import World, running

#: What is for sale: (grade, rate, last due date, price).
BOOK = (
    ("B", "0.12", date(2025, 3, 1), 990),
    ("A", "0.08", date(2024, 9, 1), 1_010),
    ("B", "0.18", date(2026, 3, 1), 900),
)


_SOLD = replace(market.SETTLED, buyer="usr_dan", buyer_account="acc_dan")
#: Dan had no part of the loan before.
SETTLED = replace(_SOLD, certificate_hash=hash_of(transfer_text(_SOLD)))


@pytest.fixture
async def world(keys: Path) -> AsyncIterator[World]:
    """Bidding on a business day, with three offers that are open, one that Ann has sold to Dan, and its loan's contract."""
    async with running(build("demo"), keys) as running_world:
        running_world.open_day(TODAY)
        events = history("offer_1", market.REQUESTED, market.OPENED, market.TAKEN, SETTLED)
        for number, (grade, rate, matures_on, price) in enumerate(BOOK, 2):
            name = f"offer_{number}"
            opened = replace(
                market.OPENED,
                grade=grade,
                annual_rate=Decimal(rate),
                matures_on=matures_on,
                price_permille=price,
                offer_id=name,
            )
            events += history(name, replace(market.REQUESTED, price_permille=price, offer_id=name), opened)
        for view in (OFFERS, TRANSFERS):
            found = documents(view, events)
            running_world.views.documents[view.name] = {
                doc: nested(doc, fields) for doc, fields in found.items()
            }
        running_world.views.documents[CONTRACTS.name] = {
            doc: nested(doc, fields) for doc, fields in documents(CONTRACTS, history("ctr_1", ISSUED)).items()
        }
        yield running_world


async def post(world: World, path: str, body: Any, who: str, scope: str, key: str = "k") -> httpx.Response:
    """Somebody asks for something."""
    headers = world.token(who, scope) | {"Idempotency-Key": key}
    return await world.http.post(f"/bidding/{path}", json=body, headers=headers)


async def get(world: World, path: str, who: str, *scopes: str) -> httpx.Response:
    """Somebody reads something."""
    return await world.http.get(f"/bidding/{path}", headers=world.token(who, *scopes))


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["type"].removeprefix("urn:loanstream:problem:")


async def test_a_claim_is_offered_by_who_asks(world: World) -> None:
    """The seller is the token's, and money routes need a key; what is outside the band is refused by name."""
    wish = {"claim_id": "clm_1_1", "price_permille": 990, "principal_fen": 200_00}
    asked = await post(world, "offers", wish, "usr_ann", "claim:own")
    assert (asked.status_code, asked.json()["loan_id"], asked.json()["status"]) == (
        201,
        "loan_1",
        "requested",
    )
    again = await post(world, "offers", wish, "usr_ann", "claim:own")
    assert again.json()["id"] == asked.json()["id"]
    cheap = await post(world, "offers", wish | {"price_permille": 500}, "usr_ann", "claim:own", "cheap")
    assert problem(cheap) == (422, "invalid_price")
    keyless = await world.http.post("/bidding/offers", json=wish, headers=world.token("usr_ann", "claim:own"))
    assert keyless.status_code == 400
    at = f"offers/{asked.json()['id']}/withdrawal"
    assert problem(await post(world, at, None, "usr_cem", "claim:own")) == (404, "unknown_offer")
    assert problem(await post(world, at, None, "usr_ann", "claim:own")) == (409, "offer_not_open")


@pytest.mark.parametrize(
    ("body", "told"),
    [(b"{not json", (400, "malformed_json")), (b'{"principal_fen": 1}', (422, "invalid_request"))],
)
async def test_a_withdrawal_takes_no_fields(world: World, body: bytes, told: tuple[int, str]) -> None:
    """What somebody wants with it, and nobody reads, is not passed over in silence."""
    headers = world.token("usr_ann", "claim:own") | {
        "Idempotency-Key": "k",
        "Content-Type": "application/json",
    }
    before = len(world.commands())
    answer = await world.http.post("/bidding/offers/offer_1/withdrawal", content=body, headers=headers)
    assert problem(answer) == told
    assert len(world.commands()) == before


async def test_a_buyer_needs_an_account_and_money(world: World) -> None:
    """What is held is his own; staff have no account to buy from."""
    body = {"maximum_fen": 400_08}
    for who in ("usr_nobody", "stf_ole"):
        taken = await post(world, "offers/offer_2/take", body, who, "bid:own")
        assert problem(taken) == (404, "unknown_account")
    opened = await post(world, "accounts", None, "usr_cem", "account:own")
    assert opened.status_code == 201
    poor = await post(world, "offers/offer_2/take", body, "usr_cem", "bid:own")
    assert problem(poor) == (409, "insufficient_available")


@pytest.mark.parametrize(
    ("query", "offers"),
    [
        ("", ["offer_2", "offer_3", "offer_4"]),
        ("?grade=B", ["offer_2", "offer_4"]),
        ("?rate_min=0.12", ["offer_2", "offer_4"]),
        ("?rate_min=0.13&grade=A", []),
        ("?matures_by=2025-03-01", ["offer_2", "offer_3"]),
        ("?price_max=990", ["offer_2", "offer_4"]),
        ("?price_max=990&matures_by=2025-12-31", ["offer_2"]),
    ],
)
async def test_the_order_book_is_searched(world: World, query: str, offers: list[str]) -> None:
    """By grade, rate, last due date and price; it shows neither who sells nor who borrowed, and pages by cursor."""
    book = await get(world, f"offers{query}", "usr_dan", "listing:read")
    assert [item["id"] for item in book.json()["items"]] == offers
    assert b"usr_" not in book.content
    if len(offers) > 1:
        joint = "&" if query else "?"
        first = await get(world, f"offers{query}{joint}limit=1", "usr_dan", "listing:read")
        after = f"offers{query}{joint}limit=1&cursor={first.json()['next']}"
        second = await get(world, after, "usr_dan", "listing:read")
        assert [item["id"] for item in second.json()["items"]] == offers[1:2]


async def test_a_seller_sees_what_became_of_his_offers(world: World) -> None:
    """His own, with what was sold; another's list is empty and another's account not there."""
    own = (await get(world, "accounts/acc_ann/offers", "usr_ann", "claim:own")).json()["items"]
    assert [item["state"] for item in own] == ["settled", "open", "open", "open"]
    assert own[0]["sale"]["price_fen"] == 396_00
    assert own[1]["fee_permille"] == 0
    fees = await get(world, "transfer-fees", "usr_cem", "claim:own")
    assert fees.json() == {"items": []}  # this profile has none
    assert TransferFeesOut.of(CN_P2P_2016.transfer_fees).items[0].fee_permille == 5
    assert (await get(world, "accounts/acc_cem/offers", "usr_cem", "claim:own")).json()["items"] == []
    assert problem(await get(world, "accounts/acc_ann/offers", "usr_cem", "claim:own")) == (
        404,
        "unknown_account",
    )


async def test_the_buyer_has_a_certificate_and_the_contract(world: World) -> None:
    """The text of the sale, written again, for him and nobody else; the loan's contract is his to read from now on."""
    his = await get(world, "certificates/clm_1_3.pdf", "usr_dan", "claim:own")
    assert his.status_code == 200
    assert "Lender            usr_dan" in shown(his.content)
    assert his.headers["etag"] == f'W/"{SETTLED.certificate_hash}"'
    others = await get(world, "certificates/clm_1_3.pdf", "usr_ann", "claim:own")
    assert problem(others) == (404, "unknown_claim")
    assert (await get(world, "contracts/loan_1", "usr_dan", "claim:own")).status_code == 200
    sold = world.views.documents["bidding.transfers"]["clm_1_3"]["sold"]
    sold["sale"]["price_fen"] += 1
    differs = await get(world, "certificates/clm_1_3.pdf", "usr_dan", "claim:own")
    assert problem(differs) == (500, "paper_differs")
