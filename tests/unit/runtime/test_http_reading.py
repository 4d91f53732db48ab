"""Reading a view: one's own writes with a token, pages by cursor, only what the answer's model names."""

import time
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from libs.runtime.auth import SCOPES
from libs.runtime.http.positions import format_positions, has_reached, merged, parse_positions
from libs.runtime.http.problems import Problem
from services.bidding.app import build
from services.repayment.app import build as build_repayment
from tests.unit.runtime.edge_world import World, running

TOKEN = "Loanstream-Position"


def listing(number: int, state: str = "open") -> dict[str, Any]:
    """A document of bidding.open-listings."""
    return {
        "_id": f"lst_{number}",
        "listing_id": f"lst_{number}",
        "loan_id": f"loan_{number}",
        "borrower": "usr_secret",
        "state": state,
        "amount_fen": 100_000,
        "bid_min_fen": 10_000,
        "raised_fen": 0,
        "remaining_fen": 100_000,
        "bids": 0,
        "annual_rate": "0.12",
        "rate_units": 12_000_000,
        "tenor_months": 12,
        "grade": "B",
        "product": "",
        "region": "",
        "closes_on": "2024-03-25",
        "origination_fee_fen": 0,
        "interest_fee_permille": 100,
        "src": {"lst_1": "bidding/0/1/0"},
    }


def loan(borrower: str = "usr_ada", state: str = "running") -> dict[str, Any]:
    """A document of repayment.loans: 1,000.00 at 12 % in two instalments, the first one paid."""
    return {
        "loan_id": "loan_1",
        "listing_id": "lst_1",
        "borrower": borrower,
        "borrower_account": "acc_ada",
        "state": state,
        "bucket": "current",
        "principal_fen": 100_000,
        "outstanding_fen": 50_249,
        "overdue_fen": 0,
        "annual_rate": "0.12",
        "tenor_months": 2,
        "installment_fen": 50_751,
        "grade": "B",
        "funded_on": "2024-01-15",
        "rows": {
            "2": {
                "due_on": "2024-03-15",
                "principal_fen": 50_249,
                "interest_fen": 502,
                "paid_principal_fen": 0,
                "paid_interest_fen": 0,
                "missed": False,
            },
            "1": {
                "due_on": "2024-02-15",
                "principal_fen": 49_751,
                "interest_fen": 1_000,
                "paid_principal_fen": 49_751,
                "paid_interest_fen": 1_000,
                "missed": False,
            },
        },
    }


@pytest.fixture
async def world(keys: Path) -> AsyncIterator[World]:
    """Bidding with five open listings and one that is funded."""
    async with running(build("demo"), keys, read_wait_s=0.1) as running_world:
        running_world.open_day(date(2024, 3, 15))
        documents = [listing(number) for number in range(5)] + [listing(9, "funded")]
        running_world.views.documents["bidding.open-listings"] = {
            document["listing_id"]: document for document in documents
        }
        yield running_world


@pytest.fixture
async def repayment(keys: Path) -> AsyncIterator[World]:
    """Repayment with ada's loan."""
    async with running(build_repayment("demo"), keys) as running_world:
        running_world.views.documents["repayment.loans"] = {"loan_1": loan()}
        yield running_world


async def test_an_account_shows_its_own_fields_only(world: World) -> None:
    """A document is never returned raw: missing sums are zero, inner fields stay inside."""
    world.views.documents["bidding.balances"] = {
        "acc_ada": {
            "_id": "acc_ada",
            "account_id": "acc_ada",
            "owner": "usr_ada",
            "available_fen": 7,
            "held_fen": 3,
        }
    }
    answer = await world.http.get("/bidding/accounts/acc_ada", headers=world.token("usr_ada", "account:own"))
    zeros = dict.fromkeys(
        (
            "deposited_fen",
            "withdrawn_fen",
            "invested_fen",
            "principal_back_fen",
            "interest_fen",
            "penalty_fen",
            "fees_fen",
            "borrowed_fen",
            "repaid_fen",
            "vouchers_fen",
            "bought_fen",
            "sold_fen",
            "adjusted_fen",
            "owed_fen",
        ),
        0,
    )
    assert answer.status_code == 200
    assert answer.json() == {"id": "acc_ada", "available_fen": 7, "held_fen": 3} | zeros
    assert answer.headers["Cache-Control"] == "no-store"


