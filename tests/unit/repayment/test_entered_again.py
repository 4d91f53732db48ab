"""What is entered in the place of a payment that was voided: both are marked with each other's number (processes.md 1.P)."""

from dataclasses import replace
from typing import Any

import pytest

from libs.events.arrival import Arrival
from libs.events.recovery_costs import RecoveryCostPaid
from libs.events.repayment import PaymentReceived, PaymentReturned
from libs.events.schedules.terms import RepaymentTerms
from services.repayment.api.explaining import explained
from services.repayment.commands import RecordPayment
from services.repayment.domain.journal import entries_of
from services.repayment.domain.journal_entries import Payment, read, written
from services.repayment.domain.loan_state import reopened
from services.repayment.domain.profile import profile_named
from services.repayment.domain.replaying import is_replayable
from services.repayment.policies.lending import on_bidding
from tests.unit.documents import recorded
from tests.unit.given import fold, given
from tests.unit.repayment.correction_story import CORRECT, PAID, WRONG
from tests.unit.repayment.stories import FIRST_DUE, LOAN, OPENED, due, failed, on, pays
from tests.unit.repayment.test_loan_page import shown, told
from tests.unit.repayment.test_policies import PAID as DEBITED
from tests.unit.repayment.test_recovery_cost import COST
from tests.unit.repayment.troubled_story import done

VOIDED = (OPENED, *PAID, *given(LOAN, OPENED, *PAID).when(CORRECT, on(FIRST_DUE)).events)
AGAIN = replace(pays(FIRST_DUE, 3_000, payment_id="pay_2"), replaces="pay_1")


def entered(*before: Any, command: RecordPayment = AGAIN) -> tuple[Any, ...]:
    """What the loan says to a payment in the place of another."""
    return tuple(given(LOAN, *before).when(command, on(FIRST_DUE)).events)


def test_the_right_entry_names_the_payment_that_it_replaces() -> None:
    """It says so with how it came, and is decided as any other; the same again says nothing."""
    events = entered(*VOIDED)
    plain = entered(*VOIDED, command=replace(AGAIN, replaces=""))
    arrival = Arrival(
        account_id="", received_fen=3_000, booked_on=FIRST_DUE, before_phase=2, replaces="pay_1"
    )
    assert events == tuple(
        replace(event, arrival=arrival) if isinstance(event, PaymentReceived) else event for event in plain
    )
    given(LOAN, *VOIDED, *events).when(AGAIN, on(FIRST_DUE)).then_nothing()


