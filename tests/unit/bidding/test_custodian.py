"""What a bank may answer over HTTP, and what bidding takes it for: a word of its own, a refusal, or an unknown outcome."""

from typing import Any

import httpx
import pytest

from libs.runtime.bank_signature import signed_headers
from services.bidding.custodian import (
    BankAnswer,
    BankOrder,
    BankRefused,
    BankUnavailable,
    HttpCustodian,
    Standing,
)

ORDER = BankOrder("top_1", "acc_ann", "usr_ann", None, 5, "2024-03-15")
ANSWER = {"bank_reference": "B1", "amount_fen": 5, "succeeded": True}


SECRET = b"k" * 32


def custodian(
    answer: httpx.Response | Exception, *, signed_for: str = "/orders/top_1#answer", age_s: int = 0
) -> HttpCustodian:
    """A bank that always answers this, signed as the answer about that request."""

    def say(_request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        answer.headers.update(signed_headers(SECRET, signed_for, answer.content, now=1_000 - age_s))
        return answer

    client = httpx.AsyncClient(transport=httpx.MockTransport(say), base_url="http://bank")
    return HttpCustodian(client, SECRET, lambda: 1_000.0)


@pytest.mark.parametrize(
    ("said", "standing"),
    [
        ({"status": "unknown", "answer": None}, "unknown"),
        ({"status": "pending"}, "pending"),
        ({"status": "done", "answer": ANSWER}, BankAnswer("B1", 5, True)),
        (
            {"status": "done", "answer": ANSWER | {"succeeded": False, "code": "no_money"}, "since": 1},
            BankAnswer("B1", 5, False, "no_money"),
        ),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_banks_words_are_taken_as_they_are(said: dict[str, Any], standing: Standing) -> None:
    """Unknown, pending, or done with what it says; words that a newer bank adds are not in the way."""
    assert await custodian(httpx.Response(200, json=said)).query("top_1") == standing


@pytest.mark.parametrize(
    "said",
    [
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"status": "fine"}),
        httpx.Response(200, json={"status": "done", "answer": None}),
        httpx.Response(200, json={"status": "done", "answer": ANSWER | {"amount_fen": "5"}}),
        httpx.Response(200, json={"status": "done", "answer": ANSWER | {"amount_fen": 10**16}}),
        httpx.Response(200, json={"status": "done", "answer": ANSWER | {"code": "Mr Ann has no money"}}),
        httpx.Response(200, json={"status": "done", "answer": ANSWER | {"bank_reference": "for Mr Ann"}}),
        httpx.Response(401, json={"code": "bad_signature"}),
        httpx.Response(429),
        httpx.Response(503),
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("away"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_what_is_no_word_of_a_bank_is_an_unknown_outcome(said: httpx.Response | Exception) -> None:
    """Neither believed nor final: the same call is made again, whoever failed, and no free text of his is kept."""
    with pytest.raises(BankUnavailable):
        await custodian(said).query("top_1")


@pytest.mark.parametrize(
    "wrong",
    [
        {"signed_for": "/orders/top_1"},
        {"signed_for": "/orders/top_2#answer"},
        {"age_s": 301},
        {"age_s": -301},
    ],
    ids=str,
)
async def test_an_answer_is_believed_for_its_signature(wrong: dict[str, Any]) -> None:
    """Signed as a call, about another request, or too old: nobody's word, and the bank is asked again."""
    done = httpx.Response(200, json={"status": "done", "answer": ANSWER})
    with pytest.raises(BankUnavailable, match="not signed"):
        await custodian(done, **wrong).query("top_1")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (httpx.Response(409, json={"code": "order_differs"}), "order_differs"),
        (httpx.Response(422, json={"code": "Mr Ann is wrong"}), "status_422"),
        (httpx.Response(404, text="no such page"), "status_404"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_refusal_is_a_code(said: httpx.Response, code: str) -> None:
    """The bank's own word where it is one, else its status: it reaches our logs."""
    with pytest.raises(BankRefused, match=f"^{code}$"):
        await custodian(said).collect(ORDER)
