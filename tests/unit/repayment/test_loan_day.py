"""What the day does to a loan: dues and retries in phase 2, misses and worse buckets in phase 4, nothing in between."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from libs.events.deciding import Wake
from libs.events.repayment import OverdueBucketChanged, PaymentMissed
from tests.unit.given import Outcome, given, step
from tests.unit.repayment.stories import (
    FIRST_DUE,
    FIRST_PAID,
    FUNDED_ON,
    INSTALLMENT,
    LAST_DUE,
    LOAN,
    OPEN,
    OPENED,
    ROWS,
    SECOND_DUE,
    asked_again,
    classified,
    days,
    debit_id,
    debited,
    due,
    dues,
    failed,
    found_nothing,
    in_time,
    line,
    misses,
    no_income,
    on,
    pays,
    received,
    split,
)


def missed(
    number: int, dpd: int, open_fen: int = INSTALLMENT, overdue_after_fen: int = INSTALLMENT
) -> PaymentMissed:
    """Instalment `number` was not paid in time; by default nothing else is overdue."""
    return PaymentMissed(
        loan_id="loan_7",
        borrower="usr_bo",
        number=number,
        due_on=ROWS[number - 1].due_on,
        open_fen=open_fen,
        dpd=dpd,
        overdue_after_fen=overdue_after_fen,
    )


def moved(
    day: date, before: str, after: str, dpd: int, overdue_fen: int, late_fen: tuple[int, int] | None = None
) -> OverdueBucketChanged:
    """The loan is counted elsewhere from `day`; `late_fen` of its principal was overdue, and is."""
    return OverdueBucketChanged(
        loan_id="loan_7",
        borrower="usr_bo",
        changed_on=day,
        from_bucket=before,
        to_bucket=after,
        dpd=dpd,
        principal_fen=100_000,
        overdue_fen=overdue_fen,
        overdue_principal=None if late_fen is None else split(before, after, *late_fen),
    )


NEXT_DAY = days(FIRST_DUE, 1)
UNPAID = (OPENED, due(1), failed(FIRST_DUE))
#: What the day says of the first miss.
LATE = (
    missed(1, 1),
    moved(NEXT_DAY, "current", "M1", 1, INSTALLMENT, (0, 33_002)),
    classified(NEXT_DAY, "normal", "special_mention", 1),
)


def woken(wake: Wake, *history: Any) -> Outcome:
    """Wake a loan with this history on that day."""
    return in_time(given(LOAN, *history).when(wake, on(wake.business_date)))


# --- phase 2 -------------------------------------------------------------------------------------------------------


def test_an_instalment_falls_due_on_its_date_and_is_asked() -> None:
    """The whole row, and its debit under an id that names loan and day."""
    woken(dues(FIRST_DUE), OPENED).then(due(1))


def test_nothing_is_due_before_the_due_date() -> None:
    """A wake that comes early says nothing."""
    woken(dues(days(FIRST_DUE, -1)), OPENED).then_nothing()


def test_an_instalment_is_said_due_once() -> None:
    """The same phase again says nothing."""
    woken(dues(FIRST_DUE), OPENED, due(1)).then_nothing()


def test_the_next_instalment_asks_for_all_arrears() -> None:
    """Both instalments stand in one debit."""
    late = (*UNPAID, *LATE)
    woken(dues(SECOND_DUE), *late).then(due(2, 2 * INSTALLMENT))


def test_what_was_paid_before_the_due_date_is_not_asked() -> None:
    """A part paid dated the same day shrinks the debit; all of it makes the wake unnecessary."""
    part = received("pay_1", FIRST_DUE, (line(1, 1_000, 2_000),), (100_000, 98_000))
    woken(dues(FIRST_DUE), OPENED, part).then(due(1, INSTALLMENT - 3_000))
    whole = received("pay_1", FIRST_DUE, (line(1, 1_000, 33_002),), (100_000, 66_998))
    woken(dues(FIRST_DUE), OPENED, whole).then_nothing()


def test_the_open_rest_is_asked_again_on_the_three_days_after() -> None:
    """Retry days are 1, 2 and 3 (chosen); then silence until the next due date."""
    history: tuple[Any, ...] = UNPAID
    for count in (1, 2, 3):
        day = days(FIRST_DUE, count)
        assert LOAN.wake_on(given(LOAN, *history).state) == (day, 2)
        woken(dues(day), *history).then(asked_again(day, INSTALLMENT))
        history = (*history, asked_again(day, INSTALLMENT), failed(day))
        history = (*history, *woken(misses(day), *history).events)
    assert LOAN.wake_on(given(LOAN, *history).state) == (SECOND_DUE, 2)
    woken(dues(days(FIRST_DUE, 4)), *history).then_nothing()


def test_a_partly_paid_instalment_asks_for_its_rest() -> None:
    """The retry asks what the first debit did not find."""
    part = received(debit_id(FIRST_DUE), FIRST_DUE, (line(1, 1_000, 9_000),), (100_000, 91_000))
    woken(dues(NEXT_DAY), OPENED, due(1), part).then(asked_again(NEXT_DAY, INSTALLMENT - 10_000))


def test_a_paid_instalment_is_not_asked_again() -> None:
    """After a full debit the next thing is the next due date."""
    woken(dues(NEXT_DAY), OPENED, *FIRST_PAID).then_nothing()
    assert LOAN.wake_on(given(LOAN, OPENED, *FIRST_PAID).state) == (SECOND_DUE, 2)


# --- phase 4 -------------------------------------------------------------------------------------------------------


def test_on_the_evening_of_the_due_date_nothing_is_missed() -> None:
    """DPD 0: the retry of the next morning is still to come."""
    woken(misses(FIRST_DUE), *UNPAID).then_nothing()


def test_an_instalment_is_missed_on_the_evening_after_and_the_loan_is_late() -> None:
    """Said once, with the loan's move to M1 and to special-mention."""
    retried = (*UNPAID, asked_again(NEXT_DAY, INSTALLMENT), failed(NEXT_DAY))
    woken(misses(NEXT_DAY), *retried).then(*LATE)
    woken(misses(NEXT_DAY), *retried, *LATE).then_nothing()


