"""What a lender was to get and got: what came is what distributions brought, and each difference has its name."""

from collections import Counter, deque
from collections.abc import AsyncIterator
from datetime import date
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.repayment.api.cash_history import CashHistory, CashHistoryOut
from services.repayment.api.portfolio_shapes import CashFlow
from services.repayment.app import build
from services.repayment.domain.cash_history import Instalment, Piece, pieces_of, share_of
from services.repayment.projections.claims import VIEW as CLAIMS_HELD
from services.repayment.projections.loans import VIEW as LOANS
from tests.unit.documents import documents, history, nested
from tests.unit.repayment.lives import live, random_terms
from tests.unit.repayment.views_story import SETTLEMENT, STORY
from tests.unit.runtime.edge_world import World, running


def told(*events: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """All claims of the story's loan, and the loan."""
    log = history("loan_7", *events)
    claims = [nested(name, claim) for name, claim in documents(CLAIMS_HELD, log).items()]
    return claims, nested("loan_7", documents(LOANS, log)["loan_7"])


def of(*claims: dict[str, Any], loan: dict[str, Any]) -> CashHistoryOut:
    """The history of some claims of a loan."""
    history_of = CashHistory()
    for claim in claims:
        history_of.add(claim, loan)
    return history_of.shown()


def sums(shown: CashHistoryOut) -> Counter[str]:
    """All months together."""
    found: Counter[str] = Counter()
    for month in shown.months:
        found.update(month.model_dump(exclude={"month"}))
    return found


def require_sums(claims: list[dict[str, Any]], loan: dict[str, Any]) -> None:
    """Of each claim: what came is what its document says, what was expected is that and what is open, and what is missed is overdue."""
    for claim in claims:
        shown, calendar = of(claim, loan=loan), CashFlow()
        deque(calendar.add({claim["claim_id"]}, loan), maxlen=0)
        flow, total = calendar.shown(), sums(shown)
        assert total["received_principal_fen"] == claim["principal_back_fen"]
        assert total["received_interest_fen"] == claim["interest_fen"]
        assert (total["received_penalty_fen"], total["fee_fen"]) == (
            claim["penalty_fen"],
            claim["fee_fen"],
        )
        for each in ("principal_fen", "interest_fen"):
            still = getattr(flow.overdue, each) + sum(getattr(month, each) for month in flow.months)
            assert total[f"expected_{each}"] == total[f"received_{each}"] + still
        assert total["missed_fen"] == flow.overdue.principal_fen + flow.overdue.interest_fen
        assert min([0, *total.values()]) == 0
        came = total["received_principal_fen"] + total["received_interest_fen"]
        assert total["early_fen"] + total["late_fen"] <= came


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_what_came_is_what_was_distributed_and_the_rest_is_open(seed: int) -> None:
    """At any moment of a random life with sales: what a claim received is what its document says, what was expected of it is that
    and what is open, what is missed is what its calendar calls overdue; no amount is negative, and all claims together
    expect each month what the loan's rows ask for then, within a fen a claim and payment."""
    chance = Random(seed)
    decided: list[int] = []
    life = live(
        chance, random_terms(chance), lambda _, outcome, __: decided.append(len(outcome.events)), trades=True
    )
    ends = list(accumulate(decided))
    for end in chance.sample(ends, min(4, len(ends))):
        claims, loan = told(*life.events[:end])
        require_sums(claims, loan)
        if loan["state"] == "running":
            asked: Counter[str] = Counter()
            for row in loan["rows"].values():
                asked[row["due_on"][:7]] += row["principal_fen"]
            slack = len(claims) * (len(loan.get("payments", {})) + len(loan["rows"]))
            months = of(*claims, loan=loan).months
            for month in (month for month in months if not month.early_fen):
                assert abs(month.expected_principal_fen - asked[month.month]) <= slack


def test_each_difference_has_its_name() -> None:
    """February in time; of March a thousand came in April, so late, and the rest is missed; then an early end pays April's."""
    [_, second, _], loan = told(*STORY)
    assert [month.model_dump(exclude_defaults=True) for month in of(second, loan=loan).months] == [
        {
            "month": "2024-02",
            "expected_principal_fen": 9_901,
            "expected_interest_fen": 300,
            "received_principal_fen": 9_901,
            "received_interest_fen": 300,
            "fee_fen": 30,
        },
        {
            "month": "2024-03",
            "expected_principal_fen": 99 + 9_900,
            "expected_interest_fen": 201,
            "missed_fen": 9_900,
        },
        {
            "month": "2024-04",
            "expected_principal_fen": 10_099,
            "expected_interest_fen": 101,
            "received_principal_fen": 99,
            "received_interest_fen": 201,
            "fee_fen": 20,
            "late_fen": 300,
        },
    ]
    [_, second, _], loan = told(*STORY, *SETTLEMENT)
    *_, april = of(second, loan=loan).months
    assert (april.expected_interest_fen, april.received_interest_fen) == (4, 204)
    assert (april.missed_fen, april.late_fen, april.early_fen) == (0, 9_999 + 200, 0)


def test_a_payment_is_laid_beside_its_instalments() -> None:
    """Oldest first over the rows' receipts, then what stood in no row; a month ahead is early, a day after is late."""
    first, second = date(2024, 2, 29), date(2024, 4, 30)
    rows = [Instalment(first, 100, 100), Instalment(second, 100, 20)]
    paid, ended = date(2024, 3, 1), date(2024, 3, 2)
    found = pieces_of({ended: 90, paid: 120}, rows, is_owed=False)
    assert found == {
        paid: [Piece(paid, first, 100), Piece(paid, second, 20)],
        ended: [Piece(ended, second, 80), Piece(ended, ended, 10)],
    }
    assert [piece.timing for piece in found[paid]] == ["late", "early"]
    [*_, prepaid] = pieces_of({ended: 90, paid: 120}, rows, is_owed=True)[ended]
    assert (prepaid, prepaid.timing) == (Piece(ended, ended, 90, ahead=True), "early")
    assert Piece(second, second, 1).timing == Piece(date(2024, 4, 1), second, 1).timing == "in_time"
    assert [piece.amount_fen for piece in share_of(7, paid, found[paid])] == [5, 2]
    assert list(share_of(7, paid, [])) == [Piece(paid, paid, 7)]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Repayment with the story's loan and its three holders."""
    async with running(build("demo"), tmp_path) as running_world:
        log = history("loan_7", *STORY)
        for view in (LOANS, CLAIMS_HELD):
            running_world.views.documents[view.name] = {
                name: nested(name, document) for name, document in documents(view, log).items()
            }
        yield running_world


async def test_a_cash_history_is_ones_own(world: World) -> None:
    """Of all claims or of one; another's claim is not there, and who has none has no months."""

    async def get(path: str, who: str) -> Any:
        return await world.http.get(f"/repayment{path}", headers=world.token(who, "claim:own"))

    whole = (await get("/portfolio/cash-history", "usr_2")).json()
    assert (await get("/claims/clm_7_2/cash-history", "usr_2")).json() == whole
    assert [month["month"] for month in whole["months"]] == ["2024-02", "2024-03", "2024-04"]
    assert (await get("/claims/clm_7_2/cash-history", "usr_3")).status_code == 404
    assert (await get("/portfolio/cash-history", "usr_nobody")).json() == {"months": []}
