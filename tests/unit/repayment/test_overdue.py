"""What is late, by stage, bucket, region and product: moved by cases, adding up, and followed down to the loans behind it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.branch_moves import LoanMoved
from libs.events.collections import CaseClosed, CaseRanked, QueueEntry
from services.repayment.api.overdue import Overdue
from services.repayment.app import build
from services.repayment.projections.overdue_buckets import VIEW as BUCKETS
from tests.unit.documents import documents, history, nested, turn_about
from tests.unit.repayment.correction_story import RESTATED
from tests.unit.repayment.stories import INSTALLMENT, OPENED, amended, split
from tests.unit.repayment.views_story import LATE, SETTLEMENT, STORY, moved
from tests.unit.runtime.edge_world import World, running

ENTRY = QueueEntry(
    loan_id="loan_7",
    stage="early",
    bucket="M1",
    region="",
    product="",
    overdue_fen=INSTALLMENT,
    dpd=1,
    broken_promises=0,
    priority=1,
    due=True,
    next_on=None,
    call_back_minute=None,
    assigned_to=None,
    claimed_by=None,
    claimed_until=None,
)
PAID = replace(ENTRY, overdue_fen=33_002)


def ranked(before: QueueEntry | None, after: QueueEntry) -> CaseRanked:
    """The case stands elsewhere in the queue."""
    return CaseRanked(debtor_id="dbt_bo", case_id="case_7", before=before, entry=after)


CASES = (ranked(None, ENTRY), ranked(ENTRY, PAID))
CLOSED = CaseClosed(
    debtor_id="dbt_bo",
    case_id="case_7",
    loan_id="loan_7",
    closed_on=LATE,
    reason="cured",
    opening=1,
    entry=PAID,
)
SUMMED = ("bucket:M1", "segment:::M1", "region:", "product:")


def test_what_is_overdue_is_moved_by_cases() -> None:
    """What a case owes is counted where it stands, moves with it, and is gone when it is closed, whichever service is read first."""
    loan, case = history("loan_7", *STORY), history("dbt_bo", *CASES)
    shown = documents(BUCKETS, [*loan, *case])
    assert shown == documents(BUCKETS, [*case, *loan]) == documents(BUCKETS, turn_about(loan, case))
    assert {doc: shown[doc]["overdue_fen"] for doc in SUMMED} == dict.fromkeys(SUMMED, 33_002)
    assert shown["loan:loan_7"]["overdue_fen"] == 33_002
    assert (shown["bucket:M1"]["stage"], "stage" in shown["bucket:current"]) == ("early", False)
    worse = ranked(PAID, replace(PAID, bucket="M2", stage="mid", overdue_fen=40_000))
    there = documents(BUCKETS, [*loan, *history("dbt_bo", *CASES, worse)])
    assert (there["bucket:M1"]["overdue_fen"], there["bucket:M2"]["overdue_fen"]) == (0, 40_000)
    closed = documents(BUCKETS, [*loan, *history("dbt_bo", *CASES, CLOSED)])
    assert {doc: closed[doc]["overdue_fen"] for doc in SUMMED} == dict.fromkeys(SUMMED, 0)


def test_a_correction_of_an_old_log_moves_no_loan_back_to_its_region() -> None:
    """It does not say which branch looks after the loan, so what its row says stays; one that says it is believed."""
    here: dict[str, Any] = {"region": "CN-31", "product": "credit"}
    move = LoanMoved(
        loan_id="loan_7",
        borrower="usr_bo",
        measure_id="msr_1",
        from_branch="CN-31",
        to_branch="CN-44",
        moved_on=LATE,
    )
    old = replace(RESTATED, **here)
    for restated, branch, has_moved in (
        (old, "CN-44", True),
        (replace(old, branch="CN-44"), "CN-44", True),
        (replace(old, branch="CN-31"), "CN-31", False),
    ):
        row = documents(BUCKETS, history("loan_7", amended(OPENED, **here), move, restated))["loan:loan_7"]
        assert (row["branch"], row["moved"]) == (branch, has_moved)


SEGMENTS = st.lists(
    st.fixed_dictionaries(
        {
            "bucket": st.sampled_from(("M1", "M2", "M6+")),
            "region": st.sampled_from(("CN-31", "CN-44", "")),
            "product": st.sampled_from(("consumer", "credit")),
            "loans": st.integers(0, 3),
            "principal_fen": st.integers(0, 10**9),
            "overdue_principal_fen": st.integers(0, 10**9),
            "overdue_fen": st.integers(0, 10**9),
        },
        optional={"stage": st.sampled_from(("early", "mid"))},
    )
)


@given(SEGMENTS)
def test_every_list_sums_to_the_total(segments: list[dict[str, Any]]) -> None:
    """Stages, buckets, regions, branches and products are the same loans, added up in five ways."""
    overdue = Overdue()
    for segment in segments:
        overdue.add(segment)
    shown = overdue.shown().model_dump()
    for name, total in shown.pop("total").items():
        assert total == sum(segment[name] for segment in segments)
        assert {sum(row[name] for row in rows) for rows in shown.values()} == {total}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Repayment with two late loans, one of another region, and one that is not late."""
    here = {"region": "CN-31", "product": "credit"}
    log = [
        *history("loan_7", *STORY),
        *history(
            "loan_8",
            amended(OPENED, loan_id="loan_8", **here),
            LoanMoved(
                loan_id="loan_8",
                borrower="usr_bo",
                measure_id="msr_1",
                from_branch="CN-31",
                to_branch="CN-44",
                moved_on=LATE,
            ),
            replace(
                moved("current", "M1", 100_000, INSTALLMENT, loan="loan_8", late_fen=(0, 33_002)), **here
            ),
        ),
        *history("loan_9", amended(OPENED, loan_id="loan_9", **here)),
        *history("dbt_bo", *CASES),
        *history("dbt_cy", ranked(None, replace(ENTRY, loan_id="loan_8", region="CN-31", product="credit"))),
    ]
    async with running(build("demo"), tmp_path) as running_world:
        running_world.views.documents[BUCKETS.name] = {
            name: nested(name, document) for name, document in documents(BUCKETS, log).items()
        }
        yield running_world


