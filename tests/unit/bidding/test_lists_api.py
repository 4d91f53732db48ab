"""Open listings as investors look for them, live and page by page, and what waits for finance and the bank, oldest first."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from libs.runtime.views import Changed
from services.bidding.api.shapes import ListingOut, is_published
from services.bidding.app import build
from tests.unit.runtime.edge_world import World, running
from tests.unit.runtime.view_documents import listing

AT = datetime(2024, 3, 15, 10, 30, tzinfo=UTC)
#: id -> (rate in 1e-8, months, what is left, grade, last day, product, region)
OPEN = {
    1: (12_000_000, 12, 30_000, "B", "2024-03-20", "consumer", "CN-31"),
    2: (9_500_000, 36, 90_000, "A", "2024-03-18", "consumer", "CN-11"),
    3: (100_000_000, 6, 10_000, "C", "2024-03-25", "business", "CN-31"),
    4: (12_000_000, 3, 50_000, "B", "2024-03-20", "business", "CN-11"),
}
_FIELDS = ("rate_units", "tenor_months", "remaining_fen", "grade", "closes_on", "product", "region")


def waiting(number: int, state: str, since: str, **fields: Any) -> dict[str, Any]:
    """A listing that waits for its people since a moment of the morning."""
    people = {"owner": "stf_own", "application_id": "app_1", "reviews": 0, "reviews_needed": 2}
    since = f"2024-03-15T{since}+00:00"
    return listing(number, state) | people | {"waits_since": since, "waits_on": "2024-03-15"} | fields


@pytest.fixture
async def world(keys: Path) -> AsyncIterator[World]:
    """Four open listings, one that is not published yet, and finance's people."""
    async with running(build("demo"), keys) as running_world:
        shown = running_world.views.documents
        documents = [
            listing(number) | dict(zip(_FIELDS, fields, strict=True)) for number, fields in OPEN.items()
        ]
        documents[-1]["newcomers_only"] = True
        hidden = {
            name: value for name, value in waiting(8, "prepared", "08:00:00").items() if name != "closes_on"
        }
        shown["bidding.open-listings"] = {
            each["listing_id"]: each for each in [*documents, hidden, listing(9, "funded")]
        }
        shown["bidding.staff"] = {
            name: {"staff_id": name, "roles": roles}
            for name, roles in (
                ("stf_cas", ["cashier"]),
                ("stf_acc", ["accountant", "legal"]),
                ("stf_own", ["cashier"]),
                ("stf_leo", ["risk"]),
                ("stf_two", ["cashier", "accountant"]),
            )
        }
        yield running_world


async def listed(world: World, path: str, headers: dict[str, str], name: str = "id") -> list[str]:
    """What all pages of a list show, one item a page."""
    found: list[str] = []
    cursor = ""
    while True:
        mark = "&" if "?" in path else "?"
        answer = await world.http.get(f"/bidding/{path}{mark}limit=1{cursor}", headers=headers)
        assert answer.status_code == 200, answer.text
        found += [item[name] for item in answer.json()["items"]]
        if answer.json()["next"] is None:
            return found
        cursor = f"&cursor={answer.json()['next']}"


# --- open listings -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [2, 1, 4, 3]),
        ("?sort=rate", [3, 4, 1, 2]),
        ("?sort=tenor", [4, 3, 1, 2]),
        ("?sort=left", [3, 1, 4, 2]),
        ("?grades=A,C", [2, 3]),
        ("?min_rate=0.12", [1, 4, 3]),
        ("?min_rate=0.1200001", [3]),
        ("?tenor_from=6&tenor_to=12&sort=tenor", [3, 1]),
        ("?left_from=50000", [2, 4]),
        ("?product=business&region=CN-11", [4]),
        ("?newcomers_only=true", [4]),
        ("?newcomers_only=false", [2, 1, 3]),
        ("?grades=B&region=CN-31&min_rate=0.5", []),
    ],
)
async def test_listings_are_found_by_what_an_investor_wants(
    world: World, query: str, found: list[int]
) -> None:
    """Each filter alone and together, in each order, equal ones by name; a rate is compared as a number."""
    headers = world.token("usr_ann", "listing:read")
    assert await listed(world, f"listings{query}", headers) == [f"lst_{number}" for number in found]


@pytest.mark.parametrize(
    "query",
    ["grades=b", "grades=A,,B", "min_rate=12%25", "tenor_from=0", "left_from=-1", "sort=luck", "product=a+b"],
)
async def test_what_cannot_be_looked_for_is_refused(world: World, query: str) -> None:
    """A grade, rate, term, amount, product or order that there cannot be."""
    answer = await world.http.get(
        f"/bidding/listings?{query}", headers=world.token("usr_ann", "listing:read")
    )
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:loanstream:problem:invalid_request")


