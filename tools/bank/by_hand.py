"""The custodian bank on a development stack: its signed call-back, so that a person can try what only the bank may say.

It signs with the key of this installation's data directory; an installation with a real bank shares another key with it.
"""

import time
import uuid
from http.client import HTTPException
from typing import Literal
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from pydantic_core import to_json

from libs.runtime.bank_signature import signed_headers
from libs.runtime.errors import OperatorError
from libs.runtime.settings import Settings

#: How long a call-back that is not decided yet is sent again, in seconds; each attempt waits for its answer.
_PATIENCE_S = 60.0
_PAUSE_S = 0.2
_REQUEST_S = 15.0

Kind = Literal["top-ups", "withdrawals"]


def call_back(
    settings: Settings, kind: Kind, account: str, request_id: str, amount_fen: int, *, succeeded: bool
) -> str:
    """Tell the platform what became of a request, under a new reference of the bank; returns the answer's JSON.

    Raises OperatorError for a refusal, and where no gateway runs or none answers within a minute.
    """
    if settings.gateway is None:
        raise OperatorError("No gateway runs: start the stack with `loanstream up`.")
    path = f"/bidding/bank/{kind}/{account}/{request_id}"
    reference = f"B-{uuid.uuid4().hex[:16]}"
    body = to_json({"bank_reference": reference, "amount_fen": amount_fen, "succeeded": succeeded})
    give_up_at = time.monotonic() + _PATIENCE_S
    while True:
        status, answer = _sent(settings, path, body)
        if status not in (202, 502, 503, 504):
            break
        if time.monotonic() > give_up_at:
            raise OperatorError(f"{path} was not decided in {_PATIENCE_S:.0f} seconds: {answer}")
        time.sleep(_PAUSE_S)
    if status != 200:
        raise OperatorError(f"The call-back was refused ({status}): {answer}")
    return answer


def _sent(settings: Settings, path: str, body: bytes) -> tuple[int, str]:
    """One attempt, signed anew: a signature is good for minutes only."""
    signed = signed_headers(settings.bank_key(), path, body, now=time.time())
    request = Request(  # noqa: S310  # the gateway's own address
        f"{settings.gateway}{path}", data=body, headers=signed | {"Content-Type": "application/json"}
    )
    try:
        with urlopen(request, timeout=_REQUEST_S) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except HTTPError as refused:
        return refused.code, refused.read().decode()
    except (URLError, HTTPException, TimeoutError) as error:
        raise OperatorError(f"The gateway {settings.gateway} does not answer ({error}).") from None
