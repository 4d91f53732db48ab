"""The routes of collections over its real decider: a collector's day, and what he may not see or do."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic_core import to_json

from libs.events.codec import name_of
from libs.events.onboarding import StaffAppointed, StaffDismissed
from libs.events.records import CommandEnvelope
from libs.events.staff import staff_view
from libs.events.topics import commands_topic, partition_of
from libs.events.views import View
from libs.runtime.kafka import Place
from services.collections.api.shapes import QueuedOut
from services.collections.app import build
from services.collections.commands import EnrolCollector
from services.collections.projections.case_file import VIEW as CASE_FILES
from services.collections.projections.collectors import VIEW as COLLECTORS
from services.collections.projections.queue import VIEW as QUEUE
from services.collections.projections.stages import VIEW as STAGES
from tests.unit.collections.stories import CALL, CLAIM, DEBTOR, LEE, MISS, OWED, PROMISED, history
from tests.unit.collections.test_collector import CHANGED, ENROLLED
from tests.unit.documents import documents, nested
from tests.unit.documents import history as stream
from tests.unit.given import TODAY
from tests.unit.runtime.edge_world import PARTITIONS, World, running

STAFF = staff_view("collections")
CHIEF_APPOINTED = StaffAppointed(staff_id="stf_chief", roles=("collections_supervisor",), region=None)
LEE_APPOINTED = StaffAppointed(staff_id=LEE, roles=("collector",), region=None)
CASE_AT = f"/collections/debtors/{DEBTOR}/cases/case_7"


@pytest.fixture
async def world(keys: Path) -> AsyncIterator[World]:
    """Collections on a business day, with Bo's missed payment, and Lee enrolled in his region."""
    async with running(build("demo"), keys) as running_world:
        running_world.open_day(TODAY)
        send(running_world, DEBTOR, MISS)
        send(running_world, "col_lee", EnrolCollector(staff_id=LEE, region="CN-31"))
        show(running_world, COLLECTORS, "col_lee", ENROLLED)
        show(running_world, STAFF, "stf_chief", CHIEF_APPOINTED)
        show(running_world, STAFF, LEE, LEE_APPOINTED)
        yield running_world


def send(world: World, stream_id: str, command: Any) -> None:
    """A command as a policy sends it, and its decision."""
    envelope = CommandEnvelope(
        command_id=f"policy-{name_of(type(command))}-{stream_id}",
        type=name_of(type(command)),
        stream_id=stream_id,
        data=command,
        at=datetime(2024, 3, 15, tzinfo=UTC),
        principal="",
        correlation_id="policy",
        business_date=TODAY,
    )
    place = Place(
        commands_topic("collections", world.settings.topic_prefix), partition_of(stream_id, PARTITIONS)
    )
    world.log.append(place, stream_id.encode(), to_json(envelope))
    world.decide()


def show(world: World, view: View, of: str, *events: Any) -> None:
    """What the projector would have written after these events of a stream."""
    shown = documents(view, stream(of, *events))
    world.views.documents.setdefault(view.name, {}).update(
        {doc: nested(doc, fields) for doc, fields in shown.items()}
    )


def lee(world: World, key: str = "k") -> dict[str, str]:
    """A collector's request."""
    return world.token(LEE, "collector") | {"Idempotency-Key": key}


def chief(world: World, key: str = "k") -> dict[str, str]:
    """A supervisor's request."""
    return world.token("stf_chief", "collections_supervisor") | {"Idempotency-Key": key}


def items(answer: httpx.Response) -> list[str]:
    """The cases of a page."""
    assert answer.status_code == 200, answer.text
    return [item["case_id"] for item in answer.json()["items"]]


