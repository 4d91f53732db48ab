"""What it cost to pursue a loss: booked with the write-off or after it, and paid before the debt by what comes first (processes.md 1.P)."""

from dataclasses import replace
from typing import Any

import pytest

from libs.events.arrival import Arrival, LoanWaited
from libs.events.corrections import LoanRestated, PaymentReversed, Retaken
from libs.events.measures import RecoveryReceived, WriteOff
from libs.events.recovery_costs import RecoveryCostBooked, RecoveryCostPaid
from libs.events.repayment import LoanRepaid, OverpaymentReturned, PaymentReceived, PaymentReturned
from services.repayment.api.shapes import LoanOut, SettlementOut
from services.repayment.domain.loan_state import Running
from services.repayment.domain.settling import settlement
from services.repayment.domain.trouble import Cost
from services.repayment.projections.loans import VIEW as LOANS
from services.repayment.projections.off_balance import VIEW
from tests.unit.bidding.specs import Spec
from tests.unit.documents import documents, history, nested
from tests.unit.given import given
from tests.unit.repayment.correction_story import CORRECT, PAID
from tests.unit.repayment.stories import FIRST_DUE, LOAN, OPENED, check_applied, days, on, pays
from tests.unit.repayment.test_allocation import RULES
from tests.unit.repayment.troubled_story import LOSS, LOST, LOST_ON, MISSED, done

COST = WriteOff(ground="overdue", cost_fen=3_000, cost_account="acc_law")
LATER = done(COST, "msr_2")
PAID_ON = days(LOST_ON, 9)
BOOKED = RecoveryCostBooked(
    loan_id="loan_7",
    borrower="usr_bo",
    measure_id="msr_2",
    cost_fen=3_000,
    account_id="acc_law",
    booked_on=LOST_ON,
)
LOSES = (*LOST, *LOSS)
#: All that is owed is 102,007.
OPEN = (*LOSES, BOOKED)


def paid(
    amount_fen: int, left_fen: int, *, is_all: bool = False, came_fen: int | None = None
) -> RecoveryCostPaid:
    """The cost's part of a payment of `came_fen`; None: of one that does not say how it came."""
    arrival = None
    if came_fen is not None:
        arrival = Arrival(account_id="", received_fen=came_fen, booked_on=PAID_ON, before_phase=2)
    return RecoveryCostPaid(
        loan_id="loan_7",
        borrower="usr_bo",
        measure_id="msr_2",
        payment_id="pay_1",
        account_id="acc_law",
        amount_fen=amount_fen,
        left_fen=left_fen,
        value_date=PAID_ON,
        is_all=is_all,
        arrival=arrival,
    )


SPECS = [
    Spec("it is said with the write-off", LOST, done(COST), (*LOSS, replace(BOOKED, measure_id="msr_1")), on(LOST_ON)),
    Spec("or afterwards", LOSES, LATER, (BOOKED,), on(LOST_ON)),
    Spec("once", OPEN, LATER, (), on(LOST_ON)),
    Spec("not a second before the first is paid", OPEN, done(COST, "msr_3"), "cost_open", on(LOST_ON)),
    Spec("nor nothing", LOSES, done(replace(COST, cost_fen=0, cost_account=""), "msr_2"), "loan_written_off", on(LOST_ON)),
    Spec("nor to nobody", LOST, done(replace(COST, cost_account="")), "invalid_cost", on(LOST_ON)),
    Spec("nor somebody nothing", LOST, done(replace(COST, cost_fen=0)), "invalid_cost", on(LOST_ON)),
    Spec("nor what is no account", LOST, done(replace(COST, cost_account="usr_law")), "invalid_account", on(LOST_ON)),
    Spec("nor the debtor", LOST, done(replace(COST, cost_account="acc_bo")), "forbidden_payee", on(LOST_ON)),
    Spec("nor a holder", LOST, done(replace(COST, cost_account="acc_1")), "forbidden_payee", on(LOST_ON)),
    Spec("nor of a loan that is too young a loss", MISSED, done(COST), "overdue_too_short", on(days(LOST_ON, -1))),
]  # fmt: skip


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.says)
def test_what_its_pursuit_cost(spec: Spec) -> None:
    """A write-off says it, or is proposed again for it; nobody is paid it who has a part in the loan."""
    check_applied(spec)


