"""The simulator's call-backs to the platform: each is signed anew and made again until it is taken or refused for good."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import httpx
import structlog

from libs.runtime.bank_signature import signed_headers
from libs.runtime.waiting import until_set
from tools.bank.ledger import Call, Ledger

log = structlog.get_logger()

_AT_ONCE: Final = 8
_LOOK_S: Final = 0.05
_LIMIT_S: Final = 15.0
#: Neither taken nor refused: 202 is stored and not decided, 401 a key or a clock that people will put right.
_COMES_AGAIN: Final = frozenset({202, 401, 408, 425, 429})


async def settle(ledger: Ledger, stop: asyncio.Event, now: Callable[[], float] = time.time) -> None:
    """Book what is due until `stop`."""
    while not stop.is_set():
        if not await asyncio.to_thread(ledger.settle_due, now()):
            await until_set(stop, _LOOK_S)


async def call_back(
    ledger: Ledger,
    client: httpx.AsyncClient,
    secret: bytes,
    stop: asyncio.Event,
    now: Callable[[], float] = time.time,
) -> None:
    """Make the call-backs that are due until `stop`; `client` knows the platform's address."""
    while not stop.is_set():
        due = await asyncio.to_thread(ledger.calls_due, now(), _AT_ONCE)
        await asyncio.gather(*(_make(ledger, client, secret, call, now) for call in due))
        if not due:
            await until_set(stop, _LOOK_S)


async def _make(
    ledger: Ledger, client: httpx.AsyncClient, secret: bytes, call: Call, now: Callable[[], float]
) -> None:
    signed = signed_headers(secret, call.path, call.body, now=now())
    headers = signed | {"Content-Type": "application/json"}
    try:
        answer = await client.post(call.path, content=call.body, headers=headers, timeout=_LIMIT_S)
        status = answer.status_code
    except httpx.HTTPError:
        status = 0
    is_final = 0 < status < 500 and status not in _COMES_AGAIN
    if is_final and status != 200:
        log.warning("call_back_refused", status=status)
    await asyncio.to_thread(ledger.called, call, status, now(), is_final=is_final)
