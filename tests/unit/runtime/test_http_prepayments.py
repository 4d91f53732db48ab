"""What an early payment would do is told before anybody pays, and no question or payment of nonsense is let in."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from services.bidding.app import build as build_bidding
from services.repayment.app import build
from tests.unit.runtime.edge_world import World, running
from tests.unit.runtime.test_http_bad_input import assert_problem, send
from tests.unit.runtime.test_http_loans import loan

YESTERDAY, TODAY = date(2024, 2, 19), date(2024, 2, 20)


@pytest.fixture
async def repayment(keys: Path) -> AsyncIterator[World]:
    """Repayment with ada's loan of 15 January, on the 20th of February."""
    async with running(build("demo"), keys) as world:
        world.views.documents["repayment.loans"] = {"loan_1": loan()}
        world.views.documents["repayment.calendar"] = {"calendar": {"business_date": TODAY.isoformat()}}
        yield world


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("settlement", {"valid_to": YESTERDAY.isoformat()}, 409, "date_passed"),
        ("settlement", {"valid_to": "2024-02-30"}, 422, "invalid_request"),
        ("settlement", {"valid_to": "tomorrow"}, 422, "invalid_request"),
        ("settlement", {"valid_to": "2024-01-14"}, 409, "before_funding"),
        ("payoff", {"on": "2023-02-29"}, 422, "invalid_request"),
        ("payoff", {"on": YESTERDAY.isoformat()}, 409, "date_passed"),
        ("payoff", {"on": "2024-01-14"}, 409, "before_funding"),
        ("prepayment-quote", {"amount_fen": "0", "mode": "shorten"}, 422, "invalid_request"),
        ("prepayment-quote", {"amount_fen": "-5", "mode": "shorten"}, 422, "invalid_request"),
        ("prepayment-quote", {"amount_fen": "12.5", "mode": "shorten"}, 422, "invalid_request"),
        ("prepayment-quote", {"amount_fen": "20_000", "mode": "shorten"}, 422, "invalid_request"),
        ("prepayment-quote", {"amount_fen": "020000", "mode": "shorten"}, 422, "invalid_request"),
        ("prepayment-quote", {"amount_fen": "1" + "0" * 40, "mode": "shorten"}, 422, "invalid_request"),
        ("prepayment-quote", {"amount_fen": "20000", "mode": "lengthen"}, 422, "invalid_request"),
        ("prepayment-quote", {"amount_fen": "20000"}, 422, "invalid_request"),
        ("prepayment-quote", {"amount_fen": "9999", "mode": "shorten"}, 409, "below_prepay_minimum"),
        (
            "prepayment-quote",
            {"amount_fen": "20000", "mode": "shorten", "on": "2024-01-14"},
            409,
            "before_funding",
        ),
        (
            "prepayment-quote",
            {"amount_fen": "20000", "mode": "shorten", "on": YESTERDAY.isoformat()},
            409,
            "date_passed",
        ),
        (
            "prepayment-quote",
            {"amount_fen": "20000", "mode": "shorten", "on": "2024-03-15"},
            409,
            "nothing_to_prepay",
        ),
    ],
)
async def test_a_question_of_nonsense_is_answered_by_its_name(
    repayment: World, path: str, query: dict[str, str], status: int, code: str
) -> None:
    """Impossible and past days, amounts that are none, modes that are none."""
    headers = repayment.token("usr_ada", "loan:own")
    answer = await repayment.http.get(f"/repayment/loans/loan_1/{path}", params=query, headers=headers)
    assert_problem(answer, status, code)


async def test_unknown_and_other_peoples_loans_are_not_quoted(repayment: World) -> None:
    """Both are 404; one that is repaid has nothing to prepay."""
    query = {"amount_fen": "20000", "mode": "shorten"}
    for subject, name in (("usr_ada", "loan_2"), ("usr_bob", "loan_1")):
        answer = await repayment.http.get(
            f"/repayment/loans/{name}/prepayment-quote",
            params=query,
            headers=repayment.token(subject, "loan:own"),
        )
        assert_problem(answer, 404, "unknown_loan")
    repayment.views.documents["repayment.loans"]["loan_1"]["state"] = "repaid"
    headers = repayment.token("usr_ada", "loan:own")
    answer = await repayment.http.get(
        "/repayment/loans/loan_1/prepayment-quote", params=query, headers=headers
    )
    assert_problem(answer, 409, "loan_repaid")


async def test_a_void_contract_is_settled_and_not_prepaid(repayment: World) -> None:
    """What a payment would come back for is no quote; what ends the loan is one."""
    repayment.views.documents["repayment.loans"]["loan_1"]["voided_on"] = "2024-02-18"
    headers = repayment.token("usr_ada", "loan:own")
    quote = {"amount_fen": "20033", "mode": "reamortise"}
    answer = await repayment.http.get(
        "/repayment/loans/loan_1/prepayment-quote", params=quote, headers=headers
    )
    assert_problem(answer, 409, "loan_voided")
    for path, day in (("payoff", "on"), ("settlement", "valid_to")):
        query = {day: TODAY.isoformat()}
        told = await repayment.http.get(f"/repayment/loans/loan_1/{path}", params=query, headers=headers)
        assert told.status_code == 200


async def test_a_prepayment_is_quoted_by_what_would_decide_it(repayment: World) -> None:
    """20,033 fen on the 20th: 20,000 and five days' interest on it; one row is left, a month's interest on the rest in it."""
    answer = await repayment.http.get(
        "/repayment/loans/loan_1/prepayment-quote",
        params={"amount_fen": "20033", "mode": "reamortise"},
        headers=repayment.token("usr_ada", "loan:own"),
    )
    assert answer.json() == {
        "id": "loan_1",
        "value_date": "2024-02-20",
        "mode": "reamortise",
        "amount_fen": 20_033,
        "returned_fen": 0,
        "cost_fen": 0,
        "penalty_fen": 0,
        "fee_fen": 0,
        "interest_fen": 33,
        "principal_fen": 20_000,
        "saved_fen": 502 - 302 - 33,
        "rows": [
            {
                "number": 2,
                "due_on": "2024-03-15",
                "principal_fen": 30_249,
                "interest_fen": 302,
                "fee_fen": 0,
            }
        ],
    }


@pytest.mark.parametrize(
    "body",
    [
        '{"loan_id": "loan_1", "amount_fen": 0}',
        '{"loan_id": "loan_1", "amount_fen": -1}',
        '{"loan_id": "loan_1", "amount_fen": 1, "prepay": "lengthen"}',
        '{"loan_id": "loan_1", "amount_fen": 1, "prepay": true}',
        '{"loan_id": "usr_1", "amount_fen": 1}',
        '{"loan_id": "loan_1", "amount_fen": 1, "replaces": "pay 1"}',
        '{"loan_id": "loan_1", "amount_fen": 1, "replaces": ""}',
    ],
)
async def test_a_payment_of_nonsense_reaches_no_log(keys: Path, body: str) -> None:
    """What is no amount, no mode, no loan or no payment is refused where it comes in."""
    async with running(build_bidding("demo"), keys) as world:
        world.open_day(TODAY)
        answer = await send(world, "/bidding/accounts/acc_ada/loan-payments", body.encode())
        assert_problem(answer, 422, "invalid_request")
        assert world.commands() == []
