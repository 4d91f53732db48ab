"""An order by component pays instalments in full while older ones are open: nobody asks for them, they are never missed, and the day goes
on to the instalments behind them. A loan whose wake had nothing to say was out of the days for good."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

import pytest
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from libs.events.measures import WriteOff
from libs.events.repayment import DebitRequested, InstallmentDue, PaymentMissed
from libs.events.schedules.order import Allocation, PayOrder
from services.onboarding.domain import products
from services.repayment.commands.measures import CarryOutMeasure
from tests.unit.repayment.closing import Closing, LateAuditor
from tests.unit.repayment.lives import live, thin_terms
from tests.unit.repayment.stories import OPEN, pays
from tests.unit.repayment.test_loan_lives import Auditor


class Seasonal(Closing):
    """One loan of the seasonal product on the real decider: its first instalment asks for a fee alone, and nothing is ever there."""

    def __post_init__(self) -> None:
        self.said: list[Any] = []
        self.auditors["loan_7"] = LateAuditor()
        super().__post_init__()

    def pay(self) -> None:
        """Nobody does by himself."""

    def watch(self, _loan: str, _message: Any, events: Sequence[Any]) -> None:
        """Keep what was said; what is asked is answered on its day."""
        self.said += events
        self.asked += [
            (self.today, event) for event in events if isinstance(event, InstallmentDue | DebitRequested)
        ]

    def found(self, _debit: Any) -> int:
        """Nothing is there."""
        return 0

    def numbers(self, kind: type[InstallmentDue] | type[PaymentMissed]) -> list[int]:
        """The instalments of which this was said."""
        return [event.number for event in self.said if isinstance(event, kind)]


@pytest.mark.parametrize("paid", [(2,), (2, 3)])
def test_a_later_instalment_that_is_paid_in_full_is_in_nobodys_way(paid: tuple[int, ...]) -> None:
    """The oldest owes its fee. A court finds that nothing is to be had, so later ones ask for principal alone, which is paid on their due
    days: whichever they are, all others are asked and missed."""
    days = Seasonal(Random(0), troubles=0)
    by_principal = PayOrder(across="vertical", components=("principal", "penalty", "fee", "interest"))
    terms = replace(
        products.SEASONAL.repayments[0],
        allocation=Allocation(performing=by_principal, non_performing=by_principal),
    )
    days.say(replace(OPEN, tenor_months=4, funded_on=date(2024, 1, 10), repayment=terms), "loan_7")
    while days.today < date(2024, 6, 1):
        if days.today == date(2024, 2, 20):
            loss = CarryOutMeasure(measure_id="msr_1", terms=WriteOff(ground="court"))
            days.say(loss, "loan_7")
        rows = days.bench.decider.state_of("loan_7").book.rows
        for row in rows:
            if row.number in paid and row.due_on == days.today:
                payment = pays(row.due_on, row.principal_fen, payment_id=f"pay_{row.number}")
                days.say(payment, "loan_7")
        days.close_day()
    others = [number for number in (1, 2, 3, 4) if number not in paid]
    assert (days.numbers(InstallmentDue), days.numbers(PaymentMissed)) == (others, others)


@settings(deadline=None, max_examples=60)
@examples(st.randoms(use_true_random=False))
def test_in_lives_that_pay_out_of_turn_the_money_adds_up(chance: Random) -> None:
    """Principal first, of instalments that ask for one part alone. (That a wake ends what woke it, every step checks.)"""
    auditor = Auditor()
    assert live(chance, thin_terms(chance), auditor.watch).state.kind == "repaid"
    assert auditor.repaid_fen == auditor.lent_fen


@settings(deadline=None, max_examples=10)
@examples(st.integers(0, 2**32))
def test_days_that_pay_out_of_turn_miss_nothing_in_silence(seed: int) -> None:
    """On the real decider, whose day goes on without a loan that is stuck: each evening nothing that is open for longer is unsaid."""
    chance = Random(seed)
    closing = Closing(chance, troubles=0)
    closing.open(4, chance, thin_terms)
    for _ in range(200):
        closing.close_day(latest=chance.choice([0, 0, 8]))
