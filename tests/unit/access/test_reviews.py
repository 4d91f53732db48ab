"""Finance's review of a full listing above the threshold, on the whole platform in one process, under a profile that has one."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests import posts
from tests.unit.access.platform import Platform, running_platform
from tests.unit.access.settlers import FIRST_DAY, Customer, Settling

#: Above the threshold of the review, and not above what one investor may lend to one borrower.
AMOUNT_FEN = 110_000_00


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Platform]:
    """An empty platform."""
    async with running_platform(tmp_path) as running:
        yield running


async def full_listing(town: Settling) -> tuple[str, Customer]:
    """A listing above the threshold that one investor has filled; its id and his."""
    await town.staff()
    borrower, lender = await town.customer(1, "CN-31", ""), await town.customer(2, "CN-31", "")
    await town.top_up(lender, AMOUNT_FEN)
    application = await town.apply(borrower, AMOUNT_FEN)
    listing = application.replace("app_", "lst_")
    await town.bid(lender, listing, AMOUNT_FEN)
    return listing, lender


async def review(platform: Platform, listing: str, subject: str, verdict: str = "approve") -> httpx.Response:
    """One of finance gives his verdict."""
    path = f"/bidding/listings/{listing}/reviews"
    return await platform.ask("POST", path, subject, ["finance"], body={"verdict": verdict})


async def state(platform: Platform, listing: str) -> str:
    """Where a listing stands."""
    answer = await platform.ask("GET", f"/bidding/listings/{listing}", "stf_ole", ["operator"])
    found: str = answer.json()["state"]
    return found


async def test_two_people_pass_a_listing_above_the_threshold(platform: Platform) -> None:
    """Full, it waits; the same person twice is one review, and the second person lets it be paid out."""
    listing, _ = await full_listing(Settling(platform))
    assert await state(platform, listing) == "in_review"
    waiting = await platform.ask("GET", "/bidding/reviews", "stf_fin", ["finance"])
    assert [item["id"] for item in waiting.json()["items"]] == [listing]
    first = await review(platform, listing, "stf_fin")
    assert (first.json()["reviews"], first.json()["reviews_needed"]) == (1, 2)
    await review(platform, listing, "stf_fin")
    assert await state(platform, listing) == "in_review"
    second = await review(platform, listing, "stf_ulf")
    assert second.json()["reviews"] == 2
    assert await state(platform, listing) == "payable"


async def pay_out(platform: Platform, listing: str, subject: str) -> httpx.Response:
    """Somebody pays it out."""
    path = f"/bidding/listings/{listing}/payout"
    return await platform.ask("POST", path, subject, ["finance"], body={"voucher": "F8-1"})


async def test_who_reviewed_does_not_pay_out(platform: Platform) -> None:
    """Nor does who confirms that money arrived; another cashier does, once, and the loan runs."""
    listing, _ = await full_listing(Settling(platform))
    assert (await pay_out(platform, listing, "stf_cas")).json()["type"].endswith(":payout_not_approved")
    for subject in ("stf_fin", "stf_ulf"):
        await review(platform, listing, subject)
    waiting = await platform.ask("GET", "/bidding/payouts", "stf_cas", ["finance"])
    assert [item["id"] for item in waiting.json()["items"]] == [listing]
    for subject, code in (("stf_fin", "forbidden_same_person"), ("stf_ulf", "forbidden_post")):
        refused = await pay_out(platform, listing, subject)
        assert (refused.status_code, refused.json()["type"].split(":")[-1]) == (403, code)
    paid = await pay_out(platform, listing, "stf_cas")
    assert (paid.status_code, paid.json()["voucher"]) == (201, "F8-1")
    assert await state(platform, listing) == "funded"
    assert (await pay_out(platform, listing, "stf_cas")).json()["unchanged"] is True


async def appoint(platform: Platform, subject: str, *roles: str) -> None:
    """A member of staff gets exactly these roles; with none he is dismissed."""
    path = f"/onboarding/staff/{subject}/" + ("appointments" if roles else "dismissal")
    body = {"roles": [*roles]} if roles else {}
    answer = await platform.ask("POST", path, "stf_abe", ["admin"], body=body)
    assert answer.status_code in (200, 201), answer.text


async def test_only_who_is_appointed_to_finance_reviews(platform: Platform) -> None:
    """The token lets him knock. Not in: who was never appointed, who sits in the committee, who has left, a customer."""
    listing, lender = await full_listing(Settling(platform))
    await appoint(platform, "stf_left", "cashier")
    await appoint(platform, "stf_left")
    for who in ("stf_new", posts.COMMITTEE["finance_supervisor"], "stf_left", lender.user):
        refused = [
            await review(platform, listing, who),
            await platform.ask("GET", "/bidding/reviews", who, ["finance"]),
        ]
        forbidden = (403, "urn:loanstream:problem:forbidden_post")
        assert [(each.status_code, each.json()["type"]) for each in refused] == [forbidden, forbidden], who
    assert await state(platform, listing) == "in_review"
    await appoint(platform, "stf_left", "accountant")
    assert (await review(platform, listing, "stf_left")).status_code == 201


async def test_one_rejection_cancels_the_listing_and_gives_everything_back(platform: Platform) -> None:
    """The investor's hold, and the exposure that was reserved for the borrower."""
    listing, lender = await full_listing(Settling(platform))
    assert (await review(platform, listing, "stf_fin", "reject")).status_code == 201
    assert await state(platform, listing) == "cancelled"
    balance = await platform.ask("GET", f"/bidding/accounts/{lender.account}", lender.user, ["account:own"])
    assert (balance.json()["available_fen"], balance.json()["held_fen"]) == (AMOUNT_FEN, 0)
    exposures = {
        document["exposure_fen"] for document in platform.views.documents("onboarding.users").values()
    }
    assert exposures == {0}


async def test_who_was_never_assessed_may_not_lend(platform: Platform) -> None:
    """Under a profile that asks for suitability: without it the bid comes back, and so does one above the level."""
    town = Settling(platform)
    await town.staff()
    borrower = await town.customer(1, "CN-31", "")
    careful = await town.customer(2, "CN-31", "", answers=posts.CAREFUL)
    unasked = await town.customer(3, "CN-31", "", answers=None)
    application = await town.apply(borrower, 10_000_00)
    for investor in (careful, unasked):
        await town.top_up(investor, 1_000_00)
        await town.bid(investor, application.replace("app_", "lst_"), 1_000_00)
    path = f"/bidding/listings/{application.replace('app_', 'lst_')}"
    listing = (await platform.ask("GET", path, "stf_ole", ["operator"])).json()
    assert (listing["state"], listing["raised_fen"]) == ("open", 0)
    assert FIRST_DAY.isoformat() < listing["closes_on"]
