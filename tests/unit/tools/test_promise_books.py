"""The auditor's books of promises: a case that forgets a payment as it should is right, and one that remembers fewer or more is named."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from libs.events.codec import encode, name_of, parse_json
from libs.events.collections import CasePaymentRecorded
from services.collections.commands import CorrectCasePayment
from services.collections.domain import promise_state
from tests.unit.collections.stories import history, pays
from tests.unit.collections.test_judged_again import KEPT, RESTATED, REVERSED
from tests.unit.collections.test_mended import AGAIN, DATED_BACK, TOO_LATE
from tools.simulator.loan_books import WrongBooks
from tools.simulator.promise_books import PromiseBooks

#: With the two that keep the promise one more than a case remembers: the first is forgotten, the second is the oldest that is not.
LAST = tuple(pays(f"pay_{number}", 1, date(2024, 3, 21), 40_02) for number in range(3, 34))
FIRST_REVERSED = replace(REVERSED, payment_id="pay_1", value_date=date(2024, 3, 18))


def test_a_promise_that_stays_broken_although_it_was_paid_is_named() -> None:
    """The payment came late and counts as of the promise's day since: kept once the case says so, and named as long as it does not."""
    assert _books(*TOO_LATE, DATED_BACK, AGAIN).promises["prm_1"].status == "kept"
    with pytest.raises(WrongBooks, match="the promise prm_1 is called broken, 30000 of 30000 was paid"):
        _books(*TOO_LATE, DATED_BACK).at_rest()


def _books(*steps: Any) -> PromiseBooks:
    books = PromiseBooks()
    for event in history(*steps):
        data = parse_json(encode(type(event), event))
        if isinstance(event, CasePaymentRecorded):
            books.record("here", {"type": "repayment.PaymentReceived.v1", "data": data})
        books.record("here", {"type": name_of(type(event)), "data": data})
    redated = {"payment_id": "pay_2", "to_date": DATED_BACK.value_date.isoformat()}
    books.record("here", {"type": "repayment.PaymentRedated.v1", "data": redated})
    return books


def _judged(reversed_: CorrectCasePayment) -> str:
    """How the promise stands at rest, once the loan has reversed a payment."""
    books = PromiseBooks()
    for event in history(*KEPT, *LAST, reversed_, RESTATED):
        data = parse_json(encode(type(event), event))
        if isinstance(event, CasePaymentRecorded):
            books.record("here", {"type": "repayment.PaymentReceived.v1", "data": data})
        books.record("here", {"type": name_of(type(event)), "data": data})
    reversal = {"payment_id": reversed_.payment_id}
    books.record("here", {"type": "repayment.PaymentReversed.v1", "data": reversal})
    books.at_rest()
    return books.promises["prm_1"].status


def test_a_promise_is_judged_by_what_its_case_remembers() -> None:
    """What a forgotten payment brought stands, whatever the loan says of it later; the oldest that is remembered counts as it is."""
    assert _judged(FIRST_REVERSED) == "kept"
    assert _judged(REVERSED) == "open"


@pytest.mark.parametrize(
    ("remembered", "reversed_", "words"),
    [
        (31, REVERSED, "the promise prm_1 is called kept, 10000 of 30000 was paid"),
        (33, FIRST_REVERSED, "pay_1 is corrected and remembered no more"),
    ],
)
def test_a_case_that_remembers_fewer_or_more_is_named(
    remembered: int, reversed_: CorrectCasePayment, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bound is a decision, and the auditor keeps it for himself."""
    monkeypatch.setattr(promise_state, "PAYMENTS_REMEMBERED", remembered)
    with pytest.raises(WrongBooks, match=words):
        _judged(reversed_)