async def test_the_platforms_account_is_nobodys(world: World) -> None:
    """A user whose id ends as the fee account's does neither reads it nor writes to it."""
    fees = {"account_id": "acc_fees", "owner": "platform", "available_fen": 689_700, "held_fen": 0}
    world.views.documents["bidding.balances"] = {"acc_fees": fees}
    caller = world.token("usr_fees", "account:own")
    read = await world.http.get("/bidding/accounts/acc_fees", headers=caller)
    assert (read.status_code, read.json()["type"]) == (404, "urn:loanstream:problem:unknown_account")
    asked = await world.http.post(
        "/bidding/accounts/acc_fees/withdrawals",
        json={"amount_fen": 1},
        headers=caller | {"Idempotency-Key": "k"},
    )
    assert (asked.status_code, asked.json()["type"]) == (404, "urn:loanstream:problem:unknown_account")


async def test_a_listing_hides_its_borrower(world: World) -> None:
    """Who borrows is nobody's business before the loan; where a document comes from neither."""
    answer = await world.http.get("/bidding/listings/lst_9", headers=world.token("usr_ada", "listing:read"))
    assert answer.json()["state"] == "funded"
    assert answer.json().keys() & {"borrower", "src", "_id"} == set()


async def test_pages_follow_a_cursor(world: World) -> None:
    """Open listings come page by page, each once, until `next` is null."""
    headers = world.token("usr_ada", "listing:read")
    seen: list[str] = []
    query: dict[str, str] = {"limit": "2"}
    while True:
        page = (await world.http.get("/bidding/listings", params=query, headers=headers)).json()
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert seen == [f"lst_{number}" for number in range(5)]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x"])
async def test_a_bad_page_is_422(world: World, query: str) -> None:
    """Limits are checked like everything else."""
    answer = await world.http.get(
        f"/bidding/listings?{query}", headers=world.token("usr_ada", "listing:read")
    )
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_read_waits_for_ones_own_write(world: World) -> None:
    """With a token that the view has reached, the answer is at once and not stale; the token is handed on."""
    world.views.applied["bidding.open-listings"] = {("bidding", 0): 41, ("bidding", 1): 7}
    headers = world.token("usr_ada", "listing:read") | {TOKEN: "bidding/0=41"}
    answer = await world.http.get("/bidding/listings", headers=headers)
    assert "Loanstream-Stale" not in answer.headers
    assert answer.headers[TOKEN] == "bidding/0=41"


async def test_a_view_that_is_behind_answers_stale(world: World) -> None:
    """After the wait the answer comes anyway, marked; it waited, and not for longer than it may."""
    world.views.applied["bidding.open-listings"] = {("bidding", 0): 40}
    headers = world.token("usr_ada", "listing:read") | {TOKEN: "bidding/0=41"}
    started = time.monotonic()
    answer = await world.http.get("/bidding/listings", headers=headers)
    assert 0.1 <= time.monotonic() - started < 2
    assert (answer.status_code, answer.headers["Loanstream-Stale"]) == (200, "true")
    assert len(answer.json()["items"]) == 5


async def test_a_stale_view_says_so_of_what_it_lacks(world: World) -> None:
    """A 404 from a view that is behind is marked like any other answer: it may be there in a moment."""
    world.views.applied["bidding.open-listings"] = {("bidding", 0): 40}
    headers = world.token("usr_ada", "listing:read") | {TOKEN: "bidding/0=41"}
    answer = await world.http.get("/bidding/listings/lst_new", headers=headers)
    assert (answer.status_code, answer.headers["Loanstream-Stale"]) == (404, "true")
    assert answer.headers[TOKEN] == "bidding/0=41"


