"""What a stranger, a thief or a broken client may send through the gateway: a clear problem each, and nothing lost."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from libs.runtime.auth import CUSTOMER_SCOPES
from libs.runtime.bank_signature import SIGNATURE_HEADER, TIMESTAMP_HEADER
from tests.e2e.town import Person, Town, eventually


def assert_problem(answer: httpx.Response, status: int, code: str) -> None:
    """A whole problem+json with this status and type."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert (answer.status_code, body["type"], body["status"]) == (
        status,
        f"urn:loanstream:problem:{code}",
        status,
    )


@pytest.fixture(scope="module")
def ada(town: Town) -> Person:
    """A customer with 1,000.00 yuan who is asked for nothing else."""
    return town.customer("ada", 100_000)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ('{"amount_fen": 5', 400, "malformed_json"),
        ("\x00", 400, "malformed_json"),
        ('{"amount_fen": NaN}', 400, "malformed_json"),
        ('{"amount_fen": "5"}', 422, "invalid_request"),
        ('{"amount_fen": 5.5}', 422, "invalid_request"),
        ('{"amount_fen": 5.0}', 422, "invalid_request"),
        ('{"amount_fen": true}', 422, "invalid_request"),
        ('{"amount_fen": -5}', 422, "invalid_request"),
        ('{"amount_fen": 0}', 422, "invalid_request"),
        ('{"amount_fen": 1000000000000001}', 422, "invalid_request"),
        ('{"amount_fen": 1' + "0" * 400 + "}", 422, "invalid_request"),
        ('{"amount_fen": 5, "to": "acc_other"}', 422, "invalid_request"),
        ("{}", 422, "invalid_request"),
        ("[]", 422, "invalid_request"),
        ('{"pad": "' + "x" * 256 * 1024 + '"}', 413, "too_large"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_bad_body_is_a_clear_problem(town: Town, ada: Person, body: str, status: int, code: str) -> None:
    """Malformed JSON, wrong types, negative, zero, fractional and huge amounts, unknown fields, too many bytes."""
    headers = {
        "Authorization": f"Bearer {ada.token}",
        "Idempotency-Key": uuid4().hex,
        "Content-Type": "application/json",
    }
    answer = town.http.post(
        f"/bidding/accounts/{ada.account}/withdrawals", content=body.encode(), headers=headers
    )
    assert_problem(answer, status, code)
    assert ada.balance()["available_fen"] == 100_000


def test_an_unread_body_does_not_hide_the_refusal(town: Town) -> None:
    """Who is turned away before his body is looked at still gets the whole answer, every time."""
    body = b"x" * 250 * 1024
    for path, status, code in (
        ("/bidding/accounts", 401, "missing_token"),
        ("/bidding/nowhere", 404, "not_found"),
    ):
        for _ in range(10):
            assert_problem(town.http.post(path, content=body), status, code)


def test_unknown_addresses_and_ids_are_404(town: Town, ada: Person) -> None:
    """No such service, route, listing, loan or command; a command that does not exist has no address."""
    for path, code in (
        ("/nothing", "not_found"),
        ("/bidding/nothing", "not_found"),
        ("/bidding/listings/lst_nothing", "unknown_listing"),
        ("/repayment/loans/loan_nothing", "unknown_loan"),
        ("/bidding/commands/00000000-0000-5000-8000-000000000000", "unknown_command"),
    ):
        assert_problem(ada.get(path), 404, code)
    assert_problem(ada.post("/bidding/make-me-rich", {}), 404, "not_found")


def test_the_inner_addresses_stay_inside(ada: Person) -> None:
    """Metrics and readiness of a service are not for the world."""
    for path in ("/metrics", "/readyz", "/bidding/metrics", "/bidding/readyz", "/bidding/healthz"):
        assert_problem(ada.get(path), 404, "not_found")


def test_other_peoples_things_do_not_exist(town: Town, ada: Person) -> None:
    """Bob's account, Bob's command and Bob's top-up are nobody's for ada; nothing of his moves."""
    bob = town.customer("bob", 50_000)
    for path, body in (
        ("withdrawals", {"amount_fen": 1}),
        ("top-ups", {"amount_fen": 1}),
        ("bids", {"listing_id": "lst_x", "amount_fen": 1}),
        ("loan-payments", {"loan_id": "loan_x", "amount_fen": 1}),
    ):
        assert_problem(ada.post(f"/bidding/accounts/{bob.account}/{path}", body), 404, "unknown_account")
    assert_problem(ada.get(f"/bidding/accounts/{bob.account}"), 404, "unknown_account")
    assert bob.balance()["available_fen"] == 50_000


def test_tokens_are_needed_and_checked(town: Town, ada: Person) -> None:
    """None, expired, forged, of another kind: 401; without the scope: 403."""
    path = f"/bidding/accounts/{ada.account}"
    forged = ada.token[:-8] + ("AAAAAAAA" if not ada.token.endswith("AAAAAAAA") else "BBBBBBBB")
    expired = town.person(ada.subject, *CUSTOMER_SCOPES, ttl_s=-1).token
    for header, code in (
        (None, "missing_token"),
        ("Basic YTph", "invalid_token"),
        (f"Bearer {forged}", "invalid_token"),
        (f"Bearer {expired}", "expired_token"),
    ):
        answer = town.http.get(path, headers={"Authorization": header} if header else {})
        assert_problem(answer, 401, code)
        assert "WWW-Authenticate" in answer.headers
    assert_problem(
        ada.post("/repayment/calendar/close", {"business_date": "2024-01-15"}), 403, "forbidden_scope"
    )


def test_a_key_is_needed_and_bound_to_its_body(town: Town, ada: Person) -> None:
    """No key 400; the same key and body the same bytes; the same key with another body 422."""
    path = f"/bidding/accounts/{ada.account}/top-ups"
    token = {"Authorization": f"Bearer {ada.token}", "Content-Type": "application/json"}
    assert_problem(
        town.http.post(path, content=b'{"amount_fen":1}', headers=token), 400, "missing_idempotency_key"
    )
    key = uuid4().hex
    answers = [ada.post(path, {"amount_fen": 700}, key=key) for _ in range(3)]
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert_problem(ada.post(path, {"amount_fen": 701}, key=key), 422, "key_reused")
    assert ada.post(path, {"amount_fen": 700}, key=key).content == answers[0].content


def test_a_refusal_stays_a_refusal(town: Town) -> None:
    """What was refused under a key is refused under it for ever, also when there is money at last; a new key is a new wish."""
    eve = town.customer("eve")
    path = f"/bidding/accounts/{eve.account}/withdrawals"
    first = eve.post(path, {"amount_fen": 500}, key="k")
    assert_problem(first, 409, "insufficient_available")
    town.deposit(eve, 500)
    assert eve.post(path, {"amount_fen": 500}, key="k").content == first.content
    assert eve.post(path, {"amount_fen": 500}, key="k2").status_code == 201


def test_the_bank_is_believed_for_its_signature(town: Town) -> None:
    """A call-back twice is one deposit and one answer; unsigned, mis-signed, old or about something else it is nothing."""
    fay = town.customer("fay")
    asked = fay.post(f"/bidding/accounts/{fay.account}/top-ups", {"amount_fen": 900}).json()
    path = f"/bidding/bank/top-ups/{fay.account}/{asked['id']}"
    for changed in (
        {SIGNATURE_HEADER: "v1=" + "0" * 64},
        {SIGNATURE_HEADER: ""},
        {TIMESTAMP_HEADER: "1700000000"},
    ):
        assert_problem(town.bank(path, 900, changed=changed), 401, "bad_signature")
    assert_problem(
        fay.post(path, {"bank_reference": "B", "amount_fen": 900, "succeeded": True}), 401, "bad_signature"
    )
    assert fay.balance()["available_fen"] == 0

    assert_problem(town.bank(path, 901), 409, "amount_differs")
    reference = f"B-{uuid4().hex[:12]}"
    answers = [town.bank(path, 900, reference=reference) for _ in range(3)]
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
    assert_problem(town.bank(path, 900), 409, "top_up_already_answered")
    assert_problem(town.bank(path.replace(asked["id"], "top_none"), 900), 404, "unknown_top_up")
    eventually(lambda: _available(fay, 900))


def _available(person: Person, amount_fen: int) -> None:
    assert person.balance()["available_fen"] == amount_fen


def test_the_log_refuses_what_the_shape_cannot(town: Town) -> None:
    """Rules of the business come back as named refusals: a tenor of no product, a fee above the amount, a day too early."""
    operator, bo = town.operator(), town.customer("bo")
    good: dict[str, Any] = {
        "borrower": bo.subject,
        "amount_fen": 100_000,
        "annual_rate": "0.12",
        "tenor_months": 3,
        "grade": "B",
    }
    for change, code in (
        ({"tenor_months": 360}, "invalid_tenor"),
        ({"window_days": 90}, "invalid_window"),
        ({"origination_fee_fen": 100_000}, "invalid_fee"),
    ):
        assert_problem(operator.post("/bidding/listings", good | change), 422, code)
    early = {"business_date": town.today.replace(year=town.today.year + 1).isoformat()}
    assert_problem(operator.post("/repayment/calendar/close", early), 409, "day_not_reached")
    assert_problem(operator.post("/repayment/calendar", early), 409, "calendar_already_open")


def test_the_contract_is_public(town: Town) -> None:
    """Each service shows its OpenAPI 3.1 document and a page of it, to anybody."""
    for service in ("bidding", "repayment"):
        document = town.http.get(f"/{service}/openapi.json")
        assert document.status_code == 200
        assert json.loads(document.text)["openapi"].startswith("3.1")
        assert "text/html" in town.http.get(f"/{service}/docs").headers["content-type"]
