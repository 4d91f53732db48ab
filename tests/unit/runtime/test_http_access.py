"""Deny by default: every route says who may call it, and nobody else gets further than that."""

import re
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from libs.runtime.auth import SCOPES
from libs.runtime.health import add_health
from libs.runtime.http import ServiceRouter, scopes
from libs.runtime.http.access import Anybody, UndeclaredAccess, declared, require_declared
from libs.runtime.http.app import build_app
from libs.runtime.http.router import GuardedRoute
from services.bidding.app import build as build_bidding
from services.repayment.app import build as build_repayment
from tests.unit.runtime.edge_world import World, running

DAY = date(2024, 3, 15)

#: route -> scopes of which any one opens it. The inventory: a new route must be written down here too.
ROUTES: dict[str, set[str]] = {
    "POST /bidding/accounts": {"account:own"},
    "GET /bidding/accounts": {"account:own", "operator", "analyst"},
    "GET /bidding/live/accounts": {"account:own", "operator", "analyst"},
    "GET /bidding/accounts/acc_ada": {"account:own"},
    "POST /bidding/accounts/acc_ada/top-ups": {"account:own"},
    "POST /bidding/accounts/acc_ada/withdrawals": {"account:own"},
    "POST /bidding/accounts/acc_ada/bids": {"bid:own"},
    "POST /bidding/accounts/acc_ada/loan-payments": {"loan:own"},
    "POST /bidding/listings": {"operator"},
    "GET /bidding/listings": {"listing:read", "operator"},
    "GET /bidding/live/listings": {"listing:read", "operator"},
    "GET /bidding/bank-requests": {"finance"},
    "GET /bidding/left-accounts": {"finance"},
    "GET /bidding/listings/lst_1": {"listing:read", "operator"},
    "GET /bidding/reviews": {"finance"},
    "POST /bidding/listings/lst_1/reviews": {"finance"},
    "POST /bidding/vouchers": {"operator"},
    "GET /bidding/vouchers": {"bid:own"},
    "POST /bidding/vouchers/vch_1/redemption": {"bid:own"},
    "GET /bidding/bank-days": {"finance"},
    "GET /bidding/bank-breaks": {"finance"},
    "POST /bidding/bank-breaks/brk_1/explanation": {"finance"},
    "POST /bidding/bank-breaks/brk_1/resolution": {"finance"},
    "POST /bidding/bank-matches": {"finance"},
    "GET /bidding/standing-orders/text": {"bid:own"},
    "POST /bidding/standing-orders": {"bid:own"},
    "GET /bidding/standing-orders": {"bid:own"},
    "POST /bidding/standing-orders/sto_1/terms": {"bid:own"},
    "POST /bidding/standing-orders/sto_1/pause": {"bid:own"},
    "POST /bidding/standing-orders/sto_1/resumption": {"bid:own"},
    "POST /bidding/standing-orders/sto_1/end": {"bid:own"},
    "GET /bidding/standing-orders/sto_1/log": {"bid:own"},
    "GET /bidding/listings/lst_1/auto-invest/mine": {"bid:own"},
    "GET /bidding/contracts/loan_1.pdf": {"loan:own", "claim:own", "operator", "papers"},
    "GET /bidding/contracts/loan_1": {"loan:own", "claim:own", "operator", "papers"},
    "GET /bidding/certificates/clm_1_1.pdf": {"claim:own", "operator", "papers"},
    "GET /bidding/deal-packs": {"claim:own"},
    "GET /bidding/deal-packs/work": {"papers"},
    "POST /bidding/deal-packs/pack_1_1/delivery": {"claim:own"},
    "POST /bidding/deal-packs/pack_1_1/steps": {"papers"},
    "GET /bidding/contract-stock": {"admin", "contract_stock"},
    "POST /bidding/contract-stock": {"admin"},
    "POST /bidding/contract-stock/stock_CN-31_202403_borrower/hand-overs": {
        "admin",
        "contract_stock",
        "customer_manager",
    },
    "POST /bidding/contract-stock/stock_CN-31_202403_borrower/receipts": {
        "admin",
        "contract_stock",
        "customer_manager",
    },
    "POST /bidding/contract-stock/stock_CN-31_202403_borrower/signatures": {"customer_manager"},
    "POST /bidding/contract-stock/stock_CN-31_202403_borrower/returns": {"contract_stock"},
    "POST /bidding/contract-stock/stock_CN-31_202403_borrower/voidings": {"admin", "contract_stock"},
    "POST /bidding/contract-stock/stock_CN-31_202403_borrower/counts": {"admin", "contract_stock"},
    "POST /bidding/contract-stock/stock_CN-31_202403_borrower/explanations": {"admin", "contract_stock"},
    "POST /bidding/listings/lst_1/voiding": {"legal"},
    "POST /bidding/listings/lst_1/voiding/legal": {"legal"},
    "POST /bidding/listings/lst_1/voiding/finance": {"finance"},
    "POST /bidding/redemptions": {"claim:own"},
    "GET /bidding/redemptions": {"claim:own"},
    "GET /bidding/redemptions/work": {"redemption"},
    "GET /bidding/redemptions/figures/2024-03": {"operator"},
    "POST /bidding/redemptions/rdm_1/steps": {"redemption"},
    "GET /bidding/publications": {"legal"},
    "POST /bidding/listings/lst_1/checks": {"legal"},
    "GET /bidding/listings/lst_1/disclosure": {"listing:read", "operator"},
    "GET /bidding/bids": {"bid:own"},
    "GET /bidding/fees": {"listing:read", "operator", "risk"},
    "GET /bidding/payouts": {"finance"},
    "POST /bidding/offers": {"claim:own"},
    "GET /bidding/offers": {"listing:read", "operator"},
    "POST /bidding/offers/offer_1/take": {"bid:own"},
    "POST /bidding/offers/offer_1/withdrawal": {"claim:own"},
    "GET /bidding/accounts/acc_ada/offers": {"claim:own"},
    "GET /bidding/transfer-fees": {"listing:read", "claim:own", "operator"},
    "POST /bidding/listings/lst_1/payout": {"finance"},
    "POST /bidding/listings/lst_1/bids/bid_1/cancellation": {"bid:own"},
    "POST /bidding/listings/lst_1/withdrawal": {"application:own"},
    "POST /bidding/listings/lst_1/cancellation": {"operator"},
    "GET /bidding/commands/00000000-0000-5000-8000-000000000000": set(SCOPES),
    "POST /repayment/calendar": {"operator"},
    "POST /repayment/calendar/close": {"operator"},
    "GET /repayment/loans/loan_1": {"loan:own", "operator"},
    "GET /repayment/loans/loan_1/history": {"loan:own", "operator"},
    "GET /repayment/loans/loan_1/explanation": {"loan:own", "operator"},
    "GET /repayment/claims/clm_1/cash-history": {"claim:own"},
    "GET /repayment/claims/clm_1/loan": {"claim:own"},
    "GET /repayment/claims/clm_1/loan/history": {"claim:own"},
    "GET /repayment/claims/clm_1/loan/explanation": {"claim:own"},
    "GET /repayment/loans/loan_1/payoff": {"loan:own", "operator"},
    "GET /repayment/loans/loan_1/settlement": {"loan:own", "operator"},
    "GET /repayment/loans/loan_1/prepayment-quote": {"loan:own", "operator"},
    "GET /repayment/loans": {"loan:own"},
    "GET /repayment/claims": {"claim:own"},
    "GET /repayment/claims/clm_1_1/worth": {"claim:own"},
    "GET /repayment/portfolio": {"claim:own"},
    "GET /repayment/portfolio/cash-flow": {"claim:own"},
    "GET /repayment/portfolio/cash-history": {"claim:own"},
    "GET /repayment/overdue": {"operator", "analyst"},
    "GET /repayment/running-loans": {"operator", "analyst"},
    "GET /repayment/off-balance": {"operator", "analyst"},
    "GET /repayment/off-balance/loans": {"operator", "analyst"},
    "GET /repayment/off-balance/suspended-interest": {"operator", "analyst"},
    "POST /repayment/measures": {"measure"},
    "GET /repayment/measures/work": {"measure"},
    "GET /repayment/measures/votes": {"claim:own"},
    "GET /repayment/measures/mine": {"measure"},
    "GET /repayment/measures/msr_1": {"measure"},
    "GET /repayment/measures/msr_1/vote": {"claim:own"},
    "POST /repayment/measures/msr_1/steps": {"measure"},
    "POST /repayment/measures/msr_1/vote": {"claim:own"},
    "GET /repayment/guarantors": {"risk", "committee", "finance"},
    "POST /repayment/guarantors/gua_1": {"risk"},
    "POST /repayment/guarantors/gua_1/admission": {"committee"},
    "POST /repayment/guarantors/gua_1/refusal": {"risk", "committee"},
    "POST /repayment/guarantors/gua_1/suspension": {"risk"},
    "GET /repayment/compensations": {"finance"},
    "POST /repayment/loans/loan_1/compensations": {"finance"},
    "POST /repayment/loans/loan_1/compensations/cmp_1/steps": {"finance"},
    "POST /repayment/loans/loan_1/corrections": {"finance"},
    "GET /repayment/corrections": {"finance", "correction"},
    "GET /repayment/payments/behind-charge": {"finance", "correction"},
    "POST /repayment/corrections/cor_1/authorisations": {"correction"},
    "POST /repayment/corrections/cor_1/refusals": {"correction"},
    "GET /repayment/approvals": {"measure", "finance", "correction", "committee"},
    "GET /repayment/assets": {"measure", "collections_supervisor", "legal", "committee"},
    "POST /repayment/assets/ast_1/counts": {"collections_supervisor", "legal"},
    "POST /repayment/assets/ast_1/failed-auctions": {"collections_supervisor", "legal"},
    "POST /repayment/assets/ast_1/disposals": {"collections_supervisor", "legal"},
    "POST /repayment/assets/ast_1/disposals/dsp_1/steps": {"committee"},
    "GET /repayment/overdue-buckets": {"operator", "analyst"},
    "GET /repayment/live/overdue-buckets": {"operator", "analyst"},
    "GET /repayment/overdue-segments": {"operator", "analyst"},
    "GET /repayment/overdue-regions": {"operator", "analyst"},
    "GET /repayment/overdue-products": {"operator", "analyst"},
    "GET /repayment/commands/00000000-0000-5000-8000-000000000000": set(SCOPES),
}
SIGNED = {
    "POST /bidding/bank/top-ups/acc_ada/top_1",
    "POST /bidding/bank/marketing/bankref_B1",
    "POST /bidding/bank/unrequested/bankref_B1",
    "POST /bidding/bank/withdrawals/acc_ada/wdr_1",
}
OPEN = {"GET /{service}/openapi.json", "GET /{service}/docs"}