async def test_partitions_that_a_view_does_not_read_are_ignored(world: World) -> None:
    """A token may name other services: a view waits only for what it reads."""
    world.views.applied["bidding.open-listings"] = {("bidding", 0): 41}
    headers = world.token("usr_ada", "listing:read") | {TOKEN: "repayment/0=99,bidding/0=41"}
    answer = await world.http.get("/bidding/listings", headers=headers)
    assert "Loanstream-Stale" not in answer.headers


@pytest.mark.parametrize(
    "token", ["x", "bidding/0", "bidding/-1=4", "bidding/0=4;drop", "a/0=1," * 4000, "b/0=0x1"]
)
async def test_a_token_that_we_never_wrote_is_400(world: World, token: str) -> None:
    """A position header is ours or wrong, on reads and on commands."""
    headers = world.token("usr_ada", "listing:read", "account:own") | {TOKEN: token, "Idempotency-Key": "k"}
    for answer in (
        await world.http.get("/bidding/listings", headers=headers),
        await world.http.post("/bidding/accounts", headers=headers),
    ):
        assert (answer.status_code, answer.json()["type"]) == (
            400,
            "urn:loanstream:problem:malformed_position",
        )
    assert world.commands() == []


def test_positions_read_back_what_they_write() -> None:
    """The header is a map in a fixed order; merging keeps the higher position."""
    first, second = {("bidding", 2): 1041, ("repayment", 0): 3}, {("bidding", 2): 7, ("bidding", 0): 1}
    text = format_positions(merged(first, second))
    assert text == "bidding/0=1,bidding/2=1041,repayment/0=3"
    assert parse_positions(text) == merged(second, first)
    assert parse_positions(None) == {}
    with pytest.raises(Problem):
        parse_positions(",")


def test_reached_means_every_partition_of_the_view() -> None:
    """All wanted positions must be applied where the view reads; others do not count."""
    assert has_reached({("a", 0): 5, ("a", 1): 2}, {("a", 0): 5, ("b", 0): 9})
    assert not has_reached({("a", 0): 5, ("a", 1): 2}, {("a", 0): 5, ("a", 1): 3})


COMMAND = "00000000-0000-5000-8000-000000000000"


def decided(outcome: str, event_type: str, data: dict[str, Any], owner: str = "usr_ada") -> dict[str, Any]:
    """A document of bidding.commands."""
    return {
        "owner": owner,
        "type": "bidding.OpenAccount",
        "outcome": outcome,
        "code": data.get("code"),
        "position": "bidding/1/7",
        "at": None,
        "events": [{"type": event_type, "stream": "acc_ada", "sequence": 1, "data": data}],
    }


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        (
            decided("decided", "bidding.AccountOpened.v1", {"account_id": "acc_ada", "owner": "usr_ada"}),
            {"status": "decided", "code": None, "answer": {"id": "acc_ada"}},
        ),
        (
            decided("refused", "system.CommandRefused.v1", {"code": "account_exists"}),
            {"status": "refused", "code": "account_exists", "answer": None},
        ),
        (
            decided("no_effect", "system.CommandHadNoEffect.v1", {}),
            {"status": "no_effect", "code": None, "answer": None},
        ),
    ],
    ids=["decided", "refused", "no_effect"],
)
async def test_a_command_is_shown_to_its_sender(
    world: World, document: dict[str, Any], shown: dict[str, Any]
) -> None:
    """What became of a command, with the answer that its request gets when it is sent again."""
    world.views.documents["bidding.commands"] = {COMMAND: document}
    headers = world.token("usr_ada", "account:own")
    answer = await world.http.get(f"/bidding/commands/{COMMAND}", headers=headers)
    assert answer.status_code == 200, answer.text
    expected = {"id": COMMAND, "type": "bidding.OpenAccount", "position": "bidding/1/7"} | shown
    assert answer.json() == expected


