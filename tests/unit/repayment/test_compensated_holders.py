"""What holders may expect once a guarantor has paid for some instalments: those are his, the rest is theirs, as when it is paid."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from libs.events.corrections import LoanRestated
from libs.events.money import money_context
from libs.events.repayment import AllocationLine, PaymentMissed
from libs.events.rescheduling import ScheduleChanged
from services.repayment.api.portfolio_shapes import CashFlow, CashFlowOut, holders_of, open_rows
from services.repayment.api.shapes import LoanOut
from services.repayment.domain.expected import expected_of
from services.repayment.domain.loan_state import Running
from services.repayment.domain.profile import profile_named
from services.repayment.domain.sharing import shares
from services.repayment.domain.worth import Worth, worth_of
from tests.unit.repayment import guarantee_story as g
from tests.unit.repayment.stories import FIRST_DUE, ROWS, days, pays
from tests.unit.repayment.test_cash_history import of, require_sums, told
from tests.unit.repayment.test_correcting_compensation import StoodFor, compensated, guaranteed_terms

RULES = profile_named("demo").on(FIRST_DUE)
MISSED = PaymentMissed(
    loan_id="loan_7", borrower="usr_bo", number=1, due_on=FIRST_DUE, open_fen=34_002, dpd=1
)
EXTENDED = ScheduleChanged(
    loan_id="loan_7",
    borrower="usr_bo",
    change_id="msr_1",
    reason="restructured",
    changed_on=g.DAY,
    outstanding_fen=100_000,
    rows=ROWS,
)


_COMPARED = {
    "month",
    "late_fen",
    "early_fen",
    "missed_fen",
    *(f"{what}_{part}_fen" for what in ("expected", "received") for part in ("principal", "interest")),
}


def flow_of(claim: str, loan: Mapping[str, Any]) -> CashFlowOut:
    """What one claim may expect."""
    flow = CashFlow()
    deque(flow.add({claim}, loan), maxlen=0)
    return flow.shown()


def test_what_the_guarantor_paid_for_is_his_and_the_rest_is_theirs() -> None:
    """The first instalment was missed and he paid it: who was paid for it in full misses nothing, and expects his half of March."""
    claims, loan = told(*g.COMPENSATED[:3], MISSED, *g.COMPENSATED[3:])
    flows = [flow_of(claim["claim_id"], loan).model_dump() for claim in claims]
    assert [flow["overdue"] for flow in flows] == [
        *[{"principal_fen": 0, "interest_fen": 0}] * 3,
        {"principal_fen": 33_002, "interest_fen": 1_000},
    ]
    assert flows[0]["months"] == [
        {"month": "2024-03", "principal_fen": 16_666, "interest_fen": 335},
        {"month": "2024-04", "principal_fen": 16_833, "interest_fen": 168},
    ]
    assert flows[3]["months"] == []
    missed = [sum(month.missed_fen for month in of(claim, loan=loan).months) for claim in claims]
    assert missed == [0, 0, 0, 34_002]


def test_what_the_guarantor_paid_came_late_for_the_instalment_that_he_paid_for() -> None:
    """He pays February's on the 30th of March; the next day the borrower pays February's and March's in one: the first to him, so
    each holder had February's late, March's in time, and nothing twice."""
    lived = compensated()
    lived.say(pays(lived.today, 34_522 + 34_002))
    claims, loan = told(*lived.events)
    months = {
        claim["claim_id"]: [
            {part: fen for part, fen in month.model_dump(exclude_defaults=True).items() if part in _COMPARED}
            for month in of(claim, loan=loan).months
        ]
        for claim in claims
    }
    assert months["clm_7_1"][:2] == [
        {"month": "2024-02", "expected_principal_fen": 16_501, "expected_interest_fen": 500},
        {
            "month": "2024-03",
            "expected_principal_fen": 16_666,
            "expected_interest_fen": 335,
            "received_principal_fen": 16_501 + 16_666,
            "received_interest_fen": 500 + 335,
            "late_fen": 16_501 + 500,
        },
    ]
    assert months["clm_7_4"] == [
        {"month": "2024-02", "expected_principal_fen": 33_002, "expected_interest_fen": 1_000},
        {
            "month": "2024-03",
            "received_principal_fen": 33_002,
            "received_interest_fen": 1_000,
            "late_fen": 34_002,
        },
    ]


def test_what_is_due_on_his_instalments_is_worth_something_to_him_alone() -> None:
    """In April 10.00 of the first instalment's interest and 6.70 of the second's are due: the first are his, of the second the holder of
    half of the rest has 3.35, and of what runs since his half, too."""
    claims, loan = told(*g.COMPENSATED)
    book, holders, day = LoanOut.of(loan).book(), holders_of(loan), days(ROWS[1].due_on, 10)
    with money_context():
        worth = [worth_of(RULES, book, holders, claim["claim_id"], day) for claim in claims]
    assert worth == [
        Worth(33_499, 335, 55),
        Worth(20_099, 200, 33),
        Worth(13_400, 134, 22),
        Worth(33_002, 1_000, 0),
    ]


def test_what_takes_the_place_of_his_instalments_is_shared_by_all() -> None:
    """A restructuring replaces what he paid for: he is a holder like the others, by his principal; one from the second on leaves it his."""
    for rows, has_own in ((ROWS, False), (ROWS[1:], True)):
        events = (*g.COMPENSATED, replace(EXTENDED, rows=rows))
        assert bool(holders_of(told(*events)[1]).subrogated) == has_own
    # What was replaced before he paid is nothing that he paid for.
    earlier = (*g.COMPENSATED[:3], EXTENDED, *g.COMPENSATED[3:])
    assert holders_of(told(*earlier)[1]).subrogated


# --- any life ------------------------------------------------------------------------------------------------------


def compare(lived: StoodFor) -> Counter[str]:
    """Each open row as the document says it and as it would be distributed if it were paid now: to the fen what is one's alone, within
    a fen what is shared, and all together the row. What each claim's history says came is what its document has, and what was expected
    is that and what is open."""
    seen: Counter[str] = Counter()
    state = lived.state
    claims, loan = told(*lived.events)
    if not any(isinstance(event, LoanRestated) for event in lived.events):
        require_sums(claims, loan)
    if not isinstance(state, Running) or state.guarantee is None:
        return seen
    holders, rows = holders_of(loan), open_rows(loan)
    assert holders.subrogated == state.guarantee.subrogated
    alone = {each.claim_id for each in holders.subrogated}
    expected = {
        claim: {due.number: due for due in expected_of(claim, holders, rows)} for claim in holders.claims
    }
    for row in rows:
        paid = AllocationLine(
            number=row.number, interest_fen=row.interest_fen, principal_fen=row.principal_fen
        )
        given = {line.claim_id: line for line in shares(RULES, state, [paid])}
        for name in ("principal_fen", "interest_fen"):
            total_fen = 0
            for claim in holders.claims:
                fen = getattr(expected[claim].get(row.number), name, 0)
                got_fen = getattr(given.get(claim), name, 0)
                assert abs(fen - got_fen) <= (claim not in alone)
                total_fen += fen
            assert total_fen == getattr(row, name)
        seen["alone" if given.keys() <= alone else "shared"] += bool(alone)
    return seen


def play(seed: int) -> Counter[str]:
    """One life, looked at now and then."""
    chance, seen = Random(seed), Counter[str]()
    terms = guaranteed_terms(chance)
    lived = StoodFor(chance, terms.funded_on, sells=True)
    lived.open(terms)
    with money_context():
        for _ in range(chance.randint(60, 200)):
            if seed % 2 and chance.random() < 0.06:
                lived.correct()
            for _ in lived.day():
                pass
            if chance.random() < 0.1:
                seen += compare(lived)
    return seen


@pytest.mark.parametrize("seed", range(30))
def test_what_each_expects_of_a_row_is_what_its_payment_would_bring_him(seed: int) -> None:
    """Whatever was paid, sold, prepaid, corrected and stood for before."""
    play(seed)
