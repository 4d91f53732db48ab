"""A miss is said once and truly, however the days are closed: repeated, interrupted, several after one another, with debits that
are answered late and payments that come while it runs."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from libs.events.repayment import (
    DebitRequested,
    InstallmentDue,
    PaymentMissed,
    PaymentReceived,
    PaymentReturned,
    PenaltyCharged,
)
from libs.runtime import day
from services.repayment.domain.loan import loan_aggregate
from services.repayment.domain.profile import profile_named
from tests.unit.given import Outcome, given, step
from tests.unit.repayment.closing import Closing
from tests.unit.repayment.lives import live, random_terms
from tests.unit.repayment.stories import (
    CONTRACTED,
    FIRST_DUE,
    INSTALLMENT,
    LOAN,
    SECOND_DUE,
    asked_again,
    classified,
    days,
    debited,
    due,
    dues,
    failed,
    found_nothing,
    in_time,
    misses,
    on,
    pays,
)
from tests.unit.repayment.test_loan_day import LATE, NEXT_DAY, UNPAID

#: Asked again on the evening on which it would be missed, and no answer has come.
PENDING: tuple[Any, ...] = (*UNPAID, asked_again(NEXT_DAY, INSTALLMENT))


def told(outcome: Outcome) -> list[str]:
    """The names of what was said."""
    return [type(event).__name__ for event in outcome.events]


# --- a debit without an answer -------------------------------------------------------------------------------------


def test_a_pending_debit_keeps_the_day_from_judging() -> None:
    """Nothing is missed, nothing gets worse, and no phase 4 waits for the loan; it is asked on, though."""
    pending = given(LOAN, *PENDING)
    pending.when(misses(NEXT_DAY), on(NEXT_DAY)).then_nothing()
    assert LOAN.wake_on(pending.state) == (days(FIRST_DUE, 2), 2)
    retried = pending.when(dues(days(FIRST_DUE, 2)), on(days(FIRST_DUE, 2)))
    retried.then(asked_again(days(FIRST_DUE, 2), INSTALLMENT))


def test_a_debit_that_is_answered_late_with_the_money_was_no_miss() -> None:
    """The money was there on the day on which it was asked: two days later the loan is paid, dated as asked, and never late."""
    day = days(FIRST_DUE, 3)
    paid = in_time(given(LOAN, *PENDING).when(debited(NEXT_DAY, INSTALLMENT), on(day)))
    assert told(paid) == ["PaymentReceived", "RepaymentDistributed"]
    assert paid.events[0].value_date == NEXT_DAY
    step(LOAN, paid.state, misses(day), on(day)).then_nothing()
    assert LOAN.wake_on(paid.state) == (SECOND_DUE, 2)


def test_a_debit_that_is_answered_late_with_nothing_was_a_miss() -> None:
    """The next wake says it, of the evening before: an answer that is late hides nothing, and a second one says nothing more."""
    day = days(FIRST_DUE, 4)
    answered = in_time(given(LOAN, *PENDING).when(found_nothing(NEXT_DAY), on(day)))
    assert told(answered) == ["DebitFailureRecorded"]
    woken = step(LOAN, answered.state, dues(day), on(day))
    assert told(woken) == ["DebitRequested", "PaymentMissed", "OverdueBucketChanged", "LoanClassified"]
    assert (woken.events[1].dpd, woken.events[2].changed_on) == (3, days(day, -1))
    woken = step(LOAN, woken.state, found_nothing(day), on(day))
    step(LOAN, woken.state, found_nothing(NEXT_DAY), on(day)).then_nothing()
    step(LOAN, woken.state, misses(day), on(day)).then_nothing()


def test_a_debit_that_is_answered_late_with_a_part_was_a_miss_of_the_rest() -> None:
    """What is missed is what that evening left open."""
    day = days(FIRST_DUE, 2)
    part = given(LOAN, *PENDING).when(debited(NEXT_DAY, 4_002), on(day))
    missed = in_time(step(LOAN, part.state, misses(day), on(day))).events[1]
    assert (type(missed), missed.number, missed.open_fen) == (PaymentMissed, 1, 30_000)


#: The first instalment is asked for, nobody answers, and the grace is over.
LONG_AFTER = days(FIRST_DUE, 5)
SILENT: tuple[Any, ...] = (CONTRACTED, due(1))


def test_money_that_comes_before_a_late_answer_is_charged_no_penalty() -> None:
    """What the debit finds counts on the day on which it was asked, so a fen that comes after the grace pays interest, and the instalment is
    paid in time: nothing is missed."""
    fen = given(LOAN, *SILENT).when(pays(LONG_AFTER, 1), on(LONG_AFTER))
    assert [told(fen)[-2:], penalty_fen(fen)] == [["PaymentReceived", "RepaymentDistributed"], 0]
    paid = step(LOAN, fen.state, debited(FIRST_DUE, INSTALLMENT), on(LONG_AFTER))
    assert told(paid)[-3:] == ["PaymentReceived", "RepaymentDistributed", "OverpaymentReturned"]
    assert (penalty_fen(paid), paid.events[-1].amount_fen) == (0, 1)
    assert LOAN.wake_on(paid.state) == (SECOND_DUE, 2)


def test_a_late_answer_with_nothing_is_charged_from_the_first_day_on() -> None:
    """What was not charged while nobody knew is charged when the days of an ordinary miss are, on what the payment has left open: as if the answer
    had come in time, so that a quote of any later day holds."""
    fen = given(LOAN, *SILENT).when(pays(LONG_AFTER, 1), on(LONG_AFTER))
    nothing = step(LOAN, fen.state, found_nothing(FIRST_DUE), on(LONG_AFTER))
    missed = step(LOAN, nothing.state, misses(LONG_AFTER), on(LONG_AFTER))
    assert penalty_fen(missed) == 0
    asked = next(event for event in missed.events if isinstance(event, DebitRequested))
    nothing = step(LOAN, missed.state, found_nothing(LONG_AFTER, asked.debit_fen), on(LONG_AFTER))
    month_end = date(2024, 3, 31)
    closed = step(LOAN, nothing.state, misses(month_end), on(month_end))
    charged = next(event for event in closed.events if isinstance(event, PenaltyCharged))
    assert (charged.charged_on, charged.lines[0].days, charged.lines[0].open_fen) == (
        days(FIRST_DUE, 31),
        31,
        34_001,
    )


def test_a_settlement_before_a_late_answer_costs_no_penalty_and_the_answer_goes_back() -> None:
    """What settles the loan is without penalty that the answer may show to be none; the quote, which knows of no debit, is never less."""
    day = days(FIRST_DUE, 20)
    given(LOAN, *SILENT).when(pays(day, 101_440, settle=True), on(day)).then(
        PaymentReturned(
            loan_id="loan_7", payment_id="pay_1", account_id="acc_bo", amount_fen=101_440, code="below_payoff"
        )
    )
    settled = given(LOAN, *SILENT).when(pays(day, 101_776, settle=True), on(day))
    assert told(settled)[-4:] == [
        "PaymentReceived",
        "RepaymentDistributed",
        "OverpaymentReturned",
        "LoanRepaid",
    ]
    assert (penalty_fen(settled), settled.events[-2].amount_fen) == (0, 335)
    late = step(LOAN, settled.state, debited(FIRST_DUE, INSTALLMENT), on(day))
    assert [(type(event), event.amount_fen) for event in late.events] == [(PaymentReturned, INSTALLMENT)]


def test_a_prepayment_before_a_late_answer_pays_what_is_due_without_penalty() -> None:
    """All that is due, and principal that is not, for as much as there is beyond it."""
    prepaid = given(LOAN, *SILENT).when(
        replace(pays(LONG_AFTER, INSTALLMENT + 20_000), prepay="reamortise"), on(LONG_AFTER)
    )
    assert penalty_fen(prepaid) == 0
    assert prepaid.state.book.penalties == ()


def test_money_of_tomorrow_is_charged_up_to_today_while_todays_debit_is_on_its_way() -> None:
    """On the last day of the grace the loan is asked again; whatever comes before the answer, the answer is in time."""
    day = days(FIRST_DUE, 3)
    asked = given(LOAN, CONTRACTED, *UNPAID[1:], *LATE, asked_again(day, INSTALLMENT))
    fen = asked.when(pays(days(day, 1), 1), on(day))
    paid = step(LOAN, fen.state, debited(day, INSTALLMENT), on(day))
    assert (penalty_fen(fen), penalty_fen(paid), paid.state.book.first_open) == (0, 0, 2)
    after = step(LOAN, asked.state, found_nothing(day), on(day)).state
    assert penalty_fen(step(LOAN, after, pays(days(day, 1), 1), on(day))) == 0, "a replay knows no order"


def penalty_fen(outcome: Outcome) -> int:
    """What was charged and paid."""
    charged_fen = sum(event.penalty_fen for event in outcome.events if isinstance(event, PenaltyCharged))
    return charged_fen + sum(
        line.penalty_fen
        for event in outcome.events
        if isinstance(event, PaymentReceived)
        for line in event.allocation
    )


# --- payments while the day is closed ------------------------------------------------------------------------------


def test_a_payment_between_the_phases_counts_on_its_own_date() -> None:
    """Paid on the evening itself, after the day has asked: dated that day, so nothing is missed that evening."""
    asked = given(LOAN, *UNPAID, asked_again(NEXT_DAY, INSTALLMENT), failed(NEXT_DAY))
    paid = asked.when(pays(NEXT_DAY, INSTALLMENT), on(NEXT_DAY))
    assert paid.events[0].value_date == NEXT_DAY
    step(LOAN, paid.state, misses(NEXT_DAY), on(NEXT_DAY)).then_nothing()


def test_a_payment_of_the_next_date_is_dated_so_while_the_day_is_still_judged() -> None:
    """Accounts are a day ahead while repayment closes: the money is the next day's, pays what is due by then, and is not moved
    back. It has come before the judgement, so the loan is not late (docs/decisions/0018)."""
    asked = given(LOAN, *UNPAID, asked_again(NEXT_DAY, INSTALLMENT), failed(NEXT_DAY))
    paid = asked.when(pays(days(NEXT_DAY, 1), INSTALLMENT), on(NEXT_DAY))
    assert paid.events[0].value_date == days(NEXT_DAY, 1)
    step(LOAN, paid.state, misses(NEXT_DAY), on(NEXT_DAY)).then_nothing()


def test_a_payment_that_comes_after_the_judgement_takes_nothing_back() -> None:
    """The miss stays said; the money cures the loan on its own date."""
    late = given(LOAN, *UNPAID, *LATE)
    cured = in_time(late.when(pays(days(NEXT_DAY, 1), INSTALLMENT), on(days(NEXT_DAY, 1))))
    assert told(cured) == [
        "PaymentReceived",
        "RepaymentDistributed",
        "OverdueBucketChanged",
        "LoanClassified",
    ]
    assert cured.events[-1] == classified(
        days(NEXT_DAY, 1), "special_mention", "normal", 0, principal_fen=66_998
    )


# --- however it is closed ------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=12)
@examples(st.integers(0, 2**32))
def test_every_miss_is_said_once_however_the_days_are_closed(seed: int) -> None:
    """Markers and ticks twice, deaths before and after the log has the decision, two loans a tick, answers up to eight days late, which
    is more than the grace: what was missed, and where each loan stands, is what the accountant says after every close."""
    chance = Random(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(day, "WOKEN_PER_TICK_MAX", 2)
        closing = Closing(chance, troubles=0.2)
        closing.open(chance.randint(1, 5), chance)
        for _ in range(100):
            closing.close_day(latest=chance.choice([0, 0, 8]))
        for _ in range(9):
            closing.close_day()
    assert not any(auditor.pending for auditor in closing.auditors.values()), (
        "all is answered, so all is judged"
    )


class Unpaid(Closing):
    """Nobody pays, nobody has anything: what happens depends on the days alone."""

    def __post_init__(self) -> None:
        self.said: dict[str, list[Any]] = {}
        super().__post_init__()

    def pay(self) -> None:
        """Nothing comes."""

    def watch(self, loan: str, message: Any, events: Any) -> None:
        """Keep what was said."""
        self.said.setdefault(loan, []).extend(events)
        super().watch(loan, message, events)

    def found(self, _debit: Any) -> int:
        """Nothing is there."""
        return 0


@settings(deadline=None, max_examples=6)
@examples(st.integers(0, 2**32))
def test_a_calm_close_and_a_troubled_one_say_the_same(seed: int) -> None:
    """Of the same loans, which nobody pays, every event is the same and in the same order: trouble changes nothing, and two
    loans a tick are as good as five hundred."""

    def events_of(troubles: float) -> dict[str, list[Any]]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(day, "WOKEN_PER_TICK_MAX", 2 if troubles else 500)
            closing = Unpaid(Random(seed), troubles)
            closing.open(3, Random(seed))
            for _ in range(65):
                closing.close_day()
            return closing.said

    calm = events_of(0.0)
    assert calm == events_of(0.3)
    for events in calm.values():
        due = [event for event in events if isinstance(event, InstallmentDue)]
        missed = [event for event in events if isinstance(event, PaymentMissed)]
        assert [event.number for event in missed] == [event.number for event in due[: len(missed)]]
        assert len(due) - len(missed) <= 1, "only what is due on the last day is not judged yet"
    assert any(isinstance(event, PaymentMissed) for event in calm["loan_0"])


# --- the ceiling ---------------------------------------------------------------------------------------------------

LAWFUL = profile_named("cn-p2p-2016")


@settings(deadline=None, max_examples=25)
@examples(
    st.randoms(use_true_random=False),
    st.sampled_from([date(2014, 1, 10), date(2017, 3, 31), date(2021, 2, 1)]),
)
def test_nothing_overdue_ever_costs_more_than_the_ceiling(chance: Random, funded_on: date) -> None:
    """Under the law: all penalty ever charged on an instalment is at most what the ceiling in force at the contract makes of what
    was open for those days, half a fen a charge aside, and twice the time is twice the penalty: it is never compounded."""
    ceiling = Fraction(min(LAWFUL.on(funded_on).penalty_cap or Decimal(10), Decimal(10)))
    terms = replace(
        random_terms(chance),
        funded_on=funded_on,
        annual_rate=Decimal(chance.choice(["0.08", "0.12", "0.154"])),
    )
    loan = live(chance, terms, aggregate=loan_aggregate(LAWFUL))
    exact: dict[int, Fraction] = {}
    charged: dict[int, int] = {}
    pieces: dict[int, int] = {}
    for event in loan.events:
        for line in getattr(event, "lines", ()) if type(event).__name__ == "PenaltyCharged" else ():
            exact[line.number] = (
                exact.get(line.number, Fraction(0)) + line.open_fen * ceiling * line.days / 365
            )
            charged[line.number] = charged.get(line.number, 0) + line.penalty_fen
            pieces[line.number] = pieces.get(line.number, 0) + 1
    for number, fen in charged.items():
        assert fen <= exact[number] + Fraction(pieces[number], 2)
