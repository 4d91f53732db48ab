"""How a service declares its routes: address, who may call it, what it asks for, what it answers.

A declaration is data until `build_app` makes an application of it, so importing a service's api room starts nothing.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from inspect import Parameter, Signature
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel
from starlette.responses import Response

from libs.runtime.http.access import Access, Admission, declare, declared
from libs.runtime.http.calls import KEY_HEADER, Call, ThisCall, idempotency_key
from libs.runtime.http.commands import Answer, Answers, Order, Pending, Unchanged, command_response
from libs.runtime.http.edge import edge_of
from libs.runtime.http.live import LAST_EVENT_HEADER, LiveView, Shown, Sight
from libs.runtime.http.positions import POSITION_HEADER, parse_positions
from libs.runtime.http.problems import ProblemBody
from libs.runtime.http.requests import BoundedRequest

#: Where a route leaves its template, for the metrics.
ROUTE_SCOPE_KEY: Final = "loanstream.route"

Read = TypeVar("Read", bound=Callable[..., Any])
Plan = Callable[..., Coroutine[Any, Any, Order]]
Look = Callable[..., Coroutine[Any, Any, Sight]]

_COMMAND_PROBLEMS = (400, 401, 403, 404, 409, 413, 415, 422, 503)
_READ_PROBLEMS = (400, 401, 403, 404, 422, 503)


@dataclass(frozen=True, slots=True)
class Route:
    """One declared route: the arguments of FastAPI's add_api_route."""

    path: str
    endpoint: Callable[..., Any]
    options: dict[str, Any]


@dataclass(slots=True)
class ServiceRouter:
    """The routes of one service. Paths are written below `/{service}`; every route names its access."""

    service: str
    summary: str
    routes: list[Route] = field(default_factory=list)
    answers: dict[type, Callable[[Any], Answer]] = field(default_factory=dict)
    """What every event answers, over all commands: for those who look a command up later."""

    def read(self, path: str, access: Access, *, answer: type[BaseModel]) -> Callable[[Read], Read]:
        """Declare a GET: the function returns the answer's model."""

        def declare_read(endpoint: Read) -> Read:
            declare(endpoint, Admission(access))
            options = {
                "methods": ["GET"],
                "response_model": answer,
                "responses": _responses(_READ_PROBLEMS),
                "openapi_extra": {"security": access.security(), "parameters": [_POSITION_PARAMETER]},
            }
            self.routes.append(Route(f"/{self.service}{path}", endpoint, options))
            return endpoint

        return declare_read

    def document(self, path: str, access: Access, *, media_type: str) -> Callable[[Read], Read]:
        """Declare a GET that is answered with bytes of a media type: the function returns the Response."""

        def declare_document(endpoint: Read) -> Read:
            declare(endpoint, Admission(access))
            content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
            options = {
                "methods": ["GET"],
                "response_class": Response,
                "response_model": None,
                "responses": _responses(_READ_PROBLEMS) | {200: {"content": content}},
                "openapi_extra": {"security": access.security(), "parameters": [_POSITION_PARAMETER]},
            }
            self.routes.append(Route(f"/{self.service}{path}", endpoint, options))
            return endpoint

        return declare_document

    def live(
        self, path: str, access: Access, *, view: str, shown: Shown, answer: type[BaseModel]
    ) -> Callable[[Look], Look]:
        """Declare a GET that tells how a view's documents change, as server-sent events.

        The function says what of the view its caller may see; `shown` turns a document into the answer's model.
        """
        live = LiveView(view, shown)

        def declare_live(look: Look) -> Look:
            async def endpoint(
                request: Request,
                sight: Annotated[Sight, Depends(look)],
                _ready: Annotated[None, Depends(live.require_ready)],
            ) -> AsyncIterator[ServerSentEvent]:
                async for event in live.events(request, sight):
                    yield event

            endpoint.__name__, endpoint.__doc__ = look.__name__, look.__doc__
            declare(endpoint, Admission(access))
            options = {
                "methods": ["GET"],
                "response_class": EventSourceResponse,
                "responses": _responses(_READ_PROBLEMS) | {200: {"model": answer}},
                "openapi_extra": {
                    "security": access.security(),
                    "parameters": [_LAST_EVENT_PARAMETER, _POSITION_PARAMETER],
                },
            }
            self.routes.append(Route(f"/{self.service}{path}", endpoint, options))
            return look

        return declare_live

    def command(
        self,
        path: str,
        access: Access,
        *,
        answer: Any,
        answers: Answers,
        status: int = 201,
        needs_key: bool = True,
    ) -> Callable[[Plan], Plan]:
        """Declare a POST: the function turns the request into an order for the log.

        `answer` is the model of the answer, `answers` makes it from the decision's events. Every call brings an
        Idempotency-Key, unless the order names its own key (`needs_key=False`): a refusal is final for its key, so a
        key that is not the caller's would lock him out of what is refused today and right tomorrow.
        """

        def declare_command(plan: Plan) -> Plan:
            asked, given_call = _signature_of(plan)

            async def endpoint(http_request: Request, **values: Any) -> Response:
                call: Call = http_request.state.call
                order = await plan(**values, **dict.fromkeys(given_call, call))
                seen = parse_positions(http_request.headers.get(POSITION_HEADER))
                return await command_response(
                    edge_of(http_request), call, order, answers, status=status, seen=seen
                )

            endpoint.__name__, endpoint.__doc__ = plan.__name__, plan.__doc__
            endpoint.__signature__ = asked  # type: ignore[attr-defined]  # how a function says what FastAPI is to bring
            declare(endpoint, Admission(access, needs_key))
            parameters = [_KEY_PARAMETER, _POSITION_PARAMETER] if needs_key else [_POSITION_PARAMETER]
            options = {
                "methods": ["POST"],
                "response_model": None,
                "status_code": status,
                "responses": _responses(_COMMAND_PROBLEMS)
                | {
                    status: {"model": answer, "description": "Decided and in the log"},
                    202: {
                        "model": Pending,
                        "description": "Stored, not decided yet: ask at Location, or send it again",
                    },
                }
                | ({200: {"model": Unchanged, "description": "It already held"}} if status != 200 else {}),
                "openapi_extra": {"security": access.security(), "parameters": parameters},
            }
            self.routes.append(Route(f"/{self.service}{path}", endpoint, options))
            self.answers |= answers
            return plan

        return declare_command


