"""The bank simulator: what it promises as a bank, and what it does wrong only where it is told to."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from libs.runtime.bank_signature import TOLERANCE_S, signed_headers
from services.bidding.custodian import BankAnswer, BankRefused
from tests.unit.tools.bank_town import JSON, NOW_S, SECRET, BankTown, bank_town, order

TOP_1 = "/bidding/bank/top-ups/acc_ann/top_1"


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[BankTown]:
    """A bank without a history."""
    async with bank_town(tmp_path) as made:
        yield made
        made.check()


def said(reference: str, amount_fen: int = 500_00, *, code: str | None = None) -> dict[str, Any]:
    """What a call-back says."""
    truth: dict[str, Any] = {"bank_reference": reference, "amount_fen": amount_fen, "succeeded": code is None}
    return truth if code is None else truth | {"code": code}


FIRST = "B20240315-00000001"
SECOND = "B20240315-00000002"


async def test_an_order_is_booked_once_called_back_and_known(town: BankTown) -> None:
    """Unknown, pending, done; the call-back and the query say the same; custody holds what was collected less what was paid."""
    bank = town.custodian
    assert await bank.query("top_1") == "unknown"
    await bank.collect(order())
    assert await bank.query("top_1") == "pending"
    town.settle()
    assert await bank.query("top_1") == BankAnswer(FIRST, 500_00, True)
    assert await town.call_back() == [(TOP_1, said(FIRST))]
    await bank.pay_out(order("wdr_1", 200_00))
    town.settle()
    [(path, body)] = await town.call_back()
    assert (path, body) == ("/bidding/bank/withdrawals/acc_ann/wdr_1", said(SECOND, 200_00))
    assert (await town.ask("GET", "/ledger")).json() == {"custody": 300_00, "outside": -300_00}


async def test_the_same_order_again_has_no_effect_and_another_under_its_id_is_refused(town: BankTown) -> None:
    """Before and after it was booked; another amount, card, account, day or direction is `order_differs` and changes nothing."""
    bank = town.custodian
    await bank.collect(order())
    await bank.collect(order())
    town.settle()
    await bank.collect(order())
    for other in (
        {"amount_fen": 1},
        {"card_ref": None},
        {"account": "acc_b"},
        {"business_date": "2024-03-16"},
    ):
        with pytest.raises(BankRefused, match="order_differs"):
            await bank.collect(replace(order(), **other))
    with pytest.raises(BankRefused, match="order_differs"):
        await bank.pay_out(order())
    town.settle()
    assert len(await town.call_back()) == 1
    assert town.ledger.balances()["custody"] == 500_00


async def test_a_card_that_is_not_the_account_holders_own_is_refused(town: BankTown) -> None:
    """The first holder of a card is its holder, and of an account likewise; an order over another's is answered `not_own_name`."""
    bank = town.custodian
    await bank.collect(order())
    town.settle()
    await bank.pay_out(order("wdr_1", 100_00, holder="usr_eve", account="acc_eve"))
    await bank.pay_out(order("wdr_2", 100_00, holder="usr_eve", card_ref="card_eve"))
    assert (await town.ask("PUT", "/holders/card_bob", {"holder": "usr_bob"})).status_code == 200
    assert (await town.ask("PUT", "/holders/card_bob", {"holder": "usr_eve"})).json() == {
        "code": "holder_differs"
    }
    await bank.pay_out(order("wdr_3", 100_00, card_ref="card_bob"))
    town.settle()
    for request in ("wdr_1", "wdr_2", "wdr_3"):
        answer = await bank.query(request)
        assert isinstance(answer, BankAnswer)
        assert (answer.succeeded, answer.code) == (False, "not_own_name")
    assert town.ledger.balances()["custody"] == 500_00


async def test_the_bank_pays_out_no_more_than_it_keeps(town: BankTown) -> None:
    """All that is in custody may go, not a fen more."""
    bank = town.custodian
    await bank.collect(order())
    await bank.pay_out(order("wdr_1", 500_01))
    await bank.pay_out(order("wdr_2", 500_00))
    town.settle()
    refused, paid = await bank.query("wdr_1"), await bank.query("wdr_2")
    assert isinstance(refused, BankAnswer)
    assert isinstance(paid, BankAnswer)
    assert (refused.code, paid.succeeded) == ("insufficient_custody", True)


