"""Onboarding over HTTP: who may ask for what, and an application's whole way."""

from typing import Any

import pytest

from libs.runtime.auth import SCOPES
from services.onboarding.app import build
from services.onboarding.domain.profile import PRECEDENTS
from services.onboarding.domain.terms import hash_of
from tests.unit.onboarding import stories as s
from tests.unit.onboarding.over_http import post, problem
from tests.unit.runtime.edge_world import World

STAFF = {"customer_manager", "risk", "committee", "disbursement", "operator"}
STEP = "POST /onboarding/applications/app_1/"
#: Whose steps are a post's, by its appointment; votes ask for an office.
POSTS = (s.MAX, s.RIA, s.LEO)

#: route -> scopes of which any one opens it. The inventory: a new route must be written down here too.
ROUTES: dict[str, set[str]] = {
    "POST /onboarding/assisted-users": {"customer_manager"},
    "GET /onboarding/users/usr_ada": {"user:own"},
    "GET /onboarding/users/usr_ada/person": {"user:own"},
    "POST /onboarding/users/usr_ada/verification": {"user:own"},
    "POST /onboarding/users/usr_ada/suitability": {"user:own"},
    "POST /onboarding/users/usr_ada/relations": {"user:own"},
    "POST /onboarding/users/usr_ada/erasure": {"user:own"},
    "POST /onboarding/applications": {"application:own"},
    "GET /onboarding/applications": {"application:own", *STAFF},
    "GET /onboarding/applications/app_1": {"application:own", *STAFF},
    STEP + "papers": {"application:own"},
    STEP + "acceptance": {"application:own"},
    STEP + "refusal": {"application:own"},
    STEP + "return": {"customer_manager"},
    STEP + "intake": {"customer_manager"},
    STEP + "interview": {"customer_manager"},
    STEP + "review": {"risk"},
    STEP + "report": {"risk"},
    STEP + "committee": {"risk"},
    STEP + "votes": {"committee"},
    STEP + "conditions": {"risk"},
    STEP + "precedents": {"disbursement"},
    "POST /onboarding/staff/stf_1/appointments": {"admin"},
    "POST /onboarding/staff/stf_1/dismissal": {"admin"},
    "GET /onboarding/staff": {"admin"},
    "GET /onboarding/quote": {"application:own", "operator", "risk"},
    "GET /onboarding/pipeline": {"operator", "analyst"},
}


def test_the_inventory_is_complete() -> None:
    """Every route stands in the table, so its access was thought about twice; only registration asks for no token."""
    router = build("demo").router
    assert router is not None
    real = {f"{route.options['methods'][0]} {route.path}" for route in router().routes}
    shaped = {
        "/".join(f"{{{part}}}" if part in names else part for part in route.split("/"))
        for route in ROUTES
        for names in [{"usr_ada": 0, "app_1": 0, "stf_1": 0}]
    }
    known = {
        route.replace("{usr_ada}", "{user}").replace("{app_1}", "{application}").replace("{stf_1}", "{staff}")
        for route in shaped
    }
    assert real == known | {"POST /onboarding/users"}


async def test_every_scope_opens_what_it_names_and_nothing_else(world: World) -> None:
    """Route by scope: 403 without one of the route's scopes, and something else than 401 or 403 with it; 401 without token."""
    for route, wanted in ROUTES.items():
        method, path = route.split(" ")
        assert (await world.http.request(method, path)).status_code == 401, route
        for scope in SCOPES:
            answer = await world.http.request(method, path, headers=world.token("usr_ada", scope))
            if scope in wanted:
                assert answer.status_code not in (401, 403), (route, scope, answer.text)
            else:
                assert problem(answer) == (403, "forbidden_scope"), (route, scope)
    assert world.commands() == []


async def test_an_application_goes_its_way_over_http(world: World) -> None:
    """Each post's step is decided by the log; a vote of who may not is refused there though the scope is right."""
    answer = await post(
        world,
        "applications",
        {
            "product": "consumer",
            "purpose": "renovation",
            "amount_fen": 100_000_00,
            "tenor_months": 12,
            "documents": [*s.DOCUMENTS],
        },
        s.BEA,
        "application:own",
    )
    assert (answer.status_code, answer.json()["status"]) == (201, "submitted")
    application = answer.json()["id"]
    premature = await post(world, f"applications/{application}/intake", {}, s.MAX, "customer_manager")
    assert problem(premature) == (409, "wrong_stage")
    unknown = await post(world, "applications/app_none/intake", {}, s.MAX, "customer_manager")
    assert problem(unknown) == (404, "unknown_application")
    not_staff = await post(world, f"applications/{application}/intake", {}, s.BEA, "customer_manager")
    assert problem(not_staff) == (403, "forbidden_post")


