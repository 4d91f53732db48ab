"""The loan's commands: opened, debited, paid, settled; what it does not take goes back by event or by name."""

from dataclasses import replace
from typing import Any

import pytest

from libs.events.repayment import (
    LoanRepaid,
    OverdueBucketChanged,
    OverpaymentReturned,
    PaymentMissed,
    PaymentReceived,
    PaymentReturned,
)
from services.repayment.domain.journal import CHUNK
from services.repayment.domain.loan_state import PAYMENTS_REMEMBERED, Repaid
from tests.unit.given import Given, given, step
from tests.unit.repayment.stories import (
    FIRST_DUE,
    FIRST_PAID,
    FUNDED_ON,
    INSTALLMENT,
    LAST_DUE,
    LOAN,
    OPENED,
    SECOND_DUE,
    SETTLED,
    asked_again,
    came,
    days,
    debit_id,
    debited,
    distributed,
    due,
    failed,
    found_nothing,
    in_time,
    line,
    on,
    pays,
    received,
    split,
)


def returned(payment_id: str, amount_fen: int, code: str) -> PaymentReturned:
    """All of a payment goes back."""
    return PaymentReturned(
        loan_id="loan_7", payment_id=payment_id, account_id="acc_bo", amount_fen=amount_fen, code=code
    )


def overpaid(payment_id: str, amount_fen: int) -> OverpaymentReturned:
    """The rest of a payment goes back."""
    return OverpaymentReturned(
        loan_id="loan_7", payment_id=payment_id, account_id="acc_bo", amount_fen=amount_fen
    )


#: The first instalment was missed and the loan is counted in M1.
MISSED = (
    due(1),
    failed(FIRST_DUE),
    PaymentMissed(
        loan_id="loan_7", borrower="usr_bo", number=1, due_on=FIRST_DUE, open_fen=INSTALLMENT, dpd=1
    ),
    OverdueBucketChanged(
        loan_id="loan_7",
        borrower="usr_bo",
        changed_on=days(FIRST_DUE, 1),
        from_bucket="current",
        to_bucket="M1",
        dpd=1,
        principal_fen=100_000,
        overdue_fen=INSTALLMENT,
    ),
)

#: Settled early on the day after the first due date.


# --- RecordDebit ---------------------------------------------------------------------------------------------------


def test_a_full_debit_pays_the_instalment_and_goes_to_the_holders() -> None:
    """Allocation and distribution are one decision: 340.02 = 330.02 + 10.00, fee 1.00."""
    given(LOAN, OPENED, due(1)).when(debited(FIRST_DUE, INSTALLMENT), on(FIRST_DUE)).then(*FIRST_PAID[1:])


def test_a_partial_debit_pays_interest_first_and_leaves_the_rest_open() -> None:
    """100.00 of 340.02: all interest, 90.00 of principal; nothing is late on the due day."""
    given(LOAN, OPENED, due(1)).when(debited(FIRST_DUE, 10_000), on(FIRST_DUE)).then(
        received(debit_id(FIRST_DUE), FIRST_DUE, (line(1, 1_000, 9_000),), (100_000, 91_000)),
        distributed(
            debit_id(FIRST_DUE), FIRST_DUE, (1, 4_500, 500, 50), (2, 2_700, 300, 30), (3, 1_800, 200, 20)
        ),
    )


def test_a_debit_that_was_answered_says_nothing() -> None:
    """The same debit again, after its money, after its failure, and after the loan is repaid."""
    given(LOAN, OPENED, *FIRST_PAID).when(debited(FIRST_DUE, INSTALLMENT)).then_nothing()
    given(LOAN, OPENED, due(1), failed(FIRST_DUE)).when(debited(FIRST_DUE, INSTALLMENT)).then_nothing()
    given(LOAN, OPENED, *SETTLED).when(debited(FIRST_DUE, INSTALLMENT)).then_nothing()


def test_a_debit_of_an_unknown_loan_is_refused() -> None:
    """The saga gives the money back by `about`."""
    given(LOAN).when(debited(FIRST_DUE, INSTALLMENT)).then_refused("unknown_loan")


def test_a_debit_takes_only_what_a_voluntary_payment_left() -> None:
    """A payment overtook the debit: 2 fen are owed, the rest goes back."""
    paid_before = (
        received("pay_1", FIRST_DUE, (line(1, 1_000, 33_000),), (100_000, 67_000)),
        distributed("pay_1", FIRST_DUE, (1, 16_500, 500, 50), (2, 9_900, 300, 30), (3, 6_600, 200, 20)),
    )
    dbt = debit_id(FIRST_DUE)
    given(LOAN, OPENED, due(1), *paid_before).when(debited(FIRST_DUE, INSTALLMENT), on(FIRST_DUE)).then(
        came(received(dbt, FIRST_DUE, (line(1, 0, 2),), (67_000, 66_998)), INSTALLMENT, phase=4),
        distributed(dbt, FIRST_DUE, (1, 1, 0, 0), (2, 1, 0, 0)),
        overpaid(dbt, 34_000),
    )