def told(events: Any) -> list[Any]:
    """What becomes of a payment's money."""
    kinds = (
        RecoveryCostPaid,
        PaymentReceived,
        RecoveryReceived,
        OverpaymentReturned,
        PaymentReturned,
        LoanRepaid,
    )
    return [event for event in events if isinstance(event, kinds)]


@pytest.mark.parametrize("fen", [2_999, 3_000])
def test_money_goes_to_the_cost_first(fen: int) -> None:
    """What it does not exceed is all the cost's, and the payment is not taken again."""
    outcome = given(LOAN, *OPEN).when(pays(PAID_ON, fen), on(PAID_ON))
    waited, cost = outcome.events
    assert isinstance(waited, LoanWaited)
    assert cost == paid(fen, 3_000 - fen, is_all=True, came_fen=fen)
    given(LOAN, *OPEN, *outcome.events).when(pays(PAID_ON, fen), on(PAID_ON)).then_nothing()


def test_then_to_the_holders() -> None:
    """Payment = cost + what the debt takes; a recovery is what the debt takes, and the next payment is all the debt's."""
    outcome = given(LOAN, *OPEN).when(pays(PAID_ON, 8_000), on(PAID_ON))
    cost, received, recovery = told(outcome.events)
    assert cost == paid(3_000, 0, came_fen=8_000)
    assert (received.amount_fen, received.cost_fen, recovery.amount_fen) == (5_000, 3_000, 5_000)
    assert isinstance(outcome.state, Running)
    assert outcome.state.trouble.cost is None
    again = given(LOAN, *OPEN, *outcome.events).when(pays(PAID_ON, 8_000, payment_id="pay_2"), on(PAID_ON))
    assert [type(event) for event in told(again.events)] == [PaymentReceived, RecoveryReceived]
    assert told(again.events)[1].recovered_fen == 13_000


def test_who_settles_pays_the_cost_as_well_or_nothing() -> None:
    """A fen less goes back whole; a fen more goes back."""
    whole = 102_007 + 3_000
    short = given(LOAN, *OPEN).when(pays(PAID_ON, whole - 1, settle=True), on(PAID_ON))
    [back] = short.events
    assert (back.code, back.amount_fen) == ("below_payoff", whole - 1)
    [nothing] = given(LOAN, *OPEN).when(pays(PAID_ON, 1_000, settle=True), on(PAID_ON)).events
    assert (nothing.code, nothing.amount_fen) == ("below_payoff", 1_000)
    settled = given(LOAN, *OPEN).when(pays(PAID_ON, whole + 1, settle=True), on(PAID_ON))
    cost, received, _, over, repaid = told(settled.events)
    assert (cost.amount_fen, received.amount_fen, over.amount_fen) == (3_000, 102_007, 1)
    assert isinstance(repaid, LoanRepaid)


def test_the_register_says_what_it_cost() -> None:
    """Beside what was recovered, which it is no part of."""
    outcome = given(LOAN, *OPEN).when(pays(PAID_ON, 8_000), on(PAID_ON))
    row = documents(VIEW, history("loan_7", *OPEN, *outcome.events))["loan:loan_7"]
    assert [row[name] for name in ("cost_fen", "cost_paid_fen", "recovered_fen", "left_fen")] == [
        3_000,
        3_000,
        5_000,
        97_007,
    ]


