"""Holds, loans and fees: what a bid, a debit, a payment and a distribution do to an account."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from libs.events.codec import encode
from libs.events.money import MAX_INTEGER
from services.bidding.commands import OpenAccount
from services.bidding.domain.account import aggregate
from services.bidding.domain.profile import CN_P2P_2016, DEMO
from tests.unit.bidding.account_story import (
    ALL_GIVEN_BACK,
    ALL_HELD,
    ASSESS,
    ASSESSED,
    CAPTURE,
    CAPTURE_PART,
    CAPTURED,
    CAPTURED_PART,
    CLOSE,
    CLOSED,
    CREDIT_PROCEEDS,
    EMPTY_LENDER,
    GIVE_ALL_BACK,
    GIVE_BACK,
    GIVEN_BACK,
    HELD_FUNDS,
    NOTHING_TO_DEBIT,
    PAID,
    PLACE,
    PREPAID,
    PREPAY,
    PROCEEDS,
    REDUCE,
    REDUCED,
    RELATE,
    RELATED,
    RELEASE,
    RELEASED,
    SHARED,
    SHARED_LATE,
    credit_fee,
    debit,
    debited,
    fee,
    paid_back,
    pay,
    rich,
    share,
    stays,
)
from tests.unit.bidding.specs import OPENED, Spec, asked, on
from tests.unit.given import TODAY, Given, given, step

ALL = MAX_INTEGER
AGGREGATE = aggregate(DEMO)
#: All of Ann's money is on its way to a loan; what came back of it is there on the third day after, or it never comes.
PAID_ALL = (*rich(100_00), replace(PAID, available_after_fen=0))
TOO_LATE, NEXT_DAY = (
    replace(NOTHING_TO_DEBIT, code="day_over"),
    NOTHING_TO_DEBIT.value_date + timedelta(days=1),
)
TWO_DAYS_LATER, THREE_DAYS_LATER = TODAY + timedelta(days=2), TODAY + timedelta(days=3)

SPECS = [
    Spec("a bid holds money", rich(), PLACE, (HELD_FUNDS,)),
    Spec("a bid may hold the last fen", rich(300_00), PLACE, (ALL_HELD,)),
    Spec("nobody bids what he does not have", rich(299_99), PLACE, "insufficient_available"),
    Spec("nobody bids another's money", rich(), PLACE, "unknown_account", on(principal="usr_bob")),
    Spec("a standing hold is not held again", (*rich(), HELD_FUNDS), PLACE, ()),
    Spec("a released hold is available", (*rich(), HELD_FUNDS), RELEASE, (RELEASED,), on()),
    Spec("without an account nothing is released", (), RELEASE, "unknown_account", on()),
    Spec("a hold is released once", (*rich(), HELD_FUNDS, RELEASED), RELEASE, (), on()),
    Spec("a captured hold is not released", (*rich(), HELD_FUNDS, CAPTURED), RELEASE, (), on()),
    Spec("a captured hold goes to the loan", (*rich(), HELD_FUNDS), CAPTURE, (CAPTURED,), on()),
    Spec("what is not held cannot be captured", rich(), CAPTURE, "unknown_hold", on()),
    Spec(
        "what was captured is not held any more",
        (*rich(), HELD_FUNDS, CAPTURED),
        CAPTURE,
        "unknown_hold",
        on(),
    ),
    Spec("what the listing did not take is available", (*rich(), HELD_FUNDS), REDUCE, (REDUCED,), on()),
    Spec("once", (*rich(), HELD_FUNDS, REDUCED), REDUCE, (), on()),
    Spec("nor after all of it came back", (*rich(), HELD_FUNDS, RELEASED), REDUCE, (), on()),
    Spec(
        "nor of a hold that is wholly kept", (*rich(), HELD_FUNDS), replace(REDUCE, keep_fen=300_00), (), on()
    ),
    Spec("no account, no hold", (), REDUCE, "unknown_account", on()),
    Spec("the part is captured", (*rich(), HELD_FUNDS, REDUCED), CAPTURE_PART, (CAPTURED_PART,), on()),
    Spec(
        "a loan that comes first takes its part and no more",
        (*rich(), HELD_FUNDS),
        CAPTURE_PART,
        (REDUCED, CAPTURED_PART),
        on(),
    ),
    Spec(
        "and nothing is left to give back",
        (*rich(), HELD_FUNDS, REDUCED, CAPTURED_PART),
        REDUCE,
        (),
        on(),
    ),
    Spec(
        "who allows it says so to the listing",
        rich(),
        replace(PLACE, allow_partial=True),
        (replace(HELD_FUNDS, allow_partial=True),),
    ),
    Spec("the borrower receives his loan", (OPENED,), CREDIT_PROCEEDS, (PROCEEDS,), on()),
    Spec("nobody is paid without an account", (), CREDIT_PROCEEDS, "unknown_account", on()),
    Spec("an account holds no more than can be said", rich(ALL), CREDIT_PROCEEDS, "amount_too_large", on()),
    Spec("a loan is paid out once", (OPENED, PROCEEDS), CREDIT_PROCEEDS, (), on()),
    Spec("the first fee opens the fee account", (), credit_fee(20_00), (fee(20_00, 20_00),), on()),
    Spec("fees add up", (fee(20_00, 20_00),), credit_fee(5_00), (fee(5_00, 25_00),), on()),
    Spec("a customer's account takes no fee", (OPENED,), credit_fee(20_00), "not_fee_account", on()),
    Spec("fees stay sayable", (fee(ALL, ALL),), credit_fee(1), "amount_too_large", on()),
    Spec("the fee account is nobody's", (fee(ALL, ALL),), RELEASE, "unknown_account", on()),
    Spec("an instalment is debited", rich(), debit(), (debited(88_85, 411_15),), on()),
    Spec("what there is of it is debited", rich(50_00), debit(), (debited(50_00, 0),), on()),
    Spec("nothing is an answer too", (OPENED,), debit(), (NOTHING_TO_DEBIT,), on()),
    Spec("held money is not debited", (*rich(300_00), ALL_HELD), debit(), (NOTHING_TO_DEBIT,), on()),
    Spec("no account, no debit", (), debit(), "unknown_account", on()),
    Spec("a debit is answered once", (*rich(), debited(88_85, 411_15)), debit(), (), on()),
    Spec("a day's debits are decided on the next", rich(), debit(), (debited(88_85, 411_15),), on(NEXT_DAY)),
    Spec("later money is of a later day", rich(), debit(), (TOO_LATE,), on(NEXT_DAY + timedelta(days=1))),
    Spec("a failed debit is answered once", (OPENED, NOTHING_TO_DEBIT), debit(), (), on()),
    Spec("a payment leaves the account", rich(), pay(), (PAID,)),
    Spec(
        "it names what it replaces",
        rich(),
        replace(pay(), replaces="pay_0"),
        (replace(PAID, replaces="pay_0"),),
    ),
    Spec("nobody pays what he does not have", rich(), pay(500_01), "insufficient_available"),
    Spec("nobody pays with another's money", rich(), pay(), "unknown_account", on(principal="usr_bob")),
    Spec("a payment is made once", (*rich(), PAID), pay(), ()),
    Spec("one that prepays says so", rich(), PREPAY, (PREPAID,)),
    Spec("once, too", (*rich(), PREPAID), PREPAY, ()),
    Spec("nobody settles and prepays at once", rich(), replace(PREPAY, settle=True), "invalid_prepay"),
    Spec("what the loan did not take returns", (*rich(), PAID), GIVE_BACK, (GIVEN_BACK,), on()),
    Spec("also what no loan knew", (*rich(), PAID), GIVE_ALL_BACK, (ALL_GIVEN_BACK,), on()),
    Spec("once", (*rich(), PAID, ALL_GIVEN_BACK), GIVE_ALL_BACK, (), on()),
    Spec("it is not paid again", (*rich(), PAID, ALL_GIVEN_BACK), pay(), ()),
    Spec("an assessment is known", (OPENED,), ASSESS, (ASSESSED,), on()),
    Spec("once", (OPENED, ASSESSED), ASSESS, (), on()),
    Spec("nobody is assessed without an account", (), ASSESS, "unknown_account", on()),
    Spec(
        "and goes with every bid from then on",
        (*rich(), ASSESSED),
        PLACE,
        (replace(HELD_FUNDS, suitability_level="C3", suitability_valid_to=date(2025, 3, 14)),),
    ),
    Spec("a relation is known", (OPENED,), RELATE, (RELATED,), on()),
    Spec("once", (OPENED, RELATED), RELATE, (), on()),
    Spec("not before there is an account: its opening tells again", (), RELATE, (), on()),
    Spec("fees are related to nobody", (fee(1, 1),), RELATE, "unknown_account", on()),
    Spec(
        "and goes with every bid from then on",
        (*rich(), RELATED),
        PLACE,
        (replace(HELD_FUNDS, related=("usr_bea",)),),
    ),
    Spec("an empty account is closed", (OPENED,), CLOSE, (CLOSED,), on()),
    Spec("one that never was is opened for it", (), CLOSE, (OPENED, CLOSED), on()),
    Spec("once", (OPENED, CLOSED), CLOSE, (), on()),
    Spec("not opened again", (OPENED, CLOSED), OpenAccount(owner="usr_ann"), (), on()),
    Spec("not by another", (OPENED,), replace(CLOSE, owner="usr_bob"), "account_exists", on()),
    Spec("who has money stays", rich(1), CLOSE, (stays("has_money"),), on()),
    Spec("who bids it, too", (*rich(300_00), ALL_HELD), CLOSE, (stays("has_money"),), on()),
    Spec("who waits for the bank, too", (OPENED, asked()), CLOSE, (stays("bank_request_open"),), on()),
    Spec("who paid for a loan, too", PAID_ALL, CLOSE, (stays("payment_on_its_way"),), on(TWO_DAYS_LATER)),
    Spec(
        "until the loan has answered",
        PAID_ALL,
        CLOSE,
        (replace(CLOSED, closed_on=THREE_DAYS_LATER),),
        on(THREE_DAYS_LATER),
    ),
    Spec("who has lent it, too", EMPTY_LENDER, CLOSE, (stays("has_claims"),), on()),
    Spec("to the last fen", (*EMPTY_LENDER, *paid_back(299_99)), CLOSE, (stays("has_claims"),), on()),
    Spec("who has it all back may go", (*EMPTY_LENDER, *paid_back(300_00)), CLOSE, (CLOSED,), on()),
    Spec("then nothing is done with the account", (OPENED, CLOSED), pay(), "account_closed"),
    Spec("by anybody", (OPENED, CLOSED), pay(), "unknown_account", on(principal="usr_bob")),
    Spec("nor bid from it", (OPENED, CLOSED), PLACE, "account_closed"),
    Spec("but nothing that comes is lost", (OPENED, CLOSED), share(23_40, 3_00, 30), (SHARED,), on()),
    Spec("nothing returns without an account", (), GIVE_BACK, "unknown_account", on()),
    Spec("a payment returns once", (*rich(), PAID, GIVEN_BACK), GIVE_BACK, (), on()),
    Spec("a share is credited less its fee", (OPENED,), share(23_40, 3_00, 30), (SHARED,), on()),
    Spec("penalty is the holder's", (OPENED,), share(23_40, 3_00, 30, 60), (SHARED_LATE,), on()),
    Spec("a fee never exceeds its share", (OPENED,), share(0, 1, 2), "invalid_fee", on()),
    Spec("no account, no share", (), share(1, 0, 0), "unknown_account", on()),
    Spec("a share that its fee eats up says nothing", (OPENED,), share(0, 1, 1), (), on()),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.says)
def test_holds_loans_and_fees(spec: Spec) -> None:
    """Every rule of holding, capturing, debiting, paying and crediting holds."""
    spec.check(AGGREGATE)


def test_under_the_law_nobody_opens_an_account_by_himself() -> None:
    """Verification opens it; who has one may ask again, which comes to nothing."""
    law, wish = aggregate(CN_P2P_2016), OpenAccount(owner="usr_ann")
    given(law).when(wish, on(principal="usr_ann")).then_refused("verification_required")
    given(law).when(wish, on()).then(OPENED)
    given(law, OPENED).when(wish, on(principal="usr_ann")).then_nothing()


def test_payments_that_no_loan_knows_leave_the_account_as_large_as_it_was() -> None:
    """Each of them came back, so whoever names loans that are not makes his account no slower."""
    account = given(AGGREGATE, *rich())
    empty = len(encode(AGGREGATE.state, account.state))
    for number in range(50):
        loan, payment = f"loan_none_{number:02}", f"pay_{number:02}"
        paid = account.when(replace(pay(payment_id=payment), loan_id=loan), on(principal="usr_ann"))
        back = replace(GIVE_ALL_BACK, loan_id=loan, payment_id=payment)
        account = Given(AGGREGATE, step(AGGREGATE, paid.state, back, on()).state)
    assert account.state.loans == {}
    assert account.state.available_fen == 500_00
    assert len(encode(AGGREGATE.state, account.state)) <= empty + len("pay_49") + 2


def test_what_an_account_knows_of_a_loan_outlives_a_payment_that_came_too_early_for_it() -> None:
    """The proceeds may be here before the loan is opened, and so may a debit's answer: none of them is given twice. A second payment
    on its way keeps the day on which it was made."""
    given(AGGREGATE, *rich(), PROCEEDS, PAID, ALL_GIVEN_BACK).when(CREDIT_PROCEEDS, on()).then_nothing()
    given(AGGREGATE, *rich(), debited(88_85, 411_15), PAID, ALL_GIVEN_BACK).when(debit(), on()).then_nothing()
    second = replace(PAID, payment_id="pay_2")
    one_back = (*rich(100_00), PAID, replace(second, available_after_fen=0), ALL_GIVEN_BACK)
    given(AGGREGATE, *one_back).when(pay(payment_id="pay_2"), on(principal="usr_ann")).then_nothing()
    both_back = (*one_back, replace(ALL_GIVEN_BACK, payment_id="pay_2"))
    assert given(AGGREGATE, *both_back).state.loans == {}
