"""Every answer that is not a success, in one shape: RFC 9457 problem+json with a stable `type`.

A problem says what a caller can act on and nothing about the inside. Texts stand here or beside the rule that is broken;
a refusal from the log has a code only, and its title is that code in words.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.responses import Response

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:loanstream:problem:"
#: Told to a client whose request may be sent again unchanged.
RETRY_AFTER_S: Final = 2
_FAULTS_MAX: Final = 20


class Fault(BaseModel):
    """One thing that is wrong with a request: a JSON pointer into the body or the parameter's name, and what it needs."""

    pointer: str
    detail: str


class ProblemBody(BaseModel):
    """RFC 9457 problem details. `type` is stable; branch on it, never on the texts."""

    type: str = Field(examples=[TYPE_PREFIX + "insufficient_available"])
    title: str
    status: int
    detail: str | None = None
    errors: list[Fault] | None = None


class Problem(HTTPException):
    """Raise it anywhere below a route and the caller gets it as problem+json."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        faults: Sequence[Fault] = (),
    ) -> None:
        super().__init__(status_code=status, detail=detail or "", headers=dict(headers or {}))
        self.code = code
        self.text = detail
        self.faults = tuple(faults[:_FAULTS_MAX])


def refusal(code: str) -> Problem:
    """A refusal of the log as a problem; its status follows from the code's prefix (libs.events.deciding.Refused)."""
    return Problem(refusal_status(code), code)


def refusal_status(code: str) -> int:
    """404 for `unknown_…`, 422 for `invalid_…`, `key_reused` and `malformed`, 403 for `forbidden_…`, 500 for `internal`, else 409."""
    if code.startswith("unknown_"):
        return 404
    if code.startswith("invalid_") or code in ("key_reused", "malformed"):
        return 422
    if code.startswith("forbidden_"):
        return 403
    return 500 if code == "internal" else 409


def not_found(code: str = "not_found") -> Problem:
    """What is asked for does not exist, or is none of the caller's business: the two look the same on purpose."""
    return Problem(404, code)


def try_again(code: str, detail: str) -> Problem:
    """503 with Retry-After: the same request, with the same key, may be sent again without any risk."""
    return Problem(503, code, detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def problem_body(problem: Problem) -> dict[str, Any]:
    """A problem as RFC 9457 writes it."""
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + problem.code,
        "title": problem.code.replace("_", " ").capitalize(),
        "status": problem.status_code,
    }
    if problem.text:
        body["detail"] = problem.text
    if problem.faults:
        body["errors"] = [fault.model_dump() for fault in problem.faults]
    return body


def problem_response(problem: Problem) -> Response:
    """The bytes of a problem: the same problem gives the same bytes."""
    return Response(
        to_json(problem_body(problem)),
        status_code=problem.status_code,
        media_type=MEDIA_TYPE,
        headers=problem.headers,
    )


def handle_problems(app: FastAPI) -> None:
    """Replace FastAPI's own error bodies, so that every 4xx and 5xx of the application has our shape."""

    async def on_http(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problem_response(error if isinstance(error, Problem) else _from_http(error))

    async def on_invalid(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return problem_response(_from_validation(error))

    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_invalid)


def _from_http(error: HTTPException) -> Problem:
    """What the framework itself raises: no such address, a method the address does not know."""
    code = HTTPStatus(error.status_code).name.lower()
    return Problem(error.status_code, code, headers=error.headers)


def _from_validation(error: RequestValidationError) -> Problem:
    if any(found["loc"][0] == "path" for found in error.errors()):
        return not_found()  # an id of another shape than ours names nothing
    faults = [Fault(pointer=_pointer(found["loc"]), detail=str(found["msg"])) for found in error.errors()]
    return Problem(
        422,
        "invalid_request",
        "The request does not have the shape that this address asks for.",
        faults=faults,
    )


def _pointer(place: Sequence[str | int]) -> str:
    kind, *path = place
    if kind == "body":
        return "#" + "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
    return f"{kind}: {'.'.join(str(part) for part in path)}"