def _signature_of(plan: Plan) -> tuple[Signature, tuple[str, ...]]:
    """What FastAPI is asked for so that a plan can be called, and the plan's parameters that are given the call.

    The endpoint asks for the plan's own parameters instead of depending on the plan: each level of dependencies costs as
    much as the rest of a bare request.
    """
    own = Signature.from_callable(plan).parameters.values()
    given_call = tuple(parameter.name for parameter in own if parameter.annotation == ThisCall)
    request = Parameter("http_request", Parameter.KEYWORD_ONLY, annotation=Request)
    others = [each.replace(kind=Parameter.KEYWORD_ONLY) for each in own if each.name not in given_call]
    return Signature([request, *others]), given_call


class GuardedRoute(APIRoute):
    """A route that admits its caller before anything else happens."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's hook: the handler of one request. Raises UndeclaredAccess when the route is built without access."""
        admission = declared(self.endpoint)
        handle = super().get_route_handler()
        template = self.path_format
        name = f"{' '.join(sorted(self.methods or ()))} {template}"
        queries = frozenset(_queries(self.dependant))

        async def guarded(plain: Request) -> Response:
            request = BoundedRequest(plain.scope, plain.receive)
            request.scope[ROUTE_SCOPE_KEY] = template
            principal = await admission.access.admit(request, edge_of(request).keys)
            request.state.principal = principal
            request.require_queries(queries)
            if request.method == "POST":
                key = idempotency_key(request, principal) if admission.needs_key else None
                body = await request.body()
                if body:
                    request.require_json()
                request.state.call = Call(principal, name, dict(request.path_params), key, body)
            return await handle(request)

        return guarded


def _queries(dependant: Dependant) -> Iterator[str]:
    """The names of the query parameters that an endpoint and its dependencies take."""
    yield from (parameter.alias for parameter in dependant.query_params)
    for below in dependant.dependencies:
        yield from _queries(below)


def _responses(statuses: Sequence[int]) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": ProblemBody} for status in statuses}


_KEY_PARAMETER: Final = {
    "name": KEY_HEADER,
    "in": "header",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "examples": ["7d9c2f0e-wish-1"]},
    "description": "A value of your own for this wish. The same key and body give the same answer, for ever; "
    "the same key with another body is refused.",
}
_LAST_EVENT_PARAMETER: Final = {
    "name": LAST_EVENT_HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The id of the last event that the client has: the stream goes on after it.",
}
_POSITION_PARAMETER: Final = {
    "name": POSITION_HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "What the last answer carried under this name: a read waits until it shows that answer's effect.",
}
