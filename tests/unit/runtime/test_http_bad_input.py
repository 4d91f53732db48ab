"""Whatever a caller sends, the answer is a clear problem+json, and nothing of it reaches the log."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from libs.events.money import MAX_INTEGER
from services.bidding.app import build
from services.repayment.app import build as build_repayment
from tests.unit.runtime.edge_world import World, running

TOP_UPS = "/bidding/accounts/acc_ada/top-ups"


@pytest.fixture
async def world(keys: Path) -> AsyncIterator[World]:
    """Bidding with an open day and nothing in it."""
    async with running(build("demo"), keys) as running_world:
        running_world.open_day(date(2024, 3, 15))
        yield running_world


async def send(world: World, path: str, body: bytes, **changed: str | None) -> httpx.Response:
    """A POST of raw bytes as ada, with headers changed or (None) left out."""
    headers: dict[str, str | None] = {
        **world.token("usr_ada", "account:own", "bid:own", "loan:own"),
        "Idempotency-Key": "k1",
        "Content-Type": "application/json",
    }
    merged = {name: value for name, value in (headers | changed).items() if value is not None}
    return await world.http.post(path, content=body, headers=merged)


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The response is a whole RFC 9457 problem with this status and code."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["status"], body["type"]) == (
        status,
        status,
        f"urn:loanstream:problem:{code}",
    )
    assert body["title"]
    assert body.keys() <= {"type", "title", "status", "detail", "errors"}
    return body


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'amount_fen': 1}",
        b'{"amount_fen": NaN}',
        b'{"amount_fen": 1} trailing',
        b'{"amount_fen": "\\ud800"}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"amount_fen": ' + b"9" * 5_000 + b"}",
    ],
    ids=["cut", "quotes", "nan", "trailing", "surrogate", "bytes", "deep", "digits"],
)
async def test_what_is_not_json_is_400(world: World, body: bytes) -> None:
    """Malformed JSON of any kind is told as such."""
    assert_problem(await send(world, TOP_UPS, body), 400, "malformed_json")
    assert world.commands() == []


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[]",
        "5",
        "{}",
        '{"amount_fen": null}',
        '{"amount_fen": "5"}',
        '{"amount_fen": 5.0}',
        '{"amount_fen": 0.5}',
        '{"amount_fen": 1e3}',
        '{"amount_fen": true}',
        '{"amount_fen": [5]}',
        '{"amount_fen": 0}',
        '{"amount_fen": -5}',
        f'{{"amount_fen": {MAX_INTEGER + 1}}}',
        '{"amount_fen": 1' + "0" * 60 + "}",
        '{"amount_fen": 5, "currency": "CNY"}',
        '{"amount_fen": 5, "owner": "usr_bob"}',
    ],
)
async def test_a_body_of_another_shape_is_422(world: World, body: str) -> None:
    """Wrong types, zero, negative, fractional and huge amounts, unknown and missing fields: 422 naming the place."""
    problem = assert_problem(await send(world, TOP_UPS, body.encode()), 422, "invalid_request")
    assert problem["errors"]
    assert world.commands() == []


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/bidding/listings?sate=open&limit=5&by=rate", "listing:read"),
        ("GET", "/bidding/listings/lst_1?sate=open&by=rate", "listing:read"),
        ("GET", "/bidding/live/accounts?sate=open&by=rate", "account:own"),
        ("POST", "/bidding/accounts?sate=open&by=rate", "account:own"),
        ("GET", "/bidding/commands/00000000-0000-5000-8000-000000000000?sate=open&by=rate", "bid:own"),
    ],
)
async def test_a_parameter_that_an_address_does_not_have_is_422(
    world: World, method: str, path: str, scope: str
) -> None:
    """Every one is named; read over, a misspelt filter would show everything. Who has no token is told nothing of it."""
    answer = await world.http.request(method, path, headers=world.token("usr_ada", scope))
    problem = assert_problem(answer, 422, "unexpected_parameter")
    assert [fault["pointer"] for fault in problem["errors"]] == ["query: sate", "query: by"]
    assert (await world.http.request(method, path)).status_code == 401
    assert world.commands() == []


async def test_a_parameter_that_is_given_twice_is_422(world: World) -> None:
    """Which of the two was meant, nobody knows."""
    headers = world.token("usr_ada", "listing:read")
    answer = await world.http.get("/bidding/listings?limit=5&limit=6", headers=headers)
    problem = assert_problem(answer, 422, "unexpected_parameter")
    assert [fault["pointer"] for fault in problem["errors"]] == ["query: limit"]


async def test_the_largest_amount_has_the_right_shape(world: World) -> None:
    """10^15 fen is the limit, and inside it: the log decides on it."""
    body = f'{{"amount_fen": {MAX_INTEGER}}}'.encode()
    assert_problem(await send(world, TOP_UPS, body), 404, "unknown_account")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/bidding/accounts/acc_ada/bids", '{"listing_id": "lst_1 or 1=1", "amount_fen": 1}'),
        ("/bidding/accounts/acc_ada/bids", '{"listing_id": "loan_1", "amount_fen": 1}'),
        ("/bidding/accounts/acc_ada/bids", '{"listing_id": {"$gt": ""}, "amount_fen": 1}'),
        ("/bidding/accounts/acc_ada/loan-payments", '{"loan_id": "loan_1", "amount_fen": 1, "settle": 1}'),
        (
            "/bidding/accounts/acc_ada/loan-payments",
            '{"loan_id": "loan_1", "amount_fen": 1, "settle": "yes"}',
        ),
        ("/bidding/accounts", '{"owner": "usr_bob"}'),
    ],
)
async def test_ids_and_flags_are_strict_too(world: World, path: str, body: str) -> None:
    """An id of another kind, an operator of a query language, a number for a flag: 422."""
    assert_problem(await send(world, path, body.encode()), 422, "invalid_request")
    assert world.commands() == []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"annual_rate": 0.12}, 422),
        ({"annual_rate": "12%"}, 422),
        ({"annual_rate": "1e-1"}, 422),
        ({"annual_rate": "-0.1"}, 422),
        ({"annual_rate": "NaN"}, 422),
        ({"tenor_months": 12.0}, 422),
        ({"tenor_months": 0}, 422),
        ({"grade": "<b>"}, 422),
        ({"borrower": "acc_bob"}, 422),
        ({"listing_id": "lst_mine"}, 422),
        ({}, 201),
    ],
    ids=str,
)
async def test_a_listing_is_checked_as_strictly(world: World, change: dict[str, Any], status: int) -> None:
    """Rates are text and no floats, tenors integers, ids never the caller's choice."""
    good = {
        "borrower": "usr_bob",
        "amount_fen": 100_000,
        "annual_rate": "0.12",
        "tenor_months": 12,
        "grade": "B",
    }
    headers = world.token("stf_op", "operator") | {"Idempotency-Key": "k1"}
    answer = await world.http.post("/bidding/listings", json=good | change, headers=headers)
    assert answer.status_code == status, answer.text


