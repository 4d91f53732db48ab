"""The bank's call-backs: believed for their signature, answered the same however often they come."""

import time
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic_core import to_json

from libs.runtime.bank_signature import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    TOLERANCE_S,
    is_signed,
    signature,
    signed_headers,
)
from libs.runtime.http.commands import sealed
from services.bidding.app import build
from services.bidding.bank_answers import call_of, order_of
from services.bidding.custodian import BankAnswer, Kind
from tests.unit.runtime.edge_world import World, running

SECRET = b"s" * 32


@pytest.fixture
async def world(keys: Path) -> AsyncIterator[World]:
    """Ada has an open account."""
    async with running(build("demo"), keys) as running_world:
        running_world.open_day(date(2024, 3, 15))
        await customer(running_world, "/bidding/accounts", None, "open")
        yield running_world


async def customer(world: World, path: str, body: Any, key: str) -> httpx.Response:
    """Ada asks for something."""
    headers = world.token("usr_ada", "account:own") | {"Idempotency-Key": key}
    return await world.http.post(path, json=body, headers=headers)


async def bank(world: World, path: str, body: Any, **changed: str) -> httpx.Response:
    """The bank calls back, with headers changed."""
    raw = body if isinstance(body, bytes) else to_json(body)
    signed = signed_headers(world.settings.bank_key(), path, raw, now=time.time())
    return await world.http.post(
        path, content=raw, headers=signed | {"Content-Type": "application/json"} | changed
    )


async def requested(world: World, what: str, amount_fen: int, key: str = "k") -> str:
    """The call-back address of a new request of ada's."""
    answer = await customer(world, f"/bidding/accounts/acc_ada/{what}", {"amount_fen": amount_fen}, key)
    assert answer.status_code == 201, answer.text
    return f"/bidding/bank/{what}/acc_ada/{answer.json()['id']}"


def booked(amount_fen: int, reference: str = "B-1", *, succeeded: bool = True) -> dict[str, Any]:
    """The bank's answer."""
    return {"bank_reference": reference, "amount_fen": amount_fen, "succeeded": succeeded}


async def test_a_confirmed_top_up_is_a_deposit(world: World) -> None:
    """The signed answer completes the pending request; the bank is the command's principal."""
    path = await requested(world, "top-ups", 5_000)
    answer = await bank(world, path, booked(5_000))
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "id": path.rsplit("/", 1)[1],
        "account_id": "acc_ada",
        "status": "deposited",
        "amount_fen": 5_000,
    }
    assert world.commands()[-1]["principal"] == "bank"


async def test_the_same_call_again_is_the_same_answer(world: World) -> None:
    """Twice, with a new timestamp and so a new signature: the same bytes, one deposit."""
    path = await requested(world, "top-ups", 5_000)
    first, second = await bank(world, path, booked(5_000)), await bank(world, path, booked(5_000))
    assert (first.status_code, first.content) == (second.status_code, second.content)
    withdrawal = await customer(world, "/bidding/accounts/acc_ada/withdrawals", {"amount_fen": 5_001}, "w")
    assert withdrawal.json()["type"] == "urn:loanstream:problem:insufficient_available"


async def test_a_replayed_call_has_no_effect_and_an_old_one_no_answer(world: World) -> None:
    """Byte for byte the same, signature and all: inside its time nobody can tell it from the bank's own second try, which must hear
    that it was heard, so the log repeats its first answer and nothing moves; after that it is refused, whoever sends it.
    """
    path, raw = await requested(world, "top-ups", 5_000), to_json(booked(5_000))
    content = {"Content-Type": "application/json"}
    signed = signed_headers(world.settings.bank_key(), path, raw, now=time.time()) | content
    first, again = [await world.http.post(path, content=raw, headers=signed) for _ in range(2)]
    assert (first.status_code, again.content) == (200, first.content)
    one, two = world.commands()[-2:]
    assert (one["command_id"], one["type"]) == (two["command_id"], "bidding.ConfirmTopUp")
    sent = len(world.commands())
    old_s = time.time() - TOLERANCE_S - 5
    old = signed_headers(world.settings.bank_key(), path, raw, now=old_s) | content
    late = await world.http.post(path, content=raw, headers=old)
    assert (late.status_code, late.json()["type"]) == (401, "urn:loanstream:problem:bad_signature")
    assert len(world.commands()) == sent
    withdrawal = await customer(world, "/bidding/accounts/acc_ada/withdrawals", {"amount_fen": 5_001}, "w")
    assert withdrawal.json()["type"] == "urn:loanstream:problem:insufficient_available"


