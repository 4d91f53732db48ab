"""Corrections of loans that measures were taken of: the measure is decided again on the loan without the error, or the correction refused."""

from collections import Counter
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events.corrections import Correction, LoanRestated, MeasuredStanding
from libs.events.measures import NonAccrual, PenaltyWaived, Waiver, WriteOff
from libs.events.money import money_context
from libs.events.non_accrual import NonAccrualEnded, NonAccrualStarted
from libs.events.recovery_costs import RecoveryCostPaid
from services.repayment.commands.corrections import CorrectPayment
from services.repayment.commands.measures import CarryOutMeasure
from services.repayment.domain.loan_state import Running
from services.repayment.domain.profile import profile_named
from services.repayment.domain.replaying import is_replayable
from services.repayment.domain.troubled import effect
from tests.unit.repayment.asset_story import LORRY
from tests.unit.repayment.inputs import Input, Lived, clean, fail_others
from tests.unit.repayment.lives import random_terms
from tests.unit.repayment.measured import Measured, given_for
from tests.unit.repayment.pause_story import ASKED_FOR, PAUSE
from tests.unit.repayment.stories import (
    FIRST_DUE,
    FUNDED_ON,
    LOAN,
    OPEN,
    OPENED,
    SECOND_DUE,
    applied,
    claim,
    days,
    pays,
)
from tests.unit.repayment.test_correcting import Corrected, compared, money
from tests.unit.repayment.troubled_story import LATE_ON, LOST_ON, MARCH, done

DEMO = profile_named("demo")

#: As which a measure is refused in the clean history that had no more to do than there is.
NOTHING = {"nothing_to_waive", "not_accruing", "accruing", "loan_repaid"}


