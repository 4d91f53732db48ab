"""The driver turns each action into the requests it means, in the order of the day, and closes what it has done."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from tools.replay.actions import OpenListing
from tools.replay.drive import Driven, Driver
from tools.replay.gateway import ReplayFailed
from tools.replay.generated import generated_book
from tools.replay.plan import Plan, make_plan

FIRST = date(2011, 12, 31)


class Platform:
    """Stands for gateway and calendar: answers as the routes do, and keeps every request with its business date.

    Listings are funded when looked at for the second time; `refuses` is the end of a path that is refused.
    """

    def __init__(self, business_date: date | None = None, refuses: str | None = None) -> None:
        self.business_date = business_date
        self.asked: list[tuple[date | None, str, str, Mapping[str, Any]]] = []
        self._refuses = refuses
        self._listings: dict[str, dict[str, Any]] = {}

    async def post(self, user: str, path: str, key: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A user's wish."""
        self.asked.append((self.business_date, user, path, body))
        if self._refuses and path.endswith(self._refuses):
            raise ReplayFailed("refused")
        if path == "/repayment/calendar":
            self.business_date = date.fromisoformat(body["business_date"])
        elif path == "/repayment/calendar/close":
            assert body["business_date"] == str(self.business_date)
            self.business_date = date.fromisoformat(body["business_date"]) + timedelta(days=1)
        elif path == "/bidding/listings":
            listing = f"lst_{len(self._listings)}"
            self._listings[listing] = {"state": "open", "remaining_fen": body["amount_fen"], "looks": 0}
            return {"id": listing, "loan_id": f"loan_{len(self._listings) - 1}"}
        elif path.endswith("/bids"):
            listing_of = self._listings[body["listing_id"]]
            listing_of["remaining_fen"] -= body["amount_fen"]
            assert listing_of["remaining_fen"] >= 0
            assert body["amount_fen"] % 10_000 == 0 or listing_of["remaining_fen"] == 0
        return {"id": f"id-{len(self.asked)}-{key}"}

    async def bank(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The bank's call-back."""
        self.asked.append((self.business_date, "bank", path, body))
        return {}

    async def read(self, _user: str, path: str) -> dict[str, Any] | None:
        """A listing or an account, as a view shows it: a little late."""
        if "/listings/" not in path:
            return {"available_fen": 10**12}
        listing = self._listings[path.rpartition("/")[2]]
        listing["looks"] += 1
        if listing["remaining_fen"] == 0 and listing["looks"] > 1:
            listing["state"] = "funded"
        return listing

    async def closed(self, business_date: date) -> None:
        """The calendar's tail."""
        assert self.business_date is not None
        assert self.business_date > business_date


async def _play(plan: Plan, platform: Platform) -> Driven:
    return await Driver(plan, platform, platform).play(lambda _driven: None)


async def test_a_plan_is_played_to_its_last_date() -> None:
    """Every date is closed once and in order, every loan is funded, and every bid, top-up and payment is sent."""
    plan = make_plan(generated_book(40), FIRST)
    platform = Platform()
    driven = await _play(plan, platform)
    closed = [
        body["business_date"] for _, _, path, body in platform.asked if path == "/repayment/calendar/close"
    ]
    assert closed == [str(day.business_date) for day in plan.days()]
    assert (driven.days, driven.funded, len(driven.loan_ids)) == (plan.business_days, 40, 40)
    assert len(driven.quiet_ms) == sum(day.quiet for day in plan.days())
    sent = [path.rpartition("/")[2] for _, _, path, _ in platform.asked]
    actions = [type(action).__name__ for day in plan.days() for step in day.steps for action in step]
    for route, action in (
        ("bids", "Bid"),
        ("top-ups", "TopUp"),
        ("loan-payments", "Pay"),
        ("withdrawals", "Withdraw"),
    ):
        assert sent.count(route) == actions.count(action) > 0
    assert sum(user == "bank" for _, user, _, _ in platform.asked) == actions.count("TopUp") + actions.count(
        "Withdraw"
    )


async def test_what_happens_on_a_date_is_sent_while_that_date_is_open() -> None:
    """Requests carry no date of their own: they are sent between the close of the day before and their own."""
    plan = make_plan(generated_book(10), FIRST)
    platform = Platform()
    await _play(plan, platform)
    planned = {
        (day.business_date, action.borrower)
        for day in plan.days()
        for step in day.steps
        for action in step
        if isinstance(action, OpenListing)
    }
    listed = {(on, body["borrower"]) for on, _, path, body in platform.asked if path == "/bidding/listings"}
    assert listed == planned


async def test_a_calendar_that_is_open_is_not_opened_again() -> None:
    """On a running platform the replay begins with closing the date that is open."""
    plan = make_plan(generated_book(1), FIRST)
    platform = Platform(business_date=FIRST)
    await _play(plan, platform)
    assert platform.asked[0][2] == "/repayment/calendar/close"


async def test_a_refusal_ends_the_replay() -> None:
    """One action that the platform refuses stops everything, with that refusal and no group around it."""
    with pytest.raises(ReplayFailed, match="refused"):
        await _play(make_plan(generated_book(3), FIRST), Platform(refuses="/bids"))
