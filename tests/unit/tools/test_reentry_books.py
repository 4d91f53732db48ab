"""The auditor of what is entered again: in the place of a payment comes one of who paid it, or of the borrower."""

import json
from typing import Any

import pytest

from libs.events.codec import encode, name_of
from services.repayment.domain import paying
from tests.unit.repayment.test_entered_again import both_voided, by, entered
from tools.simulator.loan_books import WrongBooks
from tools.simulator.reentry_books import ReentryBooks


def audited(payer: str, named: str) -> None:
    """A payment that was to replace another, and what the loan said of it."""
    before, books = both_voided(), ReentryBooks()
    for event in before:
        books.record("before", _recorded(event))
    asked = {"payment_id": "pay_2", "replaces": named, "owner": payer}
    books.record("asked", {"type": "bidding.LoanPaymentDebited.v1", "data": asked})
    for event in entered(*before, command=by(payer, named)):
        books.record("said", _recorded(event))


def _recorded(event: Any) -> Any:
    return {"type": name_of(type(event)), "data": json.loads(encode(type(event), event))}


@pytest.mark.parametrize("payer", ["usr_x", "usr_bo", "usr_y"])
@pytest.mark.parametrize("named", ["pay_0", "pay_1"])
def test_who_may_enter_it_again_does_and_nobody_else(payer: str, named: str) -> None:
    """What the loan says is what the books say."""
    audited(payer, named)


@pytest.mark.parametrize(("payer", "named"), [("usr_x", "pay_1"), ("usr_y", "pay_0")])
def test_a_strangers_money_in_the_place_of_a_payment_is_named(
    monkeypatch: pytest.MonkeyPatch, payer: str, named: str
) -> None:
    """As it was before the loan asked who pays."""
    monkeypatch.setattr(paying, "why_not_replaced", lambda *_: "")
    with pytest.raises(WrongBooks, match="is neither"):
        audited(payer, named)


def test_a_refusal_that_is_not_true_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who paid it, and is told that another did."""
    monkeypatch.setattr(paying, "why_not_replaced", lambda *_: "payment_of_another")
    with pytest.raises(WrongBooks, match="is no payment_of_another"):
        audited("usr_x", "pay_0")
