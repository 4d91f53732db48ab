"""A portfolio is the sum of its claims, and what all holders of a loan may expect is its schedule to the fen."""

from collections.abc import AsyncIterator, Mapping
from itertools import accumulate, pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events.bidding import ClaimTerms
from libs.events.claims import ClaimTransferred
from libs.events.money import slice_fen
from libs.events.repayment import LoanOpened
from services.repayment.api.portfolio_shapes import (
    CashFlow,
    Portfolio,
    PortfolioOut,
    open_rows,
    status_of,
    term_of,
)
from services.repayment.app import build
from services.repayment.domain.expected import Due, expected_of
from services.repayment.projections.claims import VIEW as CLAIMS_HELD
from services.repayment.projections.loans import VIEW as LOANS
from tests.unit.documents import documents, history, nested
from tests.unit.repayment.lives import live, random_terms
from tests.unit.repayment.stories import CONTRACTED, FIRST_PAID, OPENED
from tests.unit.repayment.views_story import SETTLEMENT, STORY
from tests.unit.runtime.edge_world import World, running


def sold(loan: LoanOpened, held: Mapping[str, int], chance: Random) -> ClaimTransferred:
    """A random part of a random claim that is owed something changes hands."""
    seller = chance.choice([claim for claim in loan.claims if held[claim.claim_id]])
    amount_fen = chance.randint(1, held[seller.claim_id])
    return ClaimTransferred(
        loan_id=loan.loan_id,
        offer_id="offer_1",
        hold_id="hold_1",
        borrower=loan.borrower,
        sold_claim_id=seller.claim_id,
        seller=seller.investor,
        seller_account=seller.account_id,
        left_fen=held[seller.claim_id] - amount_fen,
        claim=ClaimTerms(
            order=99,
            claim_id="clm_7_99",
            account_id="acc_99",
            investor="usr_99",
            principal_fen=amount_fen,
        ),
        price_fen=1,
        interest_fen=0,
        fee_fen=0,
        value_date=loan.funded_on,
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_what_all_holders_expect_is_the_schedule(seed: int) -> None:
    """At any moment of a random life, also after a part of a claim was sold: the claims' expectations sum to each row's open
    amounts, none is negative, each is within a fen of its proportion; what is owed to the claims is what the rows ask for."""
    chance = Random(seed)
    decided: list[int] = []
    life = live(chance, random_terms(chance), lambda _, outcome, __: decided.append(len(outcome.events)))
    ends = list(accumulate(decided))
    for end in chance.sample(ends, min(4, len(ends))):
        events = life.events[:end]
        loan = nested("loan_7", documents(LOANS, history("loan_7", *events))["loan_7"])
        if chance.random() < 0.5 and any(loan["held"].values()):
            events = [*events, sold(events[0], loan["held"], chance)]
            loan = nested("loan_7", documents(LOANS, history("loan_7", *events))["loan_7"])
        held, rows = loan["held"], open_rows(loan)
        expected = {claim: expected_of(claim, held, rows) for claim in held}
        if loan["state"] == "running":
            assert sum(held.values()) == sum(row.principal_fen for row in rows)
        for number, row in enumerate(rows):
            for name in ("principal_fen", "interest_fen"):
                shares = {claim: getattr(dues[number], name) for claim, dues in expected.items() if dues}
                assert sum(shares.values()) == getattr(row, name)
                for claim, share in shares.items():
                    assert share >= 0
                    exact = getattr(row, name) * held[claim]
                    assert abs(share * sum(held.values()) - exact) < sum(held.values())


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=9).filter(any))
def test_slices_of_a_whole_are_the_whole(total_fen: int, widths: list[int]) -> None:
    """Neighbouring parts sum to the total, whatever their widths."""
    ends = [sum(widths[:number]) for number in range(len(widths) + 1)]
    whole = ends[-1]
    slices = [slice_fen(total_fen, start, end, whole) for start, end in pairwise(ends)]
    assert sum(slices) == total_fen
    for wrong in ((-1, 0, 1, 1), (1, 1, 0, 1), (1, 0, 2, 1), (1, 0, 0, 0)):
        with pytest.raises(ValueError, match="slice"):
            slice_fen(*wrong)


def test_terms_are_counted_in_bands() -> None:
    """The longest term of a band is in it, and the next is not."""
    assert [term_of(months) for months in (1, 3, 4, 12, 13, 36, 37, 360)] == [
        "1-3",
        "1-3",
        "4-6",
        "7-12",
        "13-24",
        "25-36",
        "37+",
        "37+",
    ]