async def test_the_same_answer_written_otherwise_is_the_same_answer(world: World) -> None:
    """Fields in another order, spaces between them: what it says counts, not its bytes."""
    path = await requested(world, "top-ups", 5_000)
    first = await bank(world, path, booked(5_000))
    turned = dict(reversed(booked(5_000).items()))
    for raw in (to_json(turned), to_json(turned, indent=2)):
        again = await bank(world, path, raw)
        assert (again.status_code, again.content) == (first.status_code, first.content)


@pytest.mark.parametrize("what", ["top-ups", "withdrawals"])
async def test_a_corrected_answer_is_heard_under_the_same_reference(world: World, what: str) -> None:
    """A refused call-back, with a wrong amount, does not lock its reference: the right one books, and books once."""
    await bank(world, await requested(world, "top-ups", 9_000, "t"), booked(9_000, "B-0"))
    path = await requested(world, what, 5_000)
    wrong = await bank(world, path, booked(5_001))
    assert wrong.json()["type"] == "urn:loanstream:problem:amount_differs"
    right = await bank(world, path, booked(5_000))
    assert (right.status_code, right.json()["amount_fen"]) == (200, 5_000), right.text
    assert (await bank(world, path, booked(5_001))).content == wrong.content
    assert (await bank(world, path, booked(5_000))).content == right.content


async def test_without_a_decision_in_time_the_bank_is_told_to_call_again(world: World) -> None:
    """202 names no address, because the bank has no token to read it with; the same call later is answered."""
    path = await requested(world, "top-ups", 5_000)
    world.decider_is_held = True
    pending = await bank(world, path, booked(5_000))
    command_id = world.commands()[-1]["command_id"]
    assert (pending.status_code, pending.json()) == (202, {"id": command_id, "status": "pending"})
    assert "Location" not in pending.headers
    world.decider_is_held = False
    world.decide()
    answer = await bank(world, path, booked(5_000))
    assert (answer.status_code, answer.json()["status"]) == (200, "deposited")


async def test_a_request_is_answered_once(world: World) -> None:
    """Another amount, another outcome or another reference for an answered request: refused, nothing moves."""
    path = await requested(world, "top-ups", 5_000)
    await bank(world, path, booked(5_000))
    for other in (booked(6_000), booked(5_000, "B-2"), booked(5_000, succeeded=False)):
        late = await bank(world, path, other)
        assert (late.status_code, late.json()["type"]) == (
            409,
            "urn:loanstream:problem:top_up_already_answered",
        )


async def test_only_what_was_asked_for_can_be_confirmed(world: World) -> None:
    """Another amount, an unknown request, an unknown account: refused by name."""
    path = await requested(world, "top-ups", 5_000)
    assert (await bank(world, path, booked(4_999))).json()["type"].endswith(":amount_differs")
    unknown = await bank(world, "/bidding/bank/top-ups/acc_ada/top_none", booked(5_000))
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:loanstream:problem:unknown_top_up")
    nobody = await bank(world, "/bidding/bank/top-ups/acc_nobody/top_1", booked(5_000))
    assert (nobody.status_code, nobody.json()["type"]) == (404, "urn:loanstream:problem:unknown_account")


async def test_a_refusal_of_the_bank_moves_nothing(world: World) -> None:
    """A failed top-up is answered as failed; a failed withdrawal gives the money back."""
    path = await requested(world, "top-ups", 5_000)
    answer = await bank(world, path, booked(5_000, succeeded=False))
    assert (answer.status_code, answer.json()["status"]) == (200, "failed")


async def test_a_withdrawal_is_confirmed_likewise(world: World) -> None:
    """The held amount leaves with the bank's answer, once."""
    await bank(world, await requested(world, "top-ups", 5_000, "t"), booked(5_000))
    path = await requested(world, "withdrawals", 3_000, "w")
    first = await bank(world, path, booked(3_000, "B-2"))
    assert (first.status_code, first.json()["status"], first.json()["amount_fen"]) == (200, "paid", 3_000)
    assert (await bank(world, path, booked(3_000, "B-2"))).content == first.content


