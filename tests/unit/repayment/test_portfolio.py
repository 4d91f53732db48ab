"""A portfolio is the sum of its claims, and what all holders of a loan may expect is its schedule to the fen."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
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
from services.repayment.api.page_shapes import HeldPageOut, LoanPageOut
from services.repayment.api.portfolio_shapes import (
    CashFlow,
    Portfolio,
    PortfolioOut,
    holders_of,
    open_rows,
    status_of,
    term_of,
)
from services.repayment.api.shapes import ClaimOut
from services.repayment.app import build
from services.repayment.domain.expected import Due, Holders, expected_of, slices_of
from services.repayment.projections.claims import VIEW as CLAIMS_HELD
from services.repayment.projections.loans import VIEW as LOANS
from tests.unit.documents import documents, history, nested
from tests.unit.repayment import asset_story as asset
from tests.unit.repayment.lives import live, random_terms
from tests.unit.repayment.stories import (
    CONTRACTED,
    FIRST_DUE,
    FIRST_PAID,
    OPENED,
    distributed,
    line,
    received,
)
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
        if chance.random() < 0.5 and any(loan.get("held", {}).values()):
            events = [*events, sold(events[0], loan["held"], chance)]
            loan = nested("loan_7", documents(LOANS, history("loan_7", *events))["loan_7"])
        held, rows = loan.get("held", {}), open_rows(loan)
        expected = {claim: expected_of(claim, Holders(held), rows) for claim in held}
        some = [claim for claim in held if chance.random() < 0.5]
        together = [part.of(row) for part in slices_of(some, held) for row in rows]
        assert _sums(together) == _sums([due for claim in some for due in expected[claim]])
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


def _sums(dues: list[Due]) -> Counter[Any]:
    """What is expected on each day, of principal and interest."""
    sums: Counter[Any] = Counter()
    for due in dues:
        sums[due.due_on, "principal"] += due.principal_fen
        sums[due.due_on, "interest"] += due.interest_fen
    return +sums


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
    received |= {"sold_fen": 0, "in_kind_fen": 0, "in_kind_back_fen": 0, "accrued_interest_fen": 0}
    first = {"claims": 1, "principal_fen": 50_000, "outstanding_fen": 33_334, **received}
    second = {"claims": 1, "principal_fen": 30_000, "outstanding_fen": 0, "principal_back_fen": 30_000}
    second |= {"interest_fen": 504, "penalty_fen": 0, "fee_fen": 50, "sold_fen": 0, "accrued_interest_fen": 0}
    second |= {"in_kind_fen": 0, "in_kind_back_fen": 0}
    assert shown.pop("groups") == [
        {"grade": "B", "term_months": "1-3", "status": "M1", **first},
        {"grade": "B", "term_months": "1-3", "status": "repaid", **second},
    ]
    assert shown == {name: first[name] + second[name] for name in first}


def test_a_claim_shows_the_days_past_due_of_today() -> None:
    """What an event said of them is as old as that event: the list counts up to the open date, as the claim's page does."""
    [(claim, loan), *_] = held(*STORY)
    said = ClaimOut.of(claim, loan, None).loan
    later = date.fromisoformat(loan["dpd_on"]) + timedelta(days=30)
    today = ClaimOut.of(claim, loan, later).loan
    page = HeldPageOut.of(LoanPageOut.shown(loan, later, None))
    assert said is not None
    assert today is not None
    assert (said.dpd, said.dpd_on) == (loan["dpd"], later - timedelta(days=30))
    assert (today.dpd, today.dpd_on) == (page.dpd, later) == (loan["dpd"] + 30, later)


def test_a_claim_that_was_sold_is_late_no_more() -> None:
    """One that was sold as a whole stands apart, whatever becomes of its loan; of one that was sold in part the rest is late."""
    claim, loan = held(*STORY)[0]
    gone, repaid = claim | {"outstanding_fen": 0, "sold_whole": True}, loan | {"state": "repaid"}
    part = claim | {"sold_fen": 5, "sold_whole": False}
    found = [status_of(*each) for each in ((claim, loan), (part, loan), (claim, repaid))]
    assert found == ["M1", "M1", "repaid"]
    assert status_of(part | {"outstanding_fen": 0}, repaid) == "repaid"
    assert status_of(gone, loan) == status_of(gone, repaid) == "sold"


def test_what_was_settled_in_kind_is_not_repaid_before_the_asset_is_sold() -> None:
    """The loan is repaid, no money has come: the claim waits in kind, and when the asset is sold it is repaid with what that brought."""
    events = (*asset.LATE, asset.SETTLED, asset.REPAID)
    for disposed, status, back_fen in (
        ((), "in_kind", 0),
        ((asset.DISPOSED,), "repaid", asset.DISPOSED.lines[1].amount_fen),
    ):
        told = [*history("loan_7", *events), *history("ast_1", *disposed)]
        claim = nested("clm_7_1", documents(CLAIMS_HELD, told)["clm_7_1"])
        loan = nested("loan_7", documents(LOANS, told)["loan_7"])
        # What the lorry did not cover stands apart: here it is none.
        portfolio = Portfolio()
        portfolio.add(claim | {"outstanding_fen": 0}, loan)
        group = portfolio.shown().groups[0]
        assert (group.status, group.in_kind_fen, group.in_kind_back_fen) == (
            status,
            asset.SHARES[0].amount_fen,
            back_fen,
        )
        assert ClaimOut.of(claim, loan, None).in_kind_fen == group.in_kind_fen
        assert status_of(claim | {"assets_kept": 1}, loan | {"state": "running"}) == "current"