async def test_bodies_are_bounded(world: World) -> None:
    """A body over 256 KiB is 413, by its declared length as well as by its bytes."""
    body = b'{"amount_fen": 5' + b" " * 256 * 1024 + b"}"
    assert_problem(await send(world, TOP_UPS, body), 413, "too_large")
    assert_problem(await send(world, TOP_UPS, b"{}", **{"Content-Length": "99999999"}), 413, "too_large")

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b" " * 64 * 1024

    headers = world.token("usr_ada", "account:own") | {
        "Idempotency-Key": "k1",
        "Content-Type": "application/json",
    }
    assert_problem(await world.http.post(TOP_UPS, content=chunks(), headers=headers), 413, "too_large")
    assert world.commands() == []


@pytest.mark.parametrize(("chunks", "read"), [(3, 3), (10_000, 16)])
async def test_an_unwanted_body_is_read_away_within_limits(world: World, chunks: int, read: int) -> None:
    """Before a refusal the rest of the body is read, at most 1 MiB of it, so that the connection is not reset under it."""
    order: list[str] = []

    async def receive() -> dict[str, Any]:
        order.append("chunk")
        return {"type": "http.request", "body": b"x" * 64 * 1024, "more_body": order.count("chunk") < chunks}

    async def send(message: Any) -> None:
        order.append(message["type"])

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/bidding/accounts",
        "raw_path": b"/bidding/accounts",
        "query_string": b"",
        "headers": [(b"transfer-encoding", b"chunked")],
    }
    await world.app(scope, receive, send)
    assert order == ["chunk"] * read + ["http.response.start", "http.response.body"]


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", None])
async def test_another_media_type_is_415(world: World, media_type: str | None) -> None:
    """A body that says it is no JSON is not read as JSON."""
    answer = await send(world, TOP_UPS, b'{"amount_fen": 5}', **{"Content-Type": media_type})
    assert_problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "missing_idempotency_key"),
        ("", "malformed_idempotency_key"),
        ("two words", "malformed_idempotency_key"),
        ("k" * 201, "malformed_idempotency_key"),
    ],
)
async def test_a_post_needs_a_key(world: World, key: str | None, code: str) -> None:
    """Without an Idempotency-Key, or with an unusable one, nothing is sent."""
    assert_problem(await send(world, TOP_UPS, b'{"amount_fen": 5}', **{"Idempotency-Key": key}), 400, code)
    assert world.commands() == []