@pytest.fixture(params=["bidding", "repayment"])
async def world(keys: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Each service that has routes."""
    build = {"bidding": build_bidding, "repayment": build_repayment}[request.param]
    async with running(build("demo"), keys) as running_world:
        running_world.open_day(DAY)
        # who knocks holds the post: these tests are about scopes
        running_world.views.documents["bidding.staff"] = {
            "usr_ada": {"roles": ["cashier", "legal", "loan_clerk", "customer_manager"]}
        }
        posts = ["cashier", "finance_supervisor", "general_manager", "risk"]
        running_world.views.documents["repayment.staff"] = {"usr_ada": {"roles": posts}}
        yield running_world


def of(world: World, routes: Any) -> list[tuple[str, str]]:
    """(method, path) of the routes of one world's service."""
    found = [tuple(route.split(" ")) for route in sorted(routes)]
    return [(method, path) for method, path in found if path.startswith(f"/{world.service.name}/")]


async def test_the_inventory_is_complete(world: World) -> None:
    """Every route of the application stands in this file's table, so its access was thought about twice."""
    known = {
        method + " " + "/".join(re.sub("_[^.]*", "", part) for part in path.split("/"))
        for method, path in of(world, ROUTES.keys() | SIGNED)
    }
    paths = world.app.openapi()["paths"]
    real = set()
    for path, methods in paths.items():
        for method in methods:
            real.add((method.upper(), path))
    assert len(real) == len(known)
    for method, path in real:
        assert any(
            _matches(path, shown) for shown in of(world, ROUTES.keys() | SIGNED) if shown[0] == method
        ), (
            method,
            path,
        )


def _matches(template: str, shown: tuple[str, str]) -> bool:
    parts, given = template.split("/"), shown[1].split("/")
    return len(parts) == len(given) and all(
        part == other or part.startswith("{") for part, other in zip(parts, given, strict=True)
    )


async def test_nobody_gets_in_without_a_token(world: World) -> None:
    """Every route but the bank's is 401 with a challenge, whatever else is wrong with the request."""
    for method, path in of(world, ROUTES):
        for headers in (
            {},
            {"Authorization": "Basic YWRhOmFkYQ=="},
            {"Authorization": "Bearer"},
            {"Authorization": "Bearer a.b.c"},
            world.token("usr_ada", *SCOPES, ttl_s=-1),
            world.token("usr_ada", *SCOPES, now=4_000_000_000),
        ):
            answer = await world.http.request(method, path, headers=headers, content=b"{")
            assert answer.status_code == 401, (method, path, headers)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            assert answer.headers["content-type"] == "application/problem+json"
    assert world.commands() == []


async def test_an_expired_token_is_told_as_such(world: World) -> None:
    """Of all bad tokens only the expired one is named, because a new one helps."""
    method, path = of(world, ROUTES)[0]
    answer = await world.http.request(method, path, headers=world.token("usr_ada", *SCOPES, ttl_s=-1))
    assert answer.json()["type"] == "urn:loanstream:problem:expired_token"


async def test_every_scope_opens_what_it_names_and_nothing_else(world: World) -> None:
    """Route by scope: 403 without one of the route's scopes, and something else than 401 or 403 with it."""
    for method, path in of(world, ROUTES):
        for scope in SCOPES:
            answer = await world.http.request(method, path, headers=world.token("usr_ada", scope))
            if scope in ROUTES[f"{method} {path}"]:
                assert answer.status_code not in (401, 403), (method, path, scope, answer.text)
            else:
                assert answer.status_code == 403, (method, path, scope)
                assert answer.json()["type"] == "urn:loanstream:problem:forbidden_scope"
                assert "insufficient_scope" in answer.headers["WWW-Authenticate"]
    assert world.commands() == []


async def test_the_banks_routes_know_no_token(world: World) -> None:
    """A call-back without the bank's signature is 401, even with every scope there is."""
    for method, path in of(world, SIGNED):
        answer = await world.http.request(method, path, headers=world.token("usr_ada", *SCOPES), json={})
        assert (answer.status_code, answer.json()["type"]) == (401, "urn:loanstream:problem:bad_signature")


async def test_two_authorization_headers_are_none(world: World) -> None:
    """Which of two tokens counts is not for us to guess."""
    method, path = of(world, ROUTES)[0]
    token = world.token("usr_ada", *SCOPES)["Authorization"]
    headers = [("Authorization", token), ("Authorization", token)]
    assert (await world.http.request(method, path, headers=headers)).status_code == 401


OTHERS = (
    ("GET", "/bidding/accounts/acc_bob", None),
    ("POST", "/bidding/accounts/acc_bob/top-ups", {"amount_fen": 5}),
    ("POST", "/bidding/accounts/acc_bob/withdrawals", {"amount_fen": 5}),
    ("POST", "/bidding/accounts/acc_bob/bids", {"listing_id": "lst_1", "amount_fen": 5}),
    ("POST", "/bidding/accounts/acc_bob/loan-payments", {"loan_id": "loan_1", "amount_fen": 5}),
    ("POST", "/bidding/accounts/acc_fees/withdrawals", {"amount_fen": 5}),
)


@pytest.mark.parametrize("world", ["bidding"], indirect=True)
@pytest.mark.parametrize(("method", "path", "body"), OTHERS)
async def test_other_peoples_accounts_do_not_exist(world: World, method: str, path: str, body: Any) -> None:
    """Somebody else's account gives the bytes that an account which is not there gives, and nothing is sent."""
    world.views.documents["bidding.balances"] = {"acc_bob": {"account_id": "acc_bob", "owner": "usr_bob"}}
    headers = world.token("usr_ada", *SCOPES) | {"Idempotency-Key": "k"}
    answer = await world.http.request(method, path, json=body, headers=headers)
    nobodys = await world.http.request(
        method, path.replace("acc_bob", "acc_nobody"), json=body, headers=headers
    )
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:loanstream:problem:unknown_account")
    assert answer.content == nobodys.content
    assert world.commands() == []


@pytest.mark.parametrize("world", ["bidding"], indirect=True)
async def test_staff_has_no_account(world: World) -> None:
    """A subject that is no customer opens no account, whatever its scopes."""
    headers = world.token("stf_ada", *SCOPES) | {"Idempotency-Key": "k"}
    answer = await world.http.post("/bidding/accounts", headers=headers)
    assert answer.status_code == 404
    answer = await world.http.get("/bidding/accounts/acc_stf_ada", headers=headers)
    assert answer.status_code == 404


def test_a_route_without_access_stops_the_application() -> None:
    """A route that says nothing about access is refused when it is built, and found when it was smuggled in."""

    async def open_to_whom() -> str:
        return "?"

    with pytest.raises(UndeclaredAccess, match="open_to_whom"):
        FastAPI().router.add_api_route("/x", open_to_whom, route_class_override=GuardedRoute)
    app = build_app(ServiceRouter("empty", "nothing"))
    require_declared(app)
    app.add_api_route("/x", open_to_whom)
    with pytest.raises(UndeclaredAccess, match="open_to_whom"):
        require_declared(app)


def test_a_mounted_application_escapes_nobody() -> None:
    """What is mounted would not be guarded, so it is refused."""
    app = build_app(ServiceRouter("empty", "nothing"))
    app.mount("/inner", FastAPI(openapi_url=None))
    with pytest.raises(UndeclaredAccess, match="escape"):
        require_declared(app)


@pytest.mark.parametrize("names", [(), ("everything",), ("operator", "operater")])
def test_a_scope_that_nobody_has_is_refused(names: tuple[str, ...]) -> None:
    """A misspelt scope fails when the route is declared, not when the first caller is turned away."""
    with pytest.raises(UndeclaredAccess):
        scopes(*names)


def test_health_is_declared_too() -> None:
    """A process may add its health to the application and still start."""
    app = build_app(ServiceRouter("empty", "nothing"))
    add_health(app, {})
    require_declared(app)


def test_open_routes_are_few() -> None:
    """Nobody in particular may read the documentation, and that is all."""
    for service in (build_bidding("demo"), build_repayment("demo")):
        assert service.router is not None
        found = {
            f"{method} {route.path}"
            for route in build_app(service.router()).routes
            if isinstance(route, APIRoute) and isinstance(declared(route.endpoint).access, Anybody)
            for method in route.methods or ()
        }
        assert found == {path.format(service=service.name) for path in OPEN}
