"""A settlement that is quoted valid to a date is enough on every day until then, whatever the days charge meanwhile, and the quote never falls."""

from dataclasses import replace
from datetime import date
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events.deciding import Wake
from libs.events.money import money_context
from libs.events.repayment import LoanRepaid, PaymentReceived, PaymentReturned
from services.repayment.commands import OpenLoan, RecordDebitFailure, RecordPayment
from services.repayment.domain.profile import Rules, profile_named
from services.repayment.domain.settling import payoff_fen
from tests.unit.given import context, step
from tests.unit.repayment.lives import Life, random_terms
from tests.unit.repayment.stories import LOAN, OPEN, claim, days

DEMO = profile_named("demo")


class Silent(Life):
    """Its debits find nothing from some day on."""

    is_silent = False

    def close_day(self) -> None:
        """Each phase comes on its day, as the loan asks for it."""
        if not self.is_silent:
            super().close_day()
            return
        self.dues()
        self.answer()
        self.wake(4)

    def dues(self) -> None:
        """Of today."""
        self.wake(2)

    def answer(self) -> None:
        """There was nothing."""
        for debit in list(self.asked.values()):
            del self.asked[debit.debit_id]
            self.say(
                RecordDebitFailure(
                    debit_id=debit.debit_id, requested_fen=debit.debit_fen, value_date=debit.value_date
                )
            )

    def wake(self, phase: int) -> None:
        """If the loan asks for it."""
        due = LOAN.wake_on(self.state)
        if due is not None and due <= (self.today, phase):
            self.say(Wake(business_date=self.today, phase=phase))


def lived(chance: Random) -> Silent:
    """A loan that has lived for some months, every day of them."""
    terms = random_terms(chance)
    life = Silent(chance, terms.funded_on, state=LOAN.initial)
    life.say(terms)
    for _ in range(chance.randint(20, 150)):
        if chance.random() < 0.03:
            life.pay()
        life.close_day()
        life.today = days(life.today, 1)
    life.is_silent = True
    return life


def settles(life: Silent, amount_fen: int, value_date: date) -> bool:
    """Whether the loan, as it is today, takes the amount for its end; it stays as it is."""
    paid = RecordPayment(
        payment_id="pay_quoted",
        account_id="acc_bo",
        payer="usr_bo",
        amount_fen=amount_fen,
        value_date=value_date,
        settle=True,
    )
    events = step(LOAN, life.state, paid, context(life.today)).events
    returned = [each.code for each in events if isinstance(each, PaymentReturned)]
    assert returned in ([], ["below_payoff"])
    ends = any(isinstance(each, LoanRepaid) for each in events)
    assert ends == any(isinstance(each, PaymentReceived) for each in events) == (not returned)
    return ends


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32))
def test_a_quote_holds_on_every_day_until_it_ends_and_never_falls(seed: int) -> None:
    """Paid in the morning of any day, or in the minute in which the day before is still being judged; what the days charge in pieces is what was
    quoted in them."""
    chance = Random(seed)
    with money_context():
        life = lived(chance)
        if life.state.kind == "repaid":
            return
        rules = DEMO.on(life.state.book.funded_on)
        valid_to = days(life.today, chance.randint(0, 120))
        quoted_fen = payoff_fen(life.state.book, valid_to, rules)
        while life.today <= valid_to:
            _holds(life, quoted_fen, valid_to, rules)
            life.dues()
            life.answer()
            if life.today < valid_to:  # accounts live on the next day, repayment judges still
                assert settles(life, quoted_fen, days(life.today, 1))
            life.wake(4)
            life.today = days(life.today, 1)


def _holds(life: Silent, quoted_fen: int, valid_to: date, rules: Rules) -> None:
    assert settles(life, quoted_fen, life.today)
    again_fen = payoff_fen(life.state.book, valid_to, rules)
    assert again_fen == quoted_fen
    on = life.today
    assert payoff_fen(life.state.book, on, rules) <= payoff_fen(life.state.book, days(on, 1), rules)


def _plain(fen: int) -> OpenLoan:
    return replace(OPEN, principal_fen=fen, claims=(claim(1, fen),), tenor_months=3)


@pytest.mark.parametrize("late", [3, 12])
def test_pieces_do_not_depend_on_when_they_are_said(late: int) -> None:
    """A loan that is stuck for days, and catches up, owes what it would have owed: what was a month's piece stays one."""
    prompt = [_owed(fen, 0) for fen in range(100_000, 900_000, 34_567)]
    assert [_owed(fen, late) for fen in range(100_000, 900_000, 34_567)] == prompt


def _owed(fen: int, late: int) -> int:
    life = Silent(Random(fen), date(2024, 1, 31), state=LOAN.initial)
    life.say(_plain(fen))
    life.is_silent = True
    while life.today <= date(2024, 5, 20):
        if life.today.day % (late + 1) == 0:
            life.close_day()
        life.today = days(life.today, 1)
    return payoff_fen(life.state.book, life.today, DEMO.on(life.state.book.funded_on))