def test_every_instalment_is_missed_once_even_on_a_loan_that_is_late() -> None:
    """The second miss names its own instalment and the loan's DPD; the bucket does not move."""
    late = (
        *UNPAID,
        *LATE,
        moved(days(FIRST_DUE, 31), "M1", "M2", 31, INSTALLMENT, (33_002, 33_002)),
        due(2, 2 * INSTALLMENT),
        failed(SECOND_DUE, 2 * INSTALLMENT),
        asked_again(days(SECOND_DUE, 1), 2 * INSTALLMENT),
        failed(days(SECOND_DUE, 1), 2 * INSTALLMENT),
    )
    woken(misses(days(SECOND_DUE, 1)), *late).then(
        replace(
            missed(2, 32, overdue_after_fen=2 * INSTALLMENT),
            overdue_principal=split("M2", "M2", 33_002, 66_334),
        )
    )


@pytest.mark.parametrize(
    ("before", "after", "dpd"),
    [
        ("M1", "M2", 31),
        ("M2", "M3", 61),
        ("M3", "M4", 91),
        ("M4", "M5", 121),
        ("M5", "M6", 151),
        ("M6", "M6+", 181),
    ],
)
def test_buckets_get_worse_at_their_edges(before: str, after: str, dpd: int) -> None:
    """M1 1–30 · M2 31–60 · M3 61–90 · M4 91–120 · M5 121–150 · M6 151–180 · M6+ > 180 (domain.md section 4)."""
    terms = replace(OPENED, tenor_months=1, rows=(replace(ROWS[0], principal_fen=100_000),))
    counted = moved(NEXT_DAY, "current", before, 1, 101_000, (0, 100_000))
    history = (
        terms,
        due(1),
        failed(FIRST_DUE),
        asked_again(days(FIRST_DUE, 3), 101_000),
        failed(days(FIRST_DUE, 3), 101_000),
        missed(1, 1),
        counted,
        classified(NEXT_DAY, "normal", "substandard", 1),
        no_income(NEXT_DAY, 1),
    )
    day = days(FIRST_DUE, dpd)
    assert LOAN.wake_on(given(LOAN, *history).state) == (day, 4)
    woken(misses(days(day, -1)), *history).then_nothing()
    woken(misses(day), *history).then(moved(day, before, after, dpd, 101_000, (100_000, 100_000)))


def test_a_lost_loan_after_its_last_due_date_costs_nothing() -> None:
    """Last bucket, last class: nothing is scheduled any more, so no day wakes it."""
    last = moved(days(FIRST_DUE, 181), "M6", "M6+", 181, INSTALLMENT)
    terms = replace(OPENED, tenor_months=1, rows=(replace(ROWS[0], principal_fen=100_000),))
    lost = classified(days(FIRST_DUE, 361), "doubtful", "loss", 361)
    unpaid = (terms, due(1), failed(FIRST_DUE), asked_again(days(FIRST_DUE, 3), 101_000), missed(1, 1))
    history = (*unpaid, last, lost, no_income(days(FIRST_DUE, 91), 91))
    assert LOAN.wake_on(given(LOAN, *history).state) is None
    woken(misses(days(FIRST_DUE, 1_000)), *history).then_nothing()