@pytest.mark.parametrize(
    ("before", "named", "code"),
    [
        (VOIDED, "pay_9", "unknown_payment"),
        (VOIDED, "pay_2", "unknown_payment"),
        ((OPENED, *PAID), "pay_1", "payment_not_reversed"),
        ((*VOIDED, *entered(*VOIDED, command=replace(AGAIN, payment_id="pay_3"))), "pay_1", "payment_replaced"),
        (
            (*VOIDED, *entered(*VOIDED, command=replace(AGAIN, payment_id="pay_3"))),
            "pay_3",
            "payment_not_reversed",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_replaced_is_said_by_name_and_the_money_goes_back(
    before: tuple[Any, ...], named: str, code: str
) -> None:
    """What the loan never took (another loan's, and itself), what counts, and what has been entered again."""
    back = PaymentReturned(
        loan_id="loan_7", payment_id="pay_2", account_id="acc_bo", amount_fen=3_000, code=code
    )
    assert entered(*before, command=replace(AGAIN, replaces=named)) == (back,)
    assert f"`{code}`" in (RecordPayment.__doc__ or "")


#: Whoever wants to may pay; `pay_0` is somebody's, `pay_1` the borrower's, and neither counts.
OF_ANYONE = replace(OPENED, repayment=RepaymentTerms(method="equal_instalments", payer="anyone"))


def by(payer: str, named: str, payment_id: str = "pay_2", amount_fen: int = 3_000) -> RecordPayment:
    """So much of a person's money in the place of a payment."""
    payment = pays(FIRST_DUE, amount_fen, payment_id=payment_id, payer=payer)
    return replace(payment, account_id=f"acc_{payer.removeprefix('usr_')}", replaces=named)


def both_voided() -> tuple[Any, ...]:
    """A payment of somebody's and one of the borrower's, which were both booked wrong."""
    story: tuple[Any, ...] = (OF_ANYONE, due(1), failed(FIRST_DUE))
    for command in (by("usr_x", "", "pay_0"), by("usr_bo", "", "pay_1")):
        story = (*story, *given(LOAN, *story).when(command, on(FIRST_DUE)).events)
    for payment in ("pay_0", "pay_1"):
        wrong = replace(WRONG, payment_id=payment, correction_id=f"cor_{payment}", value_date=FIRST_DUE)
        void = replace(CORRECT, correction=wrong)
        story = (*story, *given(LOAN, *story).when(void, on(FIRST_DUE)).events)
    return story


@pytest.mark.parametrize(
    ("payer", "named", "is_his"),
    [
        ("usr_x", "pay_0", True),
        ("usr_bo", "pay_0", True),
        ("usr_bo", "pay_1", True),
        ("usr_x", "pay_1", False),
        ("usr_y", "pay_0", False),
    ],
)
def test_only_who_paid_it_and_the_borrower_enter_a_payment_again(
    payer: str, named: str, is_his: bool
) -> None:
    """Anybody else's fen would take the place of the right entry: it goes back whole, and the right one is still taken."""
    before = both_voided()
    events = entered(*before, command=by(payer, named, amount_fen=1))
    if is_his:
        (taken,) = (event for event in events if isinstance(event, PaymentReceived))
        assert taken.arrival is not None
        assert taken.arrival.replaces == named
        return
    code = "payment_of_another"
    account_id = f"acc_{payer.removeprefix('usr_')}"
    assert events == (
        PaymentReturned(loan_id="loan_7", payment_id="pay_2", account_id=account_id, amount_fen=1, code=code),
    )
    assert f"`{code}`" in (RecordPayment.__doc__ or "")
    right = entered(*before, *events, command=by("usr_bo", named, "pay_3"))
    assert any(isinstance(event, PaymentReceived) for event in right)


def test_what_replaced_it_may_be_voided_too() -> None:
    """Then the next right entry is in the place of that one; the first keeps its mark. The loan can be corrected all the while."""
    first = (*VOIDED, *entered(*VOIDED))
    void = replace(CORRECT, correction=replace(WRONG, correction_id="cor_2", payment_id="pay_2"))
    twice = (*first, *given(LOAN, *first).when(void, on(FIRST_DUE)).events)
    third = replace(AGAIN, payment_id="pay_3")
    (back,) = entered(*twice, command=third)
    assert back.code == "payment_replaced"
    right = (*twice, *entered(*twice, command=replace(third, replaces="pay_2")))
    state = fold(LOAN, right)
    payments = [entry for entry in entries_of(reopened(state).journal) if isinstance(entry, Payment)]
    marks = {payment.payment_id: payment.replaces for payment in payments}
    assert marks == {"pay_1": "", "pay_2": "pay_1", "pay_3": "pay_2"}
    assert is_replayable(profile_named("demo"), state, on(FIRST_DUE))
    page = shown(told(*right)[0], FIRST_DUE)
    assert [(each.id, each.reversed, each.replaces, each.replaced_by) for each in page.payments] == [
        ("pay_1", True, None, "pay_2"),
        ("pay_2", True, "pay_1", "pay_3"),
        ("pay_3", False, "pay_2", None),
    ]


def test_an_amount_is_explained_with_both_numbers() -> None:
    """Of the voided payment what stands in its place, of that one what it replaces, and of what is no payment neither."""
    loan, lines, _ = told(*VOIDED, *entered(*VOIDED))
    marks = {
        payment: (found.replaces, found.replaced_by)
        for payment in ("pay_1", "pay_2")
        for found in (explained(loan, lines, "payments.amount_fen", None, payment),)
    }
    assert marks == {"pay_1": (None, "pay_2"), "pay_2": ("pay_1", None)}
    total = explained(loan, lines, "outstanding_fen", None, None)
    assert (total.replaces, total.replaced_by) == (None, None)


def test_what_is_all_a_recoverys_cost_is_marked_too() -> None:
    """Its only event is the cost's, which says how it came."""
    lost = given(LOAN, OPENED, *PAID).when(done(replace(COST, ground="court")), on(FIRST_DUE)).events
    first = pays(FIRST_DUE, 1_000, payment_id="pay_2")
    paid = (OPENED, *PAID, *lost, *given(LOAN, OPENED, *PAID, *lost).when(first, on(FIRST_DUE)).events)
    wrong = replace(CORRECT, correction=replace(WRONG, payment_id="pay_2"))
    voided = (*paid, *given(LOAN, *paid).when(wrong, on(FIRST_DUE)).events)
    events = entered(*voided, command=replace(first, payment_id="pay_3", replaces="pay_2"))
    (cost,) = (event for event in events if isinstance(event, RecoveryCostPaid))
    assert cost.arrival is not None
    assert cost.arrival.replaces == "pay_2"
    loan, *_ = told(*voided, *events)
    assert loan["payments"]["pay_2"]["replaced_by"] == "pay_3"


def test_the_loan_is_told_what_the_payer_named_on_his_account() -> None:
    """And nothing where he named none."""
    (plain,), (sent,) = (
        on_bidding(recorded(paid, "acc_bo")) for paid in (DEBITED, replace(DEBITED, replaces="pay_0"))
    )
    assert isinstance(plain.command, RecordPayment)
    assert sent == replace(plain, command=replace(plain.command, replaces="pay_0"))


def test_a_line_of_the_journal_keeps_the_number() -> None:
    """Beside a cost and without one; a line of before says none."""
    (entry,) = (
        each
        for each in entries_of(reopened(fold(LOAN, (*VOIDED, *entered(*VOIDED)))).journal)
        if isinstance(each, Payment) and each.payment_id == "pay_2"
    )
    for other in (entry, replace(entry, cost_fen=7), replace(entry, replaces="")):
        assert read(written(other)) == other