async def test_sums_are_asked_for_by_their_parts_and_followed_to_loans(world: World) -> None:
    """All that is late, then one region of it, then the loan behind that; of a stage that nobody is in, nothing."""

    async def get(path: str, **query: str) -> Any:
        answer = await world.http.get(
            f"/repayment/{path}", params=query, headers=world.token("stf_ann", "analyst")
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    principal = {"principal_fen": 166_668, "overdue_principal_fen": 66_004}
    whole = {"loans": 2} | principal | {"overdue_fen": 33_002 + INSTALLMENT}
    shown = await get("overdue")
    assert shown["total"] == whole
    assert shown["stages"] == [{"stage": "early"} | whole]
    principal = {"principal_fen": 100_000, "overdue_principal_fen": 33_002}
    part = {"loans": 1} | principal | {"overdue_fen": INSTALLMENT}
    assert shown["regions"][1] == {"region": "CN-31"} | part
    assert shown["branches"][1:] == [{"branch": "CN-44"} | part]
    here = await get("overdue", region="CN-31", stage="early")
    assert here["branches"] == [{"branch": "CN-44"} | part]
    assert (await get("overdue", product="consumer"))["branches"] == []
    assert [row["id"] for row in (await get("running-loans", branch="CN-44"))["items"]] == ["loan_8"]
    assert (await get("overdue", region="CN-31", stage="early"))["total"] == part
    [row] = (await get("running-loans", region="CN-31", stage="early"))["items"]
    assert (row["id"], row["overdue_fen"], row["events"]) == ("loan_8", INSTALLMENT, ["repayment/0/3/0"])
    assert row["partly_overdue"]
    assert [each["partly_overdue"] for each in (await get("running-loans"))["items"]] == [True, True, False]
    for asked in ({"stage": "late"}, {"stage": "early", "bucket": "M2"}):
        assert (await get("running-loans", **asked))["items"] == []
    assert (await get("overdue", stage="late"))["total"] == dict.fromkeys(whole, 0)


def test_principal_that_is_overdue_moves_with_its_loan_and_by_what_was_said() -> None:
    """With the loan's bucket, down by its payment, to nothing at its end. A loan whose earlier events did not say it is added by the first
    that does."""
    steps = [*history("loan_7", *STORY, *SETTLEMENT)]
    sums = ("bucket:current", "bucket:M1", "segment:::M1", "region:", "product:")
    moves = {7: (0, 33_332), 8: (0, 33_002), len(steps): (0, 0)}
    for length, (current, late) in moves.items():
        shown = documents(BUCKETS, steps[:length])
        found = [shown[doc]["overdue_principal_fen"] for doc in sums]
        assert found == [current, *[late] * 4], length
    silent = replace(STORY[6], overdue_principal=None)
    told = replace(STORY[7], overdue_principal=split("M1", "M1", 0, 33_002))
    old = documents(BUCKETS, history("loan_7", *STORY[:6], silent, told))
    assert old["bucket:M1"]["overdue_principal_fen"] == 33_002
