"""What waits for a post is one list of all kinds, page by page, for who holds the post and may answer."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from libs.events.measures import BranchMove, Extension, Waiver, WriteOff
from libs.events.onboarding import StaffAppointed
from libs.events.staff import staff_view
from services.repayment.app import build
from services.repayment.projections.assets import VIEW as ASSETS
from services.repayment.projections.corrections import VIEW as CORRECTIONS
from services.repayment.projections.guarantees import COMPENSATIONS, GUARANTORS
from services.repayment.projections.loans import VIEW as LOANS
from services.repayment.projections.measures import VIEW as MEASURES
from tests.unit.bidding.test_packs_api import problem, show
from tests.unit.documents import documents, history, nested
from tests.unit.repayment import asset_story, correction_story, guarantee_story, measure_story
from tests.unit.runtime.edge_world import World, running

STAFF = staff_view("repayment")
POSTS = {
    "stf_fay": "finance_supervisor",
    "stf_gus": "general_manager",
    "stf_cas": "cashier",
    "stf_ria": "risk",
}
ALL = ("measure", "finance", "correction", "committee")
SIGNED = measure_story.signed("risk", "stf_ria", "general_manager")


@pytest.fixture
async def world(keys: Path) -> AsyncIterator[World]:
    """Repayment with one thing of each kind that waits, and each post's holder."""
    async with running(build("demo"), keys) as running_world:
        for who, role in POSTS.items():
            show(running_world, STAFF, who, StaffAppointed(staff_id=who, roles=(role,), region=None))
        proposed = correction_story.PROPOSED
        across = replace(
            proposed, signatures=2, correction=replace(proposed.correction, correction_id="cor_2")
        )
        # Proposed in December, when one was to sign, and signed in January.
        late = replace(proposed, correction=replace(proposed.correction, correction_id="cor_3"))
        signed = replace(correction_story.SIGNED, correction_id="cor_3")
        # Allowed in December, come to the loan in January, and refused by it.
        ended = replace(proposed, correction=replace(proposed.correction, correction_id="cor_4"))
        allowed = replace(correction_story.AUTHORISED, correction=ended.correction)
        again = replace(correction_story.SIGNED, correction_id="cor_4")
        for view, stream, events in (
            (MEASURES, "msr_1", (*measure_story.IN_WORK, SIGNED)),
            (MEASURES, "msr_2", measure_story.IN_WORK),
            (CORRECTIONS, "cor_1", (proposed,)),
            (CORRECTIONS, "cor_2", (across,)),
            (CORRECTIONS, "cor_3", (late, signed)),
            (CORRECTIONS, "cor_4", (ended, allowed, again)),
            (COMPENSATIONS, "loan_7", (guarantee_story.PROPOSED,)),
            (ASSETS, "ast_1", asset_story.ON_SALE),
            (GUARANTORS, "gua_g", (guarantee_story.NOMINATED,)),
        ):
            known = running_world.views.documents.setdefault(view.name, {})
            for name, fields in documents(view, history(stream, *_named(stream, events))).items():
                known[name] = nested(name, fields)
        yield running_world


def _named(stream: str, events: tuple[Any, ...]) -> list[Any]:
    return [replace(event, measure_id=stream) if stream.startswith("msr_") else event for event in events]


async def waits(world: World, who: str, post: str | None, *scopes: str, **query: Any) -> Any:
    """The list as somebody is shown it."""
    asked = query if post is None else {"post": post} | query
    answer = await world.http.get("/repayment/approvals", params=asked, headers=world.token(who, *scopes))
    return answer.json() if answer.status_code == 200 else problem(answer)[1]


async def test_each_post_is_shown_what_waits_for_it(world: World) -> None:
    """With what it is about, who proposed it and where one answers; a second signature only where two have to sign."""
    shown = (await waits(world, "stf_fay", "finance_supervisor", *ALL))["items"]
    assert [(item["kind"], item["id"], item["answer_at"]) for item in shown] == [
        ("correction", "cor_1", "/repayment/corrections/cor_1/authorisations"),
        ("correction", "cor_2", "/repayment/corrections/cor_2/authorisations"),
        ("compensation", "cmp_1", "/repayment/loans/loan_7/compensations/cmp_1/steps"),
        ("asset_sale", "ast_1", "/repayment/assets/ast_1/disposals/dsp_1/steps"),
    ]
    assert shown[3] | {"answer_at": ""} == {
        "kind": "asset_sale",
        "id": "ast_1",
        "what": "movables",
        "loan_id": "loan_7",
        "amount_fen": 30_001,
        "proposed_by": "stf_kp",
        "proposed_on": "2024-03-15",
        "until": asset_story.SIGN_UNTIL.isoformat(),
        "answer_at": "",
    }
    shown = (await waits(world, "stf_gus", "general_manager", *ALL))["items"]
    assert [(item["kind"], item["id"]) for item in shown] == [
        ("measure", "msr_1"),
        ("correction", "cor_2"),
        ("correction", "cor_3"),
        ("correction", "cor_4"),
        ("guarantor", "gua_g"),
    ]
    shown = (await waits(world, "stf_ria", "risk", *ALL))["items"]
    assert [(item["kind"], item["id"], item["what"]) for item in shown] == [("measure", "msr_2", "extension")]
    assert (await waits(world, "stf_cas", "cashier", *ALL))["items"] == []
    both = StaffAppointed(staff_id="stf_two", roles=("risk", "general_manager"), region=None)
    show(world, STAFF, "stf_two", both)
    shown = (await waits(world, "stf_two", None, *ALL))["items"]
    assert [item["id"] for item in shown] == ["msr_2", "msr_1", "cor_2", "cor_3", "cor_4", "gua_g"]


