"""The driver turns each action into the requests it means, by whose post it is, in the order of the day, and closes it."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from libs.events.bidding import ListingFilled, LoanFunded
from tools.replay.actions import Apply, Stage, TopUp
from tools.replay.bank_side import COMPARED_DAYS
from tools.replay.drive import Driven, Driver
from tools.replay.gateway import ReplayFailed
from tools.replay.generated import generated_book
from tools.replay.log_tail import Fact
from tools.replay.plan import Plan, make_plan
from tools.replay.staff import OPERATOR, Staff

FIRST = date(2011, 12, 22)


class Platform:
    """Stands for gateway and log: answers as the routes do, and keeps every request with its business date.

    The log tells everything at once, except that listings are funded when their bids are there, or their reviews if
    `reviews`; `refuses` is the end of a path that is refused.
    """

    def __init__(
        self, business_date: date | None = None, refuses: str | None = None, *, reviews: bool = False
    ) -> None:
        self.business_date = business_date
        self.asked: list[tuple[date | None, str, str, Mapping[str, Any]]] = []
        self.awaited: list[Fact] = []
        self._refuses = refuses
        self._reviews = reviews
        self._left: dict[str, int] = {}
        self._reviewers: Counter[str] = Counter()

    async def post(self, user: str, path: str, key: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A user's wish."""
        self.asked.append((self.business_date, user, path, body))
        if self._refuses and path.endswith(self._refuses):
            raise ReplayFailed("refused")
        number = len(self.asked)
        if path == "/repayment/calendar":
            self.business_date = date.fromisoformat(body["business_date"])
        elif path == "/repayment/calendar/close":
            assert body["business_date"] == str(self.business_date)
            self.business_date = date.fromisoformat(body["business_date"]) + timedelta(days=1)
        elif path in ("/onboarding/users", "/onboarding/assisted-users"):
            return {"id": f"usr_{number}"}
        elif path == "/onboarding/applications":
            self._left[f"lst_{number}"] = body["amount_fen"]
            return {"id": f"app_{number}"}
        elif path.endswith("/bids"):
            self._left[body["listing_id"]] -= body["amount_fen"]
            left = self._left[body["listing_id"]]
            assert left >= 0
            assert body["amount_fen"] % 10_000 == 0 or left == 0
        elif path.endswith("/reviews"):
            self._reviewers[path.split("/")[3]] += 1
        return {"id": f"id-{number}-{key}", "status": "verified"}

    async def bank(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The bank's call-back."""
        self.asked.append((self.business_date, "bank", path, body))
        return {}

    async def read(self, user: str, _path: str) -> dict[str, Any] | None:
        """The staff and its desks, as their views show them."""
        staff = Staff(user.split("_")[1])
        return {"items": [{"staff_id": who} for who, _ in staff.appointments()], "stages": ["mid", "late"]}

    async def closed(self, business_date: date) -> None:
        """The log's tail."""
        assert self.business_date is not None
        assert self.business_date > business_date

    async def dated(self, service: str, business_date: date) -> None:
        """The log's tail: everybody has the calendar's date."""
        assert service in ("onboarding", "collections")
        assert business_date == self.business_date

    async def told(self, *facts: Fact) -> Fact:
        """The log's tail."""
        self.awaited.extend(facts)
        kind, key = facts[0]
        if kind is not LoanFunded:
            return facts[0]
        assert self._left[key] == 0
        is_reviewed = self._reviewers[key] == 2 or not self._reviews
        return facts[0] if is_reviewed else (ListingFilled, f"{key}/review")


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
    actions = [
        type(action).__name__ for day in plan.days() for group in (*day.steps, day.ahead) for action in group
    ]
    for route, action in (
        ("bids", "Bid"),
        ("top-ups", "TopUp"),
        ("loan-payments", "Pay"),
        ("withdrawals", "Withdraw"),
        ("verification", "Join"),
        ("suitability", "Assess"),
        ("promises", "CallIn"),
    ):
        assert sent.count(route) == actions.count(action) > 0
    assert sent.count("contacts") == actions.count("CallIn") + actions.count("Dun")
    assert sum(user == "bank" for _, user, _, _ in platform.asked) == actions.count("TopUp") + actions.count(
        "Withdraw"
    )


async def test_what_happens_on_a_date_is_sent_while_that_date_is_open() -> None:
    """Requests carry no date of their own: they are sent between the close of the day before and their own."""
    plan = make_plan(generated_book(10), FIRST)
    platform = Platform()
    await _play(plan, platform)
    planned = Counter(
        day.business_date
        for day in plan.days()
        for step in day.steps
        for action in step
        if isinstance(action, Apply) and action.stage is Stage.SUBMIT
    )
    submitted = Counter(on for on, _, path, _ in platform.asked if path == "/onboarding/applications")
    assert submitted == planned


async def test_what_comes_in_the_evening_is_there_before_midnight_on_the_dates_that_are_compared() -> None:
    """So the bank's files of the last dates have money in flight at midnight, in every run; before them it is a race with the close."""
    plan = make_plan(generated_book(40), FIRST)
    platform = Platform()
    await _play(plan, platform)
    brought: dict[str, int] = {}
    top_ups = 0
    for _, _, path, body in platform.asked:
        top_ups += path.endswith("/top-ups")
        if path == "/repayment/calendar/close":
            brought[body["business_date"]], top_ups = top_ups, 0
    last = [day for day in plan.days() if (plan.last_date - day.business_date).days < COMPARED_DAYS]
    of_evenings = [
        (str(day.business_date), [action for group in (*day.steps, day.ahead) for action in group])
        for day in last
        if day.ahead
    ]
    assert of_evenings
    for on, actions in of_evenings:
        assert brought[on] == sum(isinstance(action, TopUp) for action in actions)


async def test_every_step_is_taken_by_whose_post_it_is() -> None:
    """No two posts meet in one person along an application, and the operator does nothing but the calendar."""
    plan = make_plan(generated_book(20), FIRST)
    platform = Platform()
    await _play(plan, platform)
    staff = plan.staff
    posts = {
        "intake": {staff.of("manager")},
        "interview": {staff.of("manager")},
        "review": {staff.of("reviewer")},
        "report": {staff.of("investigator")},
        "committee": {staff.of("investigator")},
        "votes": {who for who, _ in staff.committee()},
        "precedents": {staff.of("releaser")},
        "claim": {staff.of("caller"), staff.of("writer")},
        "appointments": {staff.admin},
    }
    for step, people in posts.items():
        assert {user for _, user, path, _ in platform.asked if path.endswith(f"/{step}")} == people
    assert {path for _, user, path, _ in platform.asked if user == OPERATOR} == {
        "/repayment/calendar",
        "/repayment/calendar/close",
    }
    applicants = {user for _, user, path, _ in platform.asked if path.endswith("/acceptance")}
    assert len(applicants) == 20
    assert not applicants & set(staff.scopes())


async def test_a_full_listing_above_the_threshold_is_reviewed_by_two() -> None:
    """Where the log says that a listing waits for its review, two different people of finance approve it."""
    plan = make_plan(generated_book(2), FIRST)
    platform = Platform(reviews=True)
    driven = await _play(plan, platform)
    reviewed = [(path, user) for _, user, path, _ in platform.asked if path.endswith("/reviews")]
    assert len(set(reviewed)) == 2 * driven.funded == 4
    assert {user for _, user in reviewed} == set(plan.staff.reviewers())


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