async def test_the_stream_of_a_stranger_shows_what_the_page_shows(world: World) -> None:
    """Every change of a published listing, also when it is full and funded, field by field as its page; nothing of one that
    is not published, and nobody's name in either."""
    documents = world.views.documents["bidding.open-listings"]
    full = documents["lst_1"] | waiting(1, "in_review", "09:00:00", reviewers={"1": "stf_cas"})
    documents["lst_1"] = full
    world.views.told = [
        Changed(f"0.{number}", name, document, AT)
        for number, (name, document) in enumerate(documents.items())
    ]
    headers = world.token("usr_stranger", "listing:read")
    stream = await world.http.get("/bidding/live/listings", headers=headers)
    told = {
        event["subject"]: event["data"]
        for line in stream.text.splitlines()
        if line.startswith("data: ")
        for event in [json.loads(line.removeprefix("data: "))]
    }
    assert sorted(told) == sorted(set(documents) - {"lst_8"})
    for name, data in told.items():
        page = await world.http.get(f"/bidding/listings/{name}", headers=headers)
        assert page.json() == data
        assert not any(secret in page.text for secret in ("usr_", "stf_", "app_"))
    assert (await world.http.get("/bidding/listings/lst_8", headers=headers)).status_code == 404
    assert not is_published(documents["lst_8"])
    assert set(told["lst_1"]) == set(ListingOut.model_fields)


# --- what waits ----------------------------------------------------------------------------------------------------


async def test_finance_sees_what_waits_oldest_first_and_who_may_sign(world: World) -> None:
    """Reviews for cashiers and accountants, pay-outs for cashiers; never the borrower's owner, never who has signed."""
    signed = {"reviews": 1, "reviewers": {"1": "stf_acc"}}
    both = {"reviews": 2, "reviewers": {"1": "stf_acc", "2": "stf_two"}}
    world.views.documents["bidding.open-listings"] |= {
        "lst_5": waiting(5, "in_review", "09:00:00.5"),
        "lst_6": waiting(6, "in_review", "08:59:59", **signed),
        "lst_7": waiting(7, "payable", "07:00:00", **both),
    }
    headers = world.token("stf_acc", "finance")
    assert await listed(world, "reviews", headers) == ["lst_6", "lst_5"]
    answer = await world.http.get("/bidding/reviews", headers=headers)
    assert [(item["reviewers"], item["may_sign"]) for item in answer.json()["items"]] == [
        (["stf_acc"], ["stf_cas", "stf_two"]),
        ([], ["stf_acc", "stf_cas", "stf_two"]),
    ]
    assert answer.json()["items"][0]["since"] == "2024-03-15T08:59:59Z"
    assert answer.json()["items"][0]["since_on"] == "2024-03-15"
    payouts = await world.http.get("/bidding/payouts", headers=world.token("stf_cas", "finance"))
    assert [(item["id"], item["may_sign"]) for item in payouts.json()["items"]] == [("lst_7", ["stf_cas"])]
    refused = await world.http.get("/bidding/payouts", headers=headers)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:loanstream:problem:forbidden_post")


async def test_what_the_bank_has_not_answered_is_listed_by_age(world: World) -> None:
    """Oldest first, of both kinds or of one, for finance's posts alone."""
    world.views.documents["bidding.bank-requests"] = {
        f"acc_ann:{name}": {
            "request_id": name,
            "kind": kind,
            "account_id": "acc_ann",
            "owner": "usr_ann",
            "amount_fen": 5,
            "card_ref": "card_1",
            "business_date": "2024-03-15",
            "asked_at": f"2024-03-15T10:00:0{second}+00:00",
        }
        for name, kind, second in (("top_a", "collect", 3), ("wdr_b", "pay_out", 1), ("wdr_c", "pay_out", 2))
    }
    headers = world.token("stf_cas", "finance")
    assert await listed(world, "bank-requests", headers) == ["wdr_b", "wdr_c", "top_a"]
    assert await listed(world, "bank-requests?kind=top_up", headers) == ["top_a"]
    answer = await world.http.get("/bidding/bank-requests?kind=withdrawal", headers=headers)
    first = answer.json()["items"][0]
    assert first.pop("age_s") > 3600
    assert first == {
        "id": "wdr_b",
        "kind": "withdrawal",
        "account_id": "acc_ann",
        "owner": "usr_ann",
        "amount_fen": 5,
        "business_date": "2024-03-15",
        "since": "2024-03-15T10:00:01Z",
    }
    refused = await world.http.get("/bidding/bank-requests", headers=world.token("stf_leo", "finance"))
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:loanstream:problem:forbidden_post")


async def test_what_came_to_whoever_has_left_is_listed(world: World) -> None:
    """Closed accounts that have money, or owe some; not open ones, nor those that are empty; for finance's posts alone."""
    world.views.documents["bidding.balances"] = {
        f"acc_{name}": {
            "account_id": f"acc_{name}",
            "owner": f"usr_{name}",
            "state": state,
            "available_fen": available_fen,
            "held_fen": 0,
            "owed_fen": owed_fen,
        }
        for name, state, available_fen, owed_fen in (
            ("ann", "closed", 5, 0),
            ("bob", "closed", 0, 7),
            ("cy", "closed", 0, 0),
            ("dan", "open", 5, 7),
        )
    }
    headers = world.token("stf_acc", "finance")
    assert await listed(world, "left-accounts", headers, "account_id") == ["acc_ann"]
    assert await listed(world, "left-accounts?why=owes", headers, "account_id") == ["acc_bob"]
    answer = await world.http.get("/bidding/left-accounts", headers=headers)
    assert answer.json()["items"] == [
        {"account_id": "acc_ann", "owner": "usr_ann", "available_fen": 5, "held_fen": 0, "owed_fen": 0}
    ]
    refused = await world.http.get("/bidding/left-accounts", headers=world.token("stf_leo", "finance"))
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:loanstream:problem:forbidden_post")
