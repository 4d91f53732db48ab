"""The simulator's addresses: orders, what became of them, the daily file, and what it is to do wrong next.

Every call but the health checks is signed by the same scheme as call-backs (libs/runtime/bank_signature.py), and so is what an order
and a query are answered. Replayed within the five minutes that a signature is good for, an order or a query has no second
effect; a wish to misbehave is refused.
"""

import time
from collections.abc import Callable, Iterator
from datetime import date
from itertools import chain
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, FastAPI, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json

from libs.events.money import MAX_INTEGER
from libs.runtime.bank_signature import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    TOLERANCE_S,
    answer_to,
    is_signed,
    signed_headers,
)
from tools.bank.behaviour import Behaviour
from tools.bank.daily_file import file_of
from tools.bank.ledger import Declined, Ledger, Order

Id = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,100}$")]
Day = Annotated[date, Field(strict=False)]
Amount = Annotated[int, Field(ge=1, le=MAX_INTEGER)]
#: A signature counts for so long after and so long before its time.
_FORGET_S: Final = 2 * TOLERANCE_S


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class OrderIn(_In):
    """A top-up to collect, or a withdrawal to pay out. `card_ref` is None where no profile asks for an own-name card."""

    kind: Literal["collect", "pay_out"]
    account: Id
    holder: Id
    card_ref: Id | None
    amount_fen: Amount
    business_date: Day


class HolderIn(_In):
    """Whose an account or a card is."""

    holder: Id


class BehaviourIn(Behaviour):
    """What the next `orders` meet. `nonce` makes two wishes for the same two."""

    orders: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    nonce: Annotated[str, Field(min_length=8, max_length=64)]


class ReceiptIn(_In):
    """Money that comes in without an order. `nonce` makes two receipts of the same amount two."""

    amount_fen: Amount
    business_date: Day
    nonce: Annotated[str, Field(min_length=8, max_length=64)]


def build_app(ledger: Ledger, secret: bytes, now: Callable[[], float] = time.time) -> FastAPI:
    """The application on a ledger. Functions are plain, so each runs in a thread and may wait for the disk."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    async def signed(request: Request) -> None:
        if not is_signed(
            secret,
            request.url.path,
            await request.body(),
            timestamp=request.headers.get(TIMESTAMP_HEADER),
            claimed=request.headers.get(SIGNATURE_HEADER),
            now=now(),
        ):
            raise Declined(401, "bad_signature")

    def once(request: Request) -> None:
        ledger.see(request.headers[SIGNATURE_HEADER], now(), _FORGET_S)

    def told(call: Request, standing: dict[str, Any], status: int) -> Response:
        body = to_json(standing)
        headers = signed_headers(secret, answer_to(call.url.path), body, now=now())
        return Response(body, status, headers, "application/json")

    by_platform, on_demand = [Depends(signed)], [Depends(signed), Depends(once)]

    @app.put("/orders/{name}", dependencies=by_platform)
    def take(name: Annotated[Id, Path()], body: OrderIn, call: Request) -> Response:
        fields = body.model_dump() | {"business_date": body.business_date.isoformat()}
        return told(call, ledger.take(name, Order(**fields), now()), 202)

    @app.get("/orders/{name}", dependencies=by_platform)
    def standing(name: Annotated[Id, Path()], call: Request) -> Response:
        return told(call, ledger.standing(name), 200)

    @app.get("/files/{day}", dependencies=by_platform)
    def daily_file(day: date) -> StreamingResponse:
        chunks = file_of(ledger.path, day)
        head: Iterator[bytes] = iter((next(chunks),))  # what is refused is refused before the first byte
        return StreamingResponse(chain(head, chunks), media_type="text/plain; charset=utf-8")

    @app.get("/ledger", dependencies=by_platform)
    def balances() -> dict[str, int]:
        return ledger.balances()

    @app.get("/calls", dependencies=by_platform)
    def calls() -> list[dict[str, Any]]:
        return ledger.calls()

    @app.put("/holders/{name}", dependencies=by_platform)
    def enrol(name: Annotated[Id, Path()], body: HolderIn) -> dict[str, Any]:
        ledger.enrol(name, body.holder)
        return {"holder": body.holder}

    @app.post("/control/behaviours", status_code=201, dependencies=on_demand)
    def behave(body: BehaviourIn) -> dict[str, Any]:
        wished = Behaviour(**body.model_dump(exclude={"orders", "nonce"}))
        ledger.behave(wished, body.orders)
        return {"orders": body.orders}

    @app.post("/control/receipts", status_code=201, dependencies=on_demand)
    def receive(body: ReceiptIn) -> dict[str, Any]:
        return {"reference": ledger.receive(body.amount_fen, body.business_date.isoformat(), now())}

    _add_edges(app)
    return app


def _add_edges(app: FastAPI) -> None:
    """Health, and one form for everything that the bank does not take: a status and a code."""

    @app.get("/healthz")
    @app.get("/readyz")
    def healthy() -> dict[str, str]:
        return {"status": "ok"}

    @app.exception_handler(Declined)
    async def declined(_request: Request, error: Declined) -> JSONResponse:
        return JSONResponse({"code": error.code}, error.status)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, _error: RequestValidationError) -> JSONResponse:
        return JSONResponse({"code": "invalid_request"}, 422)
