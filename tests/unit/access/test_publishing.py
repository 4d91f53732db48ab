"""A listing's way to its investors, on the whole platform in one process: prepared, read by a second person, disclosed, taken back."""

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests import posts
from tests.unit.access.platform import Platform, running_platform
from tests.unit.access.settlers import FIRST_DAY, Customer, Settling

AMOUNT_FEN = 10_000_00


class Preparing(Settling):
    """A town in which nobody of legal is in a hurry."""

    async def publish(self, listing: str) -> None:
        """Nobody has looked yet."""


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Platform]:
    """An empty platform."""
    async with running_platform(tmp_path) as running:
        yield running


async def prepared(platform: Platform) -> tuple[str, Customer, Customer]:
    """A listing that waits for its second person, its borrower, and somebody who would lend."""
    town = Preparing(platform)
    await town.staff()
    borrower, lender = await town.customer(1, "CN-31", "stf_lee"), await town.customer(2, "CN-31", "")
    await town.top_up(lender, AMOUNT_FEN)
    application = await town.apply(borrower, AMOUNT_FEN)
    return application.replace("app_", "lst_"), borrower, lender


async def told(platform: Platform, path: str, subject: str, scope: str) -> tuple[int, Any]:
    """What a page says to somebody."""
    answer = await platform.ask("GET", f"/bidding/{path}", subject, [scope])
    return answer.status_code, answer.json()


async def check(platform: Platform, listing: str, subject: str, text: str, **more: Any) -> tuple[int, Any]:
    """Somebody says that he has read this text."""
    body = {"verdict": "approve", "content_hash": sha256(text.encode()).hexdigest()} | more
    path = f"/bidding/listings/{listing}/checks"
    answer = await platform.ask("POST", path, subject, ["legal"], body=body)
    return answer.status_code, answer.json()


async def test_what_investors_read_was_read_by_a_second_person_and_names_nobody(platform: Platform) -> None:
    """Before it there is no listing for them; after it its text has the hash that legal has put its name to."""
    listing, borrower, lender = await prepared(platform)
    for page in (f"listings/{listing}", f"listings/{listing}/disclosure"):
        assert (await told(platform, page, lender.user, "listing:read"))[0] == 404
    _, waiting = await told(platform, "publications", "stf_lia", "legal")
    [item] = waiting["items"]
    assert (item["id"], item["prepared_by"], item["owner"]) == (listing, "stf_leo", None)
    status, problem = await check(platform, listing, "stf_leo", item["text"])
    assert (status, problem["type"]) == (403, "urn:loanstream:problem:forbidden_post")
    status, problem = await check(platform, listing, "stf_lia", item["text"] + " ")
    assert (status, problem["type"]) == (409, "urn:loanstream:problem:text_differs")
    assert (await check(platform, listing, "stf_lia", item["text"]))[0] == 201
    assert (await told(platform, f"listings/{listing}", lender.user, "listing:read"))[1]["state"] == "open"
    _, disclosed = await told(platform, f"listings/{listing}/disclosure", lender.user, "listing:read")
    assert disclosed == {"id": listing, "text": item["text"], "content_hash": item["content_hash"]}
    assert disclosed["content_hash"] == sha256(disclosed["text"].encode()).hexdigest()
    assert f"amount {AMOUNT_FEN} fen" in disclosed["text"]
    assert f"owes on this platform with this loan: {AMOUNT_FEN} fen" in disclosed["text"]
    assert not {borrower.user, borrower.account, *borrower.name.split()[1:]} & set(disclosed["text"].split())
    assert (await told(platform, "publications", "stf_lia", "legal"))[1]["items"] == []


async def test_a_scheduled_listing_opens_as_its_day_begins(platform: Platform) -> None:
    """Until then nobody sees it; the close of the day before opens it for its whole window."""
    listing, _, lender = await prepared(platform)
    _, waiting = await told(platform, "publications", "stf_lia", "legal")
    opens_on = FIRST_DAY.replace(day=FIRST_DAY.day + 2)
    text = waiting["items"][0]["text"]
    status, answer = await check(platform, listing, "stf_lia", text, opens_on=opens_on.isoformat())
    assert (status, answer["opens_on"]) == (201, opens_on.isoformat())
    town = Settling(platform)
    await town.close_through(FIRST_DAY)
    assert (await told(platform, f"listings/{listing}", lender.user, "listing:read"))[0] == 404
    await town.close_through(opens_on.replace(day=opens_on.day - 1))
    _, shown = await told(platform, f"listings/{listing}", lender.user, "listing:read")
    assert (shown["state"], shown["closes_on"]) == (
        "open",
        opens_on.replace(day=opens_on.day + 9).isoformat(),
    )