async def test_a_correction_is_shown_with_the_amount_of_its_payment(world: World) -> None:
    """Who signs that it does not count sees of how much he decides, in the list of approvals and in that of corrections."""
    paid = {"payments": {"pay_1": {"amount_fen": 34_002, "value_date": "2024-03-15"}}}
    world.views.documents[LOANS.name] = {"loan_7": {"_id": "loan_7", "loan_id": "loan_7", **paid}}
    shown = (await waits(world, "stf_fay", "finance_supervisor", *ALL))["items"]
    assert {item["amount_fen"] for item in shown if item["kind"] == "correction"} == {34_002}
    answer = await world.http.get(
        "/repayment/corrections?state=proposed", headers=world.token("stf_fay", "correction")
    )
    assert {item["amount_fen"] for item in answer.json()["items"]} == {34_002}
    world.views.documents[LOANS.name] = {}
    shown = (await waits(world, "stf_fay", "finance_supervisor", *ALL))["items"]
    assert {item["amount_fen"] for item in shown if item["kind"] == "correction"} == {None}


async def test_pages_go_from_kind_to_kind(world: World) -> None:
    """One by one nothing is left out or shown twice, and a cursor that no page of this list gave is refused."""
    found: list[str] = []
    query: dict[str, Any] = {"limit": 1}
    while True:
        page = await waits(world, "stf_fay", "finance_supervisor", *ALL, **query)
        found += [item["id"] for item in page["items"]]
        assert len(page["items"]) <= 1
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert found == ["cor_1", "cor_2", "cmp_1", "ast_1"]
    for cursor in ("", "general_manager.guarantor:", "finance_supervisor.correction:mine"):
        refused = await waits(world, "stf_fay", "finance_supervisor", *ALL, cursor=cursor)
        assert refused == "malformed_cursor", cursor


async def test_a_list_is_its_posts_and_what_one_may_answer(world: World) -> None:
    """Who does not hold the post is turned away; a token without the scope of a kind is shown none of that kind."""
    assert await waits(world, "stf_fay", "general_manager", *ALL) == "forbidden_post"
    assert await waits(world, "usr_bo", None, *ALL) == "forbidden_post"
    shown = (await waits(world, "stf_fay", "finance_supervisor", "finance"))["items"]
    assert [item["kind"] for item in shown] == ["compensation"]


def proposed(world: World, name: str, terms: Any, step: Any) -> None:
    """A measure of these terms waits for a step."""
    asked = replace(measure_story.PROPOSED, terms=terms, measure_id=name)
    admitted = replace(measure_story.ADMITTED, kind=terms.kind, steps=(step,), measure_id=name)
    fields = documents(MEASURES, history(name, asked, admitted))[name]
    world.views.documents[MEASURES.name][name] = nested(name, fields)


@pytest.mark.parametrize(
    ("region", "found"), [("CN-44", ["msr_move"]), ("CN-31", []), ("CN-99", []), (None, [])]
)
async def test_a_clerk_is_shown_what_comes_to_his_branch(
    world: World, region: str | None, found: list[str]
) -> None:
    """Nobody else may confirm it, and nobody of no branch; both lists say so."""
    proposed(world, "msr_move", BranchMove(from_branch="CN-31", to_branch="CN-44"), "receiving_clerk")
    show(world, STAFF, "stf_cle", StaffAppointed(staff_id="stf_cle", roles=("loan_clerk",), region=region))
    shown = await waits(world, "stf_cle", "loan_clerk", *ALL)
    assert [item["id"] for item in shown["items"]] == found
    work = await world.http.get(
        "/repayment/measures/work?post=receiving_clerk", headers=world.token("stf_cle", "measure")
    )
    assert [item["measure_id"] for item in work.json()["items"]] == found


@pytest.mark.parametrize(
    ("terms", "amount_fen"),
    [
        (Waiver(amount_fen=12_345), 12_345),
        (asset_story.LORRY, asset_story.LORRY.agreed_fen),
        (WriteOff(ground="court", cost_fen=3_000, cost_account="acc_law"), 3_000),
        (WriteOff(ground="court"), None),
        (Extension(months=2), None),
    ],
)
async def test_a_measure_is_shown_with_the_amount_that_it_names(
    world: World, terms: Any, amount_fen: int | None
) -> None:
    """What is given up, what a thing is taken for, what a pursuit cost; and until when one may answer."""
    proposed(world, "msr_3", terms, "legal")
    show(world, STAFF, "stf_leg", StaffAppointed(staff_id="stf_leg", roles=("legal",), region=None))
    [item] = (await waits(world, "stf_leg", "legal", *ALL))["items"]
    assert (item["amount_fen"], item["until"]) == (amount_fen, str(measure_story.ADMITTED.sign_until))


async def test_each_kind_is_shown_with_its_last_day(world: World) -> None:
    """Until when a compensation, a sale and a guarantor's terms may be answered; a correction has no such day."""
    shown = (await waits(world, "stf_fay", None, *ALL))["items"] + (
        await waits(world, "stf_gus", None, *ALL)
    )["items"]
    assert {item["kind"]: item["until"] for item in shown} == {
        "measure": str(measure_story.ADMITTED.sign_until),
        "correction": None,
        "compensation": str(guarantee_story.PROPOSED.sign_until),
        "asset_sale": asset_story.SIGN_UNTIL.isoformat(),
        "guarantor": str(guarantee_story.NOMINATED.sign_until),
    }
