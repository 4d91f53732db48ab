"""What the OpenAPI documents promise, and the small rules under the routes."""

import ast
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

import libs
import services
from libs.events.bidding import AccountOpened
from libs.runtime.auth import NOBODY, Principal
from libs.runtime.health import add_health
from libs.runtime.http import Answer, NoFields, Order, ServiceRouter, ThisCall
from libs.runtime.http.access import Anybody
from libs.runtime.http.app import build_app
from libs.runtime.http.calls import Call, fingerprint
from libs.runtime.http.problems import not_found, problem_response, refusal_status, try_again
from libs.runtime.http.requests import too_large
from services.bidding.app import build as build_bidding
from services.bidding.commands import OpenAccount
from services.repayment.app import build as build_repayment
from tests.unit.runtime.edge_world import World, running


@pytest.fixture(params=["bidding", "repayment"])
async def world(keys: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Each service that has routes."""
    build = {"bidding": build_bidding, "repayment": build_repayment}[request.param]
    async with running(build("demo"), keys) as running_world:
        yield running_world


async def test_the_document_is_openapi_3_1(world: World) -> None:
    """Every operation names its access, its problems in our media type, and for a command its key and its 202."""
    document = (await world.http.get(f"/{world.service.name}/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert "HTTPValidationError" not in document["components"]["schemas"]
    for path, methods in document["paths"].items():
        assert path.startswith(f"/{world.service.name}/")
        for method, operation in methods.items():
            assert operation["security"], path
            assert operation["description"], path
            names = {parameter["name"] for parameter in operation["parameters"]}
            assert "Loanstream-Position" in names
            for status, response in operation["responses"].items():
                told = "text/event-stream" if "/live/" in path else "application/json"
                told = "application/pdf" if path.endswith(".pdf") else told
                media_type = "application/problem+json" if status >= "400" else told
                assert set(response["content"]) == {media_type}, (path, status)
            if method == "post":
                assert "202" in operation["responses"]
                assert ("Idempotency-Key" in names) is ("/bank/" not in path)


async def test_the_page_needs_nothing_from_outside(world: World) -> None:
    """The page lists every route and loads nothing from anywhere."""
    page = await world.http.get(f"/{world.service.name}/docs")
    assert page.status_code == 200
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    for path in world.app.openapi()["paths"]:
        assert path in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text


def test_the_gateway_says_what_the_services_say() -> None:
    """A problem that the gateway answers itself has the bytes that a service would have given."""
    caddyfile = (Path(__file__).parents[3] / "deploy/gateway/Caddyfile").read_text()
    for problem in (
        not_found(),
        too_large(),
        try_again(
            "service_unavailable",
            "The service does not answer at the moment. Send the same request again, with the same key.",
        ),
    ):
        assert (
            f"respond `{bytes(problem_response(problem).body).decode()}` {problem.status_code}" in caddyfile
        )


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("unknown_listing", 404),
        ("invalid_rate", 422),
        ("forbidden_role", 403),
        ("key_reused", 422),
        ("malformed", 422),
        ("internal", 500),
        ("insufficient_available", 409),
        ("no_business_date", 409),
    ],
)
def test_a_refusals_status_follows_from_its_code(code: str, status: int) -> None:
    """The prefix of a refusal's code decides its status."""
    assert refusal_status(code) == status


def test_what_a_route_refuses_itself_has_the_status_of_the_log() -> None:
    """A code with one of the prefixes is told under one status, wherever it is refused first."""
    rooms = [Path(next(iter(room.__path__))) for room in (libs, services)]
    wrong = []
    for path in (path for room in rooms for path in room.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Name("Problem"),
                    args=[ast.Constant(int() as status), ast.Constant(str() as code), *_],
                ) if code.startswith(("unknown_", "invalid_", "forbidden_")):
                    if status != refusal_status(code):
                        wrong.append(f"{path.name}:{node.lineno} {status} {code}")
    assert not wrong, "\n".join(wrong)


def call(subject: str = "usr_ada", route: str = "POST /x", key: str | None = "k", **path: str) -> Call:
    """A call."""
    return Call(Principal(subject), route, path, key, b"")


def test_a_command_id_is_the_same_for_ever() -> None:
    """Golden: a retry after a release must meet the id of its first try."""
    known = call(route="POST /bidding/accounts/{account}/top-ups", key="8e03978e", account="acc_ada")
    assert known.command_id() == UUID("f8ec38e0-2b4c-581a-b0e1-bdd31d905fef")
    assert known.mint("top") == f"top_{known.command_id().hex}"


def test_parts_of_a_command_id_cannot_be_shifted() -> None:
    """Length prefixes keep apart what plain joining would mix up, and every part counts."""
    ids = [
        call().command_id(),
        call(key="k2").command_id(),
        call("usr_ad", "aPOST /x").command_id(),
        call(a="b", c="d").command_id(),
        call(a="bd", c="").command_id(),
        call(a="", c="bd").command_id(),
        call(a="b", key="1:dk").command_id(),
        call("").command_id(),
        call().command_id("k3"),
    ]
    assert len(set(ids)) == len(ids)
    assert call(key=None).command_id("k3") == ids[-1]


def test_a_fingerprint_is_keyed() -> None:
    """Another key gives another fingerprint: nobody can look a body up by hashing guesses."""
    assert fingerprint(b"a" * 32, b"{}") != fingerprint(b"b" * 32, b"{}")
    assert fingerprint(b"a" * 32, b"{}") != fingerprint(b"a" * 32, b"{ }")


def open_door() -> FastAPI:
    """An application with one command route that asks for no token (registration will be one)."""
    router = ServiceRouter("bidding", "an open door")

    @router.command(
        "/open", Anybody(), answer=Answer, answers={AccountOpened: lambda event: Answer(id=event.account_id)}
    )
    async def knock(call: ThisCall, body: NoFields | None = None) -> Order:
        """Anybody may knock."""
        assert call.principal == NOBODY
        return Order(call.mint("acc"), OpenAccount(owner=call.mint("usr")))

    return build_app(router)


@pytest.mark.parametrize("world", ["bidding"], indirect=True)
async def test_without_a_token_the_key_is_a_uuid(world: World) -> None:
    """Callers without a token share a name space, so their keys must not be guessable."""
    world.open_day(date(2024, 3, 15))
    app = open_door()
    app.state.edge = world.app.state.edge
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://edge") as http:
        guessed = await http.post("/bidding/open", headers={"Idempotency-Key": "register"})
        assert (guessed.status_code, guessed.json()["type"]) == (
            400,
            "urn:loanstream:problem:malformed_idempotency_key",
        )
        assert world.commands() == []
        welcome = await http.post("/bidding/open", headers={"Idempotency-Key": str(uuid4())})
        assert welcome.status_code == 201
        assert world.commands()[0]["principal"] == ""


class Part:
    """A role that is or is not ready."""

    def __init__(self, ready: bool, reason: str) -> None:
        self._answer = (ready, reason)

    def ready(self) -> tuple[bool, str]:
        """See Role."""
        return self._answer


async def test_health_tells_living_from_ready() -> None:
    """/healthz answers while the process lives; /readyz names every role that is not caught up; /metrics speaks Prometheus."""
    for roles, status in (
        ({"api": Part(True, "")}, 200),
        ({"api": Part(True, ""), "decider": Part(False, "behind")}, 503),
    ):
        app = build_app(ServiceRouter("empty", "nothing"))
        add_health(app, roles)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://edge") as http:
            assert (await http.get("/healthz")).status_code == 200
            ready = await http.get("/readyz")
            assert ready.status_code == status
            if status == 503:
                assert ready.headers["content-type"] == "application/problem+json"
                assert ready.json()["errors"] == [{"pointer": "decider", "detail": "behind"}]
            metrics = await http.get("/metrics")
            assert metrics.headers["content-type"].startswith("text/plain")
            assert b"loanstream_http_request_seconds" in metrics.content