async def test_a_collectors_work_from_claim_to_promise(world: World) -> None:
    """Claim, contact, outcome, promise, release: each answered from the log."""
    claimed = await world.http.post(f"{CASE_AT}/claim", headers=lee(world))
    assert claimed.status_code == 200, claimed.text
    assert claimed.json()["collector"] == LEE
    # an inbound call, so that the test does not depend on the hour it runs at
    began = await world.http.post(
        f"{CASE_AT}/contacts", headers=lee(world), json={"channel": "call", "direction": "inbound"}
    )
    assert began.status_code == 201, began.text
    contact = began.json()["id"]
    at = f"/collections/debtors/{DEBTOR}/contacts/{contact}/outcome"
    outcome = {"outcome": "promise", "delay_reason": "forgot", "evidence": "rec_1"}
    logged = await world.http.post(at, headers=lee(world), json=outcome)
    assert (logged.status_code, logged.json()["effective"]) == (201, True), logged.text
    promise = {"contact_id": contact, "amount_fen": OWED, "promised_on": "2024-03-20"}
    made = await world.http.post(f"{CASE_AT}/promises", headers=lee(world), json=promise)
    assert (made.status_code, made.json()["promised_on"]) == (201, "2024-03-20"), made.text
    released = await world.http.post(f"/collections/debtors/{DEBTOR}/release", headers=lee(world))
    assert released.json() == {"id": DEBTOR, "released_by": LEE}
    assert {command["principal"] for command in world.commands()} == {LEE}


async def test_a_plan_is_asked_for_by_whoever_holds_the_debtor(world: World) -> None:
    """Its months and its proof go to the log; without holding him nobody asks."""
    wish = {"kind": "extension", "months": 3, "reason": "income_lost", "income_proof": "vault:1"}
    early = await world.http.post(f"{CASE_AT}/plans", headers=lee(world, "early"), json=wish)
    assert early.json()["type"] == "urn:loanstream:problem:not_claimed"
    await world.http.post(f"{CASE_AT}/claim", headers=lee(world))
    asked = await world.http.post(f"{CASE_AT}/plans", headers=lee(world), json=wish)
    assert (asked.status_code, asked.json()["months"]) == (201, 3), asked.text
    assert asked.json()["id"].startswith("pln_")


async def test_a_case_is_held_by_one_collector(world: World) -> None:
    """The second is refused by the log, and the supervisor's assignment likewise holds."""
    await world.http.post(f"{CASE_AT}/claim", headers=lee(world))
    world.views.documents[COLLECTORS.name]["stf_kim"] = {
        **world.views.documents[COLLECTORS.name][LEE],
        "staff_id": "stf_kim",
    }
    kim = world.token("stf_kim", "collector") | {"Idempotency-Key": "k"}
    refused = await world.http.post(f"{CASE_AT}/claim", headers=kim)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:loanstream:problem:claimed_by_another")
    freed = await world.http.post(f"/collections/debtors/{DEBTOR}/release", headers=chief(world))
    assert freed.status_code == 200
    given = await world.http.post(
        f"{CASE_AT}/assignment", headers=chief(world), json={"collector": "stf_kim"}
    )
    assert given.json() == {"id": "case_7", "collector": "stf_kim"}
    refused = await world.http.post(f"{CASE_AT}/claim", headers=lee(world, "again"))
    assert refused.json()["type"] == "urn:loanstream:problem:assigned_to_another"


async def test_who_has_no_desk_claims_nothing(world: World) -> None:
    """And nobody is given a case who is no collector."""
    nobody = world.token("stf_nobody", "collector") | {"Idempotency-Key": "k"}
    assert (await world.http.post(f"{CASE_AT}/claim", headers=nobody)).status_code == 404
    given = await world.http.post(
        f"{CASE_AT}/assignment", headers=chief(world), json={"collector": "stf_nobody"}
    )
    assert given.status_code == 404
    assert world.commands() == []


async def test_a_supervisor_fixes_a_desk(world: World) -> None:
    """A stage that the profile lacks is refused by name."""
    desk = {"stages": ["mid"], "regions": [], "skills": ["negotiation"]}
    fixed = await world.http.post(f"/collections/collectors/{LEE}/desk", headers=chief(world), json=desk)
    assert fixed.json() == {"id": LEE, **desk}
    wrong = await world.http.post(
        f"/collections/collectors/{LEE}/desk", headers=chief(world, "2"), json=desk | {"stages": ["soon"]}
    )
    assert (wrong.status_code, wrong.json()["type"]) == (422, "urn:loanstream:problem:invalid_stage")
    own = await world.http.post(f"/collections/collectors/{LEE}/desk", headers=lee(world), json=desk)
    assert own.status_code == 403


