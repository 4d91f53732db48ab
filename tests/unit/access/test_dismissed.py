"""A token lives on when its bearer is dismissed, his post does not: then no read shows him anything (domain.md section 1).

Asked of the declared routes, so a new read cannot forget its post: it asks for one, or stands below with a reason.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Final

import pytest
import pytest_asyncio
from fastapi import FastAPI
from fastapi.routing import APIRoute

from libs.events.topics import DECIDING_SERVICES
from libs.runtime.auth import CUSTOMER_SCOPES, SCOPES
from libs.runtime.http.access import AnyScope, declared
from tests import posts
from tests.unit.access.examples import BEARERS, OWNED, PUBLIC, QUERIES, owned_value
from tests.unit.access.platform import running_platform
from tests.unit.access.settlers import Settlement, settle

#: Scopes that no post of the register stands behind, each with its reason.
POSTLESS: Final = {
    "operator": "runs the platform and is no post of the house: nobody appoints or dismisses him here",
    "analyst": "studies the platform and is no post of the house either",
    "admin": "appoints the others, the first of them before anybody is appointed",
}
#: Reads that let in who holds no post, each with its reason.
LET_IN: Final = {
    "GET /bidding/fees": "the published fees",
    "GET /onboarding/applications": "one's own, of which staff has none, where a post is not held",
    "GET /onboarding/quote": "a computation of what the caller says himself",
    **{
        f"GET /{service}/commands/{{command}}": "the answer to what he asked himself, once more"
        for service in DECIDING_SERVICES
    },
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settlement]:
    """The platform after a month, and then all of its staff are dismissed."""
    async with running_platform(tmp_path_factory.mktemp("town")) as platform:
        found = await settle(platform)
        for who in posts.APPOINTMENTS:
            path = f"/onboarding/staff/{who}/dismissal"
            answer = await platform.ask("POST", path, "stf_abe", ("admin",), body=None)
            assert answer.status_code in (200, 201), answer.text
        yield found


def reads(town: Settlement) -> Iterator[tuple[FastAPI, APIRoute, str]]:
    """Every read with each scope of a post that opens it."""
    for app in town.platform.apps.values():
        for route in app.routes:
            if not isinstance(route, APIRoute) or route.methods != {"GET"} or not route.include_in_schema:
                continue
            access = declared(route.endpoint).access
            if isinstance(access, AnyScope):
                for scope in access.scopes:
                    if scope not in POSTLESS and scope not in CUSTOMER_SCOPES:
                        yield app, route, scope


def command_of(town: Settlement, service: str, who: str) -> str | None:
    """A command that somebody sent to a service; None where he sent none."""
    sent = town.platform.views.documents(f"{service}.commands")
    return next((name for name, document in sent.items() if document["owner"] == who), None)


async def is_let_in(town: Settlement, app: FastAPI, route: APIRoute, scope: str) -> bool:
    """Whether the scope's bearer is let in: a list may be empty because nothing is there yet."""
    path = route.path
    for name in route.param_convertors:
        if name == "command":
            value = command_of(town, route.path.split("/")[1], str(BEARERS[scope]))
        else:
            value = owned_value(route.path, name, town.ada) if name in OWNED else PUBLIC[name](town.ada)
        path = path.replace(f"{{{name}}}", value or "00000000-0000-5000-8000-000000000000")
    asked = app.openapi()["paths"][route.path]["get"]["parameters"]
    query = {
        each["name"]: QUERIES[each["name"]](town)[0]
        for each in asked
        if each["in"] == "query" and each["required"]
    }
    query |= {} if "post" not in query else {"post": posts.POSTS[scope][1][0]}
    text = "&".join(f"{name}={value}" for name, value in query.items())
    answer = await town.platform.ask("GET", f"{path}?{text}", str(BEARERS[scope]), (scope,), app=app)
    assert answer.status_code in (200, 403, 404), (path, answer.status_code, answer.text)
    return answer.status_code == 200


@pytest.mark.asyncio(loop_scope="module")
async def test_who_is_dismissed_reads_nothing_more(town: Settlement) -> None:
    """Every read that the scope of a post opens, asked by who held it."""
    let_in = {
        f"GET {route.path}": scope
        for app, route, scope in reads(town)
        if await is_let_in(town, app, route, scope)
    }
    unexpected = sorted(let_in.keys() - LET_IN.keys())
    assert not unexpected, "\n".join(unexpected)
    assert let_in.keys() == LET_IN.keys()


def test_every_scope_of_a_post_has_somebody_to_dismiss() -> None:
    """Or the test above would prove nothing about it."""
    held = {scope for scope in SCOPES if scope not in POSTLESS and scope not in CUSTOMER_SCOPES}
    assert {BEARERS[scope] for scope in held} <= posts.APPOINTMENTS.keys()