def test_a_debit_for_which_nothing_is_due_any_more_goes_back() -> None:
    """The instalment was paid while the debit was on its way."""
    paid_before = (
        received("pay_1", FIRST_DUE, (line(1, 1_000, 33_002),), (100_000, 66_998)),
        distributed("pay_1", FIRST_DUE, (1, 16_501, 500, 50), (2, 9_901, 300, 30), (3, 6_600, 200, 20)),
    )
    given(LOAN, OPENED, due(1), *paid_before).when(debited(FIRST_DUE, INSTALLMENT), on(FIRST_DUE)).then(
        returned(debit_id(FIRST_DUE), INSTALLMENT, "nothing_due")
    )


def settled_with_a_debit_in_flight() -> Any:
    """The second instalment was asked, then the borrower settled everything on the same day."""
    asked = given(LOAN, OPENED, *FIRST_PAID, due(2))
    return asked.when(pays(SECOND_DUE, 67_668, settle=True), on(SECOND_DUE)).state


def test_a_debit_that_reaches_a_repaid_loan_goes_back_once() -> None:
    """The loan was settled while the debit was on its way; the repeat says nothing."""
    answer = debited(SECOND_DUE, INSTALLMENT)
    outcome = step(LOAN, settled_with_a_debit_in_flight(), answer, on(SECOND_DUE))
    outcome.then(returned(debit_id(SECOND_DUE), INSTALLMENT, "loan_repaid"))
    step(LOAN, outcome.state, answer, on(SECOND_DUE)).then_nothing()


def test_the_last_debit_repays_the_loan() -> None:
    """After the last instalment nothing is owed and every claim is zero."""
    second, last = debit_id(SECOND_DUE), debit_id(LAST_DUE)
    before = (
        *FIRST_PAID,
        due(2),
        received(second, SECOND_DUE, (line(2, 670, 33_332),), (66_998, 33_666)),
        distributed(second, SECOND_DUE, (1, 16_666, 335, 34), (2, 9_999, 201, 20), (3, 6_667, 134, 13)),
        due(3, 34_003),
    )
    given(LOAN, OPENED, *before).when(debited(LAST_DUE, 34_003), on(LAST_DUE)).then(
        received(last, LAST_DUE, (line(3, 337, 33_666),), (33_666, 0)),
        distributed(last, LAST_DUE, (1, 16_833, 169, 17), (2, 10_100, 101, 10), (3, 6_733, 67, 7)),
        LoanRepaid(loan_id="loan_7", borrower="usr_bo", repaid_on=LAST_DUE, early=False),
    )


# --- RecordDebitFailure --------------------------------------------------------------------------------------------


def test_a_debit_that_found_nothing_is_recorded() -> None:
    """The failure is a fact of the loan: its saga ends, the retry comes with the day."""
    given(LOAN, OPENED, due(1)).when(found_nothing(FIRST_DUE), on(FIRST_DUE)).then(failed(FIRST_DUE))


def test_a_failure_that_was_recorded_says_nothing() -> None:
    """The same failure again, and one after the debit's money."""
    given(LOAN, OPENED, due(1), failed(FIRST_DUE)).when(found_nothing(FIRST_DUE)).then_nothing()
    given(LOAN, OPENED, *FIRST_PAID).when(found_nothing(FIRST_DUE)).then_nothing()


def test_a_failure_on_an_unknown_loan_is_refused() -> None:
    """No loan, no debit."""
    given(LOAN).when(found_nothing(FIRST_DUE)).then_refused("unknown_loan")


def test_a_failure_still_reaches_a_repaid_loan() -> None:
    """The debit's saga must end there too, once."""
    outcome = step(LOAN, settled_with_a_debit_in_flight(), found_nothing(SECOND_DUE), on(SECOND_DUE))
    outcome.then(failed(SECOND_DUE))
    step(LOAN, outcome.state, found_nothing(SECOND_DUE), on(SECOND_DUE)).then_nothing()


# --- RecordPayment -------------------------------------------------------------------------------------------------