STEPS: list[tuple[str, str, str, Any, tuple[Any, ...], str]] = [
    ("intake", s.MAX, "customer_manager", {}, s.AT_INTAKE, "checked"),
    ("return", s.MAX, "customer_manager", {"papers": ["contracts"], "code": "old"}, s.AT_INTAKE, "returned"),
    ("papers", s.BEA, "application:own", {"documents": ["credit_report"]}, (*s.AT_INTAKE, s.RETURNED), "resubmitted"),
    ("interview", s.MAX, "customer_manager", {"repayment_source": "salary", "record": "n"}, s.AT_INTERVIEW, "interviewed"),
    ("review", s.RIA, "risk", {"is_eligible": True}, s.AT_REVIEW, "eligible"),
    ("review", s.RIA, "risk", {"is_eligible": False, "reasons": ["age"]}, s.AT_REVIEW, "declined"),
    (
        "report", s.RIA, "risk",
        {"grade": "B", "limit_fen": 5, "recommends": True, "aspects": [
            {"aspect": each.aspect, "finding": "sound", "score": 80, "manner": "field_visit", "found_on": "2024-03-15", "evidence": "doc"}
            for each in s.ASPECTS
        ]},
        s.AT_INVESTIGATION, "reported",
    ),
    (
        "report", s.RIA, "risk",
        {"grade": "E", "limit_fen": 5, "recommends": False, "aspects": [
            {"aspect": each.aspect, "finding": "concern", "score": 0, "manner": "field_visit", "found_on": "2024-03-15", "evidence": "doc"}
            for each in s.ASPECTS
        ]},
        s.AT_INVESTIGATION, "reported",
    ),
    ("committee", s.RIA, "risk", {"amount_fen": 90_000_00, "annual_rate": "0.12", "tenor_months": 12, "grade": "B", "origination_fee_fen": 180_00, "interest_fee_permille": 100}, s.WITH_REPORT, "convened"),
    ("votes", s.FS, "committee", {"office": "finance_supervisor", "vote": "agree", "reason": "sound"}, s.BEFORE_LAST_VOTE, "voted"),
    ("conditions", s.RIA, "risk", {"condition": "second_guarantor", "evidence": "doc"}, s.WITH_CONDITIONS, "fulfilled"),
    ("acceptance", s.BEA, "application:own", {"text_hash": hash_of(s.TERMS_TEXT), "evidence": "sign"}, s.TERMS_OFFERED, "accepted"),
    ("refusal", s.BEA, "application:own", {}, s.TERMS_OFFERED, "terms_declined"),
    ("precedents", s.LEO, "disbursement", {"checks": [*PRECEDENTS]}, s.SIGNED, "checked"),
]  # fmt: skip


@pytest.mark.parametrize(("step", "who", "scope", "body", "history", "status"), STEPS)
async def test_each_step_sends_the_command_that_the_log_accepts(
    world: World, step: str, who: str, scope: str, body: Any, history: tuple[Any, ...], status: str
) -> None:
    """What a step's request becomes is accepted by an application at that stage, and its event has an answer."""
    from libs.events.codec import COMMAND_TYPES, decode_object
    from services.onboarding.domain.application import aggregate
    from services.onboarding.domain.profile import CN_P2P_2016
    from tests.unit.given import given

    world.views.documents["onboarding.staff"][s.FS] = {"state": "employed", "roles": ["finance_supervisor"]}
    await post(world, f"applications/app_1/{step}", body, who, scope)
    sent = world.commands()[-1]
    command = decode_object(COMMAND_TYPES[sent["type"]], sent["data"])
    outcome = given(aggregate(CN_P2P_2016), *history).when(command, s.by(sent["principal"]))
    assert outcome.refused is None
    router = build("demo").router
    assert router is not None
    answers = router().answers
    first = next(event for event in outcome.events if type(event) in answers)
    assert answers[type(first)](first).model_dump()["status"] == status


@pytest.mark.parametrize(
    "appointment",
    [None, {"state": "employed", "roles": ["risk_assessor"]}, {"state": "dismissed", "roles": []}],
)
async def test_an_office_is_voted_for_by_who_holds_it(world: World, appointment: Any) -> None:
    """The scope lets somebody vote; for which office, his appointment says."""
    world.views.documents["onboarding.staff"] = {s.FS: appointment} if appointment else {}
    body = {"office": "finance_supervisor", "vote": "agree", "reason": "sound"}
    refused = await post(world, "applications/app_1/votes", body, s.FS, "committee")
    assert problem(refused) == (403, "forbidden_office")
    assert world.commands() == []


