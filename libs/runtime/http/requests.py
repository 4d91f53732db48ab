"""A request whose body is bounded and whose JSON is JSON: read once, before anything believes a word of it.

Also what is noted on a request for its answer.
"""

from collections.abc import Collection
from typing import Any, Final

from fastapi import Request
from pydantic_core import from_json
from starlette.types import Scope

from libs.events.topics import COMMAND_BYTES_MAX
from libs.runtime.http.problems import Fault, Problem

#: A command is never larger than its record may be, so neither is a request that asks for one.
BODY_BYTES_MAX: Final = COMMAND_BYTES_MAX


class BoundedRequest(Request):
    """FastAPI's request with a limit on the body and strict JSON (no NaN, no lone surrogates, bounded depth)."""

    async def body(self) -> bytes:
        """The whole body. Raises Problem 413 as soon as it is known to be too large."""
        if not hasattr(self, "_body"):
            length = self.headers.get("content-length", "")
            if length.isdecimal() and int(length) > BODY_BYTES_MAX:
                raise too_large()
            chunks, size = [], 0
            async for chunk in self.stream():
                size += len(chunk)
                if size > BODY_BYTES_MAX:
                    raise too_large()
                chunks.append(chunk)
            self._body = b"".join(chunks)
        return self._body

    async def json(self) -> Any:
        """The body's JSON value. Raises Problem 400."""
        try:
            return from_json(await self.body(), allow_inf_nan=False)
        except ValueError:
            raise Problem(400, "malformed_json", "The body is not JSON.") from None

    def require_json(self) -> None:
        """Refuse a body that says it is something else. Raises Problem 415."""
        media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise Problem(415, "unsupported_media_type", "Send the body as application/json.")

    def require_queries(self, known: Collection[str]) -> None:
        """Refuse parameters that the address does not have, and one given twice: read over, they would answer another question.

        Raises Problem 422.
        """
        if not self.scope["query_string"]:
            return  # as nearly all requests: nothing to take apart
        faults = [
            Fault(pointer=f"query: {name}", detail="This address has no such parameter.")
            for name in self.query_params
            if name not in known
        ]
        given = [name for name, _ in self.query_params.multi_items()]
        faults += [
            Fault(pointer=f"query: {name}", detail="It is given more than once.")
            for name in dict.fromkeys(given)
            if given.count(name) > 1
        ]
        if faults:
            there = ", ".join(sorted(known)) or "none"
            raise Problem(422, "unexpected_parameter", f"Its parameters are: {there}.", faults=faults)


def answer_headers(scope: Scope) -> dict[str, str]:
    """Headers that the request's answer will carry, whatever it will be: a problem must not lose them."""
    headers: dict[str, str] = scope.setdefault("loanstream.answer_headers", {})
    return headers


def too_large() -> Problem:
    """413 with the limit in it."""
    return Problem(413, "too_large", f"A request's body is at most {BODY_BYTES_MAX} bytes.")
