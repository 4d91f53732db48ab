"""A late answer hides no true miss, whatever was paid before it came, and makes no false one (docs/decisions/0018)."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from libs.events.lateness import LateLine, LatenessJudged
from libs.events.measures import LoanWrittenOff, WriteOff
from libs.events.repayment import (
    InstallmentDue,
    OverdueBucketChanged,
    PaymentMissed,
    PaymentReceived,
    PenaltyCharged,
)
from services.repayment.commands.measures import CarryOutMeasure
from services.repayment.domain.loan_state import reopened
from services.repayment.domain.profile import profile_named
from services.repayment.domain.replaying import is_replayable
from services.repayment.domain.settling import settlement
from tests.unit.repayment.guarantee_story import APPROVED, DAY, EXECUTED, GUARANTEED, PROPOSED, RECORD
from tests.unit.repayment.late_story import Story
from tests.unit.repayment.stories import (
    FIRST_DUE,
    INSTALLMENT,
    LAST_DUE,
    OPENED,
    SECOND_DUE,
    days,
    on,
    pays,
)
from tests.unit.repayment.troubled_story import done

DEMO = profile_named("demo")
_DAY = timedelta(days=1)


#: When the answer to the first debit comes.
DAY_33 = days(FIRST_DUE, 33)
#: Whoever pays the first instalment with the second, of what the second debit asks.
WITH_THE_SECOND = {SECOND_DUE: 10**6}
WRITE_OFF = CarryOutMeasure(measure_id="msr_1", terms=WriteOff(ground="court"))
MISSED = PaymentMissed(
    loan_id="loan_7",
    borrower="usr_bo",
    number=1,
    due_on=FIRST_DUE,
    open_fen=INSTALLMENT,
    dpd=30,
    paid_on=SECOND_DUE,
)
JUDGED = LatenessJudged(
    loan_id="loan_7",
    borrower="usr_bo",
    judged_on=days(DAY_33, -1),
    lines=(
        LateLine(
            number=1,
            due_on=FIRST_DUE,
            paid_on=SECOND_DUE,
            open_fen=INSTALLMENT,
            days=31,
            penalty_fen=520,
        ),
    ),
    dpd=0,
    reached_dpd=30,
    bucket="M1",
    loan_class="special_mention",
    no_income=False,
    number=3,
    penalty_fen=520,
    penalty_after_fen=520,
    overdue_after_fen=0,
    given_up_fen=0,
)


def test_a_miss_that_was_paid_before_the_late_answer_is_said_and_charged() -> None:
    """The next debit pays it 31 days late: 340.02 at 18 % for 31 days are 5.20, as if it had been told in time, owed with the third."""
    late = Story(finds=WITH_THE_SECOND, told_on={FIRST_DUE: DAY_33}).live(LAST_DUE)
    assert late.said(PaymentMissed)[0] == MISSED
    (judged,) = late.said(LatenessJudged)
    assert judged == replace(JUDGED, judged_on=judged.judged_on)
    assert late.said(InstallmentDue)[2].debit_fen == INSTALLMENT + 1 + 520
    assert is_replayable(DEMO, late.state, on(days(LAST_DUE, 1)))
    in_time = Story(finds=WITH_THE_SECOND).live(LAST_DUE)
    assert in_time.said(PaymentMissed)[0].number == 1
    assert [charge.penalty_fen for charge in in_time.said(PenaltyCharged)][:1] == [520]
    assert [move.to_bucket for move in in_time.said(OverdueBucketChanged)][:2] == [judged.bucket, "current"]


def test_a_late_answer_with_the_money_makes_no_false_miss() -> None:
    """It was there on the due day: the next debit has paid what was paid, and what it finds goes back."""
    late = Story(finds={FIRST_DUE: INSTALLMENT, **WITH_THE_SECOND}, told_on={FIRST_DUE: DAY_33}).live(DAY_33)
    assert late.said(PaymentMissed) == late.said(LatenessJudged) == late.said(PenaltyCharged) == []
    assert is_replayable(DEMO, late.state, on(days(DAY_33, 1)))


def test_a_late_answer_with_a_part_leaves_the_rest_missed() -> None:
    """100.02 were there on the day, 240.00 were not."""
    late = Story(finds={FIRST_DUE: 10_002, **WITH_THE_SECOND}, told_on={FIRST_DUE: DAY_33}).live(DAY_33)
    assert late.said(PaymentMissed) == [replace(MISSED, open_fen=24_000)]
    (judged,) = late.said(LatenessJudged)
    assert [(line.paid_on, line.open_fen, line.penalty_fen) for line in judged.lines] == [
        (SECOND_DUE, 24_000, 367)
    ]


def test_a_retry_that_was_answered_first_does_not_hide_the_miss_of_the_evening_before_it() -> None:
    """The money of the second retry came a day after the evening that counts; within the grace, so it costs nothing."""
    retry = days(FIRST_DUE, 2)
    late = Story(finds={retry: INSTALLMENT}, told_on={FIRST_DUE: days(retry, 2)}).live(days(retry, 3))
    assert late.said(PaymentMissed) == [replace(MISSED, dpd=1, paid_on=retry)]
    assert [judged.penalty_fen for judged in late.said(LatenessJudged)] == [0]


def test_who_pays_between_the_answer_and_the_next_wake_was_late_all_the_same() -> None:
    """Nobody has judged the loan yet; the answer is there, so penalty is charged as always."""
    day = days(FIRST_DUE, 20)
    late = Story(told_on={FIRST_DUE: day}, paid={day: [pays(day, INSTALLMENT + 1_000)]}).live(day)
    assert late.said(PaymentMissed) == [replace(MISSED, dpd=19, paid_on=day)]
    assert [charge.penalty_fen for charge in late.said(PenaltyCharged)] == [335]
    assert [judged.penalty_fen for judged in late.said(LatenessJudged)] == [0]
    assert is_replayable(DEMO, late.state, on(days(day, 1)))


def test_a_loan_that_is_repaid_before_the_answer_says_what_it_was_and_gives_up_the_penalty() -> None:
    """Paid whole on the 95th day: three instalments were missed, the loan was substandard in M4, and its interest no income."""
    paid, answered = days(FIRST_DUE, 95), days(FIRST_DUE, 100)
    late = Story(told_on={FIRST_DUE: answered}, paid={paid: [pays(paid, 200_000)]}).live(answered)
    assert late.state.kind == "repaid"
    assert [(miss.number, miss.paid_on) for miss in late.said(PaymentMissed)] == [
        (n, paid) for n in (1, 2, 3)
    ]
    (judged,) = late.said(LatenessJudged)
    stood = (judged.reached_dpd, judged.bucket, judged.loan_class, judged.no_income)
    assert stood == (94, "M4", "substandard", True)
    lines = [(line.days, line.penalty_fen) for line in judged.lines]
    assert lines == [(95, 1_593), (64, 1_073), (34, 570)]
    assert (judged.number, judged.penalty_fen, judged.given_up_fen) == (0, 0, 1_593 + 1_073 + 570)
    assert is_replayable(DEMO, late.state, on(days(answered, 1)))


@pytest.mark.parametrize("on_day", [27, 28])
@pytest.mark.parametrize("open_fen", [0, 2])
def test_a_write_off_loses_no_penalty_of_what_was_paid_before_the_answer(on_day: int, open_fen: int) -> None:
    """It ends the penalty of the days to come: on the day of the answer, before any wake, as on the day after it."""
    paid_on, answered_on, day = (days(FIRST_DUE, number) for number in (25, 27, on_day))
    paid: dict[date, list[Any]] = {paid_on: [pays(paid_on, INSTALLMENT - open_fen)], day: [WRITE_OFF]}
    late = Story(told_on={FIRST_DUE: answered_on}, paid=paid).live(days(day, 3))
    (judged,), (lost,) = late.said(LatenessJudged), late.said(LoanWrittenOff)
    in_time = Story(paid=paid).live(days(day, 3))
    assert lost.penalty_fen == judged.penalty_fen == in_time.said(PenaltyCharged)[0].penalty_fen
    assert [miss.number for miss in late.said(PaymentMissed)] == [1]
    said = [type(event) for _, event in late.events]
    assert said.index(LatenessJudged) < said.index(LoanWrittenOff)
    assert open_fen or said.index(PaymentMissed) < said.index(LoanWrittenOff)
    assert is_replayable(DEMO, late.state, on(days(day, 4)))


def test_penalty_owed_with_a_later_row_is_settled_with_the_loan() -> None:
    """It is not due yet and owed all the same."""
    late = Story(finds=WITH_THE_SECOND, told_on={FIRST_DUE: DAY_33}).live(DAY_33)
    lines = settlement(late.state.book, DAY_33, DEMO.on(late.state.book.funded_on))
    assert [line.penalty_fen for line in lines] == [520, 0]
    late.say(pays(DAY_33, 200_000, settle=True, payment_id="pay_9"), DAY_33)
    assert late.state.kind == "repaid"


def test_money_that_a_late_answer_frees_was_there_for_what_is_paid_after_it() -> None:
    """A retry of March found the first instalment, which is told in April, when others had paid that on the day after the second was due. So
    that money was there for the second: it is paid a week later, and no miss of its own."""
    retry, first, second = days(FIRST_DUE, 3), days(SECOND_DUE, 1), days(SECOND_DUE, 8)
    late = Story(
        finds={retry: INSTALLMENT},
        told_on={retry: days(SECOND_DUE, 6), SECOND_DUE: days(SECOND_DUE, 36)},
        paid={first: [pays(first, INSTALLMENT)], second: [pays(second, INSTALLMENT, payment_id="pay_2")]},
    ).live(days(SECOND_DUE, 37))
    assert [miss.number for miss in late.said(PaymentMissed) if miss.number < 3] == [1]
    assert is_replayable(DEMO, late.state, on(days(SECOND_DUE, 38)))


def test_penalty_of_what_a_guarantor_paid_for_is_nobody_elses() -> None:
    """He paid for the first instalment, which the borrower pays while the second debit has no answer: no open row is his, so the penalty of those days
    is given up by name, and the holders' own is owed with their row."""
    told = days(SECOND_DUE, 22)
    late = Story(
        contract=GUARANTEED,
        told_on={SECOND_DUE: told},
        before={DAY: (PROPOSED, APPROVED, EXECUTED, RECORD)},
        paid={days(SECOND_DUE, 20): [pays(days(SECOND_DUE, 20), INSTALLMENT + 1_000)]},
    ).live(told)
    holders, his = late.said(LatenessJudged)
    assert [line.number for line in holders.lines] == [2]
    assert [line.number for line in his.lines] == [1]
    assert (holders.number, holders.given_up_fen, his.number, his.penalty_fen) == (2, 0, 0, 0)
    assert his.given_up_fen > 0
    assert is_replayable(DEMO, late.state, on(days(told, 1)))


