"""How a person, or a test, speaks to the simulator: signed calls to its addresses."""

import time
from typing import Any
from uuid import uuid4

import httpx
from pydantic_core import to_json

from libs.runtime.bank_signature import signed_headers
from libs.runtime.errors import OperatorError
from libs.runtime.settings import Settings

_LIMIT_S = 15.0


def ask(settings: Settings, method: str, path: str, body: Any = None) -> httpx.Response:
    """One signed call to the bank of the settings. Raises OperatorError where none is configured or none answers."""
    if settings.bank is None:
        raise OperatorError(
            "No bank is configured: start the stack with LOANSTREAM_BANK_SIMULATOR=true, or set LOANSTREAM_BANK."
        )
    content = b"" if body is None else to_json(body)
    headers = signed_headers(settings.bank_key(), path, content, now=time.time())
    if content:
        headers["Content-Type"] = "application/json"
    try:
        return httpx.request(
            method, f"{settings.bank}{path}", content=content, headers=headers, timeout=_LIMIT_S
        )
    except httpx.HTTPError as error:
        raise OperatorError(f"The bank at {settings.bank} does not answer ({error}).") from None


def behave(settings: Settings, orders: int, **wish: Any) -> None:
    """Have the next orders meet a behaviour (tools/bank/behaviour.py). Raises OperatorError where the bank does not take it."""
    body = wish | {"orders": orders, "nonce": uuid4().hex}
    answer = ask(settings, "POST", "/control/behaviours", body)
    if answer.status_code != 201:
        raise OperatorError(f"The bank does not take that ({answer.status_code}): {answer.text}")