async def test_two_keys_are_no_key(world: World) -> None:
    """Which of two keys would count is a guess, so neither does."""
    headers = [
        *world.token("usr_ada", "account:own").items(),
        ("Idempotency-Key", "a"),
        ("Idempotency-Key", "b"),
    ]
    answer = await world.http.post(TOP_UPS, json={"amount_fen": 5}, headers=headers)
    assert_problem(answer, 400, "malformed_idempotency_key")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/bidding/nothing", 404, "not_found"),
        ("GET", "/", 404, "not_found"),
        ("DELETE", TOP_UPS, 405, "method_not_allowed"),
        ("GET", TOP_UPS, 405, "method_not_allowed"),
        ("POST", TOP_UPS + "/", 404, "not_found"),
        ("GET", "/bidding/accounts/%00", 404, "not_found"),
        ("GET", "/bidding/accounts/acc_ada%0A", 404, "not_found"),
        ("FROB", "/bidding/listings", 405, "method_not_allowed"),
        ("GET", "/bidding/listings/lst_%2e%2e%2f", 404, "not_found"),
    ],
)
async def test_wrong_addresses_are_problems_too(
    world: World, method: str, path: str, status: int, code: str
) -> None:
    """What the framework refuses has our shape as well."""
    headers = world.token("usr_ada", "account:own", "listing:read")
    assert_problem(await world.http.request(method, path, headers=headers), status, code)


async def test_an_unknown_id_is_404(world: World) -> None:
    """An account that is not open, a listing that is none."""
    assert_problem(await send(world, TOP_UPS, b'{"amount_fen": 5}'), 404, "unknown_account")
    headers = world.token("usr_ada", "account:own", "listing:read")
    assert_problem(await world.http.get("/bidding/accounts/acc_ada", headers=headers), 404, "unknown_account")
    assert_problem(await world.http.get("/bidding/listings/lst_x", headers=headers), 404, "unknown_listing")


async def test_what_nobody_expected_is_a_500_without_insides(world: World) -> None:
    """An exception in a route is logged and told as `internal`, without a word of it."""

    async def broken(view: str, doc: str) -> dict[str, Any] | None:
        raise RuntimeError(f"secret of {view} {doc}")

    world.views.get = broken  # type: ignore[method-assign]
    headers = world.token("usr_ada", "listing:read")
    with capture_logs() as logged:
        answer = await world.http.get("/bidding/listings/lst_x", headers=headers)
    assert assert_problem(answer, 500, "internal").keys() == {"type", "title", "status"}
    assert [(line["event"], line["route"]) for line in logged] == [
        ("request_failed", "/bidding/listings/{listing}")
    ]


async def test_dates_are_dates(keys: Path) -> None:
    """The calendar takes YYYY-MM-DD inside its years, and no timestamp, number or other day."""
    async with running(build_repayment("demo"), keys) as world:
        headers = world.token("stf_op", "operator")
        for number, value in enumerate(
            (
                1710460800,
                "2024-3-1",
                "2024-02-30",
                "2024-03-15T00:00:00",
                "1889-01-01",
                "9999-12-31",
                None,
                "",
            )
        ):
            answer = await world.http.post(
                "/repayment/calendar",
                json={"business_date": value},
                headers=headers | {"Idempotency-Key": f"k{number}"},
            )
            assert_problem(answer, 422, "invalid_request")
        answer = await world.http.post(
            "/repayment/calendar",
            json={"business_date": "2024-03-15"},
            headers=headers | {"Idempotency-Key": "good"},
        )
        assert answer.status_code == 201
        assert answer.json() == {"id": "calendar", "business_date": "2024-03-15", "status": "open"}
