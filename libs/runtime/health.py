"""How a process tells others that it lives, that it is of use, and how it does."""

from collections.abc import Mapping
from typing import Protocol

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from libs.runtime.http.access import Admission, Anybody, declare
from libs.runtime.http.problems import Fault, Problem, problem_response
from libs.runtime.observability import metrics_text


class Role(Protocol):
    """One part of a process."""

    def ready(self) -> tuple[bool, str]:
        """Caught up and moving; if not, the reason; if so, what it waits for, or nothing."""


def add_health(app: FastAPI, roles: Mapping[str, Role]) -> None:
    """Add /healthz (the process answers), /readyz (every role is caught up and moves) and /metrics.

    They say nothing about a person and stay inside: the gateway passes only addresses below a service's name.
    """

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> Response:
        found = {name: role.ready() for name, role in roles.items()}
        missing = [Fault(pointer=name, detail=reason) for name, (ready, reason) in found.items() if not ready]
        if missing:
            return problem_response(Problem(503, "not_ready", faults=missing))
        notes = {name: reason for name, (_, reason) in sorted(found.items()) if reason}
        return JSONResponse(
            {"status": "ready", "roles": sorted(found), **({"notes": notes} if notes else {})}
        )

    async def metrics(_request: Request) -> Response:
        return Response(metrics_text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    for path, endpoint in (("/healthz", healthz), ("/readyz", readyz), ("/metrics", metrics)):
        declare(endpoint, Admission(Anybody()))
        app.router.add_api_route(path, endpoint, include_in_schema=False, response_model=None)