@given(seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_any_interleaving_of_payments_measures_and_corrections_ends_in_the_clean_history(seed: int) -> None:
    """State, claims, money and what was given up are those of the loan that only the right payments and the same measures ever reached;
    and a correction is refused by a measure's name only where that history has no such measure."""
    play(seed)


def play(seed: int) -> Counter[str]:
    """One life; how often what happened."""
    chance = Random(seed)
    terms = random_terms(chance)
    lived = CorrectedMeasured(chance, terms.funded_on)
    lived.terms = terms
    lived.open(terms)
    with money_context():
        for _ in range(chance.randint(40, 200)):
            if chance.random() < 0.08:
                lived.correct()
                again = clean(terms, lived.inputs(), lived.today, lived.applied)
                assert all(not isinstance(said, str) or said in NOTHING for said in lived.again.values())
                assert measured(lived.state) == measured(again.state)
                assert money(lived.events) == money(again.events)
                assert waived(lived.events) == waived(again.events)
                assert is_replayable(DEMO, lived.state, lived.context)
            for _ in lived.day():
                pass
    return lived.seen


@dataclass
class CorrectedMeasured(Measured, Corrected):
    """Measures and corrections in one life."""

    terms: Any = None
    seen: Counter[str] = field(default_factory=Counter)

    def busy(self) -> set[date]:
        """Nor to a day on which a measure came."""
        return super().busy() | {applied.on for applied in self.applied}

    def refused(self, code: str, came: Input, to_date: date | None) -> None:
        """By a measure's name where the clean history has it not, or not as it was."""
        self.seen[code] += 1
        if not code.endswith("_would_differ"):
            super().refused(code, came, to_date)
            return
        other = copy(self)
        other.wrong, other.moved, other.taken = set(self.wrong), dict(self.moved), list(self.taken)
        other.right(came, to_date)
        clean(self.terms, other.inputs(), self.today, self.applied)
        kinds = {
            applied.measure.terms.kind for applied in self.applied if self.differs(applied.measure.measure_id)
        }
        assert code.removesuffix("_would_differ") in kinds, (code, kinds)

    def right(self, came: Input, to_date: date | None) -> None:
        """Counted."""
        if self.applied:
            self.seen["corrected after a measure"] += 1
        if any(isinstance(event, RecoveryCostPaid) for event in self.events):
            self.seen["corrected after a cost was paid"] += 1
        super().right(came, to_date)

    def differs(self, measure_id: str) -> bool:
        """Whether the clean history has it not, or gives holders something else for their claims."""
        said = self.again[measure_id]
        if isinstance(said, str):
            return said not in NOTHING or said == "loan_repaid"
        return given_for(said) != given_for(self.first[measure_id])


def measured(state: Any) -> Running:
    """What is compared: a measure that came to nothing has not been done in the clean history."""
    last = compared(state)
    return replace(last, trouble=replace(last.trouble, done=()))


def waived(events: Sequence[Any]) -> int:
    """Penalty that was given up, corrections included."""
    return sum(event.waived_fen for event in events if isinstance(event, PenaltyWaived | LoanRestated))


# --- by hand -------------------------------------------------------------------------------------------------------

RECOVERED = (days(LOST_ON, 9), days(LOST_ON, 10))
WRITE_OFF = done(WriteOff(ground="overdue"))


def unpaid(until: date) -> Lived:
    """Nobody pays, and no debit finds anything, until the morning of a day."""
    lived = Lived(Random(0), FUNDED_ON)
    lived.open(OPEN)
    go_on(lived, until)
    return lived


def go_on(lived: Lived, until: date) -> None:
    """As many days more."""
    while lived.today < until:
        fail_others(lived, ())
        lived.wake(4)
        lived.today = days(lived.today, 1)


def said(lived: Lived, command: Any) -> LoanRestated:
    """How a correction restates the loan."""
    (restated,) = (event for event in lived.say(command) if isinstance(event, LoanRestated))
    return restated


def lost_and_paid() -> Lived:
    """Written off a year after nothing was paid, then 50.00 and 10.00 come."""
    lived = unpaid(LOST_ON)
    lived.say(WRITE_OFF)
    for number, (day, fen) in enumerate(zip(RECOVERED, (5_000, 1_000), strict=True), 1):
        go_on(lived, day)
        lived.say(pays(day, fen, payment_id=f"pay_{number}"))
    go_on(lived, days(LOST_ON, 20))
    return lived


def wrong(payment_id: str, value_date: date, to_date: date | None = None) -> CorrectPayment:
    """Its correction."""
    return CorrectPayment(
        correction=Correction(
            correction_id="cor_1",
            loan_id="loan_7",
            payment_id=payment_id,
            kind="reverse" if to_date is None else "redate",
            reason="wrong_loan",
            value_date=value_date,
            to_date=to_date,
        ),
        booking="prior_year" if to_date and to_date.year < value_date.year else "same_year",
    )


def test_what_came_after_a_write_off_is_recovered_without_the_payment_that_was_none() -> None:
    """50.00 less; it stays written off, in no bucket of the running book, and its class and penalty are a loss's. Once."""
    lived = lost_and_paid()
    restated = said(lived, wrong("pay_1", RECOVERED[0]))
    assert (restated.recovered_fen, restated.waived_fen, restated.from_bucket) == (-5_000, 0, "written_off")
    assert restated.standing.measured == MeasuredStanding(
        floor=None, observed=None, recovered_fen=1_000, arrears_interest_fen=0, arrears_fee_fen=0
    )
    now = lived.state
    assert (now.trouble.recovered_fen, now.bucket, now.loan_class) == (1_000, "written_off", "loss")
    assert (now.trouble.written_off_on, now.book.penalty_rate) == (LOST_ON, 0)
    assert lived.say(wrong("pay_1", RECOVERED[0])) == ()


def test_a_measure_that_would_not_have_come_about_is_named_and_nothing_changed() -> None:
    """Had the money come on the second due date, the loan would not have been 360 days late: the write-off is named."""
    lived = lost_and_paid()
    lived.say(pays(lived.today, 2 * 34_002, payment_id="pay_3"))
    paid_on = lived.today
    go_on(lived, days(paid_on, 1))
    before = lived.state
    assert lived.say(wrong("pay_3", paid_on, SECOND_DUE)) == "write_off_would_differ"
    assert lived.state == before


def test_a_waiver_gives_up_at_most_what_is_open_without_the_error() -> None:
    """All of 2.52 was given up; with the instalment's money counted on its due date there is none, and nothing is forgiven."""
    lived = unpaid(MARCH)
    lived.say(done(Waiver(amount_fen=500)))
    go_on(lived, days(MARCH, 1))
    lived.say(pays(lived.today, 34_002))
    go_on(lived, days(MARCH, 2))
    restated = said(lived, wrong("pay_1", days(MARCH, 1), FIRST_DUE))
    assert (restated.waived_fen, restated.penalty_after_fen, lived.state.trouble.waived_fen) == (-252, 0, 0)


def test_a_correction_forgives_no_more_than_was_signed() -> None:
    """100,000.00, of which a supervisor forgives the penalty twice: 88.83 and 59.22, asked for as 500.00 and 411.17, of the 500.00 that he may in
    all. Without the payment that came before, both would find all that they ask for, 911.17: named, and nothing changed."""
    lived = Lived(Random(0), FUNDED_ON)
    lived.open(replace(OPEN, principal_fen=10**8, claims=(claim(1, 10**8),)))
    go_on(lived, days(FIRST_DUE, 1))
    lived.say(pays(lived.today, 31_000_000))
    for number, (after, amount_fen, given_fen) in enumerate(((6, 500_00, 88_83), (10, 411_17, 59_22))):
        go_on(lived, days(FIRST_DUE, after))
        signed = CarryOutMeasure(
            measure_id=f"msr_{number}", terms=Waiver(amount_fen=amount_fen), waivable_fen=500_00
        )
        answer = lived.say(signed)
        assert answer[0] == applied(signed, lived.today)
        assert waived([event for event in answer if not isinstance(event, str)]) == given_fen
    go_on(lived, days(FIRST_DUE, 11))
    before = lived.state
    assert is_replayable(DEMO, before, lived.context)
    assert lived.say(wrong("pay_1", days(FIRST_DUE, 1))) == "waiver_would_differ"
    assert lived.state == before


def test_what_two_people_decided_of_income_stands_after_a_correction() -> None:
    """Stopped by hand, and what repaid all was another's: its interest is none still, and nothing new is said of it. Once they have ended it
    because all was paid, that payment cannot be taken away: they would not have."""
    for ends in (False, True):
        lived = unpaid(MARCH)
        lived.say(done(NonAccrual()))
        go_on(lived, days(MARCH, 1))
        lived.say(pays(lived.today, 40_000))
        if ends:
            lived.say(done(NonAccrual(ends=True), measure_id="msr_2"))
        answer = lived.say(wrong("pay_1", days(MARCH, 1)))
        if ends:
            assert answer == "non_accrual_would_differ"
            continue
        assert not {NonAccrualEnded, NonAccrualStarted} & {*map(type, answer)}
        assert lived.state.trouble.non_accrual


def test_what_two_people_decided_is_theirs_where_the_days_would_have_come_first() -> None:
    """The first instalment was another's: its interest was none a week before they said so. What pays all arrears does not take back what they
    decided; they do."""
    lived = Lived(Random(0), FUNDED_ON)
    lived.open(replace(OPEN, tenor_months=12))
    go_on(lived, FIRST_DUE)
    first = lived.state.book.rows[0]
    lived.say(pays(FIRST_DUE, first.principal_fen + first.interest_fen))
    go_on(lived, days(FIRST_DUE, 98))
    stopped = [event for event in lived.say(done(NonAccrual())) if isinstance(event, NonAccrualStarted)]
    assert [event.cause for event in stopped] == ["by_hand"]
    go_on(lived, days(FIRST_DUE, 99))
    restated = said(lived, wrong("pay_1", FIRST_DUE))
    assert restated.standing.measured is not None
    assert restated.standing.measured.no_income_by_hand
    assert is_replayable(DEMO, lived.state, lived.context)
    paid = lived.say(pays(lived.today, 80_000, payment_id="pay_2"))
    assert NonAccrualEnded not in map(type, paid)
    assert lived.state.trouble.non_accrual
    ended = lived.say(done(NonAccrual(ends=True), measure_id="msr_2"))
    assert NonAccrualEnded in map(type, ended)
    assert not lived.state.trouble.no_income_by_hand


def test_what_was_taken_by_an_older_law_is_put_right_as_well() -> None:
    """An asset that was valued 200 days before, which nobody asked then: its loan is replayed, and a payment after it reversed."""
    lived = unpaid(LATE_ON)
    older = days(lived.today, -200)
    terms = replace(LORRY, agreed_fen=100, valued_on=older, acquired_on=older)
    taken = CarryOutMeasure(measure_id="msr_1", terms=terms)
    assert lived.say(taken) == "acquired_before_loan"
    events = effect(DEMO.on(FUNDED_ON), "msr_1", terms, lived.state, lived.today)
    for event in (applied(taken, lived.today), *events):
        lived.state = LOAN.evolve(lived.state, event)
    go_on(lived, days(LATE_ON, 1))
    lived.say(pays(lived.today, 500))
    assert is_replayable(DEMO, lived.state, lived.context)
    assert said(lived, wrong("pay_1", lived.today)).principal_after_fen == lived.state.book.outstanding_fen


def test_a_contract_that_names_no_penalty_is_put_right_after_a_measure() -> None:
    """It was lent before contracts named one: a pause gives it none, so its inputs still give the loan, and the payment does not count."""
    lived = Lived(Random(0), FUNDED_ON, state=LOAN.evolve(LOAN.initial, OPENED))
    go_on(lived, ASKED_FOR)
    lived.say(done(PAUSE))
    go_on(lived, MARCH)
    owed = compared(lived.state)
    lived.say(pays(MARCH, 34_002))
    assert said(lived, wrong("pay_1", MARCH)).principal_after_fen == 100_000
    assert compared(lived.state) == owed