def test_what_a_late_answer_made_owed_makes_no_payment_late() -> None:
    """The penalty stands with a row that is not due: who settles the loan in time is behind no charge."""
    late = Story(finds=WITH_THE_SECOND, told_on={FIRST_DUE: DAY_33}).live(DAY_33)
    day = days(DAY_33, 1)
    late.say(pays(day, 200_000, settle=True, payment_id="pay_9"), day)
    assert not late.said(PaymentReceived)[-1].behind_charge


def test_a_late_answer_that_goes_to_the_cost_of_recovery_hides_no_miss() -> None:
    """All that it found is the cost's: who pays the instalment after it was late all the same."""
    told = days(SECOND_DUE, 20)
    lost = done(WriteOff(ground="court", cost_fen=20_000, cost_account="acc_law"), "msr_1")
    late = Story(
        finds={SECOND_DUE: 10_000},
        told_on={SECOND_DUE: told},
        paid={days(FIRST_DUE, 20): [lost], told: [pays(told, 120_000)]},
    ).live(days(told, 5))
    assert [miss.number for miss in late.said(PaymentMissed)] == [1, 2]
    assert [line.number for judged in late.said(LatenessJudged) for line in judged.lines] == [2]
    assert is_replayable(DEMO, late.state, on(days(told, 6)))


