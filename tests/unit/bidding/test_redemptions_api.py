"""The routes of emergency redemptions over the real decider: a form's way through five people, whom they turn away, and its clock."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic_core import to_json

from libs.events.codec import name_of
from libs.events.onboarding import StaffAppointed
from libs.events.records import CommandEnvelope
from libs.events.staff import staff_view
from libs.events.system import BusinessDateSet
from libs.events.topics import commands_topic, partition_of
from libs.runtime.kafka import Place
from services.bidding.api.redemptions import CASHIER
from services.bidding.app import build
from services.bidding.domain.redemption_state import STEPS
from services.bidding.projections.redemptions import VIEW
from tests.unit.bidding import redemption_story as story
from tests.unit.bidding.redemption_story import COMPLETE, SIGNERS
from tests.unit.bidding.test_packs_api import problem, show
from tests.unit.documents import documents, nested, recorded
from tests.unit.given import TODAY
from tests.unit.runtime.edge_world import PARTITIONS, World, running

STAFF = staff_view("bidding")
FORM = {"offer_id": "offer_1", "reason": "illness", "price_permille": 950}


@pytest.fixture
async def world(keys: Path) -> AsyncIterator[World]:
    """Bidding on a business day, every post of a redemption held; the third by somebody who is the customer Ann."""
    async with running(build("cn-p2p-2016"), keys) as running_world:
        running_world.open_day(TODAY)
        for step, signer in SIGNERS.items():
            role = CASHIER if step == "release" else step
            appointed = StaffAppointed(staff_id=signer, roles=(role,), region=None)
            show(running_world, STAFF, signer, appointed)
        ann = StaffAppointed(staff_id="stf_ann", roles=("market_specialist",), region=None, user_id="usr_ann")
        show(running_world, STAFF, "stf_ann", ann)
        yield running_world


async def ask(world: World, **changed: Any) -> httpx.Response:
    """Ann hands in her form."""
    headers = world.token("usr_ann", "claim:own") | {"Idempotency-Key": "form"}
    return await world.http.post("/bidding/redemptions", json=FORM | changed, headers=headers)


async def complete(world: World) -> str:
    """She has, and her offer has said that it stayed unsold."""
    redemption: str = (await ask(world)).json()["id"]
    place = Place(
        commands_topic("bidding", world.settings.topic_prefix), partition_of(redemption, PARTITIONS)
    )
    envelope = CommandEnvelope(
        command_id="policy-form",
        type=name_of(type(COMPLETE)),
        stream_id=redemption,
        data=COMPLETE,
        at=datetime(2024, 3, 15, tzinfo=UTC),
        principal="",
        correlation_id="policy",
        business_date=TODAY,
    )
    world.log.append(place, redemption.encode(), to_json(envelope))
    world.decide()
    return redemption


async def sign(
    world: World, redemption: str, step: str, who: str | None = None, **more: str
) -> httpx.Response:
    """Whoever holds the step's post, or somebody else, signs it."""
    signer = SIGNERS.get(step, "") if who is None else who
    headers = world.token(signer, "redemption") | {
        "Idempotency-Key": f"{step}-{signer}-{len(world.commands())}"
    }
    path = f"/bidding/redemptions/{redemption}/steps"
    return await world.http.post(path, json={"step": step} | more, headers=headers)


async def test_a_form_goes_through_five_people(world: World) -> None:
    """Each step is answered with what it waits for next and how long it still may; the log holds who it was."""
    redemption = await complete(world)
    for step, following in pairwise((*STEPS, "sale")):
        answer = await sign(world, redemption, step)
        assert answer.status_code == 201, answer.text
        assert answer.json() == {"id": redemption, "stage": following, "days_left": 15}
    again = await sign(world, redemption, "release")
    assert (again.status_code, again.json()) == (200, {"id": redemption, "unchanged": True})
    principals = [command["principal"] for command in world.commands() if command["principal"]]
    assert principals == ["usr_ann", *SIGNERS.values(), "stf_cas"]


async def test_a_step_is_its_posts_and_nobody_signs_for_himself(world: World) -> None:
    """Another post is turned away before the log; who is the holder as a customer, by the log."""
    redemption = await complete(world)
    before = len(world.commands())
    for step in STEPS:
        for other in STEPS:
            if other != step:
                answer = await sign(world, redemption, step, SIGNERS[other])
                assert problem(answer) == (403, "forbidden_post")
    assert problem(await sign(world, redemption, "stamp", "stf_mia")) == (422, "invalid_request")
    assert len(world.commands()) == before
    assert problem(await sign(world, redemption, STEPS[0], "stf_ann")) == (403, "forbidden_holder")
    assert problem(await sign(world, redemption, STEPS[1])) == (409, "step_out_of_order")


async def test_a_refusal_ends_it(world: World) -> None:
    """With its reason, a code; whoever comes after is told that it is over."""
    redemption = await complete(world)
    answer = await sign(world, redemption, STEPS[0], refused="not_proven")
    assert answer.json() == {"id": redemption, "stage": "refused", "days_left": 15}
    assert problem(await sign(world, redemption, STEPS[1])) == (409, "redemption_ended")


async def test_a_cashier_refuses_as_well(world: World) -> None:
    """Four have approved it; whoever releases the sale ends it with a reason."""
    redemption = await complete(world)
    for step in STEPS[:-1]:
        assert (await sign(world, redemption, step)).status_code == 201
    answer = await sign(world, redemption, "release", refused="not_proven")
    assert answer.json() == {"id": redemption, "stage": "refused", "days_left": 15}


async def test_a_bad_form_is_refused_by_name(world: World) -> None:
    """A price outside the band by the log, what is no form at all before it."""
    assert problem(await ask(world, price_permille=800)) == (422, "invalid_price")
    assert problem(await ask(world, reason="I need it")) == (422, "invalid_request")


async def test_everybody_sees_his_own_and_how_long_it_may_still_take(world: World) -> None:
    """The holder his redemptions, a post those that wait for it, an operator what the month came to; the clock is that of today."""
    events = [
        *(recorded(said, "rdm_1", number) for number, said in enumerate(story.APPROVED, 1)),
        recorded(BusinessDateSet(business_date=TODAY + timedelta(days=3)), "~p0", 1, "bidding"),
    ]
    shown = documents(VIEW, events)
    world.views.documents[VIEW.name] = {doc: nested(doc, fields) for doc, fields in shown.items()}

    async def read(path: str, who: str, scope: str) -> httpx.Response:
        return await world.http.get(f"/bidding/redemptions{path}", headers=world.token(who, scope))

    (item,) = (await read("", "usr_ann", "claim:own")).json()["items"]
    assert (item["stage"], item["deadline"], item["days_left"]) == ("release", "2024-04-08", 15)
    assert "signers" not in item
    assert (await read("", "usr_cem", "claim:own")).json()["items"] == []
    assert (await read("/work?waits_for=release", "stf_cas", "redemption")).json()["items"] == [item]
    assert (await read("/work?waits_for=market_specialist", "stf_mia", "redemption")).json()["items"] == []
    assert problem(await read("/work?waits_for=release", "stf_mia", "redemption")) == (403, "forbidden_post")
    figures = (await read("/figures/2024-03", "stf_ole", "operator")).json()
    assert figures == {"month": "2024-03", "asked": 1, "sold": 0, "amount_fen": 0, "days_used": 0}