@pytest.mark.parametrize("status", [0, 202, 401, 429, 500, 503])
async def test_a_call_back_that_is_not_taken_is_made_again(town: BankTown, status: int) -> None:
    """Later, with a new signature and the same words, until it is answered 200; 0 is a platform that is away."""
    await town.custodian.collect(order())
    town.settle()
    town.platform.answers = [status or 599, status or 599]
    assert await town.call_back() == [(TOP_1, said(FIRST))]
    assert await town.call_back(after_s=0.1) == []
    for _ in range(2):
        assert await town.call_back(after_s=6) == [(TOP_1, said(FIRST))]
    assert await town.call_back(after_s=60) == []
    assert town.ledger.calls() == [{"path": TOP_1, "attempts": 3, "status": 200}]


async def test_a_call_back_that_is_refused_is_not_made_again(town: BankTown) -> None:
    """A refusal of the platform is final, and the bank keeps it."""
    await town.custodian.collect(order())
    town.settle()
    town.platform.answers = [409]
    await town.call_back()
    assert await town.call_back(after_s=60) == []
    assert town.ledger.calls() == [{"path": TOP_1, "attempts": 1, "status": 409}]


async def test_it_is_late_repeats_loses_and_holds_on_demand(town: BankTown) -> None:
    """For as many orders as it was told, in that order, and never otherwise; the booking is the same."""
    bank = town.custodian
    await town.behave(late_s=30, times=3)
    await town.behave(times=0, orders=2)
    await town.behave(hold_s=60)
    for number in range(1, 6):
        await bank.collect(order(f"top_{number}"))
    town.settle()
    assert await bank.query("top_4") == "pending"
    assert [path[-5:] for path, _ in await town.call_back()] == ["top_5"]
    assert [path[-5:] for path, _ in await town.call_back(after_s=30)] == ["top_1"] * 3
    assert await town.call_back(after_s=29) == []
    town.settle(after_s=1)
    assert [path[-5:] for path, _ in await town.call_back()] == ["top_4"]
    for number in range(1, 6):
        assert isinstance(await bank.query(f"top_{number}"), BankAnswer)
    assert town.ledger.balances()["custody"] == 5 * 500_00


@pytest.mark.parametrize(
    ("contradiction", "lie"),
    [
        ("outcome", {"bank_reference": FIRST, "amount_fen": 500_00, "succeeded": False}),
        ("amount", said(FIRST, 500_01)),
        ("reference", said(SECOND)),
    ],
)
async def test_it_contradicts_itself_on_demand_after_the_truth(
    town: BankTown, contradiction: str, lie: dict[str, Any]
) -> None:
    """The lie waits until the truth was taken, however often that takes; a query says what was booked."""
    await town.behave(contradiction=contradiction)
    await town.custodian.collect(order())
    town.settle()
    town.platform.answers = [503, 200, 409]
    assert await town.call_back() == [(TOP_1, said(FIRST))]
    assert await town.call_back(after_s=6) == [(TOP_1, said(FIRST)), (TOP_1, lie)]
    assert await town.call_back(after_s=60) == []
    assert await town.custodian.query("top_1") == BankAnswer(FIRST, 500_00, True)


async def test_it_refuses_on_demand_and_books_nothing(town: BankTown) -> None:
    """The answer has a reference and the code; neither ledger nor file has a booking."""
    await town.behave(refuse="card_blocked")
    await town.custodian.collect(order())
    town.settle()
    assert await town.call_back() == [(TOP_1, said(FIRST, code="card_blocked"))]
    assert town.ledger.balances() == {"custody": 0, "outside": 0}
    assert (await town.ask("GET", "/files/2024-03-15")).text.splitlines() == [
        "H|loanstream-bank-file|2|2024-03-15|0|0",
        "T|0|0|0|0",
    ]


async def test_money_without_a_request_is_booked_and_told(town: BankTown) -> None:
    """Under its reference, which is the address of its call-back."""
    receipt = {"amount_fen": 30_00, "business_date": "2024-03-15", "nonce": "n" * 8}
    assert (await town.ask("POST", "/control/receipts", receipt)).json() == {"reference": FIRST}
    assert await town.call_back() == [(f"/bidding/bank/unrequested/bankref_{FIRST}", {"amount_fen": 30_00})]
    town.check()


