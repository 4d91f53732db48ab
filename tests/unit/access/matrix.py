"""Every route, asked by everybody, about his own things and about other people's: generated from the declared routes.

What is expected follows from the route's declared access and from how far a scope sees, nothing from a list of routes. What
the generator cannot know stands in `examples`; a route for which something is missing there is a fault by itself.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from fastapi import FastAPI
from fastapi.routing import APIRoute

from libs.runtime.auth import CUSTOMER_SCOPES, SCOPES
from libs.runtime.http.access import Anybody, AnyScope, declared
from tests.unit.access.examples import (
    ANYBODY,
    BEARERS,
    BODIES,
    OWNED,
    PERSONAL,
    PUBLIC,
    QUERIES,
    SEEN_BY_THE_OTHER,
    SIGHT,
    owned_value,
)
from tests.unit.access.platform import Platform
from tests.unit.access.settlers import Customer, Settlement

_NOT_ADMITTED: Final = (401, 403)
_TELLS_NOTHING: Final = "0" * 32


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who asks. `own` is the customer whose things are his, None where he has none."""

    name: str
    subject: str
    scopes: tuple[str, ...]
    own: Customer | None
    others: tuple[Customer, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One question and what came of it; `fault` says what is wrong with that, None where nothing is."""

    route: str
    actor: str
    about: str
    status: int
    fault: str | None


@dataclass
class Report:
    """The matrix."""

    cells: list[Cell] = field(default_factory=list)
    unscoped: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def leaks(self) -> list[Cell]:
        """Cells with a fault."""
        return [cell for cell in self.cells if cell.fault is not None]

    def summary(self) -> str:
        """The figures in a line."""
        about = Counter(cell.about for cell in self.cells)
        parts = ", ".join(f"{count} {name}" for name, count in sorted(about.items()))
        return (
            f"routes {len({cell.route for cell in self.cells})}, cells {len(self.cells)} ({parts}), "
            f"leaks {len(self.leaks)}, routes without scope {len(self.unscoped)}"
        )


def actors(town: Settlement) -> list[Actor]:
    """Each scope alone, nobody, each customer, one who has nothing, and staff who hold customers' scopes."""
    ada, bob, stranger = town.ada, town.bob, town.stranger
    found = [Actor("nobody", "", (), None, (ada, bob))]
    for scope in SCOPES:
        subject = ada.user if BEARERS[scope] is None else str(BEARERS[scope])
        found.append(Actor(f"only {scope}", subject, (scope,), ada, (bob,)))
    return [
        *found,
        Actor("customer ada", ada.user, CUSTOMER_SCOPES, ada, (bob,)),
        Actor("customer bob", bob.user, CUSTOMER_SCOPES, bob, (ada,)),
        Actor("customer without anything", stranger.user, CUSTOMER_SCOPES, None, (ada, bob)),
        Actor("collector of bob", bob.collector, ("collector",), bob, (ada,)),
        Actor("collector without a desk", "stf_max", ("collector",), None, (ada, bob)),
        Actor("staff with customers' scopes", "stf_max", CUSTOMER_SCOPES, None, (ada, bob)),
    ]


@dataclass
class Asking:
    """One run of the matrix over an application's routes."""

    town: Settlement
    app: FastAPI
    service: str
    report: Report

    @property
    def platform(self) -> Platform:
        """Where everything happens."""
        return self.town.platform

    async def run(self) -> None:
        """Ask everything: first what must come to nothing, then everybody about what is his."""
        questions = [
            (route, actor)
            for route in self._routes()
            if self._is_known(route) and isinstance(declared(route.endpoint).access, AnyScope)
            for actor in actors(self.town)
        ]
        for route, actor in questions:
            await self._ask_in_vain(route, actor)
        for route, actor in questions:
            await self._ask_for_ones_own(route, actor)
        for route in self._routes():
            if self._is_known(route) and not isinstance(declared(route.endpoint).access, AnyScope):
                await self._ask_without_scope(route)

    def _routes(self) -> Iterator[APIRoute]:
        return (route for route in self.app.routes if isinstance(route, APIRoute) and route.include_in_schema)

    # --- what the generator must know ---------------------------------------------------------------------------

    def _is_known(self, route: APIRoute) -> bool:
        name, operation = _name(route), self._operation(route)
        wanted = [
            f"{name}: say in OWNED or PUBLIC whose things the parameter {{{parameter}}} names"
            for parameter in route.param_convertors
            if parameter not in OWNED and parameter not in PUBLIC
        ]
        if operation.get("requestBody", {}).get("required") and name not in BODIES:
            wanted.append(f"{name}: give a body that the route accepts in BODIES")
        queries = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"]
        wanted += [
            f"{name}: say in QUERIES how the parameter ?{query}= names other people's things"
            for query in queries
            if query not in QUERIES
        ]
        self.report.missing += [line for line in wanted if line not in self.report.missing]
        if isinstance(declared(route.endpoint).access, Anybody) and name not in ANYBODY:
            self.report.unscoped += [name] if name not in self.report.unscoped else []
            return False
        return not wanted

    def _operation(self, route: APIRoute) -> dict[str, Any]:
        method = _method(route).lower()
        found: dict[str, Any] = self.app.openapi()["paths"][route.path][method]
        return found

    # --- asking -------------------------------------------------------------------------------------------------

    async def _ask_in_vain(self, route: APIRoute, actor: Actor) -> None:
        """Without the scope, and with it about other people's things: nothing is told and nothing happens."""
        access = declared(route.endpoint).access
        assert isinstance(access, AnyScope)
        opening = [scope for scope in actor.scopes if scope in access.scopes]
        if not opening:
            expected = 403 if actor.subject else 401
            await self._refused(route, actor, self.town.ada, expected, "without the scope")
        elif _is_owned(route) and not _sees_all(route, opening):
            for other in actor.others:
                await self._refused(route, actor, other, 404, "other")
        elif not _is_owned(route) and not _sees_all(route, opening):
            await self._shows_nobody_else(route, actor)

    async def _refused(
        self, route: APIRoute, actor: Actor, about: Customer, expected: int, kind: str
    ) -> None:
        path = self._path(route, actor, about, is_own=False)
        if path is None:
            return
        commands, effects = self.platform.so_far()
        answer = await self._send(route, actor, path, _body(route, about, self.town))
        commands_now, effects_now = self.platform.so_far()
        fault = None
        if answer.status_code != expected:
            fault = f"answered {answer.status_code} instead of {expected}: {answer.text[:200]}"
        elif about.found_in(answer.text):
            fault = f"told {about.found_in(answer.text)}"
        elif effects_now != effects:
            fault = "had an effect"
        elif expected != 404 and commands_now != commands:
            fault = "sent a command"
        elif expected == 404 and not await self._looks_like_nothing(route, actor, about, answer):
            fault = "what is somebody else's looks different from what does not exist"
        self._note(route, actor, kind, answer, fault)

    async def _looks_like_nothing(
        self, route: APIRoute, actor: Actor, about: Customer, answer: httpx.Response
    ) -> bool:
        path = self._path(route, actor, about, is_own=False)
        for value in [*about.objects.values(), about.collector] if path else []:
            path = str(path).replace(value, f"{value.partition('_')[0]}_{_TELLS_NOTHING}")
        nothing = await self._send(route, actor, str(path), _body(route, about, self.town))
        return (nothing.status_code, nothing.content) == (answer.status_code, answer.content)

    async def _shows_nobody_else(self, route: APIRoute, actor: Actor) -> None:
        """A list, or whatever else names nobody in its path: also with queries that point at others."""
        if _method(route) != "GET":
            return
        path = self._path(route, actor, actor.own or self.town.ada, is_own=True) or route.path
        for place, query in enumerate(self._queries(route)):
            answer = await self._send(route, actor, path, None, query)
            known = f"{path} {query}"
            told = [mark for other in actor.others for mark in other.found_in(answer.text, but=known)]
            fault = f"told {told}" if told else None
            if answer.status_code in (401, 403) or answer.status_code >= 500:
                fault = f"answered {answer.status_code}: {answer.text[:200]}"
            if not place and actor.own is not None and fault is None and _shows_nothing(answer):
                fault = "shows its owner nothing, so it proves nothing"
            self._note(route, actor, "list", answer, fault)

    def _queries(self, route: APIRoute) -> list[dict[str, str]]:
        needed, names = self._required(route), [each["name"] for each in self._in_query(route)]
        asked = ({name: value} for name in names for value in QUERIES[name](self.town) if value)
        return [needed, *(needed | each for each in asked)]

    def _in_query(self, route: APIRoute) -> list[dict[str, Any]]:
        return [each for each in self._operation(route).get("parameters", ()) if each["in"] == "query"]

    async def _ask_for_ones_own(self, route: APIRoute, actor: Actor) -> None:
        """With the scope, about one's own things, or about anybody's where the scope sees all: admitted."""
        access = declared(route.endpoint).access
        assert isinstance(access, AnyScope)
        opening = [scope for scope in actor.scopes if scope in access.scopes]
        if not opening:
            return
        if _sees_all(route, opening) or (not _is_owned(route) and actor.own is None):
            targets: tuple[Customer, ...] = (
                (self.town.ada, self.town.bob) if _is_owned(route) else (self.town.ada,)
            )
        else:
            targets = (actor.own,) if actor.own is not None else ()
        for target in targets:
            await self._admitted(route, actor, target)
        if actor.own is not None and route.path.count("{") and _names_things(route, self.town):
            await self._does_nothing_to_others(route, actor)

    async def _admitted(self, route: APIRoute, actor: Actor, target: Customer) -> None:
        path = self._path(route, actor, target, is_own=True)
        if path is None:
            return
        answer = await self._send(route, actor, path, _body(route, target, self.town), self._required(route))
        fault = None
        lists = not _is_owned(route) and actor.own is None
        if answer.status_code in _NOT_ADMITTED or (answer.status_code == 404 and not lists):
            fault = f"not admitted: {answer.status_code} {answer.text[:200]}"
        elif answer.status_code >= 500 or "invalid_request" in answer.text:
            fault = f"the example is wrong: {answer.status_code} {answer.text[:300]}"
        self._note(route, actor, "own", answer, fault)

    def _required(self, route: APIRoute) -> dict[str, str]:
        wanted = [each["name"] for each in self._in_query(route) if each["required"]]
        return {name: QUERIES[name](self.town)[0] for name in wanted}

    async def _does_nothing_to_others(self, route: APIRoute, actor: Actor) -> None:
        """One's own address with other people's ids in the body: nothing that is theirs changes."""
        own = actor.own
        path = None if own is None else self._path(route, actor, own, is_own=True)
        if path is None or _name(route) in SEEN_BY_THE_OTHER:
            return
        for other in actor.others:
            before = self._documents_of(other)
            body = _body(route, other, self.town)
            answer = await self._send(route, actor, path, body)
            fault = None
            if self._documents_of(other) != before:
                fault = "changed what is somebody else's"
            elif told := other.found_in(answer.text, but=str(body)):
                fault = f"told {told}"
            self._note(route, actor, "own, other in the body", answer, fault)

    def _documents_of(self, other: Customer) -> dict[tuple[str, str], Any]:
        """All documents that name him, but the traces of sagas and of commands."""
        return {
            (view, name): document
            for view in self.platform.world.views
            if not view.endswith((".sagas", ".commands"))
            for name, document in self.platform.views.documents(view).items()
            if document.get("owner") == other.user
            or document.get("borrower") == other.user
            or document.get("user_id") == other.user
            or document.get("applicant") == other.user
        }

    async def _ask_without_scope(self, route: APIRoute) -> None:
        """The bank's routes know no token at all; what is open to anybody must be known to be."""
        if isinstance(declared(route.endpoint).access, Anybody):
            answer = await self._send(
                route, actors(self.town)[0], route.path, _body(route, self.town.ada, self.town)
            )
            fault = None if answer.status_code in (200, 201, 409) else f"answered {answer.status_code}"
            self._note(route, actors(self.town)[0], "open to anybody", answer, fault)
            return
        for actor in actors(self.town):
            await self._refused(route, actor, self.town.ada, 401, "without the signature")

    # --- sending ------------------------------------------------------------------------------------------------

    def _path(self, route: APIRoute, actor: Actor, about: Customer, *, is_own: bool) -> str | None:
        """The route's address about somebody's things; None where there is no such thing to ask for."""
        path = route.path
        for parameter in route.param_convertors:
            value: str | None = PUBLIC[parameter](about) if parameter in PUBLIC else None
            if parameter == "command":
                value = self._command_of(actor.subject, is_own=is_own)
            elif parameter in OWNED:
                value = owned_value(route.path, parameter, about)
            if value is None:
                return None
            path = path.replace(f"{{{parameter}}}", value)
        return path

    def _command_of(self, subject: str, *, is_own: bool) -> str | None:
        """A command that somebody sent to this service, or one that others sent."""
        documents = self.platform.views.documents(f"{self.service}.commands")
        return next(
            (
                name
                for name, document in documents.items()
                if document["owner"] and (document["owner"] == subject) is is_own
            ),
            None,
        )

    async def _send(
        self,
        route: APIRoute,
        actor: Actor,
        path: str,
        body: Any,
        query: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        asked = path if not query else f"{path}?{httpx.QueryParams(dict(query))}"
        method = _method(route)
        return await self.platform.ask(method, asked, actor.subject, actor.scopes, body=body, app=self.app)

    def _note(
        self, route: APIRoute, actor: Actor, about: str, answer: httpx.Response, fault: str | None
    ) -> None:
        self.report.cells.append(Cell(_name(route), actor.name, about, answer.status_code, fault))


async def matrix(town: Settlement, apps: Mapping[str, FastAPI]) -> Report:
    """The matrix over these applications' routes, by service."""
    report = Report()
    assert SCOPES.keys() == SIGHT.keys() == BEARERS.keys(), "say in SIGHT and BEARERS what a new scope is"
    for service, app in apps.items():
        await Asking(town, app, service, report).run()
    return report


def _name(route: APIRoute) -> str:
    return f"{_method(route)} {route.path}"


def _method(route: APIRoute) -> str:
    """The one method that every route of ours has."""
    (method,) = route.methods or {"GET"}
    return method


def _is_owned(route: APIRoute) -> bool:
    return any(parameter in OWNED for parameter in route.param_convertors)


def _sees_all(route: APIRoute, opening: list[str]) -> bool:
    """Whether one of the scopes that open the route sees everybody's things there."""
    if any(parameter in PERSONAL for parameter in route.param_convertors):
        return False
    return any(SIGHT[scope] == "all" for scope in opening)


def _body(route: APIRoute, about: Customer, town: Settlement) -> Any:
    example = BODIES.get(_name(route))
    return None if example is None else example(about, town)


def _names_things(route: APIRoute, town: Settlement) -> bool:
    """Whether the route's body names things that belong to somebody."""
    return _method(route) == "POST" and _body(route, town.ada, town) != _body(route, town.bob, town)


def _shows_nothing(answer: httpx.Response) -> bool:
    if not answer.headers.get("content-type", "").startswith("application/json"):
        return answer.text.count("data:") < 2  # a stream tells more than that it begins
    found = answer.json()
    return "items" in found and not found["items"]