@pytest.mark.parametrize(
    "appointment",
    [None, {"state": "employed", "roles": ["collector"]}, {"state": "dismissed", "roles": []}],
)
@pytest.mark.parametrize(
    ("step", "scope", "body"), [step[:1] + step[2:4] for step in STEPS if step[1] in POSTS]
)
async def test_a_post_is_held_by_who_was_appointed_to_it(
    world: World, step: str, scope: str, body: Any, appointment: Any
) -> None:
    """A token that outlives its holder's dismissal, or names a post that he never had, opens nothing."""
    world.views.documents["onboarding.staff"] = {"stf_gone": appointment} if appointment else {}
    refused = await post(world, f"applications/app_1/{step}", body, "stf_gone", scope)
    assert problem(refused) == (403, "forbidden_post")
    assert world.commands() == []


async def test_lists_show_staff_all_and_a_customer_his_own(world: World) -> None:
    """A customer sees his applications only, whatever he asks; a post sees its queue."""
    from services.onboarding.projections.applications import VIEW
    from tests.unit.documents import documents, history

    mine = documents(VIEW, history("app_1", *s.AT_INTAKE))["app_1"]
    other = mine | {"application_id": "app_2", "applicant": "usr_eve", "stage": "review"}
    world.views.documents["onboarding.applications"] = {"app_1": mine, "app_2": other}

    async def seen(path: str, subject: str, scope: str) -> Any:
        return (await world.http.get(f"/onboarding/{path}", headers=world.token(subject, scope))).json()

    def ids(page: Any) -> list[str]:
        return [item["application_id"] for item in page["items"]]

    assert ids(await seen("applications", s.BEA, "application:own")) == ["app_1"]
    assert ids(await seen("applications", s.MAX, "customer_manager")) == ["app_1", "app_2"]
    assert ids(await seen("applications?stage=review", s.RIA, "risk")) == ["app_2"]
    assert (await seen("applications?stage=approving", s.RIA, "risk"))["errors"][0][
        "pointer"
    ] == "query: stage"
    assert (await seen("applications/app_1", s.BEA, "application:own"))["stage"] == "intake"
    assert (await seen("applications/app_2", s.BEA, "application:own"))["status"] == 404
    assert ids(await seen("applications", "stf_ole", "operator")) == ["app_1", "app_2"]
    # a token outlives its holder's dismissal, and a scope is no other post
    for who, scope in (("stf_gone", "risk"), (s.LEO, "committee")):
        assert ids(await seen("applications", who, scope)) == []
        assert (await seen("applications/app_2", who, scope))["status"] == 404


async def test_the_pipeline_shows_every_stage_in_its_order(world: World) -> None:
    """Also those that no application has reached."""
    from services.onboarding.projections.pipeline import STAGES

    world.views.documents["onboarding.pipeline"] = {"all": {"reached": {"lapsed": 1, "submitted": 2}}}
    answer = await world.http.get("/onboarding/pipeline", headers=world.token("stf_a", "analyst"))
    stages = answer.json()["stages"]
    assert stages == dict.fromkeys(STAGES.values(), 0) | {"submitted": 2, "lapsed": 1}
    assert [*stages] == [*STAGES.values()]


async def test_staff_are_appointed_by_somebody_else(world: World) -> None:
    """An administrator gives roles to others; posts that must differ are refused by the log."""
    body = {"roles": ["risk"], "region": "CN-31"}
    answer = await post(world, "staff/stf_ria/appointments", body, "stf_adm", "admin")
    assert (answer.status_code, answer.json()) == (201, {"id": "stf_ria", "roles": ["risk"]})
    customer = await post(world, "staff/stf_x/appointments", body, "usr_ada", "admin")
    assert problem(customer) == (403, "forbidden_not_staff")
    own = await post(world, "staff/stf_adm/appointments", body, "stf_adm", "admin")
    assert problem(own) == (403, "forbidden_self")
    both = await post(
        world, "staff/stf_x/appointments", {"roles": ["risk", "customer_manager"]}, "stf_adm", "admin"
    )
    assert problem(both) == (409, "conflicting_roles")
    left = await post(world, "staff/stf_ria/dismissal", {}, "stf_adm", "admin")
    assert left.json() == {"id": "stf_ria", "roles": []}
