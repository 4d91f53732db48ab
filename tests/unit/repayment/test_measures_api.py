"""The routes of measures over the real decider: a proposal's way through its posts, whom they turn away, and a lender's vote."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic_core import to_json

from libs.events.codec import name_of
from libs.events.measures import BranchMove, WriteOff
from libs.events.onboarding import StaffAppointed
from libs.events.records import CommandEnvelope
from libs.events.staff import staff_view
from libs.events.topics import commands_topic, partition_of
from libs.runtime.kafka import Place
from services.repayment.api.measure_shapes import MeasureOut
from services.repayment.app import build
from services.repayment.projections.measures import VIEW
from tests.unit.bidding.test_packs_api import problem, show
from tests.unit.documents import documents, history, nested
from tests.unit.given import TODAY
from tests.unit.repayment.measure_story import ADMIT, ADMITTED, IN_WORK, PROPOSED, VOTING, failed, voted
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


def known(world: World, **measures: Any) -> None:
    """The view shows these measures, each by its own story."""
    world.views.documents[VIEW.name] = {
        name: nested(name, documents(VIEW, history(name, *events))["msr_1"] | {"measure_id": name})
        for name, events in measures.items()
    }


async def read(world: World, path: str, who: str, scope: str = "measure") -> httpx.Response:
    """Somebody asks what became of something."""
    return await world.http.get(f"/repayment/measures{path}", headers=world.token(who, scope))


UNKNOWN = (PROPOSED, failed("unknown_loan"))


async def test_what_a_loan_refused_is_told_by_name(world: World) -> None:
    """Its stage, the code and the day: to who proposed it and to the posts that sign it; to others there is no such measure."""
    known(world, msr_1=UNKNOWN, msr_2=(*VOTING, failed("expired")), msr_3=IN_WORK)
    told = (await read(world, "/msr_1", "stf_col")).json()
    assert (told["stage"], told["code"], told["ended_on"]) == ("failed", "unknown_loan", str(TODAY))
    assert told.keys() == MeasureOut.model_fields.keys()
    told = (await read(world, "/msr_2", "stf_ria")).json()
    assert (told["stage"], told["code"]) == ("failed", "expired")
    assert (await read(world, "/msr_3", "stf_gus")).json()["stage"] == "risk"
    show(world, STAFF, "stf_lia", StaffAppointed(staff_id="stf_lia", roles=("legal",), region=None))
    for name in ("msr_1", "msr_2", "msr_9"):
        assert problem(await read(world, f"/{name}", "stf_lia")) == (404, "unknown_measure")
    assert problem(await read(world, "/msr_1", "stf_nobody")) == (403, "forbidden_post")


async def test_who_does_not_hold_his_post_any_more_is_told_nothing(world: World) -> None:
    """Also not of what he has proposed himself."""
    known(world, msr_1=UNKNOWN)
    show(world, STAFF, "stf_col", StaffAppointed(staff_id="stf_col", roles=("cashier",), region=None))
    for path in ("/msr_1", "/mine"):
        assert problem(await read(world, path, "stf_col")) == (403, "forbidden_post")


async def test_a_clerk_is_told_of_what_comes_to_his_branch(world: World) -> None:
    """The step is not his branch's but for the one that takes the loan on."""
    terms = BranchMove(from_branch="CN-31", to_branch="CN-44")
    asked = replace(PROPOSED, terms=terms)
    known(world, msr_1=(asked, replace(ADMITTED, kind="branch_move", steps=("receiving_clerk",))))
    for region, found in (("CN-44", 200), ("CN-31", 404), (None, 404)):
        show(
            world, STAFF, "stf_cle", StaffAppointed(staff_id="stf_cle", roles=("loan_clerk",), region=region)
        )
        assert (await read(world, "/msr_1", "stf_cle")).status_code == found


async def test_ones_own_proposals_are_a_list(world: World) -> None:
    """However far each is, page by page, and nobody else's."""
    other = replace(PROPOSED, proposed_by="stf_sue")
    known(world, msr_1=UNKNOWN, msr_2=VOTING, msr_3=(other,))
    first = (await read(world, "/mine?limit=1", "stf_col")).json()
    rest = (await read(world, f"/mine?cursor={first['next']}", "stf_col")).json()
    assert [(item["measure_id"], item["stage"]) for item in first["items"] + rest["items"]] == [
        ("msr_1", "failed"),
        ("msr_2", "vote"),
    ]
    assert rest["next"] is None


async def test_a_lender_is_told_how_it_ended(world: World) -> None:
    """What he was asked, his word, and what became of it; of what he was not asked there is nothing."""
    known(world, msr_1=(*VOTING, voted(1, 50_000, 50_000), failed("expired")), msr_2=IN_WORK)
    told = (await read(world, "/msr_1/vote", "usr_1", "claim:own")).json()
    assert (told["stage"], told["code"], told["ended_on"]) == ("failed", "expired", str(TODAY))
    assert (told["agreed"], told["for_fen"]) == (True, 50_000)
    for name, who in (("msr_1", "usr_9"), ("msr_2", "usr_1"), ("msr_9", "usr_1")):
        answer = await read(world, f"/{name}/vote", who, "claim:own")
        assert problem(answer) == (404, "unknown_measure")


async def test_a_lender_is_not_told_who_is_paid_what_a_pursuit_cost(world: World) -> None:
    """Of how much he votes, and not to whose account: that is the house's and the payee's."""
    lost = replace(PROPOSED, terms=WriteOff(ground="court", cost_fen=3_000, cost_account="acc_law"))
    known(world, msr_1=(lost, *VOTING[1:]))
    for answer in (
        await read(world, "/msr_1/vote", "usr_1", "claim:own"),
        await read(world, "/votes", "usr_1", "claim:own"),
    ):
        assert '"cost_fen":3000' in answer.text
        assert "acc_law" not in answer.text
    assert "acc_law" in (await read(world, "/msr_1", "stf_col")).text


THING = {
    "kind": "settlement_in_kind",
    "asset": "rights",
    "agreed_fen": 1,
    "valued_fen": 1,
    "valued_on": "2024-03-10",
    "ground": "agreement",
    "acquired_on": "2024-03-10",
    **dict.fromkeys(("valuer", "valuation", "title", "keeper", "cash_impossible"), "vault:1"),
}


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (PAUSE | {"to_on": "2024-03-17"}, "pause/to_on"),
        (THING | {"valid_to": None}, "settlement_in_kind/valid_to"),
        (THING | {"asset": "movables", "valid_to": "2024-03-18"}, "settlement_in_kind/valid_to"),
        ({"kind": "write_off", "ground": "court", "cost_fen": 5}, "write_off/cost_account"),
        ({"kind": "write_off", "ground": "court", "cost_account": "acc_law"}, "write_off/cost_account"),
        (THING | {"valid_to": "2024-03-09"}, "settlement_in_kind/valid_to"),
        (THING | {"valid_to": "2024-03-12", "valued_on": "2024-03-13"}, "settlement_in_kind/valid_to"),
    ],
)
async def test_what_cannot_be_is_refused_at_once(world: World, terms: dict[str, Any], field: str) -> None:
    """What no loan could do on any day is told to who asks, with the field, and not to a view a moment later."""
    refused = await post(world, "", BODY | {"terms": terms}, "stf_col")
    assert problem(refused) == (422, "invalid_request")
    assert [fault["pointer"] for fault in refused.json()["errors"]] == [f"#/terms/{field}"]
    assert world.commands() == []


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