def test_what_was_paid_of_a_cost_is_decided_again() -> None:
    """Open it stays open through the correction of another payment. Without the payment that paid it, it is owed again: its payee gives it
    back to the payer, and the next payment, which was all the debt's, pays it."""
    lost = given(LOAN, OPENED, *PAID).when(done(replace(COST, ground="court")), on(FIRST_DUE))
    story = (OPENED, *PAID, *lost.events)
    corrected = given(LOAN, *story).when(CORRECT, on(FIRST_DUE))
    assert corrected.refused is None
    assert isinstance(corrected.state, Running)
    assert corrected.state.trouble.cost == Cost(measure_id="msr_1", account_id="acc_law", owed_fen=3_000)
    first = given(LOAN, *story).when(pays(FIRST_DUE, 3_000, payment_id="pay_2"), on(FIRST_DUE))
    assert [type(event) for event in first.events] == [RecoveryCostPaid]
    story = (*story, *first.events)
    wrong = replace(CORRECT, correction=replace(CORRECT.correction, payment_id="pay_2"))
    reversed_ = given(LOAN, *story).when(wrong, on(FIRST_DUE))
    [cause] = (event for event in reversed_.events if isinstance(event, PaymentReversed))
    [restated] = (event for event in reversed_.events if isinstance(event, LoanRestated))
    assert cause.amount_fen == 3_000
    assert [
        (line.account_id, line.returned_fen, line.cost_fen, line.amount_fen) for line in restated.lines
    ] == [
        ("acc_bo", 3_000, 0, 3_000),
        ("acc_law", 0, -3_000, -3_000),
    ]
    assert reversed_.state.trouble.cost == Cost(measure_id="msr_1", account_id="acc_law", owed_fen=3_000)
    second = given(LOAN, *story).when(pays(FIRST_DUE, 4_000, payment_id="pay_3"), on(FIRST_DUE))
    behind = given(LOAN, *story, *second.events).when(wrong, on(FIRST_DUE))
    [restated] = (event for event in behind.events if isinstance(event, LoanRestated))
    assert restated.retaken == (
        Retaken(payment_id="pay_3", before_fen=4_000, after_fen=1_000, cost_fen=3_000),
    )
    assert (restated.cost_paid_fen, restated.recovered_fen) == (0, -3_000)
    assert restated.standing.measured
    assert restated.standing.measured.cost is None
    row = documents(VIEW, history("loan_7", *story, *second.events, *behind.events))["loan:loan_7"]
    assert [row[name] for name in ("cost_fen", "cost_paid_fen", "recovered_fen")] == [3_000, 3_000, 1_000]
    loan = nested(
        "loan_7", documents(LOANS, history("loan_7", *story, *second.events, *behind.events))["loan_7"]
    )
    shown = {payment.id: payment for payment in LoanOut.of(loan).payments}
    assert (shown["pay_2"].reversed, shown["pay_2"].amount_fen, shown["pay_2"].cost_fen) == (
        True,
        3_000,
        3_000,
    )
    assert (shown["pay_3"].taken_fen, shown["pay_3"].cost_fen, LoanOut.of(loan).cost_fen) == (4_000, 0, 0)


def test_a_cost_that_was_paid_before_it_was_said_how_is_not_decided_again() -> None:
    """Records of before rules 9: no replay knows how the money came."""
    lost = given(LOAN, OPENED, *PAID).when(done(replace(COST, ground="court")), on(FIRST_DUE))
    old = replace(paid(100, 2_900, is_all=True), measure_id="msr_1", payment_id="pay_2", value_date=FIRST_DUE)
    given(LOAN, OPENED, *PAID, *lost.events, old).when(CORRECT, on(FIRST_DUE)).then_refused("loan_measured")


def test_who_settles_is_told_the_cost() -> None:
    """The quote's amount is what the loan takes, to the fen, and its parts sum to it."""
    loan = nested("loan_7", documents(LOANS, history("loan_7", *OPEN))["loan_7"])
    shown = LoanOut.of(loan)
    quote = SettlementOut.of(shown, PAID_ON, settlement(shown.book(), PAID_ON, RULES))
    assert (quote.cost_fen, quote.amount_fen) == (3_000, 105_007)
    outcome = given(LOAN, *OPEN).when(pays(PAID_ON, 8_000), on(PAID_ON))
    paid_of = nested("loan_7", documents(LOANS, history("loan_7", *OPEN, *outcome.events))["loan_7"])
    assert LoanOut.of(paid_of).cost_fen == 0