async def test_a_supervisor_without_the_post_is_nobody(world: World) -> None:
    """A token that outlives its holder's dismissal opens nothing, neither to see nor to do."""
    left = StaffDismissed(staff_id="stf_chief", roles=CHIEF_APPOINTED.roles, region=None)
    show(world, STAFF, "stf_chief", CHIEF_APPOINTED, left)
    desk = {"stages": ["mid"], "regions": [], "skills": []}
    asked: list[tuple[str, str, Any]] = [
        ("GET", "/collections/queue", None),
        ("GET", "/collections/live/queue", None),
        ("GET", "/collections/stages", None),
        ("GET", "/collections/cases/case_7", None),
        ("GET", f"/collections/collectors/{LEE}", None),
        ("POST", f"/collections/collectors/{LEE}/desk", desk),
        ("POST", f"{CASE_AT}/assignment", {"collector": LEE}),
        ("POST", f"/collections/debtors/{DEBTOR}/release", {}),
    ]
    for method, path, body in asked:
        refused = await world.http.request(method, path, headers=chief(world), json=body)
        told = (path, refused.status_code, refused.json()["type"])
        assert told == (path, 403, "urn:loanstream:problem:forbidden_post")
    assert world.commands() == []


async def test_a_collector_without_the_post_has_no_desk(world: World) -> None:
    """Neither for what it covered nor for what he was given, before the desk itself has heard of it."""
    show(world, CASE_FILES, DEBTOR, *history(MISS))
    world.views.documents[CASE_FILES.name]["case_7"]["assigned_to"] = LEE
    left = StaffDismissed(staff_id=LEE, roles=LEE_APPOINTED.roles, region=None)
    show(world, STAFF, LEE, LEE_APPOINTED, left)
    for path in ("queue", "live/queue", "cases/case_7", f"collectors/{LEE}"):
        refused = await world.http.get(f"/collections/{path}", headers=lee(world))
        told = (path, refused.status_code, refused.json()["type"])
        assert told == (path, 404, "urn:loanstream:problem:unknown_collector")


async def test_a_collector_whose_token_says_more_is_a_collector(world: World) -> None:
    """A development token carries every scope: without the supervisor's post its bearer sees his own desk and fixes none."""
    queue_of(world)
    both = world.token(LEE, "collector", "collections_supervisor") | {"Idempotency-Key": "k"}
    assert items(await world.http.get("/collections/queue", headers=both)) == ["case_8", "case_7"]
    desk = {"stages": ["mid"], "regions": [], "skills": []}
    fixed = await world.http.post(f"/collections/collectors/{LEE}/desk", headers=both, json=desk)
    assert (fixed.status_code, fixed.json()["type"]) == (403, "urn:loanstream:problem:forbidden_post")


def queue_of(world: World, *steps: Sequence[Any]) -> None:
    """Bo's cases 7 (early), 8 (early, larger) and 9 (middle, elsewhere) in the queue."""
    others = [
        MISS.__class__(
            loan_id=f"loan_{number}",
            borrower=MISS.borrower,
            number=1,
            due_on=MISS.due_on,
            open_fen=open_fen,
            dpd=1,
            region=region,
            product="micro",
        )
        for number, open_fen, region in ((8, 90_000_00, "CN-31"), (9, 5_000_00, "CN-11"))
    ]
    show(world, QUEUE, DEBTOR, *history(MISS, *others, *steps))


async def test_the_queue_comes_in_pages_by_priority(world: World) -> None:
    """The cursor goes on where the page ended."""
    queue_of(world)
    first = await world.http.get("/collections/queue?limit=2", headers=chief(world))
    assert items(first) == ["case_8", "case_9"]
    following = first.json()["next"]
    second = await world.http.get(
        "/collections/queue", params={"limit": 2, "cursor": following}, headers=chief(world)
    )
    assert (items(second), second.json()["next"]) == (["case_7"], None)
    here = await world.http.get("/collections/queue?stage=early&region=CN-31", headers=chief(world))
    assert items(here) == ["case_8", "case_7"]
    for path in ("/collections/queue", "/collections/live/queue"):
        nowhere = await world.http.get(f"{path}?stage=soon", headers=chief(world))
        assert (nowhere.status_code, nowhere.json()["type"]) == (422, "urn:loanstream:problem:invalid_stage")
    elsewhere = await world.http.get("/collections/queue?region=CN-11", headers=chief(world))
    assert items(elsewhere) == ["case_9"]