async def test_a_replayed_order_has_no_effect_and_a_replayed_wish_is_refused(town: BankTown) -> None:
    """The very same bytes within the signature's life: an order counts once, a wish to misbehave is told `replayed`."""
    body = (
        b'{"kind":"collect","account":"acc_ann","holder":"usr_ann","card_ref":null,"amount_fen":5,'
        b'"business_date":"2024-03-15"}'
    )
    headers = signed_headers(SECRET, "/orders/top_1", body, now=NOW_S) | JSON
    answers = [await town.http.put("/orders/top_1", content=body, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    town.settle()
    assert len(await town.call_back()) == 1
    wish = b'{"times":0,"nonce":"nnnnnnnn"}'
    headers = signed_headers(SECRET, "/control/behaviours", wish, now=town.now_s) | JSON
    first = await town.http.post("/control/behaviours", content=wish, headers=headers)
    again = await town.http.post("/control/behaviours", content=wish, headers=headers)
    assert (first.status_code, again.status_code, again.json()) == (201, 409, {"code": "replayed"})


@pytest.mark.parametrize("age_s", [TOLERANCE_S + 1, -TOLERANCE_S - 1])
async def test_an_old_signature_is_refused_everywhere(town: BankTown, age_s: int) -> None:
    """Five minutes either way: after that neither order, query, file nor wish is taken, and nothing is kept of it."""
    body = b'{"times":0,"nonce":"nnnnnnnn"}'
    for method, path, content in (
        ("PUT", "/orders/top_1", b"{}"),
        ("GET", "/orders/top_1", b""),
        ("GET", "/files/2024-03-15", b""),
        ("GET", "/ledger", b""),
        ("GET", "/calls", b""),
        ("PUT", "/holders/card_1", b"{}"),
        ("POST", "/control/behaviours", body),
        ("POST", "/control/receipts", body),
    ):
        headers = signed_headers(SECRET, path, content, now=NOW_S - age_s)
        answer = await town.http.request(method, path, content=content, headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"code": "bad_signature"}), path
        assert (await town.http.request(method, path, content=content)).status_code == 401, path
    assert await town.custodian.query("top_1") == "unknown"


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount_fen": 0},
        {"amount_fen": "5"},
        {"amount_fen": 1.5},
        {"kind": "steal"},
        {"account": "acc|ann"},
        {"business_date": "2024-02-30"},
        {"note": "x"},
    ],
    ids=str,
)
async def test_an_order_of_wrong_form_is_refused(town: BankTown, wrong: dict[str, Any]) -> None:
    """Named, before anything is kept of it; the ids have no room for what would break a file's line."""
    body = {
        "kind": "collect",
        "account": "acc_ann",
        "holder": "usr_ann",
        "card_ref": None,
        "amount_fen": 5,
        "business_date": "2024-03-15",
    }
    answer = await town.ask("PUT", "/orders/top_1", body | wrong)
    assert (answer.status_code, answer.json()) == (422, {"code": "invalid_request"})
    assert await town.custodian.query("top_1") == "unknown"


async def test_a_lost_call_back_has_nothing_to_contradict(town: BankTown) -> None:
    """A lie that comes first would be the answer: the bank does not take that wish."""
    wish = {"times": 0, "contradiction": "amount", "nonce": "n" * 8}
    assert (await town.ask("POST", "/control/behaviours", wish)).status_code == 422


async def test_what_was_taken_outlives_the_process(tmp_path: Path) -> None:
    """Opened again, the ledger has the order that was taken, the booking that was made and the call-back that was not."""
    async with bank_town(tmp_path) as town:
        await town.custodian.collect(order())
        await town.behave(times=2)
    async with bank_town(tmp_path) as town:
        assert await town.custodian.query("top_1") == "pending"
        town.settle()
    async with bank_town(tmp_path) as town:
        assert await town.custodian.query("top_1") == BankAnswer(FIRST, 500_00, True)
        assert await town.call_back() == [(TOP_1, said(FIRST))]
        await town.custodian.collect(order("top_2"))
        town.settle()
        assert [path[-5:] for path, _ in await town.call_back()] == ["top_2"] * 2