def test_a_voluntary_payment_pays_what_is_due_and_returns_the_rest() -> None:
    """500.00 on the due day: 340.02 are taken, the rest was not owed."""
    given(LOAN, OPENED).when(pays(FIRST_DUE, 50_000), on(FIRST_DUE)).then(
        came(received("pay_1", FIRST_DUE, (line(1, 1_000, 33_002),), (100_000, 66_998)), 50_000),
        distributed("pay_1", FIRST_DUE, (1, 16_501, 500, 50), (2, 9_901, 300, 30), (3, 6_600, 200, 20)),
        overpaid("pay_1", 15_998),
    )


def test_a_payment_that_was_answered_says_nothing() -> None:
    """The same payment again, whether it was taken, returned, or ended the loan."""
    taken = (
        received("pay_1", FIRST_DUE, (line(1, 1_000, 0),), (100_000, 100_000)),
        distributed("pay_1", FIRST_DUE, (1, 0, 500, 50), (2, 0, 300, 30), (3, 0, 200, 20)),
    )
    given(LOAN, OPENED, *taken).when(pays(FIRST_DUE, 1_000)).then_nothing()
    given(LOAN, OPENED, returned("pay_1", 5, "nothing_due")).when(pays(FIRST_DUE, 5)).then_nothing()
    given(LOAN, OPENED, *SETTLED).when(pays(LAST_DUE, 5, payment_id="pay_0")).then_nothing()


def test_a_payment_on_an_unknown_loan_is_refused() -> None:
    """The saga gives the money back by `about`."""
    given(LOAN).when(pays(FIRST_DUE, 1_000)).then_refused("unknown_loan")


@pytest.mark.parametrize(
    ("history", "command", "code"),
    [
        ((), pays(FIRST_DUE, 1_000, payer="usr_other"), "not_the_borrower"),
        (SETTLED, pays(LAST_DUE, 1_000, payer="usr_other"), "not_the_borrower"),
        ((), pays(days(FIRST_DUE, -1), 1_000), "nothing_due"),
        (FIRST_PAID, pays(days(FIRST_DUE, 1), 1_000), "nothing_due"),
        ((), pays(FIRST_DUE, 100_999, settle=True), "below_payoff"),
        (SETTLED, pays(LAST_DUE, 1_000), "loan_repaid"),
        (SETTLED, pays(LAST_DUE, 1_000, settle=True), "loan_repaid"),
    ],
)
def test_a_payment_that_the_loan_does_not_take_goes_back_whole(
    history: tuple[Any, ...], command: Any, code: str
) -> None:
    """Somebody else's, nothing due, below the payoff, repaid: one event names what to return and why."""
    given(LOAN, OPENED, *history).when(command, on(command.value_date)).then(
        returned("pay_1", command.amount_fen, code)
    )


def test_a_settlement_closes_the_loan_early_and_returns_the_rest() -> None:
    """A day after the first due date 669.98 + 0.22 settle the loan; of 700.00 the rest goes back."""
    day = days(FIRST_DUE, 1)
    given(LOAN, OPENED, *FIRST_PAID).when(pays(day, 70_000, settle=True), on(day)).then(
        came(received("pay_1", day, (line(0, 22, 66_998),), (66_998, 0), early=True), 70_000, mode="settle"),
        distributed("pay_1", day, (1, 33_499, 11, 1), (2, 20_099, 7, 1), (3, 13_400, 4, 0)),
        overpaid("pay_1", 2_980),
        LoanRepaid(loan_id="loan_7", borrower="usr_bo", repaid_on=day, early=True),
    )


def test_a_settlement_after_the_last_due_date_is_not_early() -> None:
    """Nothing was paid before its time."""
    day = days(LAST_DUE, 1)
    outcome = given(LOAN, OPENED, due(1), failed(FIRST_DUE)).when(pays(day, 102_007, settle=True), on(day))
    first, _, repaid = in_time(outcome).events
    lines = (line(1, 1_000, 33_002), line(2, 670, 33_332), line(3, 337, 33_666))
    assert first == came(received("pay_1", day, lines, (100_000, 0)), 102_007, mode="settle")
    assert repaid == LoanRepaid(loan_id="loan_7", borrower="usr_bo", repaid_on=day, early=False)


def test_a_payment_dated_tomorrow_may_pay_tomorrows_instalment_before_it_is_said_due() -> None:
    """Bidding lives on the next date while repayment closes this one; the instalment is then not asked any more."""
    outcome = given(LOAN, OPENED).when(pays(FIRST_DUE, INSTALLMENT), on(days(FIRST_DUE, -1)))
    assert [type(event) for event in outcome.events][:1] == [PaymentReceived]
    assert LOAN.wake_on(outcome.state) == (SECOND_DUE, 2)


# --- buckets get better --------------------------------------------------------------------------------------------