async def test_a_collector_sees_what_his_desk_covers_and_nobody_else_holds(world: World) -> None:
    """His region and stage; an assignment to somebody else takes the case out of his sight."""
    queue_of(world)
    assert items(await world.http.get("/collections/queue", headers=lee(world))) == ["case_8", "case_7"]
    for document in world.views.documents[QUEUE.name].values():
        if document["case_id"] == "case_8":
            document["assigned_to"] = "stf_kim"
        if document["case_id"] == "case_7":
            document |= {"claimed_by": "stf_kim", "claimed_until": "2999-01-01T00:00:00+00:00"}
    assert items(await world.http.get("/collections/queue", headers=lee(world))) == []
    assert items(await world.http.get("/collections/queue?stage=mid", headers=lee(world))) == []


def test_a_claim_that_has_run_out_is_not_shown() -> None:
    """No event says that it has, so whoever reads looks at the clock."""
    (document,) = documents(QUEUE, stream(DEBTOR, *history(MISS, CLAIM))).values()
    until = datetime.fromisoformat(document["claimed_until"])
    assert QueuedOut.of(document, until - timedelta(seconds=1)).claimed_by == LEE
    assert QueuedOut.of(document, until).claimed_by is None


async def test_a_case_file_is_read_by_its_collector_and_by_supervisors(world: World) -> None:
    """For a collector whose desk does not cover it there is none, unless he was given it."""
    show(world, CASE_FILES, DEBTOR, *history(MISS, CLAIM, CALL, PROMISED))
    file = (await world.http.get("/collections/cases/case_7", headers=lee(world))).json()
    assert [contact["outcome"] for contact in file["contacts"]] == ["promise"]
    assert (file["state"], file["overdue_fen"], file["promises"]) == ("open", OWED, [])
    show(world, COLLECTORS, "col_lee", ENROLLED, CHANGED)
    world.views.documents[CASE_FILES.name]["case_7"]["stage"] = "late"
    assert (await world.http.get("/collections/cases/case_7", headers=lee(world))).status_code == 404
    assert (await world.http.get("/collections/cases/case_7", headers=chief(world))).status_code == 200
    world.views.documents[CASE_FILES.name]["case_7"]["assigned_to"] = LEE
    assert (await world.http.get("/collections/cases/case_7", headers=lee(world))).status_code == 200


async def test_supervisors_read_stages_and_collectors(world: World) -> None:
    """A collector reads himself only."""
    show(world, STAGES, DEBTOR, *history(MISS))
    stages = await world.http.get("/collections/stages", headers=chief(world))
    assert stages.json() == {
        "items": [{"stage": "early", "cases": 1, "due": 1, "overdue_fen": OWED, "broken_promises": 0}]
    }
    assert (await world.http.get("/collections/stages", headers=lee(world))).status_code == 403
    own = await world.http.get(f"/collections/collectors/{LEE}", headers=lee(world))
    assert (own.json()["stages"], own.json()["promises_made"]) == (["early"], 0)
    other = await world.http.get("/collections/collectors/stf_kim", headers=lee(world))
    assert other.status_code == 404
    assert (await world.http.get(f"/collections/collectors/{LEE}", headers=chief(world))).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"channel": "smoke"},
        {"channel": "call", "note": "he was rude"},
        {"channel": "call", "party": "other", "party_id": "Mr Wang"},
    ],
)
async def test_a_contact_has_codes_and_no_words(world: World, body: dict[str, Any]) -> None:
    """No free text reaches the log."""
    refused = await world.http.post(f"{CASE_AT}/contacts", headers=lee(world), json=body)
    assert refused.status_code == 422
    assert world.commands() == []
