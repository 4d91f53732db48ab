"""The views: the queue sorted by priority, the case file, the counts per stage, the collectors."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from libs.events.collections import CaseClosed, CaseRanked, QueueEntry
from libs.events.deciding import Wake
from libs.events.records import RecordedEvent
from services.collections.projections.case_file import VIEW as CASE_FILES
from services.collections.projections.collectors import VIEW as COLLECTORS
from services.collections.projections.queue import VIEW as QUEUE
from services.collections.projections.stages import VIEW as STAGES
from tests.unit.collections.stories import (
    CALL,
    CASE,
    CLAIM,
    DEBTOR,
    LEE,
    MISS,
    OWED,
    PROMISE,
    PROMISED,
    at,
    history,
    moved,
    pays,
)
from tests.unit.collections.test_collector import CHANGED, ENROLLED, RETIRED
from tests.unit.documents import documents, turn_about
from tests.unit.documents import history as stream
from tests.unit.given import AT, TODAY

PROMISE_DAY = date(2024, 3, 20)
RICH = replace(MISS, loan_id="loan_8", open_fen=99_000_00)


def of_bo(*steps: Any) -> list[RecordedEvent]:
    """The debtor's stream after these commands."""
    return stream(DEBTOR, *history(*steps))


def test_the_queue_is_sorted_by_its_documents_names() -> None:
    """A page goes by name: the larger debt stands first."""
    shown = documents(QUEUE, of_bo(MISS, RICH))
    assert [shown[name]["case_id"] for name in sorted(shown)] == ["case_8", CASE]
    assert shown["1989896:case_7"] == {
        "case_id": CASE,
        "debtor_id": DEBTOR,
        "loan_id": "loan_7",
        "stage": "early",
        "bucket": "M1",
        "region": "CN-31",
        "lane": "early:CN-31",
        "product": "micro",
        "overdue_fen": OWED,
        "dpd": 1,
        "broken_promises": 0,
        "priority": 1_010_103,
        "due": True,
        "next_on": None,
        "call_back_minute": None,
        "assigned_to": None,
        "claimed_by": None,
        "claimed_until": None,
        "flags": [],
        "src.dbt_bo": "collections/0/2/0",
    }


def test_a_case_moves_when_its_priority_does_and_leaves_when_it_closes() -> None:
    """There is one document per open case, whatever happened to it."""
    worse = (MISS, RICH, CLAIM, moved("M4", 95, OWED))
    shown = documents(QUEUE, of_bo(*worse))
    assert sorted(fields["case_id"] for fields in shown.values()) == [CASE, "case_8"]
    (case,) = [fields for fields in shown.values() if fields["case_id"] == CASE]
    assert (case["stage"], case["lane"], case["claimed_by"]) == ("late", "late:CN-31", LEE)
    assert case["claimed_until"] == (AT + timedelta(minutes=30)).isoformat()
    left = documents(QUEUE, of_bo(*worse, moved("current", 0, 0)))
    assert [fields["case_id"] for fields in left.values()] == ["case_8"]


def test_the_case_file_keeps_contacts_and_promises_when_the_case_is_closed() -> None:
    """What was done, who did it, and how it ended."""
    told = of_bo(
        MISS,
        CLAIM,
        CALL,
        (PROMISED, at(4)),
        PROMISE,
        pays("pay_1", 100_00, TODAY, 240_02),
        (Wake(business_date=PROMISE_DAY, phase=5), at(0, PROMISE_DAY)),
        moved("current", 0, 0),
    )
    file = documents(CASE_FILES, told)[CASE]
    assert (file["state"], file["closed_because"], file["opening"], file["misses"]) == (
        "closed",
        "cured",
        1,
        1,
    )
    assert (file["paid_fen"], file["broken_promises"]) == (100_00, 1)
    assert file["contacts.con_1.outcome"] == "promise"
    assert file["contacts.con_1.ended_at"] == at(4).at.isoformat()
    assert file["contacts.con_1.collector"] == LEE
    assert file["promises.prm_1.status"] == "broken"
    assert (file["promises.prm_1.amount_fen"], file["promises.prm_1.paid_fen"]) == (300_00, 100_00)


