"""The matrix finds what it is there to find: a route without a scope, without its owner's check, or without an example."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest
import pytest_asyncio
from fastapi import Depends
from pydantic import BaseModel

from libs.events.onboarding import SuitabilityAssessed
from libs.runtime.http import (
    NoFields,
    Order,
    PositiveFenField,
    ServiceRouter,
    Shape,
    Sight,
    ThisPage,
    ViewReader,
    id_path,
    scopes,
    view_reader,
)
from libs.runtime.http.access import Anybody
from libs.runtime.http.app import build_app
from libs.runtime.http.problems import Problem
from services.bidding import commands
from services.bidding.api.shapes import TopUpOut
from services.onboarding.api.shapes import AnswersIn, UserDone
from services.onboarding.commands import AssessSuitability
from tests.unit.access.matrix import Report, matrix
from tests.unit.access.platform import running_platform
from tests.unit.access.settlers import Settlement, settle

#: One platform for the module: settling it takes longer than asking.
pytestmark = pytest.mark.asyncio(loop_scope="module")

AccountId = Annotated[str, id_path("acc")]
Balances = Annotated[ViewReader, Depends(view_reader("bidding.balances"))]


class Shown(BaseModel):
    """Whatever a planted route shows."""

    items: list[dict[str, Any]]


class AskedIn(Shape):
    """A body that the matrix has no example of."""

    amount_fen: PositiveFenField


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settlement]:
    """Two customers with one of everything."""
    async with running_platform(tmp_path_factory.mktemp("town")) as platform:
        yield await settle(platform)


def planted(town: Settlement, service: str = "bidding") -> ServiceRouter:
    """A router without routes that answers for the service's commands."""
    return ServiceRouter(service, "planted", answers=dict(town.platform.routers[service].answers))


async def asked(town: Settlement, router: ServiceRouter) -> Report:
    """The matrix over planted routes alone."""
    return await matrix(town, {router.service: build_app(router)})


def faults(report: Report, route: str) -> set[str]:
    """How the cells of a route with a fault were about."""
    assert report.cells, "nothing was asked"
    return {cell.about for cell in report.leaks if cell.route == route}


async def test_a_route_that_forgets_its_owner_is_found(town: Settlement) -> None:
    """Planted: an account shown by its id alone, a list of everybody's, and a stream of it."""
    router = planted(town)

    @router.read("/accounts/{account}/planted", scopes("account:own"), answer=Shown)
    async def show(account: AccountId, balances: Balances) -> Shown:
        return Shown(items=[await balances.get(account, missing="unknown_account")])

    @router.read("/planted", scopes("account:own"), answer=Shown)
    async def everybody(balances: Balances, page: ThisPage) -> Shown:
        return Shown(items=(await balances.page(page))[0])

    @router.live(
        "/planted/live",
        scopes("account:own"),
        view="bidding.balances",
        shown=lambda document: Shown(items=[dict(document)]),
        answer=Shown,
    )
    async def stream(_balances: Balances) -> Sight:
        return Sight({})

    report = await asked(town, router)
    assert not report.missing
    assert faults(report, "GET /bidding/accounts/{account}/planted") == {"other"}
    assert faults(report, "GET /bidding/planted") == {"list"}
    assert faults(report, "GET /bidding/planted/live") == {"list"}


async def test_a_command_that_forgets_its_owner_is_found(town: Settlement) -> None:
    """Planted: whoever has the scope answers anybody's questionnaire; the answer and the effect both give it away."""
    router = planted(town, "onboarding")

    @router.command(
        "/users/{user}/suitability",
        scopes("user:own"),
        answer=UserDone,
        answers={SuitabilityAssessed: UserDone.assessed},
    )
    async def assess(user: Annotated[str, id_path("usr")], body: AnswersIn) -> Order:
        return Order(user, AssessSuitability(user_id=user, answers=tuple(body.answers)))

    report = await asked(town, router)
    assert faults(report, "POST /onboarding/users/{user}/suitability") == {"other"}


async def test_a_refusal_that_tells_of_what_is_there_is_found(town: Settlement) -> None:
    """Planted: other people's accounts are refused by another code than those that do not exist."""
    router = planted(town)

    @router.read("/accounts/{account}/planted", scopes("account:own"), answer=Shown)
    async def show(account: AccountId, balances: Balances) -> Shown:
        await balances.get(account, missing="unknown_account")
        raise Problem(404, "not_yours")

    report = await asked(town, router)
    told = {cell.fault for cell in report.leaks if cell.about == "other"}
    assert told == {"what is somebody else's looks different from what does not exist"}


async def test_a_route_for_anybody_is_a_route_without_scope(town: Settlement) -> None:
    """Planted: a route that asks for no token and is not among those that are known to."""
    router = planted(town)

    @router.read("/planted", Anybody(), answer=Shown)
    async def everybody(balances: Balances, page: ThisPage) -> Shown:
        return Shown(items=(await balances.page(page))[0])

    assert (await asked(town, router)).unscoped == ["GET /bidding/planted"]


async def test_a_route_that_the_matrix_cannot_ask_says_what_to_add(town: Settlement) -> None:
    """Planted: a new parameter, a new query, a new body; nothing is passed over in silence."""
    router = planted(town)

    @router.read("/tickets/{ticket}", scopes("account:own"), answer=Shown)
    async def show(ticket: str, holder: str = "") -> Shown:
        return Shown(items=[{"ticket": ticket, "holder": holder}])

    @router.command("/tickets", scopes("account:own"), answer=TopUpOut, answers={})
    async def ask(body: AskedIn) -> Order:
        return Order("acc_x", commands.RequestTopUp(top_up_id="top_x", amount_fen=body.amount_fen))

    report = await asked(town, router)
    assert [line.partition(":")[0] for line in report.missing] == [
        "GET /bidding/tickets/{ticket}",
        "GET /bidding/tickets/{ticket}",
        "POST /bidding/tickets",
    ]
    for word, line in zip(("OWNED or PUBLIC", "QUERIES", "BODIES"), report.missing, strict=True):
        assert word in line


async def test_a_route_that_turns_its_own_people_away_is_found(town: Settlement) -> None:
    """Planted: a scope opens the route and its bearer is told 404 of what is his; a matrix of refusals would pass."""
    router = planted(town)

    @router.command("/accounts/{account}/planted", scopes("account:own"), answer=TopUpOut, answers={})
    async def ask(account: AccountId, body: NoFields | None = None) -> Order:
        return Order("acc_nobody", commands.RequestTopUp(top_up_id="top_x", amount_fen=5))

    report = await asked(town, router)
    assert faults(report, "POST /bidding/accounts/{account}/planted") == {"own"}