def held(*events: Any) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each claim of the story's loan with its loan."""
    told = history("loan_7", *events)
    loan = nested("loan_7", documents(LOANS, told)["loan_7"])
    return [(nested(name, claim), loan) for name, claim in documents(CLAIMS_HELD, told).items()]


def test_a_portfolio_is_grouped_by_grade_term_and_state() -> None:
    """One claim in a loan that is late and one in a loan that is repaid, of the same terms: two groups, and their sum."""
    [late, *_], [_, repaid, _] = held(*STORY), held(*STORY, *SETTLEMENT)
    portfolio = Portfolio()
    portfolio.add(*late)
    portfolio.add(*repaid)
    shown = portfolio.shown().model_dump()
    received = {"principal_back_fen": 16_666, "interest_fen": 835, "penalty_fen": 0, "fee_fen": 84}
    first = {"claims": 1, "principal_fen": 50_000, "outstanding_fen": 33_334, **received}
    second = {"claims": 1, "principal_fen": 30_000, "outstanding_fen": 0, "principal_back_fen": 30_000}
    second |= {"interest_fen": 504, "penalty_fen": 0, "fee_fen": 50}
    assert shown.pop("groups") == [
        {"grade": "B", "term_months": "1-3", "status": "M1", **first},
        {"grade": "B", "term_months": "1-3", "status": "repaid", **second},
    ]
    assert shown == {name: first[name] + second[name] for name in first}


def test_a_claim_that_was_sold_is_late_no_more() -> None:
    """One that was sold as a whole stands apart, whatever becomes of its loan; of one that was sold in part the rest is late."""
    claim, loan = held(*STORY)[0]
    gone, repaid = claim | {"outstanding_fen": 0, "sold_fen": 5}, loan | {"state": "repaid"}
    found = [status_of(*each) for each in ((claim, loan), (claim | {"sold_fen": 5}, loan), (claim, repaid))]
    assert found == ["M1", "M1", "repaid"]
    assert status_of(gone, loan) == status_of(gone, repaid) == "sold"


def test_what_is_overdue_stands_beside_the_months() -> None:
    """Half of the loan: half of what its missed row still asks for, and half of the row to come; of a repaid loan nothing."""
    flow = CashFlow()
    flow.add(*held(*STORY)[0])
    assert flow.shown().model_dump() == {
        "overdue": {"principal_fen": 16_501, "interest_fen": 0},
        "months": [{"month": "2024-04", "principal_fen": 16_833, "interest_fen": 168}],
    }
    flow = CashFlow()
    flow.add(*held(*STORY, *SETTLEMENT)[0])
    assert flow.shown() == CashFlow().shown()
    assert expected_of("clm_other", {"clm_7_1": 1}, [Due(OPENED.funded_on, 1, 1)]) == []


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Repayment with one loan of three holders, of which the first instalment is paid."""
    async with running(build("demo"), tmp_path) as running_world:
        for view in (CLAIMS_HELD, LOANS):
            running_world.views.documents[view.name] = {
                name: nested(name, document)
                for name, document in documents(view, history("loan_7", CONTRACTED, *FIRST_PAID)).items()
            }
        yield running_world


async def test_a_portfolio_is_ones_own(world: World) -> None:
    """Whose it is follows from the token; without the scope there is none, and of somebody without claims it is empty."""
    answers = {}
    for path in ("/repayment/portfolio", "/repayment/portfolio/cash-flow"):
        for subject in ("usr_2", "usr_nobody"):
            answer = await world.http.get(path, headers=world.token(subject, "claim:own"))
            assert answer.status_code == 200, answer.text
            answers[path, subject] = answer.json()
        refused = await world.http.get(path, headers=world.token("usr_2", "account:own"))
        assert refused.status_code == 403
    assert answers["/repayment/portfolio", "usr_2"]["outstanding_fen"] == 30_000 - 9_901
    assert answers["/repayment/portfolio", "usr_nobody"] == PortfolioOut().model_dump()
    months = answers["/repayment/portfolio/cash-flow", "usr_2"]["months"]
    assert [month["month"] for month in months] == ["2024-03", "2024-04"]
    assert answers["/repayment/portfolio/cash-flow", "usr_nobody"]["months"] == []