# --- who is not woken ----------------------------------------------------------------------------------------------


def test_a_new_loan_waits_for_its_first_due_date() -> None:
    """Nothing happens to it before."""
    assert LOAN.wake_on(given(LOAN, OPENED).state) == (FIRST_DUE, 2)


def test_what_is_not_lent_or_is_repaid_is_never_woken() -> None:
    """No time is asked for, and a stray wake says nothing."""
    assert LOAN.wake_on(LOAN.initial) is None
    woken(dues(FIRST_DUE)).then_nothing()
    repaid = given(LOAN, OPENED).when(pays(FUNDED_ON, 100_000, settle=True), on(FUNDED_ON)).state
    assert LOAN.wake_on(repaid) is None
    step(LOAN, repaid, dues(FIRST_DUE), on(FIRST_DUE)).then_nothing()


# --- a loan that was stuck -----------------------------------------------------------------------------------------


def test_a_late_wake_says_all_dues_and_asks_every_fen_once() -> None:
    """Two due dates passed: two instalments, two debits dated today, together everything owed."""
    day = days(SECOND_DUE, 2)
    woken(dues(day), OPENED).then(
        due(1, INSTALLMENT, asked_on=day),
        due(2, INSTALLMENT, asked_on=day),
        missed(1, 32),
        missed(2, 32, overdue_after_fen=2 * INSTALLMENT),
        moved(days(day, -1), "current", "M2", 32, 2 * INSTALLMENT, (0, 66_334)),
        classified(days(day, -1), "normal", "special_mention", 32),
    )


def test_a_late_wake_asks_once_and_not_for_every_day_it_missed() -> None:
    """The retry days that have passed are not made up for."""
    day = days(FIRST_DUE, 3)
    outcome = woken(dues(day), *UNPAID)
    outcome.then(
        asked_again(day, INSTALLMENT),
        missed(1, 2),
        moved(days(day, -1), "current", "M1", 2, INSTALLMENT, (0, 33_002)),
        classified(days(day, -1), "normal", "special_mention", 2),
    )
    assert LOAN.wake_on(outcome.state) == (SECOND_DUE, 2)


# --- a whole life --------------------------------------------------------------------------------------------------


def test_a_loan_lives_day_by_day() -> None:
    """One instalment in time, one two days late, the last early: the life of a loan as a table of what woke and what came."""
    state = given(LOAN).when(OPEN, on(FUNDED_ON)).state
    told: list[tuple[date, int | str, list[str]]] = []

    def say(day: date, what: int | str, command: Any) -> None:
        nonlocal state
        outcome = step(LOAN, state, command, on(day))
        state = outcome.state
        told.append((day, what, [type(event).__name__ for event in outcome.events]))

    def wake() -> None:
        due_at = LOAN.wake_on(state)
        assert due_at is not None
        say(due_at[0], due_at[1], Wake(business_date=due_at[0], phase=due_at[1]))

    wake()
    say(FIRST_DUE, "debit", debited(FIRST_DUE, INSTALLMENT))
    wake()
    say(SECOND_DUE, "debit", found_nothing(SECOND_DUE))
    wake()
    say(days(SECOND_DUE, 1), "debit", debited(days(SECOND_DUE, 1), 4_002))
    wake()
    wake()
    say(days(SECOND_DUE, 2), "debit", debited(days(SECOND_DUE, 2), 30_000))
    say(days(SECOND_DUE, 9), "settle", pays(days(SECOND_DUE, 9), 40_000, settle=True))
    paid = ["PaymentReceived", "RepaymentDistributed"]
    assert told == [
        (FIRST_DUE, 2, ["InstallmentDue"]),
        (FIRST_DUE, "debit", paid),
        (SECOND_DUE, 2, ["InstallmentDue"]),
        (SECOND_DUE, "debit", ["DebitFailureRecorded"]),
        (days(SECOND_DUE, 1), 2, ["DebitRequested"]),
        (days(SECOND_DUE, 1), "debit", paid),
        (days(SECOND_DUE, 1), 4, ["PaymentMissed", "OverdueBucketChanged", "LoanClassified"]),
        (days(SECOND_DUE, 2), 2, ["DebitRequested"]),
        (days(SECOND_DUE, 2), "debit", [*paid, "OverdueBucketChanged", "LoanClassified"]),
        (days(SECOND_DUE, 9), "settle", [*paid, "OverpaymentReturned", "LoanRepaid"]),
    ]
    assert LOAN.wake_on(state) is None
    assert days(SECOND_DUE, 9) < LAST_DUE