def test_who_sold_his_claim_is_no_holder_of_the_loan_any_more() -> None:
    """A claim that was sold whole leaves the loan's holders and shows its loan no more; of one sold in part the rest stays; what was
    sold is summed."""
    loan = OPENED
    sale = ClaimTransferred(
        loan_id=loan.loan_id,
        offer_id="offer_1",
        hold_id="hold_1",
        borrower=loan.borrower,
        sold_claim_id="clm_7_1",
        seller="usr_1",
        seller_account="acc_1",
        left_fen=0,
        claim=ClaimTerms(
            order=4, claim_id="clm_7_4", account_id="acc_9", investor="usr_9", principal_fen=50_000
        ),
        price_fen=1,
        interest_fen=0,
        fee_fen=0,
        value_date=loan.funded_on,
    )
    half = replace(sale, left_fen=20_000, claim=replace(sale.claim, principal_fen=30_000))
    for sold_so, kept in ((sale, {}), (half, {"clm_7_1": 20_000})):
        claims = {claim["claim_id"]: (claim, doc) for claim, doc in held(loan, sold_so)}
        sellers, document = claims["clm_7_1"]
        owed = {"clm_7_2": 30_000, "clm_7_3": 20_000, "clm_7_4": sold_so.claim.principal_fen}
        assert document["held"] == owed | kept
        assert (ClaimOut.of(sellers, document, None).loan is None) == (not kept)
        portfolio = Portfolio()
        portfolio.add(sellers, document)
        assert portfolio.shown().sold_fen == sold_so.claim.principal_fen
        assert portfolio.shown().groups[0].status == ("current" if kept else "sold")


def test_a_large_portfolio_is_added_up_in_one_pass_and_in_turns() -> None:
    """Every second of 2,000 claims of one loan: a step for each, and others are served between two."""
    claims = {f"clm_7_{number:04}": 1_000 for number in range(2_000)}
    loan = held(*STORY)[0][1] | {"held": claims}
    flow = CashFlow()
    assert sum(1 for _ in flow.add(set(list(claims)[::2]), loan)) == 1_000
    assert sum(1 for _ in flow.add(set(claims), loan)) == 1


def test_what_is_overdue_stands_beside_the_months() -> None:
    """Half of the loan: half of what its missed row still asks for, and half of the row to come; of a repaid loan nothing."""
    flow = CashFlow()
    claim, loan = held(*STORY)[0]
    assert len(list(flow.add({claim["claim_id"]}, loan))) == 1
    assert flow.shown().model_dump() == {
        "overdue": {"principal_fen": 16_501, "interest_fen": 0},
        "months": [{"month": "2024-04", "principal_fen": 16_833, "interest_fen": 168}],
    }
    flow = CashFlow()
    claim, loan = held(*STORY, *SETTLEMENT)[0]
    assert not list(flow.add({claim["claim_id"]}, loan))
    assert flow.shown() == CashFlow().shown()
    assert expected_of("clm_other", Holders({"clm_7_1": 1}), [Due(1, OPENED.funded_on, 1, 1)]) == []


def test_where_no_principal_is_owed_interest_is_expected_by_what_was() -> None:
    """A loan whose order pays principal first still owes interest: it is expected by the last principal that came, as it is shared."""
    whole = distributed("pay_9", FIRST_DUE, (1, 50_000, 0, 0), (2, 30_000, 0, 0), (3, 20_000, 0, 0))
    lines = tuple(line(row.number, 0, row.principal_fen) for row in OPENED.rows)
    paid = received("pay_9", FIRST_DUE, lines, (100_000, 0))
    loan = held(OPENED, paid, whole)[0][1]
    assert not any(loan["held"].values())
    rows = open_rows(loan)
    assert [row.principal_fen for row in rows] == [0, 0, 0]
    of_claims = [expected_of(claim, holders_of(loan), rows) for claim in holders_of(loan).claims]
    assert _sums([due for dues in of_claims for due in dues]) == _sums(rows)
    assert [dues[0].interest_fen for dues in of_claims] == [500, 300, 200]


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


async def test_a_claim_is_worth_what_a_sale_would_make_of_it(world: World) -> None:
    """Its holder reads its worth on a day, and the portfolio sums it; for anybody else, and for who sold it, there is no such claim."""
    token = world.token("usr_1", "claim:own")
    path = "/repayment/claims/clm_7_1/worth?on=2024-03-10"
    answer = await world.http.get(path, headers=token)
    assert answer.json() == {
        "id": "clm_7_1",
        "value_date": "2024-03-10",
        "principal_fen": 33_499,
        "interest_due_fen": 0,
        "accrued_interest_fen": 110,
    }
    summed = await world.http.get("/repayment/portfolio?on=2024-03-10", headers=token)
    assert summed.json()["accrued_interest_fen"] == 110
    stranger = await world.http.get(path, headers=world.token("usr_2", "claim:own"))
    assert (stranger.status_code, stranger.json()["type"].rpartition(":")[2]) == (404, "unknown_claim")
    world.views.documents[CLAIMS_HELD.name]["clm_7_1"]["sold_whole"] = True
    assert (await world.http.get(path, headers=token)).status_code == 404
