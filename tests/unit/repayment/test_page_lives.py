"""In every life, with measures, pauses and corrections, the borrower's page and the buckets say what the loan's state says."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from libs.events.corrections import Correction
from libs.events.money import money_context
from libs.events.recovery_costs import RecoveryCostPaid
from libs.events.repayment import PaymentReceived
from services.repayment.api.shapes import LoanOut
from services.repayment.commands.corrections import CorrectPayment
from services.repayment.commands.measures import CarryOutMeasure
from services.repayment.domain.allocation import days_past_due, open_lines, overdue_fen, overdue_lines
from services.repayment.domain.loan_state import Repaid, Running
from services.repayment.domain.profile import WRITTEN_OFF, Rules, profile_named
from services.repayment.domain.settling import payoff_fen, settlement
from services.repayment.projections.overdue_buckets import VIEW as BUCKETS
from tests.unit.documents import documents, history
from tests.unit.repayment.lives import random_terms
from tests.unit.repayment.measured import random_measure
from tests.unit.repayment.stories import pays
from tests.unit.repayment.test_loan_page import shown, told
from tests.unit.repayment.test_page_at_the_end import require_at_rest
from tests.unit.repayment.test_pause_lives import Poor, random_pause

DEMO = profile_named("demo")


class Anything(Poor):
    """Measures and pauses come to it, mostly while it is late, and what was booked is corrected."""

    measures = 0

    def meanwhile(self, place: str) -> None:
        """Some measure, if the loan can."""
        is_late = self.state.kind == "running" and self.state.bucket != "current"
        if place in ("ahead", "answers") or self.chance.random() > (0.05 if is_late else 0.01):
            return
        self.measures += 1
        terms = (random_measure if self.chance.random() < 0.7 else random_pause)(self.chance, self.today)
        self.say(CarryOutMeasure(measure_id=f"msr_{self.measures}", terms=terms))

    def correct(self) -> None:
        """Some payment that came is reversed, or counts as of another day, if the loan can."""
        kinds = PaymentReceived | RecoveryCostPaid
        payments = {event.payment_id: event for event in self.events if isinstance(event, kinds)}
        if not payments:
            return
        wrong = payments[self.chance.choice(sorted(payments))]
        moved = wrong.value_date + timedelta(days=self.chance.randint(-20, 10))
        to_date = self.chance.choice((None, moved))
        self.say(
            CorrectPayment(
                correction=Correction(
                    correction_id=f"cor_{len(self.events)}",
                    loan_id="loan_7",
                    payment_id=wrong.payment_id,
                    kind="reverse" if to_date is None else "redate",
                    reason="wrong_payer",
                    value_date=wrong.value_date,
                    to_date=to_date,
                ),
                booking="same_year",
            )
        )

    def settled_and_corrected(self) -> Iterator[None]:
        """All is paid as of some day that is over; some of what was paid is put right."""
        value_date = self.today - timedelta(days=self.chance.randint(0, 90))
        self.say(pays(value_date, 10**9, settle=True, payment_id="pay_all"))
        yield
        for _ in range(3):
            self.correct()
            for _ in self.day():
                pass
            yield


@given(seed=st.integers(0, 2**32))
@example(seed=15)
@example(seed=114)
@example(seed=169)
@settings(max_examples=30, deadline=None)
def test_in_every_life_the_page_says_what_the_state_says(seed: int) -> None:
    """On any morning, in any order of payment: what ends the loan on a later day by its page is what ends it by its state, and so is all
    else that both know; each sum of the buckets is of the loans that are in it."""
    chance = Random(seed)
    terms = random_terms(chance)
    lived, rules = Anything(chance, terms.funded_on), DEMO.on(terms.funded_on)
    lived.open(terms)
    with money_context():
        for _ in range(chance.randint(60, 300)):
            for place in lived.day():
                if place == "early" and chance.random() < 0.04:
                    lived.correct()
            if chance.random() < 0.08:
                agree(lived.events, lived.state, lived.today, rules)
        agree(lived.events, lived.state, lived.today, rules)
        for _ in lived.settled_and_corrected():
            agree(lived.events, lived.state, lived.today, rules)


def agree(events: Sequence[object], state: Any, today: date, rules: Rules) -> None:
    """On the morning of a day the page and the buckets say what the state says."""
    loan, *_ = told(*events)
    if isinstance(state, Running):
        _page_agrees(loan, state, today, rules)
    elif isinstance(state, Repaid):
        require_at_rest(shown(loan, today))
    late_fen = 0
    buckets = documents(BUCKETS, history("loan_7", *events))
    is_running = isinstance(state, Running)
    assert ("loan:loan_7" in buckets) == is_running
    if is_running:
        row = buckets["loan:loan_7"]
        if not state.unanswered:
            assert row["overdue_fen"] == overdue_fen(state.book, state.next_missed)
        assert (row["bucket"], row["principal_fen"]) == (state.bucket, state.book.outstanding_fen)
        late_fen = shown(loan, today).overdue_principal_fen
        assert row["overdue_principal_fen"] == late_fen
    for sums in buckets.values():
        if sums["kind"] in ("bucket", "segment", "written_off_sum"):
            is_in = is_running and sums.get("bucket", "written_off") == state.bucket
            expected = (1, state.book.outstanding_fen) if is_in else (0, 0)
            assert (sums["loans"], sums["principal_fen"]) == expected
            is_late = is_in and state.bucket != WRITTEN_OFF
            assert sums.get("overdue_principal_fen", 0) == (late_fen if is_late else 0)
        elif sums["kind"] in ("region", "product"):
            is_late = is_running and state.bucket != WRITTEN_OFF
            assert sums["overdue_principal_fen"] == (late_fen if is_late else 0)


def _page_agrees(loan: dict[str, object], state: Running, today: date, rules: Rules) -> None:
    book, page = LoanOut.of(loan).book(), shown(loan, today)
    for later in (0, 1, 5, 40, 200):
        on = today + timedelta(days=later)
        assert settlement(book, on, rules) == settlement(state.book, on, rules)
        assert payoff_fen(book, on, rules) == payoff_fen(state.book, on, rules)
        assert open_lines(book, on) == open_lines(state.book, on)
    assert book.outstanding_fen == page.outstanding_fen == state.book.outstanding_fen
    assert book.penalty_fen == page.penalty_fen == state.book.penalty_fen
    assert page.cost_fen == (state.trouble.cost.owed_fen if state.trouble.cost else 0)
    assert (page.bucket, page.loan_class) == (state.bucket, state.loan_class)
    assert (page.accrual == "non_accrual") == state.trouble.non_accrual
    assert page.dpd == days_past_due(state.book, today)
    if not state.unanswered:
        judged_on = today - timedelta(days=1)
        assert page.overdue_fen == overdue_fen(state.book, state.next_missed)
        late_fen = sum(line.principal_fen for line in overdue_lines(state.book, judged_on))
        assert page.overdue_principal_fen == late_fen
        assert page.normal_principal_fen == state.book.outstanding_fen - late_fen