@pytest.mark.parametrize(
    "changed",
    [
        {SIGNATURE_HEADER: "v1=" + "0" * 64},
        {SIGNATURE_HEADER: ""},
        {SIGNATURE_HEADER: "v0=" + "0" * 64},
        {TIMESTAMP_HEADER: "0"},
        {TIMESTAMP_HEADER: "now"},
        {TIMESTAMP_HEADER: str(int(time.time()) + 1)},
        {TIMESTAMP_HEADER: "9" * 40},
    ],
    ids=str,
)
async def test_a_bad_signature_is_401(world: World, changed: dict[str, str]) -> None:
    """A wrong signature, a missing one, or one for another time: nothing is sent."""
    path = await requested(world, "top-ups", 5_000)
    sent = len(world.commands())
    answer = await bank(world, path, booked(5_000), **changed)
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:loanstream:problem:bad_signature")
    assert "WWW-Authenticate" in answer.headers
    assert len(world.commands()) == sent


async def test_a_signature_is_for_one_path_and_body(world: World) -> None:
    """What was signed for one request confirms no other one, and no other amount."""
    path, other = await requested(world, "top-ups", 5_000, "a"), await requested(world, "top-ups", 5_000, "b")
    body = to_json(booked(5_000))
    headers = signed_headers(world.settings.bank_key(), path, body, now=time.time())
    headers["Content-Type"] = "application/json"
    assert (await world.http.post(other, content=body, headers=headers)).status_code == 401
    assert (await world.http.post(path, content=body + b" ", headers=headers)).status_code == 401
    assert (await world.http.post(path, content=body, headers=headers)).status_code == 200


async def test_a_signed_body_is_still_checked(world: World) -> None:
    """The bank's mistakes are told as anybody's: bad JSON, wrong types, references that are none."""
    path = await requested(world, "top-ups", 5_000)
    assert (await bank(world, path, b"{")).status_code == 400
    for body in (
        booked(5_000) | {"amount_fen": "5000"},
        booked(5_000, "<script>"),
        booked(5_000, "r" * 65),
        booked(0),
        {},
    ):
        assert (await bank(world, path, body)).status_code == 422


@pytest.mark.parametrize(
    ("age_s", "good"), [(0, True), (299, True), (-299, True), (301, False), (-301, False)]
)
def test_a_signature_lives_five_minutes(age_s: int, good: bool) -> None:
    """A call-back is believed within five minutes of its timestamp, either way."""
    signed = signature(SECRET, 1_000_000, "/p", b"{}")
    assert good is is_signed(SECRET, "/p", b"{}", timestamp="1000000", claimed=signed, now=1_000_000 + age_s)


def test_parts_of_a_signature_cannot_be_shifted() -> None:
    """Moving bytes between path and body changes the signature."""
    assert signature(SECRET, 1, "/ab", b"c") != signature(SECRET, 1, "/a", b"bc")
    assert signature(SECRET, 1, "/a", b"") != signature(SECRET, 11, "/a", b"")


async def test_money_that_nobody_asked_for_is_booked_under_its_reference(world: World) -> None:
    """Signed like every call-back; the same again is the same answer, another amount under one reference is not."""
    path = "/bidding/bank/unrequested/bankref_B77"
    first, again = [await bank(world, path, {"amount_fen": 30_00}) for _ in range(2)]
    assert (first.status_code, first.json()) == (200, {"id": "bankref_B77", "amount_fen": 30_00})
    assert again.content == first.content
    assert (await bank(world, path, {"amount_fen": 30_01})).json()["type"].endswith(":amount_differs")
    assert (await world.http.post(path, json={"amount_fen": 30_00})).status_code == 401


@pytest.mark.parametrize(("what", "kind"), [("top-ups", "collect"), ("withdrawals", "pay_out")])
@pytest.mark.parametrize("code", [None, "not_own_name"])
async def test_a_query_and_a_call_back_are_one_command(
    world: World, what: str, kind: Kind, code: str | None
) -> None:
    """What the courier would send has the id and the fingerprint of the call-back: whichever comes first, it counts once."""
    await bank(world, await requested(world, "top-ups", 9_000, "t"), booked(9_000, "B-0"))
    path = await requested(world, what, 5_000)
    request_id = path.rsplit("/", 1)[1]
    answer = BankAnswer("B-1", 5_000, code is None, code)
    order = order_of(kind, "acc_ada", request_id, answer)
    ours = sealed(world.settings.fingerprint_secret(), call_of(kind, "acc_ada", request_id), order)
    said = booked(5_000, succeeded=code is None) | ({} if code is None else {"code": code})
    told = await bank(world, path, said)
    assert told.status_code == 200, told.text
    [theirs] = [command for command in world.commands() if command["command_id"] == ours.command_id]
    assert theirs["fingerprint"] == ours.fingerprint
    assert (await bank(world, path, said)).content == told.content