def test_a_case_that_opens_again_is_open_in_its_file() -> None:
    """The history stays."""
    again = replace(MISS, number=2, due_on=date(2024, 4, 14))
    file = documents(CASE_FILES, of_bo(MISS, moved("current", 0, 0), again))[CASE]
    assert (file["state"], file["closed_on"], file["opening"], file["misses"]) == ("open", None, 2, 2)


def test_stages_count_cases_and_money() -> None:
    """All of them, per stage, and per stage and region."""
    shown = documents(STAGES, of_bo(MISS, RICH, moved("M2", 31, OWED)))
    money = {name: (fields["cases"], fields["due"], fields["overdue_fen"]) for name, fields in shown.items()}
    assert money == {
        "all": (2, 2, 99_000_00 + OWED),
        "stage:early": (1, 1, 99_000_00),
        "lane:early:CN-31": (1, 1, 99_000_00),
        "stage:mid": (1, 1, OWED),
        "lane:mid:CN-31": (1, 1, OWED),
    }


def test_a_collector_shows_his_desk_and_what_came_of_his_work() -> None:
    """Figures are counted where the contact was, the desk where it was fixed; who has left may work nothing."""
    worked = of_bo(MISS, CLAIM, CALL, PROMISED, PROMISE, pays("pay_1", 300_00, TODAY, 40_02))
    own = stream("col_lee", ENROLLED, CHANGED)
    for order in (own + worked, turn_about(own, worked)):
        lee = documents(COLLECTORS, order)[LEE]
        assert (lee["state"], lee["stages"], lee["regions"]) == ("enrolled", ["early", "mid"], [])
        assert (lee["contacts"], lee["effective_contacts"]) == (1, 1)
        assert (lee["promises_made"], lee["promises_kept"], lee["promises_kept_fen"]) == (1, 1, 300_00)
    retired = documents(COLLECTORS, stream("col_lee", ENROLLED, CHANGED, RETIRED))[LEE]
    assert (retired["state"], retired["stages"]) == ("retired", [])


@pytest.mark.parametrize("seed", range(10))
def test_any_order_of_streams_gives_the_same_queue_and_sums(seed: int) -> None:
    """And every sum is explained by the rows that its query names."""
    order = Random(seed)
    streams = [stream(f"dbt_{number}", *_wandering(order, number)) for number in range(3)]
    one_by_one = [event for events in streams for event in events]
    for view in (QUEUE, STAGES):
        assert documents(view, turn_about(*streams)) == documents(view, one_by_one)
    rows = documents(QUEUE, one_by_one).values()
    for fields in documents(STAGES, one_by_one).values():
        if fields["kind"] in ("all", "stage"):
            found = [row for row in rows if row["stage"] == fields.get("stage", row["stage"])]
            assert fields["cases"] == len(found)
            assert fields["overdue_fen"] == sum(row["overdue_fen"] for row in found)
            assert fields["due"] == sum(row["due"] for row in found)


def _wandering(order: Random, number: int) -> list[CaseRanked | CaseClosed]:
    """A case of one debtor through random places of the queue."""
    before: QueueEntry | None = None
    said: list[CaseRanked | CaseClosed] = []
    case_id, debtor_id = f"case_{number}", f"dbt_{number}"
    for _ in range(order.randrange(1, 8)):
        entry = QueueEntry(
            loan_id=f"loan_{number}",
            stage=order.choice(("early", "mid", "late")),
            bucket="M1",
            region=order.choice(("CN-31", "")),
            product="micro",
            overdue_fen=order.randrange(10_000_00),
            dpd=1,
            broken_promises=order.randrange(3),
            priority=order.randrange(3),
            due=order.random() < 0.5,
            next_on=None,
            call_back_minute=None,
            assigned_to=None,
            claimed_by=None,
            claimed_until=None,
        )
        said.append(CaseRanked(debtor_id=debtor_id, case_id=case_id, before=before, entry=entry))
        before = entry
        if order.random() < 0.2:
            said.append(
                CaseClosed(
                    debtor_id=debtor_id,
                    case_id=case_id,
                    loan_id=f"loan_{number}",
                    closed_on=TODAY,
                    reason="cured",
                    opening=1,
                    entry=entry,
                )
            )
            before = None
    return said