@pytest.mark.parametrize("scope", sorted(SCOPES))
async def test_every_scope_lets_its_bearer_ask_for_his_own_command(world: World, scope: str) -> None:
    """Staff and customers alike follow the Location of a 202: what they sent is theirs, whatever allowed them to."""
    world.views.documents["bidding.commands"] = {COMMAND: decided("refused", "x", {"code": "c"})}
    own = await world.http.get(f"/bidding/commands/{COMMAND}", headers=world.token("usr_ada", scope))
    assert (own.status_code, own.json()["code"]) == (200, "c")
    other = await world.http.get(f"/bidding/commands/{COMMAND}", headers=world.token("stf_eve", scope))
    assert other.status_code == 404


async def test_other_peoples_commands_do_not_exist(world: World) -> None:
    """Somebody else's command, one that is not decided yet and one that never was give the same 404."""
    world.views.documents["bidding.commands"] = {COMMAND: decided("refused", "x", {"code": "c"}, "usr_bob")}
    headers = world.token("usr_ada", "account:own")
    other = await world.http.get(f"/bidding/commands/{COMMAND}", headers=headers)
    none = await world.http.get(f"/bidding/commands/{COMMAND[:-1]}1", headers=headers)
    assert (other.status_code, other.json()["type"]) == (404, "urn:loanstream:problem:unknown_command")
    assert other.content == none.content


async def test_a_borrower_sees_his_loan(repayment: World) -> None:
    """The loan with its rows in order; not the account it is paid from."""
    answer = await repayment.http.get(
        "/repayment/loans/loan_1", headers=repayment.token("usr_ada", "loan:own")
    )
    assert answer.status_code == 200
    assert [row["number"] for row in answer.json()["rows"]] == [1, 2]
    assert answer.json()["repaid_on"] is None
    assert "borrower_account" not in answer.json()


async def test_somebody_elses_loan_does_not_exist(repayment: World) -> None:
    """Another customer gets what he gets for a loan that is not there; an operator sees it."""
    bob = repayment.token("usr_bob", "loan:own")
    for path in ("/repayment/loans/loan_1", "/repayment/loans/loan_1/payoff?on=2024-02-20"):
        answer = await repayment.http.get(path, headers=bob)
        nothing = await repayment.http.get(path.replace("loan_1", "loan_x"), headers=bob)
        assert answer.status_code == 404
        assert answer.content == nothing.content
        assert (
            await repayment.http.get(path, headers=repayment.token("stf_o", "operator"))
        ).status_code == 200


async def test_the_payoff_is_what_settling_costs(repayment: World) -> None:
    """Open principal and the interest for the days it was really used, at most the period's."""
    headers = repayment.token("usr_ada", "loan:own")
    path = "/repayment/loans/loan_1/payoff"
    quoted = (await repayment.http.get(path, params={"on": "2024-02-25"}, headers=headers)).json()
    assert quoted == {
        "id": "loan_1",
        "value_date": "2024-02-25",
        "amount_fen": 50_249 + 165,
    }  # 10 days at 12 %/365
    for query in ({}, {"on": "soon"}, {"on": "1710460800"}):
        assert (await repayment.http.get(path, params=query, headers=headers)).status_code == 422
    repayment.views.documents["repayment.loans"]["loan_1"]["state"] = "repaid"
    assert (await repayment.http.get(path, params={"on": "2024-02-25"}, headers=headers)).json()[
        "amount_fen"
    ] == 0


async def test_a_settlement_is_offered_until_a_day(repayment: World) -> None:
    """Ten days of interest until the 25th, told part by part; a repaid loan costs nothing, and no day is no offer."""
    headers = repayment.token("usr_ada", "loan:own")
    path = "/repayment/loans/loan_1/settlement"
    offered = await repayment.http.get(path, params={"valid_to": "2024-02-25"}, headers=headers)
    assert offered.json() == {
        "id": "loan_1",
        "valid_to": "2024-02-25",
        "amount_fen": 50_249 + 165,
        "penalty_fen": 0,
        "fee_fen": 0,
        "interest_fen": 165,
        "principal_fen": 50_249,
    }
    assert (await repayment.http.get(path, headers=headers)).status_code == 422
    repayment.views.documents["repayment.loans"]["loan_1"]["state"] = "repaid"
    nothing = await repayment.http.get(path, params={"valid_to": "2024-02-25"}, headers=headers)
    assert nothing.json()["amount_fen"] == 0


