"""Reading loans over HTTP: the borrower's with its payoff, the holder's claims, the analyst's buckets and segments."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.repayment.app import build as build_repayment
from tests.unit.runtime.edge_world import World, running


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
async def repayment(keys: Path) -> AsyncIterator[World]:
    """Repayment with ada's loan."""
    async with running(build_repayment("demo"), keys) as running_world:
        running_world.views.documents["repayment.loans"] = {"loan_1": loan()}
        yield running_world


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
        "cost_fen": 0,
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
        "bucket:M1": {
            "kind": "bucket",
            "bucket": "M1",
            "loans": 1,
            "principal_fen": 5,
            "overdue_principal_fen": 2,
        },
        "bucket:current": {"kind": "bucket", "bucket": "current", "loans": 2, "principal_fen": 9},
        "loan:loan_1": {"kind": "loan", "loan_id": "loan_1", "borrower": "usr_ada", "bucket": "M1"},
    }
    answer = await repayment.http.get(
        "/repayment/overdue-buckets", headers=repayment.token("stf_ann", "analyst")
    )
    assert answer.json() == {
        "items": [
            {"bucket": "current", "loans": 2, "principal_fen": 9, "overdue_principal_fen": 0}
            | {"normal_principal_fen": 9, "overdue_fen": 0, "stage": None},
            {"bucket": "M1", "loans": 1, "principal_fen": 5, "overdue_principal_fen": 2}
            | {"normal_principal_fen": 3, "overdue_fen": 0, "stage": None},
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
