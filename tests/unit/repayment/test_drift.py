"""Over a whole life nothing drifts: however many hold a loan, each claim ends at zero and every fen has an owner."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from libs.events.deciding import Wake
from libs.events.repayment import DistributionLine, InstallmentDue, RepaymentDistributed
from libs.events.rescheduling import Prepay, ScheduleChanged
from services.repayment.commands import OpenLoan, RecordDebit, RecordPayment
from tests.unit.given import context, step
from tests.unit.repayment.stories import FIRST_DUE, LOAN, OPEN, SECOND_DUE, claim

MONTHS = 6
_FIRST_TWO = (FIRST_DUE, SECOND_DUE)


def unequal(holders: int) -> OpenLoan:
    """A loan among holders of whom no two hold the same, in amounts that no instalment divides."""
    parts = [10_000 + 7 * order for order in range(holders)]
    return replace(
        OPEN,
        principal_fen=sum(parts),
        annual_rate=Decimal("0.0999"),
        tenor_months=MONTHS,
        interest_fee_permille=100,
        claims=tuple(claim(order, part) for order, part in enumerate(parts, 1)),
    )


def paid_in_time(terms: OpenLoan, prepay: Prepay | None = None) -> list[Any]:
    """Every instalment is debited in full on its due day; ten days after the first two a tenth of the loan is prepaid."""
    state: Any = LOAN.initial
    events: list[Any] = []
    command: Any = terms
    today = terms.funded_on
    while True:
        outcome = step(LOAN, state, command, context(today))
        state = outcome.state
        events += outcome.events
        asked = next((event for event in outcome.events if isinstance(event, InstallmentDue)), None)
        if asked is not None:
            command = RecordDebit(
                debit_id=asked.debit_id,
                account_id="acc_bo",
                debited_fen=asked.debit_fen,
                value_date=asked.value_date,
            )
            continue
        if prepay and isinstance(command, RecordDebit) and events[-2].value_date in _FIRST_TWO:
            today += timedelta(days=10)
            command = RecordPayment(
                payment_id=f"pay_{today}",
                account_id="acc_bo",
                payer="usr_bo",
                amount_fen=terms.principal_fen // 10 + 10_001,
                value_date=today,
                settle=False,
                prepay=prepay,
            )
            continue
        due = LOAN.wake_on(state)
        if due is None:
            return events
        today = due[0]
        command = Wake(business_date=today, phase=due[1])


@pytest.mark.parametrize("holders", [1, 2, 3, 100, 1000])
def test_over_a_life_nothing_drifts(holders: int) -> None:
    """Each holder gets back his principal to the fen; what the borrower paid is credits + fees; nobody's interest is more
    than one fen a month away from his exact share of it."""
    _nothing_drifts(unequal(holders), None, MONTHS)


@pytest.mark.parametrize(("prepay", "rounds"), [("reamortise", MONTHS + 2), ("shorten", MONTHS + 1)])
@pytest.mark.parametrize("holders", [30, 100])
def test_over_a_life_with_prepayments_nothing_drifts(holders: int, prepay: Prepay, rounds: int) -> None:
    """The same where parts are prepaid, whether the instalments become smaller or fewer."""
    _nothing_drifts(unequal(holders), prepay, rounds)


def _nothing_drifts(terms: OpenLoan, prepay: Prepay | None, times: int) -> None:
    events = paid_in_time(terms, prepay)
    rounds = [event for event in events if isinstance(event, RepaymentDistributed)]
    assert sum(isinstance(event, ScheduleChanged) for event in events) == (2 if prepay else 0)
    assert len(rounds) == times
    paid_fen = sum(spread.principal_fen + spread.interest_fen for spread in rounds)
    lines = [line for spread in rounds for line in spread.lines]
    fees_fen = sum(spread.fee_fen for spread in rounds)
    credits_fen = sum(line.principal_fen + line.interest_fen - line.fee_fen for line in lines)
    assert paid_fen == credits_fen + fees_fen == sum(map(_share_fen, lines))
    principal = dict.fromkeys((each.claim_id for each in terms.claims), 0)
    for line in lines:
        principal[line.claim_id] += line.principal_fen
    assert principal == {each.claim_id: each.principal_fen for each in terms.claims}
    assert _furthest(terms, rounds) < times


def _share_fen(line: DistributionLine) -> int:
    return line.principal_fen + line.interest_fen


def _furthest(terms: OpenLoan, rounds: list[RepaymentDistributed]) -> Fraction:
    """The interest in fen by which one holder is furthest from his exact share over the life, by his claims of each moment."""
    owed = {each.claim_id: each.principal_fen for each in terms.claims}
    away = dict.fromkeys(owed, Fraction(0))
    for spread in rounds:
        total_fen = sum(owed.values())
        got = {line.claim_id: line for line in spread.lines}
        for claim_id, fen in owed.items():
            interest_fen = got[claim_id].interest_fen if claim_id in got else 0
            away[claim_id] += interest_fen - Fraction(spread.interest_fen * fen, total_fen)
        for line in spread.lines:
            owed[line.claim_id] -= line.principal_fen
    return max(abs(each) for each in away.values())
