"""The routes of deal packs over the real decider: a pack's way through the posts, and whom they turn away."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
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
from libs.events.topics import commands_topic, partition_of
from libs.runtime.kafka import Place
from services.bidding.api.deal_packs import POSTS
from services.bidding.app import build
from services.bidding.domain.deal_pack_state import STEPS
from services.bidding.projections.papers import PACKS
from tests.unit.bidding.paper_story import BY_EMAIL, ISSUED_PACK, open_pack
from tests.unit.documents import documents, history, nested
from tests.unit.given import TODAY
from tests.unit.runtime.edge_world import PARTITIONS, World, running

STAFF = staff_view("bidding")
PACK = "/bidding/deal-packs/pack_1_1"
#: Who holds the post of each step.
SIGNERS = {step: f"stf_{role}" for step, role in POSTS.items()}


@pytest.fixture
async def world(keys: Path) -> AsyncIterator[World]:
    """Bidding on a business day: Ann's pack is opened for a loan with a guarantor, every post is held."""
    async with running(build("cn-p2p-2016"), keys) as running_world:
        running_world.open_day(TODAY)
        place = Place(
            commands_topic("bidding", running_world.settings.topic_prefix),
            partition_of("pack_1_1", PARTITIONS),
        )
        command = open_pack(guarantor="gua_1")
        envelope = CommandEnvelope(
            command_id="policy-pack",
            type=name_of(type(command)),
            stream_id="pack_1_1",
            data=command,
            at=datetime(2024, 3, 15, tzinfo=UTC),
            principal="",
            correlation_id="policy",
            business_date=TODAY,
        )
        running_world.log.append(place, b"pack_1_1", to_json(envelope))
        running_world.decide()
        for step, signer in SIGNERS.items():
            show(
                running_world,
                STAFF,
                signer,
                StaffAppointed(staff_id=signer, roles=(POSTS[step],), region=None),
            )
        yield running_world


def show(world: World, view: Any, stream: str, *events: Any) -> None:
    """What the projector would have written after these events of a stream."""
    shown = documents(view, history(stream, *events))
    world.views.documents.setdefault(view.name, {}).update(
        {doc: nested(doc, fields) for doc, fields in shown.items()}
    )


async def sign(world: World, step: str, who: str | None = None, **fields: str) -> httpx.Response:
    """Whoever holds the step's post, or somebody else, signs it."""
    signer = SIGNERS[step] if who is None else who  # type: ignore[index]  # tests also ask for steps that are none
    headers = world.token(signer, "papers") | {"Idempotency-Key": f"{step}-{signer}-{len(world.commands())}"}
    return await world.http.post(f"{PACK}/steps", json={"step": step} | fields, headers=headers)


async def wish(world: World, who: str, channel: str) -> httpx.Response:
    """Somebody says how he wants the pack."""
    headers = world.token(who, "claim:own") | {"Idempotency-Key": f"{who}-{channel}"}
    return await world.http.post(f"{PACK}/delivery", json={"channel": channel}, headers=headers)


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["type"].removeprefix("urn:loanstream:problem:")


async def test_a_pack_goes_through_all_posts(world: World) -> None:
    """Each step is answered with the next one, the guarantor's seal among them, and the last with the lender's channel."""
    assert (await wish(world, "usr_ann", "post")).json() == {
        "id": "pack_1_1",
        "next_step": None,
        "channel": "post",
    }
    for step, following in pairwise(STEPS):
        answer = await sign(world, step)
        assert (answer.status_code, answer.json()["next_step"]) == (201, following), answer.text
    sent = await sign(world, "delivery")
    assert sent.json() == {"id": "pack_1_1", "next_step": None, "channel": "post"}
    again = await sign(world, "delivery")
    assert (again.status_code, again.json()) == (200, {"id": "pack_1_1", "unchanged": True})
    assert [command["principal"] for command in world.commands()][1:-1] == [SIGNERS[step] for step in STEPS]


async def test_a_step_is_its_posts_alone(world: World) -> None:
    """Another post is turned away before the log, and so is a step that is none, or a reason that is not legal's."""
    for step in STEPS:
        for other in STEPS:
            if POSTS[other] != POSTS[step]:
                assert problem(await sign(world, step, SIGNERS[other])) == (403, "forbidden_post")
    assert problem(await sign(world, "stamp", SIGNERS["review"])) == (422, "invalid_request")
    assert problem(await sign(world, "receipt", sent_back="late")) == (422, "invalid_request")
    assert world.commands() == []


async def test_the_log_says_whose_turn_it_is(world: World) -> None:
    """A step out of order and a second signature are refused by name, and a pack that legal sends back begins anew."""
    assert problem(await sign(world, "review")) == (409, "step_out_of_order")
    show(
        world,
        STAFF,
        "stf_both",
        StaffAppointed(staff_id="stf_both", roles=("accountant", "risk"), region=None),
    )
    assert (await sign(world, "receipt", "stf_both")).status_code == 201
    assert problem(await sign(world, "claim_list", "stf_both")) == (403, "forbidden_second_signature")
    assert (await sign(world, "claim_list")).status_code == 201
    back = await sign(world, "review", sent_back="wrong_list")
    assert (back.status_code, back.json()["next_step"]) == (201, "receipt")


async def test_a_pack_is_its_lenders(world: World) -> None:
    """Only he says how he wants it and sees it in his list; others are answered as if there were none."""
    assert problem(await wish(world, "usr_cem", "email")) == (404, "unknown_pack")
    show(world, PACKS, "pack_1_1", *ISSUED_PACK, BY_EMAIL)
    for who, packs in (("usr_ann", ["pack_1_1"]), ("usr_cem", [])):
        page = await world.http.get("/bidding/deal-packs", headers=world.token(who, "claim:own"))
        assert [item["pack_id"] for item in page.json()["items"]] == packs


async def test_a_post_sees_its_own_work(world: World) -> None:
    """Packs that wait for the caller's step, with what is needed for it; another post's list is not his."""
    show(world, PACKS, "pack_1_1", *ISSUED_PACK, BY_EMAIL)

    async def work(step: str, who: str, more: str = "") -> httpx.Response:
        return await world.http.get(
            f"/bidding/deal-packs/work?step={step}{more}", headers=world.token(who, "papers")
        )

    for until, packs in (("2024-03-20", 0), ("2024-03-21", 1)):
        due = await work("review", SIGNERS["review"], f"&due_until={until}")
        assert len(due.json()["items"]) == packs
    (item,) = (await work("review", SIGNERS["review"])).json()["items"]
    assert (item["claim_id"], item["due_on"], item["channel"]) == ("clm_1_1", "2024-03-21", "email")
    assert "signers" not in item
    assert (await work("receipt", SIGNERS["receipt"])).json()["items"] == []
    assert problem(await work("review", SIGNERS["receipt"])) == (403, "forbidden_post")