@settings(deadline=None, max_examples=60)
@examples(st.integers(0, 2**32))
def test_what_is_missed_is_missed_whenever_it_is_told(seed: int) -> None:
    """Debits find what they find and people pay what they pay, on the same days; only the answers come later. Of a contract without penalty,
    which would be paid first, each instalment that is missed in one history is missed in the other, and the loan ends with the same rows."""
    finds, paid, told_on = random_life(Random(seed))
    told_on = {day: told for day, told in told_on.items() if day not in finds}
    end = days(LAST_DUE, 45)
    in_time, late = Story(OPENED, finds, {}, paid).live(end), Story(OPENED, finds, told_on, paid).live(end)
    missed = {miss.number: miss.due_on for miss in in_time.said(PaymentMissed)}
    assert {miss.number: miss.due_on for miss in late.said(PaymentMissed)} == missed
    assert len(late.said(PaymentMissed)) == len(missed)
    assert reopened(late.state).book == reopened(in_time.state).book
    assert reopened(late.state).unjudged == ()
    assert is_replayable(DEMO, late.state, on(days(end, 1)))
    worst = max((move.dpd for move in in_time.said(OverdueBucketChanged)), default=0)
    told = [move.dpd for move in late.said(OverdueBucketChanged)]
    told += [judged.reached_dpd for judged in late.said(LatenessJudged)]
    assert max(told, default=0) >= worst


