"""The routes of measures over the real decider: a proposal's way through its posts, whom they turn away, and a lender's vote."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic_core import to_json

from libs.events.codec import name_of
from libs.events.onboarding import StaffAppointed
from libs.events.records import CommandEnvelope
from libs.events.staff import staff_view
from libs.events.topics import commands_topic, partition_of
from libs.runtime.kafka import Place
from services.repayment.app import build
from services.repayment.projections.measures import VIEW
from tests.unit.bidding.test_packs_api import problem, show
from tests.unit.documents import documents, history, nested
from tests.unit.given import TODAY
from tests.unit.repayment.measure_story import ADMIT, VOTING
from tests.unit.runtime.edge_world import PARTITIONS, World, running

STAFF = staff_view("repayment")
POSTS = {"stf_col": "collector", "stf_ria": "risk", "stf_gus": "general_manager"}
BODY: dict[str, Any] = {
    "loan_id": "loan_7",
    "terms": {"kind": "extension", "months": 2},
    "reason": "income_lost",
    "evidence": ["vault:1"],
}


@pytest.fixture
async def world(keys: Path) -> AsyncIterator[World]:
    """Repayment on a business day, with a collector, a risk officer and a manager."""
    async with running(build("cn-p2p-2016"), keys) as running_world:
        running_world.open_day(TODAY)
        for who, role in POSTS.items():
            show(running_world, STAFF, who, StaffAppointed(staff_id=who, roles=(role,), region=None))
        yield running_world


async def post(world: World, path: str, body: Any, who: str, scope: str = "measure") -> httpx.Response:
    """Somebody asks for something."""
    headers = world.token(who, scope) | {"Idempotency-Key": f"{path}-{who}-{len(world.commands())}"}
    return await world.http.post(f"/repayment/measures{path}", json=body, headers=headers)


async def admitted(world: World) -> str:
    """A measure that was proposed, and that its loan could do."""
    measure: str = (await post(world, "", BODY, "stf_col")).json()["id"]
    topic = commands_topic("repayment", world.settings.topic_prefix)
    envelope = CommandEnvelope(
        command_id="policy-admit",
        type=name_of(type(ADMIT)),
        stream_id=measure,
        data=ADMIT,
        at=datetime(2024, 3, 15, tzinfo=UTC),
        principal="",
        correlation_id="policy",
        business_date=TODAY,
    )
    world.log.append(Place(topic, partition_of(measure, PARTITIONS)), measure.encode(), to_json(envelope))
    world.decide()
    return measure


async def test_a_measure_goes_through_its_posts_to_its_lenders(world: World) -> None:
    """Each step is answered with what it waits for next; a lender's word is counted, and nobody else is told that there is a vote."""
    measure = await admitted(world)
    for who, following in (("stf_ria", "general_manager"), ("stf_gus", "mandate")):
        answer = await post(world, f"/{measure}/steps", {"step": POSTS[who]}, who)
        assert answer.status_code == 201, answer.text
        assert answer.json() == {"id": measure, "stage": following}
    voted = await post(world, f"/{measure}/vote", {"agrees": True}, "usr_1", "claim:own")
    assert (voted.status_code, voted.json()) == (201, {"id": measure, "stage": "vote"})
    again = await post(world, f"/{measure}/vote", {"agrees": True}, "usr_1", "claim:own")
    assert (again.status_code, again.json()) == (200, {"id": measure, "unchanged": True})
    stranger = await post(world, f"/{measure}/vote", {"agrees": True}, "usr_9", "claim:own")
    assert problem(stranger) == (404, "unknown_measure")


PAUSE = {"kind": "pause", "from_on": "2024-03-18", "to_on": "2024-03-20", "cause": "disaster"}


@pytest.mark.parametrize(
    ("terms", "field"),
    [(PAUSE, "from_on"), (PAUSE, "to_on"), ({"kind": "voidance", "ground": "fraud"}, "repay_by")],
)
async def test_a_day_of_a_measure_is_a_business_date(world: World, terms: dict[str, Any], field: str) -> None:
    """No number of seconds, no time of a day, and no year in which nothing can be due: refused before the log."""
    for day in (1_710_460_800, "1710460800", "2024-03-15T00:00:00", "1989-12-31", "2200-01-01"):
        body = BODY | {"terms": terms | {field: day}}
        assert problem(await post(world, "", body, "stf_col")) == (422, "invalid_request"), day
    assert world.commands() == []


async def test_a_step_is_its_posts_and_nobody_signs_twice(world: World) -> None:
    """Who may not propose, or holds another post, is turned away before the log; the order and the person are the log's to know."""
    assert problem(await post(world, "", BODY, "stf_ria")) == (403, "forbidden_post")
    waiver = BODY | {"terms": {"kind": "waiver"}}
    assert problem(await post(world, "", waiver, "stf_col")) == (422, "invalid_request")
    measure = await admitted(world)
    before = len(world.commands())
    assert problem(await post(world, f"/{measure}/steps", {"step": "risk"}, "stf_gus")) == (
        403,
        "forbidden_post",
    )
    assert len(world.commands()) == before
    early = await post(world, f"/{measure}/steps", {"step": "general_manager"}, "stf_gus")
    assert problem(early) == (409, "step_out_of_order")
    refused = await post(world, f"/{measure}/steps", {"step": "risk", "refused": "not_proven"}, "stf_ria")
    assert refused.json() == {"id": measure, "stage": "refused"}
    late = await post(world, f"/{measure}/steps", {"step": "general_manager"}, "stf_gus")
    assert problem(late) == (409, "measure_ended")


async def test_a_post_reads_its_work_and_a_lender_what_he_is_asked(world: World) -> None:
    """Each finds what waits for him, and nothing else."""
    shown = documents(VIEW, history("msr_1", *VOTING[:2]))
    other = documents(VIEW, history("msr_2", *VOTING))
    world.views.documents["repayment.measures"] = {
        "msr_1": nested("msr_1", shown["msr_1"]),
        "msr_2": nested("msr_2", other["msr_1"]),
    }
    for who, role, found in (("stf_ria", "risk", 1), ("stf_gus", "general_manager", 0)):
        answer = await world.http.get(
            f"/repayment/measures/work?post={role}", headers=world.token(who, "measure")
        )
        assert len(answer.json()["items"]) == found
    for who, found in (("usr_1", 1), ("usr_9", 0)):
        answer = await world.http.get("/repayment/measures/votes", headers=world.token(who, "claim:own"))
        items = answer.json()["items"]
        assert [(item["until"], item["of_fen"], item["agreed"]) for item in items] == [
            ("2024-03-25", 100_000, None)
        ] * found


async def test_who_is_a_customer_says_so_with_what_he_proposes_and_signs(world: World) -> None:
    """The staff's register says who he is, whatever he sends: the loan and the measure decide whether he has a part in it."""
    for who, role, user in (("stf_col", "collector", "usr_3"), ("stf_ria", "risk", "usr_bo")):
        staff = StaffAppointed(staff_id=who, roles=(role,), region=None, user_id=user)
        show(world, STAFF, who, staff)
    measure = await admitted(world)
    asked = next(each for each in world.commands() if each["stream_id"] == measure)
    assert asked["data"]["himself"] == "usr_3"
    signed = await post(world, f"/{measure}/steps", {"step": "risk"}, "stf_ria")
    assert problem(signed) == (403, "forbidden_borrower")
