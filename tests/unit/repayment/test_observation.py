"""A restructured loan is observed for a year and two periods (rules.md 1.4): the day on which that is over, and what it finds."""

from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events.measures import Reclassification, Restructuring
from libs.events.repayment import LoanClassified
from services.repayment.commands import RecordDebit, RecordDebitFailure
from services.repayment.domain.loan_state import Running
from services.repayment.domain.profile import profile_named
from services.repayment.domain.replaying import is_replayable
from tests.unit.repayment.inputs import Lived
from tests.unit.repayment.stories import LOAN, OPEN, claim, days
from tests.unit.repayment.troubled_story import done

RESTRUCTURED_ON, UNTIL = date(2024, 3, 5), date(2025, 3, 5)
OVER = days(UNTIL, 1)
TERMS = replace(
    OPEN,
    principal_fen=10_000_000,
    claims=(claim(1, 10_000_000),),
    tenor_months=24,
    funded_on=date(2024, 1, 31),
)


class Observed(Lived):
    """Its debits find nothing on some days, else all of it; some are answered days later."""

    empty: tuple[tuple[date, date], ...] = ((TERMS.funded_on, days(RESTRUCTURED_ON, -1)),)
    late_days: int = 0
    by_hand: bool = False

    def __init__(self) -> None:
        super().__init__(Random(0), TERMS.funded_on)
        self.waiting: list[tuple[date, Any]] = []

    def pay(self, place: str) -> None:
        """Nobody pays by hand, unless a test lets them."""
        if self.by_hand:
            super().pay(place)

    def answer(self, debit: Any) -> str:
        """Today, or later."""
        self.waiting.append((days(debit.value_date, self.late_days), debit))
        self.meanwhile("answers")
        return ""

    def meanwhile(self, place: str) -> None:
        """What the bank has to say today."""
        for on, debit in [
            each for each in self.waiting if each[0] <= self.today and place in ("answers", "late")
        ]:
            self.waiting.remove((on, debit))
            if any(first <= debit.value_date <= last for first, last in self.empty):
                told: Any = RecordDebitFailure(
                    debit_id=debit.debit_id, requested_fen=debit.debit_fen, value_date=debit.value_date
                )
            else:
                told = RecordDebit(
                    debit_id=debit.debit_id,
                    account_id="acc_bo",
                    debited_fen=debit.debit_fen,
                    value_date=debit.value_date,
                )
            assert not isinstance(self.say(told), str)

    def until(self, day: date) -> None:
        """Live to the morning of a day."""
        while self.today < day:
            for _ in self.day():
                pass

    @property
    def better(self) -> list[tuple[date, str]]:
        """Its classes since it was restructured."""
        said = [event for event in self.events if isinstance(event, LoanClassified)]
        return [
            (event.classified_on, event.to_class) for event in said if event.classified_on > RESTRUCTURED_ON
        ]


def observed() -> Observed:
    """Its first instalment is not paid, and it is restructured on the fifth day."""
    lived = Observed()
    lived.open(TERMS)
    lived.until(RESTRUCTURED_ON)
    assert not isinstance(lived.say(done(Restructuring(months=1))), str)
    assert isinstance(lived.state, Running)
    assert lived.state.trouble.observed is not None
    assert lived.state.trouble.observed.until == UNTIL
    return lived


def test_a_loan_that_was_paid_in_time_is_normal_on_the_day_after() -> None:
    """Not on the next day on which something is due: nobody is told special-mention of a loan that is observed no longer. Once."""
    lived = observed()
    lived.until(OVER)
    assert lived.better == []
    lived.until(days(OVER, 60))
    (cured,) = [
        event for event in lived.events if isinstance(event, LoanClassified) and event.classified_on > UNTIL
    ]
    assert cured == LoanClassified(
        loan_id="loan_7",
        borrower="usr_bo",
        classified_on=OVER,
        from_class="special_mention",
        to_class="normal",
        dpd=0,
        principal_fen=cured.principal_fen,
        product=cured.product,
        region=cured.region,
    )


def test_a_correction_knows_the_day() -> None:
    """The replay says it on the same day, so the loan is what its inputs give, before it and after."""
    lived = observed()
    for day in (UNTIL, OVER, days(OVER, 1), days(OVER, 40)):
        lived.until(day)
        assert is_replayable(profile_named("demo"), lived.state, lived.context)


def test_what_is_behind_on_that_day_is_better_when_it_is_paid() -> None:
    """The instalment of February 2025 is unpaid until April: the day finds nothing, and is not asked for again."""
    lived = observed()
    lived.empty = (*lived.empty, (date(2025, 2, 28), date(2025, 3, 20)))
    lived.until(date(2025, 3, 31))
    assert lived.better == []
    lived.until(date(2025, 4, 2))
    assert lived.better == [(date(2025, 3, 31), "normal")]


def test_what_two_people_said_meanwhile_holds_on() -> None:
    """Substandard by hand, without an end: the loan is not woken for nothing."""
    lived = observed()
    lived.until(date(2025, 3, 1))
    assert not isinstance(lived.say(done(Reclassification(to_class="substandard"), "msr_2")), str)
    lived.until(days(OVER, 40))
    assert lived.better == [(date(2025, 3, 1), "substandard")]


@given(seed=st.integers(0, 2**32))
@settings(max_examples=15, deadline=None)
def test_however_it_is_paid_it_is_woken_once_and_never_stays_due(seed: int) -> None:
    """Debits that find nothing around the day, or are answered days later, and money that comes at any place of a day: after each close nothing of the
    day is left to do, and once nothing is behind and nothing on its way, the loan is normal; its inputs give it."""
    chance = Random(seed)
    lived = observed()
    lived.chance, lived.pays, lived.by_hand = chance, 0.02, chance.random() < 0.5
    lived.late_days = chance.choice((0, 0, 1, 4))
    first = days(UNTIL, chance.randint(-70, 40))
    lived.empty = (*lived.empty, (first, days(first, chance.randint(0, 40))))
    while lived.today < days(OVER, 70):
        today = lived.today
        for _ in lived.day():
            pass
        state = lived.state
        if not isinstance(state, Running):
            break
        due = LOAN.wake_on(state)
        assert due is None or due > (today, 4), f"stuck on {today}"
        open_today = state.book.first_open < state.next_due
        if today >= OVER and not open_today and not state.unanswered:
            assert state.loan_class == "normal"
        assert today >= OVER or state.loan_class != "normal"
        if abs((today - OVER).days) <= 3:
            assert is_replayable(profile_named("demo"), state, lived.context)
