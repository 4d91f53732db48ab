"""Every row of an extension and of a restructuring, over all manners of repayment, is what an oracle says that shares no code with it."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import event, example, settings
from hypothesis import given as drawn
from hypothesis import strategies as st

from libs.events.measures import Extension, Restructuring
from libs.events.money import Rounding
from libs.events.rescheduling import ScheduleChanged
from libs.events.schedules.terms import RepaymentTerms
from tests.unit.events.test_schedule_oracle import contracts
from tests.unit.given import given
from tests.unit.repayment.prepay_oracle import Row
from tests.unit.repayment.reschedule_oracle import Contract
from tests.unit.repayment.stories import LOAN, OPEN, claim, on, pays
from tests.unit.repayment.troubled_story import done

#: Why there may be no new schedule: limits and graces have specs of their own.
_MAY_NOT = {
    "manner_not_extended",
    "extension_too_long",
    "nothing_to_extend",
    "term_too_short",
    "nothing_overdue",
    "loan_repaid",
}

FREE = RepaymentTerms(method="interest_first", period_fee_permille=2)


def asked_anew(
    contract: Contract, terms: Extension | Restructuring, day: date, *, paid: int
) -> list[Row] | str:
    """What is asked once a measure is done on a loan whose first rows were paid on their days; or why it is not done."""
    lend = replace(
        OPEN,
        principal_fen=contract.amount,
        claims=(claim(1, contract.amount),),
        annual_rate=contract.rate,
        tenor_months=contract.months,
        funded_on=contract.funded_on,
        repayment=contract.terms,
    )
    story = list(given(LOAN).when(lend, on(contract.funded_on)).events)
    for number, (due, *asked) in enumerate(contract.rows()[:paid], 1):
        if sum(asked):
            pay = pays(due, sum(asked), payment_id=f"pay_{number}")
            story += given(LOAN, *story).when(pay, on(due)).events
    outcome = given(LOAN, *story).when(done(terms), on(day))
    if outcome.refused is not None:
        return outcome.refused
    [change] = [each for each in outcome.events if isinstance(each, ScheduleChanged)]
    return [(row.due_on, row.principal_fen, row.interest_fen, row.fee_fen) for row in change.rows]


@st.composite
def stretched(draw: st.DrawFn) -> tuple[Contract, int, int, int]:
    """A contract, how many of its instalments were paid, how many days later, and by how many months it is stretched."""
    contract = Contract(*draw(contracts().filter(lambda each: each[0].method != "flat")))
    if draw(st.integers(0, 4)) == 0:
        contract = replace(contract, rate=Decimal(draw(st.sampled_from(("0", "0.00000001", "0.12")))))
    paid = draw(st.integers(0, len(contract.rows()) - 1))
    return contract, paid, draw(st.integers(0, 100)), draw(st.integers(1, 6))


@drawn(stretched())
@example((Contract(FREE, 10_000_000, Decimal(0), 6, date(2021, 1, 31)), 0, 60, 2))
# Rounded up, three fen a month have repaid twenty-one in seven: the last rows ask for nothing, and have no fee.
@example(
    (
        Contract(
            RepaymentTerms(method="equal_principal", rounding=Rounding.UP, period_fee_permille=20),
            21,
            Decimal("0.12"),
            10,
            date(2021, 1, 31),
        ),
        2,
        0,
        2,
    )
)
@settings(max_examples=150, deadline=None)
def test_what_is_asked_anew_is_what_the_oracle_says(story: tuple[Contract, int, int, int]) -> None:
    """To the day and the fen; the contract's fee of a period in each row before which principal is left, whether or not any of it, or interest, is asked there."""
    contract, paid, later, by = story
    rows = contract.rows()
    day = (rows[paid - 1][0] if paid else contract.funded_on) + timedelta(days=later)
    if day <= rows[paid][0]:
        day = min(day, rows[paid][0] - timedelta(days=1))
        said = asked_anew(contract, Extension(months=by), day, paid=paid)
        expected = contract.extended(day, by)
    else:
        said = asked_anew(contract, Restructuring(months=by), day, paid=paid)
        expected = contract.restructured(day, by, paid)
    event(said if isinstance(said, str) else "asked anew")
    assert said in _MAY_NOT if isinstance(said, str) else said == expected