async def test_its_borrower_takes_it_back_and_what_was_bid_is_whole_again(platform: Platform) -> None:
    """Nobody else may; the accepted bid itself is not given back; the exposure is free again."""
    listing, borrower, lender = await prepared(platform)
    town = Settling(platform)
    await town.publish(listing)
    more = {"listing_id": listing, "amount_fen": 9_000_00, "allow_partial": True}
    bid = await town.own(lender, f"/bidding/accounts/{lender.account}/bids", more)

    async def ask(path: str, subject: str, scope: str, body: Any = None) -> tuple[int, str]:
        answer = await platform.ask(
            "POST", f"/bidding/listings/{listing}/{path}", subject, [scope], body=body
        )
        return answer.status_code, answer.json().get("type", "").split(":")[-1]

    assert await ask(f"bids/{bid['id']}/cancellation", lender.user, "bid:own") == (409, "bid_accepted")
    assert await ask(f"bids/{bid['id']}/cancellation", borrower.user, "bid:own") == (404, "unknown_bid")
    assert await ask("withdrawal", lender.user, "application:own") == (404, "unknown_listing")
    assert await ask("withdrawal", borrower.user, "application:own") == (201, "")
    assert await ask("cancellation", "stf_ole", "operator", {"code": "duplicate"}) == (200, "")
    balance = await platform.ask("GET", f"/bidding/accounts/{lender.account}", lender.user, ["account:own"])
    assert (balance.json()["available_fen"], balance.json()["held_fen"]) == (AMOUNT_FEN, 0)
    [own] = (await told(platform, "bids", lender.user, "bid:own"))[1]["items"]
    assert (own["status"], own["accepted_fen"], own["code"]) == ("released", 9_000_00, "listing_cancelled")
    exposures = [doc["exposure_fen"] for doc in platform.views.documents("onboarding.users").values()]
    assert set(exposures) == {0}


async def test_a_part_of_a_bid_fills_a_listing_and_the_rest_is_free(platform: Platform) -> None:
    """Bid 10,000 where 4,000 are left: 4,000 are lent, 6,000 are available, and nothing is held."""
    listing, _, lender = await prepared(platform)
    town = Settling(platform)
    await town.publish(listing)
    other = await town.customer(3, "CN-31", "")
    await town.top_up(other, 6_000_00)
    await town.bid(other, listing, 6_000_00)
    bids = f"/bidding/accounts/{lender.account}/bids"
    await town.own(lender, bids, {"listing_id": listing, "amount_fen": AMOUNT_FEN})
    await town.own(lender, bids, {"listing_id": listing, "amount_fen": AMOUNT_FEN, "allow_partial": True})
    balance = await platform.ask("GET", f"/bidding/accounts/{lender.account}", lender.user, ["account:own"])
    shown = balance.json()
    assert (shown["available_fen"], shown["held_fen"], shown["invested_fen"]) == (6_000_00, 0, 4_000_00)
    assert (await told(platform, f"listings/{listing}", lender.user, "listing:read"))[1]["state"] == "funded"
    _, bids = await told(platform, "bids", lender.user, "bid:own")
    shown = [(bid["status"], bid["asked_fen"], bid["accepted_fen"], bid["code"]) for bid in bids["items"]]
    assert sorted(shown, key=str) == [
        ("declined", AMOUNT_FEN, 0, "bid_above_remaining"),
        ("lent", AMOUNT_FEN, 4_000_00, None),
    ]


async def test_the_published_fees_are_there_to_read(platform: Platform) -> None:
    """Version, date and product of each; what is agreed on beside them is refused by name."""
    _, fees = await told(platform, "fees", "usr_any", "listing:read")
    assert fees["items"][0] == {
        "version": 1,
        "since": "2016-08-24",
        "product": "consumer",
        "origination_fee_permille": 2,
        "interest_fee_permille": 100,
        "period_fee_permille": 0,
    }
    town = Settling(platform)
    await town.staff()
    borrower = await town.customer(1, "CN-31", "")
    asked = await town.own(borrower, "/onboarding/applications", posts.wish(AMOUNT_FEN))
    path = f"/onboarding/applications/{asked['id']}"
    *steps, committee = posts.to_the_committee(FIRST_DAY.isoformat(), AMOUNT_FEN, interest_fee_permille=90)
    for step in steps:
        await town.must("POST", f"{path}/{step.name}", step.subject, (step.scope,), step.body)
    refused = await platform.ask(
        "POST", f"{path}/committee", committee.subject, ["risk"], body=committee.body
    )
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:loanstream:problem:fee_not_published")