def test_paying_all_arrears_brings_the_loan_back_to_current_at_once() -> None:
    """The payment still counts in M1, then the loan moves with what it owes after it."""
    day = days(FIRST_DUE, 5)
    in_time(given(LOAN, OPENED, *MISSED).when(pays(day, INSTALLMENT), on(day))).then(
        received("pay_1", day, (line(1, 1_000, 33_002),), (100_000, 66_998), bucket="M1"),
        distributed("pay_1", day, (1, 16_501, 500, 50), (2, 9_901, 300, 30), (3, 6_600, 200, 20)),
        OverdueBucketChanged(
            loan_id="loan_7",
            borrower="usr_bo",
            changed_on=day,
            from_bucket="M1",
            to_bucket="current",
            dpd=0,
            principal_fen=66_998,
            overdue_fen=0,
        ),
    )


def test_a_partial_payment_does_not_move_the_bucket() -> None:
    """DPD counts from the oldest instalment not fully paid (rules.md 1.4)."""
    day = days(FIRST_DUE, 5)
    paid = received(
        "pay_1", day, (line(1, 1_000, 33_001),), (100_000, 66_999), bucket="M1", overdue_after_fen=1
    )
    in_time(given(LOAN, OPENED, *MISSED).when(pays(day, INSTALLMENT - 1), on(day))).then(
        replace(paid, overdue_principal=split("M1", "M1", 0, 1)),
        distributed("pay_1", day, (1, 16_501, 500, 50), (2, 9_900, 300, 30), (3, 6_600, 200, 20)),
    )


def test_a_payment_moves_the_bucket_to_the_age_of_what_is_left() -> None:
    """36 days late, the oldest is paid: the next is 5 days late, so M2 becomes M1."""
    day = days(SECOND_DUE, 5)
    in_m2 = OverdueBucketChanged(
        loan_id="loan_7",
        borrower="usr_bo",
        changed_on=days(FIRST_DUE, 31),
        from_bucket="M1",
        to_bucket="M2",
        dpd=31,
        principal_fen=100_000,
        overdue_fen=INSTALLMENT,
    )
    second = replace(MISSED[2], number=2, due_on=SECOND_DUE)
    outcome = given(LOAN, OPENED, *MISSED, in_m2, due(2, 68_004), failed(SECOND_DUE, 68_004), second).when(
        pays(day, INSTALLMENT), on(day)
    )
    assert in_time(outcome).events[2:] == (
        OverdueBucketChanged(
            loan_id="loan_7",
            borrower="usr_bo",
            changed_on=day,
            from_bucket="M2",
            to_bucket="M1",
            dpd=5,
            principal_fen=66_998,
            overdue_fen=34_002,
            overdue_principal=split("M2", "M1", 0, 33_332),
        ),
    )


# --- duplicates ----------------------------------------------------------------------------------------------------


def test_of_payments_that_went_back_only_the_last_are_remembered() -> None:
    """The state stays compact: an id is forgotten after PAYMENTS_REMEMBERED others, and debits do not push it out."""
    back = [returned(f"pay_{number}", 5, "nothing_due") for number in range(1, PAYMENTS_REMEMBERED + 1)]
    debits = [due(1), failed(FIRST_DUE), asked_again(days(FIRST_DUE, 1), INSTALLMENT)]
    given(LOAN, OPENED, *back, *debits).when(pays(FUNDED_ON, 5)).then_nothing()
    given(LOAN, OPENED, *back, returned("pay_more", 5, "nothing_due")).when(
        pays(FUNDED_ON, 5), on(FUNDED_ON)
    ).then(returned("pay_1", 5, "nothing_due"))


@pytest.mark.parametrize("others", [PAYMENTS_REMEMBERED, 2 * CHUNK])
def test_a_payment_that_was_taken_is_known_for_good(others: int) -> None:
    """However many came since, in whichever part of the journal it stands, and also once the loan is repaid: its money is booked once."""
    loan, day = given(LOAN, OPENED), days(FIRST_DUE, 1)
    for number in range(others + 1):
        paid = loan.when(pays(day, 10, payment_id=f"pay_{number}"), on(day))
        assert paid.events
        loan = Given(LOAN, paid.state)
    for number in (0, 1, others):
        loan.when(pays(day, 10, payment_id=f"pay_{number}"), on(day)).then_nothing()
    assert loan.when(pays(day, 10, payment_id="pay"), on(day)).events
    ended = loan.when(pays(day, 110_000, payment_id="pay_end", settle=True), on(day)).state
    assert isinstance(ended, Repaid)
    Given(LOAN, ended).when(pays(day, 10, payment_id="pay_0"), on(day)).then_nothing()
