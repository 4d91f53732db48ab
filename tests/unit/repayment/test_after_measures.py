"""What follows a measure: the loan's days and payments after it, and when its interest is income."""

from dataclasses import replace

import pytest

from libs.events.measures import LoanWrittenOff, RecoveryReceived, Restructuring, Waiver, WriteOff
from libs.events.non_accrual import NonAccrualEnded, NonAccrualStarted
from libs.events.repayment import LoanClassified, PaymentReceived
from tests.unit.given import given
from tests.unit.repayment.stories import (
    CONTRACTED,
    FIRST_DUE,
    INSTALLMENT,
    LOAN,
    OPENED,
    SECOND_DUE,
    applied,
    days,
    debit_id,
    distributed,
    due,
    failed,
    in_time,
    line,
    misses,
    no_income,
    on,
    pays,
    received,
)
from tests.unit.repayment.troubled_story import (
    BY_HAND,
    CHARGED,
    EXTENDED,
    FINED,
    LATE_ON,
    LOSS,
    LOST,
    LOST_ON,
    MARCH,
    MISSED,
    PAID,
    RESTRUCTURED,
    TWO_MONTHS,
    done,
)


def test_an_extended_loan_that_is_paid_stays_special_mention() -> None:
    """Its next instalment is the new one; paying it cures nothing, because an extension leaves no better class."""
    story = (*PAID, *EXTENDED)
    outcome = given(LOAN, *story).when(pays(SECOND_DUE, 17_170), on(SECOND_DUE))
    assert outcome.events[0] == received("pay_1", SECOND_DUE, (line(2, 670, 16_500),), (66_998, 50_498))
    assert not [event for event in outcome.events if isinstance(event, LoanClassified)]


def test_a_write_off_keeps_what_a_restructuring_had_left_in_arrears() -> None:
    """2,007 of interest was overdue before the restructuring, and is owed with its first row; the 1,941 of the three new months are given up."""
    story = (*MISSED, applied(done(Restructuring(months=3)), LATE_ON), *RESTRUCTURED)
    lost = given(LOAN, *story).when(done(WriteOff(ground="court"), "msr_2"), on(LATE_ON))
    (written_off,) = (event for event in lost.events if isinstance(event, LoanWrittenOff))
    assert (written_off.interest_fen, written_off.fee_fen, written_off.dropped_interest_fen) == (
        2_007,
        0,
        1_941,
    )
    assert [row.interest_fen for row in lost.state.book.rows] == [2_007, 0, 0]
    first = lost.state.book.rows[0]
    paid = given(LOAN, *story, *lost.events).when(pays(first.due_on, 35_009), on(first.due_on))
    (payment,) = (event for event in paid.events if isinstance(event, PaymentReceived))
    assert payment.allocation == (line(1, 2_007, 33_002),)


def test_what_comes_after_a_write_off_is_a_recovery() -> None:
    """It goes to the holders of the day in the order of the original debt, and counts what came so far; bucket and class stay."""
    first = (
        received("pay_1", days(LOST_ON, 9), (line(1, 1_000, 4_000),), (100_000, 96_000), bucket="written_off", overdue_after_fen=0),
        distributed("pay_1", days(LOST_ON, 9), (1, 2_000, 500, 50), (2, 1_200, 300, 30), (3, 800, 200, 20)),
        RecoveryReceived(
            loan_id="loan_7", borrower="usr_bo", payment_id="pay_1", amount_fen=5_000, principal_fen=4_000,
            value_date=days(LOST_ON, 9), recovered_fen=5_000, outstanding_fen=96_000,
        ),
    )  # fmt: skip
    story = (*LOST, *LOSS)
    outcome = given(LOAN, *story).when(pays(days(LOST_ON, 9), 5_000), on(days(LOST_ON, 9)))
    assert (
        tuple(
            replace(event, arrival=None) if isinstance(event, PaymentReceived) else event
            for event in in_time(outcome).events
        )
        == first
    )
    again = given(LOAN, *story, *outcome.events).when(
        pays(days(LOST_ON, 10), 1_000, payment_id="pay_2"), on(days(LOST_ON, 10))
    )
    assert [event.recovered_fen for event in again.events if isinstance(event, RecoveryReceived)] == [6_000]


def test_a_loan_that_was_written_off_is_woken_for_nothing() -> None:
    """Once its misses are said no bucket, class or penalty is to come."""
    said = in_time(given(LOAN, CONTRACTED, *LOST[1:], *LOSS).when(misses(LOST_ON), on(LOST_ON)))
    assert [type(event).__name__ for event in said.events] == ["DebitRequested", *["PaymentMissed"] * 3]
    answered = failed(LOST_ON, said.events[0].debit_fen)
    assert LOAN.wake_on(given(LOAN, CONTRACTED, *LOST[1:], *LOSS, *said.events, answered).state) is None


@pytest.mark.parametrize("dpd", [90, 91])
def test_interest_is_no_income_after_ninety_days(dpd: int) -> None:
    """On the evening of the 91st day past due, and not before."""
    day = days(FIRST_DUE, dpd)
    outcome = given(LOAN, OPENED, due(1), failed(FIRST_DUE)).when(misses(day), on(day))
    said = [event for event in outcome.events if isinstance(event, NonAccrualStarted)]
    assert said == ([no_income(day, 91)] if dpd > 90 else [])


def test_it_is_income_again_when_all_arrears_are_paid() -> None:
    """Not while one instalment is open: all of the loan, or nothing of it."""
    story = (*MISSED, no_income(LATE_ON, 63))
    part = given(LOAN, *story).when(pays(LATE_ON, 2 * INSTALLMENT), on(LATE_ON))
    assert not [event for event in part.events if isinstance(event, NonAccrualEnded)]
    story = (OPENED, due(1), failed(FIRST_DUE), no_income(MARCH, 15))
    whole = given(LOAN, *story).when(pays(MARCH, INSTALLMENT), on(MARCH))
    ended = NonAccrualEnded(loan_id="loan_7", borrower="usr_bo", ended_on=MARCH, principal_fen=66_998)
    assert [event for event in whole.events if isinstance(event, NonAccrualEnded)] == [ended]


def test_giving_up_the_last_arrears_makes_it_income_again() -> None:
    """Only penalty is open, and it is waived: nothing is overdue, as after a payment."""
    paid = received("pay_0", MARCH, (line(1, 1_000, 33_002),), (100_000, 66_998))
    outcome = given(LOAN, *FINED, CHARGED, paid, no_income(MARCH, 15)).when(
        done(Waiver(amount_fen=252)), on(MARCH)
    )
    ended = NonAccrualEnded(loan_id="loan_7", borrower="usr_bo", ended_on=MARCH, principal_fen=66_998)
    assert outcome.events[-1] == ended


def test_by_hand_it_is_no_income_after_a_payment_in_time() -> None:
    """It cures nothing, and ends nothing that somebody decided."""
    outcome = given(LOAN, *PAID, BY_HAND).when(pays(SECOND_DUE, INSTALLMENT), on(SECOND_DUE))
    assert not [event for event in outcome.events if isinstance(event, NonAccrualEnded)]


def test_a_debit_of_the_rows_before_still_counts() -> None:
    """An extension leaves what is due alone: its debit's answer pays it."""
    story = (OPENED, due(1))
    extended = given(LOAN, *story).when(done(TWO_MONTHS), on(MARCH))
    paid = given(LOAN, *story, *extended.events).when(
        pays(FIRST_DUE, INSTALLMENT, payment_id=debit_id(FIRST_DUE)), on(MARCH)
    )
    assert paid.events[0].allocation == (line(1, 1_000, 33_002),)