@settings(deadline=None, max_examples=60)
@examples(st.integers(0, 2**32))
def test_no_true_miss_is_hidden_whatever_debits_have_found(seed: int) -> None:
    """Also where a debit's money is told late and goes back, because others have paid meanwhile; each is said once. What is said beside is open, for its
    money went back: nothing that has been paid is called missed because a debit was told late."""
    finds, paid, told_on = random_life(Random(seed))
    end = days(LAST_DUE, 45)
    in_time, late = Story(OPENED, finds, {}, paid).live(end), Story(OPENED, finds, told_on, paid).live(end)
    said = [miss.number for miss in late.said(PaymentMissed)]
    true = {miss.number for miss in in_time.said(PaymentMissed)}
    assert true <= {*said}
    assert all(miss.paid_on is None for miss in late.said(PaymentMissed) if miss.number not in true)
    assert len(said) == len({*said})
    assert is_replayable(DEMO, late.state, on(days(end, 1)))


def random_life(chance: Random) -> tuple[dict[date, int], dict[date, list[Any]], dict[date, date]]:
    """What debits find, who pays what, and when answers come."""
    asked = [days(due, n) for due in (FIRST_DUE, SECOND_DUE, LAST_DUE) for n in range(4)]
    finds = {day: chance.randint(1, 70_000) for day in asked if chance.random() < 0.3}
    paid: dict[date, list[Any]] = {}
    for number in range(chance.randint(0, 4)):
        day = days(FIRST_DUE, chance.randint(0, 80))
        amount_fen = chance.choice([INSTALLMENT, chance.randint(1, 80_000)])
        paid.setdefault(day, []).append(pays(day, amount_fen, payment_id=f"pay_{number}"))
    told_on = {day: days(day, chance.randint(1, 40)) for day in asked if chance.random() < 0.5}
    return finds, paid, told_on


@pytest.mark.parametrize("late_days", [1, 2, 3, 40])
def test_paid_by_the_first_evening_is_in_time(late_days: int) -> None:
    """By hand on the day after the due date, whatever the answer is and whenever it comes."""
    day = days(FIRST_DUE, 1)
    late = Story(told_on={FIRST_DUE: days(FIRST_DUE, late_days)}, paid={day: [pays(day, INSTALLMENT)]})
    late.live(days(FIRST_DUE, 30))
    assert late.said(PaymentMissed) == []
