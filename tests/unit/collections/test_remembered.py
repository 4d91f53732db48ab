"""What a debtor remembers of payments: a case's last ones, however many there were; and these are judged as if it remembered all."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events.codec import encode
from libs.events.collections import CasePaymentCorrected, PromiseKept, PromiseReopened
from libs.events.deciding import Wake
from services.collections.commands import CorrectCasePayment, JudgeAgain, Retaken
from services.collections.domain import promise_state
from services.collections.domain.debtor_state import Debtor, DebtorState
from services.collections.domain.promise_state import PAYMENTS_REMEMBERED
from tests.unit.collections.stories import (
    AGGREGATE,
    CALL,
    CASE,
    CLAIM,
    DEBTOR,
    LOAN,
    MISS,
    OWED,
    PROMISE,
    PROMISED,
    at,
    debtor,
    pays,
)
from tests.unit.collections.test_judged_again import (
    AFTER,
    BROKEN,
    CORRECTED,
    KEPT,
    OF_PROMISE,
    PROMISE_DAY,
    REOPENED,
    RESTATED,
    REVERSED,
    TALKED,
)
from tests.unit.given import step

#: The debtor himself, 32 payments, and promises of which each counts some of them.
BYTES_MAX = 6_000
FIRST = date(2024, 3, 15)


def trifles(count: int, on: date = AFTER) -> tuple[Any, ...]:
    """So many payments of a fen after the two that kept the promise."""
    return tuple(pays(f"pay_{number}", 1, on, 40_02) for number in range(3, 3 + count))


def test_a_payment_that_is_remembered_no_more_is_not_corrected() -> None:
    """Its promise stays kept; as long as it is one of the last it is."""
    last = (*KEPT, *trifles(PAYMENTS_REMEMBERED - 1))
    debtor(*last).when(REVERSED).then(CORRECTED)
    late = debtor(*last, REVERSED).when(RESTATED, at(0, AFTER))
    assert late.events[:2] == (REOPENED, BROKEN)
    forgotten = (*last, pays("pay_99", 1, AFTER, 40_02))
    debtor(*forgotten).when(REVERSED).then_nothing()
    debtor(*forgotten).when(RESTATED, at(0, AFTER)).then_nothing()
    retaken = JudgeAgain(loan_id=LOAN, retaken=(Retaken(payment_id="pay_2", amount_fen=1),))
    debtor(*forgotten).when(retaken, at(0, AFTER)).then_nothing()


def test_what_it_brought_counts_towards_its_promise() -> None:
    """Of a promise that is older than all payments that are remembered the others are corrected, and it is kept by the sum of all."""
    many = trifles(PAYMENTS_REMEMBERED, PROMISE_DAY)
    still_open = (*TALKED, PROMISE, pays("pay_1", 299_00, PROMISE_DAY, 40_02), *many)
    rest = pays("pay_99", 68, PROMISE_DAY, 40_02)
    done = PromiseKept(**OF_PROMISE, paid_fen=300_00, kept_on=PROMISE_DAY)
    assert debtor(*still_open).when(rest, at(0, PROMISE_DAY)).events[1] == done
    correct = CorrectCasePayment(loan_id=LOAN, payment_id="pay_99", amount_fen=0, value_date=PROMISE_DAY)
    again = debtor(*still_open, rest, correct).when(RESTATED, at(0, PROMISE_DAY))
    assert again.events[0] == replace(REOPENED, paid_fen=299_32)


def test_a_payment_without_a_promise_is_corrected_too() -> None:
    """The case's file says what was paid, whoever promised it or not."""
    wrong = CorrectCasePayment(loan_id=LOAN, payment_id="pay_2", amount_fen=0, value_date=FIRST)
    debtor(MISS, pays("pay_2", 100_00, FIRST, 240_02)).when(wrong).then(
        CasePaymentCorrected(
            debtor_id=DEBTOR,
            case_id=CASE,
            loan_id=LOAN,
            payment_id="pay_2",
            before_fen=100_00,
            amount_fen=0,
            value_date=FIRST,
        )
    )


def life(seed: int, payments: int) -> tuple[list[Any], int]:
    """A debtor's events over so many payments, and the bytes of his state when it was largest. He promises again and again, and some of the
    last payments are corrected, never one that is remembered no more."""
    order, told, largest = Random(seed), [], 0
    state: DebtorState = AGGREGATE.initial
    day = FIRST

    def does(command: Any) -> None:
        nonlocal state
        outcome = step(AGGREGATE, state, command, at(0, day))
        told.append((outcome.refused, outcome.events))
        state = outcome.state

    does(MISS)
    for number in range(1, payments + 1):
        if order.random() < 0.06:
            day += timedelta(days=1)
            does(Wake(business_date=day - timedelta(days=1), phase=5))
        if order.random() < 0.15:
            does(CLAIM)
            does(replace(CALL, contact_id=f"con_{number}", channel="visit"))
            does(replace(PROMISED, contact_id=f"con_{number}"))
            until = day + timedelta(days=order.randrange(4))
            does(
                replace(
                    PROMISE,
                    promise_id=f"prm_{number}",
                    contact_id=f"con_{number}",
                    amount_fen=order.randrange(1, 250_00),
                    promised_on=until,
                )
            )
        paid_on = day - timedelta(days=order.randrange(3))
        does(pays(f"pay_{number}", order.randrange(1, 20_00), paid_on, OWED, day))
        if order.random() < 0.4:
            payment_id = f"pay_{order.randrange(max(1, number - PAYMENTS_REMEMBERED + 1), number + 1)}"
            as_of = day - timedelta(days=order.randrange(3))
            amount_fen = order.choice((0, None))
            if order.random() < 0.5:
                does(
                    CorrectCasePayment(
                        loan_id=LOAN, payment_id=payment_id, amount_fen=amount_fen, value_date=as_of
                    )
                )
                does(RESTATED)
            else:
                one = Retaken(payment_id=payment_id, amount_fen=order.randrange(20_00))
                does(JudgeAgain(loan_id=LOAN, retaken=(one,)))
        if number % 50 == 0:
            assert isinstance(state, Debtor)
            largest = max(largest, len(encode(Debtor, state)))
    return told, largest


@settings(max_examples=5)
@given(st.integers(0, 10**9))
def test_what_is_remembered_is_judged_as_if_all_was(seed: int) -> None:
    """Every decision is the one of a debtor who forgets nothing, his promises reopened and kept anew included."""
    forgetful, _ = life(seed, 120)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(promise_state, "PAYMENTS_REMEMBERED", 10**9)
        assert life(seed, 120)[0] == forgetful


def test_a_state_does_not_grow_with_a_life_of_payments() -> None:
    """Over two thousand payments, with promises kept, reopened and kept again, it stays below a bound."""
    told, largest = life(0, 2_000)
    assert largest < BYTES_MAX
    said = [type(event) for _, events in told for event in events]
    assert min(said.count(PromiseKept), said.count(PromiseReopened)) >= 20
