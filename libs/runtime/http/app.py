"""The application of one service: its declared routes, our error bodies, the OpenAPI page; one measure around all of it."""

import asyncio
import html
import time
from contextlib import suppress
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.runtime.http.access import Admission, Anybody, declare, require_declared
from libs.runtime.http.command_status import add_command_status
from libs.runtime.http.examples import add_examples
from libs.runtime.http.problems import MEDIA_TYPE, Problem, handle_problems, problem_response
from libs.runtime.http.requests import answer_headers
from libs.runtime.http.router import ROUTE_SCOPE_KEY, GuardedRoute, ServiceRouter
from libs.runtime.observability import HTTP_SECONDS

log = structlog.get_logger()

#: How much of a body that nobody wants is read before the answer, and for how long.
DRAINED_BYTES_MAX: Final = 1024 * 1024
DRAIN_LIMIT_S: Final = 2.0
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def build_app(router: ServiceRouter) -> FastAPI:
    """The application. Raises UndeclaredAccess for a route without access. `app.state.edge` is set when the process runs."""
    app = FastAPI(
        title=f"Loanstream {router.service}",
        summary=router.summary,
        version="1",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.edge = None
    handle_problems(app)
    app.add_middleware(Envelope, service=router.service)
    routes = ServiceRouter(router.service, router.summary, [*router.routes], router.answers)
    if any("POST" in route.options["methods"] for route in router.routes):
        add_command_status(routes)
    for route in routes.routes:
        app.router.add_api_route(
            route.path,
            route.endpoint,
            route_class_override=GuardedRoute,
            tags=[router.service],
            **route.options,
        )
    _add_openapi(app, router.service)
    require_declared(app)
    return app


class Envelope:
    """Around every request: safe headers, a measure by route template, and a problem for what nobody expected."""

    def __init__(self, app: ASGIApp, *, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Never lets an exception out: a traceback is for the log, not for a caller."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.monotonic(), 0
        body = _Body(scope, receive)

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                if not body.ended:
                    await body.drain()
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["Cache-Control"] = "no-store"
                headers["X-Content-Type-Options"] = "nosniff"
                headers.update(answer_headers(scope))
            await send(message)

        try:
            await self._app(scope, body.receive, send_marked)
        except Exception:  # the boundary of the process: whatever it was, the next request must be served
            log.exception("request_failed", service=self._service, route=scope.get(ROUTE_SCOPE_KEY, ""))
            if status == 0:
                await problem_response(Problem(500, "internal"))(scope, body.receive, send_marked)
        finally:
            route = scope.get(ROUTE_SCOPE_KEY, "unmatched")
            elapsed = time.monotonic() - started
            # a caller may send any word as a method, and must not make a metric of each
            method = scope["method"] if scope["method"] in _METHODS else "other"
            HTTP_SECONDS.labels(self._service, route, method, str(status)).observe(elapsed)


class _Body:
    """A request's body as it arrives. What nobody read is read away before the answer, within limits: a server that closes
    on unread bytes resets the connection, and the caller never sees why he was refused."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        names = {name for name, _ in scope["headers"]}
        self._receive = receive
        self.ended = not names & {b"content-length", b"transfer-encoding"}

    async def receive(self) -> Message:
        message = await self._receive()
        self.ended = not message.get("more_body", False)
        return message

    async def drain(self) -> None:
        left = DRAINED_BYTES_MAX
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_LIMIT_S):
                while not self.ended and left > 0:
                    left -= len((await self.receive()).get("body", b""))


def _add_openapi(app: FastAPI, service: str) -> None:
    """The OpenAPI 3.1 document and a page made from it that needs nothing from the outside."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            document.setdefault("components", {})["securitySchemes"] = _SECURITY_SCHEMES
            for method, _, operation in _operations(document):
                for status, response in operation["responses"].items():
                    if status >= "400" and "content" in response:
                        # a stream's route would have its problems come as events, which they never do
                        (shape,) = response["content"].values()
                        response["content"] = {MEDIA_TYPE: shape}
                add_examples(document, method, operation)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document

    async def document(_request: Request) -> dict[str, Any]:
        return openapi()

    async def page(_request: Request) -> HTMLResponse:
        return HTMLResponse(
            _page(openapi(), service),
            headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"},
        )

    for path, endpoint in ((f"/{service}/openapi.json", document), (f"/{service}/docs", page)):
        declare(endpoint, Admission(Anybody()))
        app.router.add_api_route(path, endpoint, include_in_schema=False, response_model=None)


def _operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """(method, path, operation) of everything in an OpenAPI document."""
    return [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def _page(document: dict[str, Any], service: str) -> str:
    """The inventory of routes as one page of HTML."""
    rows = []
    for method, path, operation in _operations(document):
        who = " or ".join(
            name for way in operation["security"] for kind in way for name in way[kind] or [kind]
        )
        statuses = " ".join(sorted(operation["responses"]))
        cells = (f"{method} {path}", operation.get("description", ""), who or "anybody", statuses)
        rows.append("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>")
    info = document["info"]
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{html.escape(info['title'])}</title>"
        "<style>body{font:15px/1.5 system-ui;margin:2rem;max-width:75rem}td,th{text-align:left;vertical-align:top;"
        "padding:.3rem 1rem .3rem 0;border-bottom:1px solid #ddd}td:first-child{font-family:monospace}</style>"
        f"<h1>{html.escape(info['title'])}</h1><p>{html.escape(info['summary'])}</p>"
        f'<p>The whole contract is <a href="/{service}/openapi.json">OpenAPI {document["openapi"]}</a>.</p>'
        "<table><tr><th>route<th>what it does<th>who may<th>answers</tr>" + "".join(rows) + "</table></html>"
    )


_SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "RS256, typ at+jwt.",
    },
    "bank": {
        "type": "apiKey",
        "in": "header",
        "name": "Loanstream-Bank-Signature",
        "description": "v1=HMAC-SHA-256 over Loanstream-Bank-Timestamp, path and raw body, joined by line feeds.",
    },
}