async def test_buckets_are_shown_without_their_rows(repayment: World) -> None:
    """The analyst sees sums, from current to worst, and no borrower."""
    repayment.views.documents["repayment.overdue-buckets"] = {
        "bucket:M1": {"kind": "bucket", "bucket": "M1", "loans": 1, "principal_fen": 5},
        "bucket:current": {"kind": "bucket", "bucket": "current", "loans": 2, "principal_fen": 9},
        "loan:loan_1": {"kind": "loan", "loan_id": "loan_1", "borrower": "usr_ada", "bucket": "M1"},
    }
    answer = await repayment.http.get(
        "/repayment/overdue-buckets", headers=repayment.token("stf_ann", "analyst")
    )
    assert answer.json() == {
        "items": [
            {"bucket": "current", "loans": 2, "principal_fen": 9, "overdue_fen": 0, "stage": None},
            {"bucket": "M1", "loans": 1, "principal_fen": 5, "overdue_fen": 0, "stage": None},
        ],
        "next": None,
    }


async def test_a_holder_sees_his_claims_and_how_their_loans_stand(repayment: World) -> None:
    """His own claims only, with the loan's state, its next due instalment, and nothing of who the borrower is."""
    sums = (
        "principal_fen",
        "outstanding_fen",
        "principal_back_fen",
        "interest_fen",
        "penalty_fen",
        "fee_fen",
        "sold_fen",
    )
    who = {"claim_id": "clm_1_1", "loan_id": "loan_1", "investor": "usr_bob", "offer_id": None}
    claim = who | dict.fromkeys(sums, 30_149)
    repayment.views.documents["repayment.claims"] = {
        "clm_1_1": claim,
        "clm_1_2": claim | {"claim_id": "clm_1_2", "investor": "usr_cem"},
    }
    answer = await repayment.http.get("/repayment/claims", headers=repayment.token("usr_bob", "claim:own"))
    (item,) = answer.json()["items"]
    assert (item["id"], item["outstanding_fen"], item["loan"]["bucket"]) == ("clm_1_1", 30_149, "current")
    assert item["loan"]["next_due"] == {"number": 2, "due_on": "2024-03-15", "open_fen": 50_751}
    assert b"usr_ada" not in answer.content


async def test_a_borrower_lists_his_own_loans(repayment: World) -> None:
    """Somebody else's list is empty."""
    for who, loans in (("usr_ada", ["loan_1"]), ("usr_bob", [])):
        answer = await repayment.http.get("/repayment/loans", headers=repayment.token(who, "loan:own"))
        assert [item["id"] for item in answer.json()["items"]] == loans


async def test_segments_are_listed_page_by_page(repayment: World) -> None:
    """The names of segments come whole through a cursor, also of the bucket with the plus sign."""
    fields = {"kind": "segment", "region": "sh", "product": "credit", "loans": 1, "principal_fen": 5}
    repayment.views.documents["repayment.overdue-buckets"] = {
        f"segment:sh:credit:{bucket}": {"_id": f"segment:sh:credit:{bucket}"} | fields | {"bucket": bucket}
        for bucket in ("M1", "M6+", "current")
    }
    headers, seen, query = repayment.token("stf_ann", "analyst"), [], {"limit": "1"}
    while (
        page := await repayment.http.get("/repayment/overdue-segments", params=query, headers=headers)
    ).json()["items"]:
        seen += [item["bucket"] for item in page.json()["items"]]
        if (following := page.json()["next"]) is None:
            break
        query["cursor"] = following
    assert seen == ["M1", "M6+", "current"]
