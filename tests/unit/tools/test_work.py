"""What people did is counted over this replay's own users and loans, and held against the plan."""

from datetime import date
from typing import Any, cast

from libs.runtime.views import Views
from tests.unit.runtime.edge_world import MemoryViews
from tools.replay.drive import Driven
from tools.replay.gateway import Gateway
from tools.replay.generated import generated_book
from tools.replay.plan import make_plan
from tools.replay.work import read_work

ANSWERS: dict[str, dict[str, Any]] = {
    "/reporting/trial-balance": {"total_fen": 0},
    "/reporting/sagas?limit=200": {"items": [{"saga": "fund"}], "next": "bidding:"},
    "/reporting/sagas?limit=200&cursor=bidding:": {"items": [{"saga": "pay"}], "next": None},
}


class Asked:
    """Answers reads from a table."""

    async def read(self, _user: str, path: str) -> dict[str, Any] | None:
        """See Gateway."""
        return ANSWERS[path]


async def test_what_others_did_on_the_same_platform_is_not_counted() -> None:
    """A user who is not verified, a case of another loan and an open promise do not count; open sagas do, on whichever page."""
    views = MemoryViews()
    views.documents["reporting.funnel"] = {
        "usr_1": {"_id": "usr_1", "verified": 1},
        "usr_2": {"_id": "usr_2"},
        "usr_3": {"_id": "usr_3", "verified": 1},
    }
    promises = {"p1": {"status": "kept"}, "p2": {"status": "broken"}, "p3": {"status": "open"}}
    views.documents["collections.case-files"] = {
        "case_1": {"_id": "case_1", "loan_id": "loan_1", "promises": promises},
        "case_2": {"_id": "case_2", "loan_id": "loan_2", "promises": {"p4": {"status": "kept"}}},
        "case_3": {"_id": "case_3", "loan_id": "loan_3"},
    }
    plan = make_plan(generated_book(40), date(2011, 12, 22))
    driven = Driven(users={"a": "usr_1", "b": "usr_2"}, loan_ids={"1": "loan_1", "3": "loan_3"})
    work = await read_work(cast(Gateway, Asked()), cast(Views, views), plan, driven)
    assert [count.found for count in work.counts] == [1, 2, 1, 1]
    assert [count.planned for count in work.counts] == [
        len(plan.people),
        sum(story.is_late for story in plan.stories),
        sum(promise.keeps for story in plan.stories for promise in story.promises),
        sum(
            not promise.keeps and promise.promised_on <= plan.last_date
            for story in plan.stories
            for promise in story.promises
        ),
    ]
    assert (work.trial_balance_fen, work.open_sagas) == (0, 2)
