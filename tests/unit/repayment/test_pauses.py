"""A loan whose days are paused: what does not happen meanwhile, what happens on the day after, and who may not have it."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from libs.events.deciding import Refused, Wake
from libs.events.measures import Reclassification, Restructuring, WriteOff
from libs.events.non_accrual import NonAccrualEnded
from libs.events.pauses import Pause
from libs.events.repayment import PenaltyLine
from services.bidding.policies.repaying import on_repayment
from services.repayment.commands.measures import CarryOutMeasure, ExamineMeasure
from services.repayment.domain.charging import penalty_lines
from services.repayment.domain.loan_state import Running
from services.repayment.domain.pausing_loan import paused_or_flagged
from services.repayment.domain.profile import profile_named
from tests.unit.bidding.specs import Spec
from tests.unit.documents import recorded
from tests.unit.given import given
from tests.unit.repayment.asset_story import LORRY
from tests.unit.repayment.guarantee_story import GUARANTEED, PROPOSE, by
from tests.unit.repayment.pause_story import (
    AFTER,
    ASKED_FOR,
    END,
    FROM,
    PAUSE,
    PAUSED,
    TO,
    applied,
    done,
    due_unasked,
    ended,
    paused,
)
from tests.unit.repayment.stories import (
    CONTRACTED,
    FIRST_DUE,
    INSTALLMENT,
    LAST_DUE,
    LOAN,
    OPENED,
    SECOND_DUE,
    asked_again,
    classified,
    days,
    due,
    dues,
    failed,
    in_time,
    misses,
    no_income,
    on,
    pays,
)
from tests.unit.repayment.test_loan_day import LATE, UNPAID, missed, moved

RULES = profile_named("demo").on(ASKED_FOR)
ENDED = (applied(END, FIRST_DUE, "msr_2"), ended(FIRST_DUE, FIRST_DUE))
#: A second one would make it 150 days in 2024.
USED = (applied(PAUSE, ASKED_FOR), paused(date(2024, 2, 16), date(2024, 4, 30)))


def examine(terms: Pause) -> ExamineMeasure:
    """Somebody proposes it."""
    return ExamineMeasure(measure_id="msr_1", terms=terms)


def of_days(from_on: date, to_on: date, **changed: Any) -> Pause:
    """Other days."""
    return replace(PAUSE, from_on=from_on, to_on=to_on, **changed)


@pytest.mark.parametrize(
    "spec",
    [
        Spec("its days are paused", (OPENED,), done(PAUSE), PAUSED),
        Spec(
            "it begins tomorrow at the earliest",
            (OPENED,),
            done(of_days(date(2024, 2, 1), TO)),
            (applied(of_days(date(2024, 2, 1), TO), ASKED_FOR), paused(days(ASKED_FOR, 1))),
        ),
        Spec("once is enough", (OPENED, *PAUSED), done(PAUSE), ()),
        Spec("one at a time", (OPENED, *PAUSED), done(PAUSE, "msr_2"), "pause_stands"),
        Spec("days in their order", (OPENED,), done(of_days(TO, FROM)), "invalid_date"),
        Spec("not for what is past", (OPENED,), done(of_days(FROM, ASKED_FOR)), "invalid_date"),
        Spec("nor by today", (OPENED,), done(of_days(ASKED_FOR, ASKED_FOR)), "pause_over"),
        Spec("not for so long", (OPENED,), done(of_days(FROM, days(FROM, 90))), "pause_too_long"),
        Spec("not one more day of it", (OPENED, *PAUSED), done(END, "msr_1"), ()),
        Spec("none to end", (OPENED,), done(END), "no_pause"),
        Spec(
            "what has not begun does not begin",
            (OPENED, *PAUSED),
            done(END, "msr_2"),
            (applied(END, ASKED_FOR, "msr_2"), ended(None, ASKED_FOR)),
        ),
    ],
    ids=lambda spec: spec.says,
)
def test_what_a_pause_is_and_is_not(spec: Spec) -> None:
    """Whole events, or the code of the refusal, on 15 February."""
    replace(spec, context=on(ASKED_FOR)).check(LOAN)


def test_a_loan_has_so_many_paused_days_in_a_year() -> None:
    """75 days of 2024 are used: 45 more are allowed, 46 are not, and the days of 2025 are of another year."""
    later = given(LOAN, OPENED, *USED)
    day = date(2024, 11, 1)
    later.when(done(of_days(day, days(day, 45)), "msr_2"), on(date(2024, 10, 31))).then_refused(
        "pause_days_used"
    )
    assert later.when(done(of_days(day, days(day, 44)), "msr_2"), on(date(2024, 10, 31))).refused is None
    over = of_days(date(2024, 12, 1), date(2025, 2, 1))
    assert later.when(done(over, "msr_2"), on(date(2024, 11, 1))).refused is None


@pytest.mark.parametrize(
    ("spec", "day"),
    [
        (Spec("of a day that is past", (OPENED,), examine(of_days(date(1990, 1, 1), TO)), "pause_backdated"), ASKED_FOR),
        (Spec("be it yesterday", (OPENED,), examine(of_days(days(ASKED_FOR, -1), TO)), "pause_backdated"), ASKED_FOR),
        (Spec("of a day after the loan", (OPENED,), examine(of_days(date(2199, 1, 1), date(2199, 1, 5))), "pause_after_maturity"), ASKED_FOR),
        (Spec("be it the first", (OPENED,), examine(of_days(days(LAST_DUE, 1), days(LAST_DUE, 2))), "pause_after_maturity"), ASKED_FOR),
        (Spec("whoever has signed it", (OPENED,), done(of_days(days(LAST_DUE, 1), days(LAST_DUE, 2))), "pause_after_maturity"), ASKED_FOR),
        (Spec("a month later of one that is late", (OPENED,), examine(of_days(days(LAST_DUE, 41), days(LAST_DUE, 42))), "pause_after_maturity"), days(LAST_DUE, 10)),
    ],
    ids=lambda spec: spec.says if isinstance(spec, Spec) else "",
)  # fmt: skip
def test_a_pause_makes_sense_when_it_is_proposed(spec: Spec, day: date) -> None:
    """Nothing else is silently made of what somebody wrote, and no pause of a day that the loan never has keeps a real one out."""
    replace(spec, context=on(day)).check(LOAN)
    assert f"`{spec.then}`" in (CarryOutMeasure.__doc__ or "")


@pytest.mark.parametrize(
    ("pause", "day"),
    [
        (of_days(ASKED_FOR, TO), ASKED_FOR),
        (of_days(LAST_DUE, days(LAST_DUE, 5)), ASKED_FOR),
        (of_days(days(LAST_DUE, 11), days(LAST_DUE, 12)), days(LAST_DUE, 10)),
        (of_days(days(LAST_DUE, 40), days(LAST_DUE, 41)), days(LAST_DUE, 10)),
    ],
)
def test_any_other_day_is_one_of_the_loan(pause: Pause, day: date) -> None:
    """From today, which is tomorrow, to its last due day; of one that is over and not paid, within the days in which it is signed."""
    assert given(LOAN, OPENED).when(examine(pause), on(day)).refused is None


def test_its_signatures_may_take_longer_than_its_beginning() -> None:
    """It was proposed for the 20th and is complete on the 25th: it begins on the 26th, and what has counted has counted."""
    late = date(2024, 2, 25)
    begun = given(LOAN, OPENED).when(done(PAUSE), on(late)).events[-1]
    assert begun == paused(days(late, 1), TO, late)


def test_a_cause_is_one_of_the_profile() -> None:
    """What the profile does not know is no reason."""

    state = given(LOAN, OPENED).state
    assert isinstance(state, Running)
    strict = replace(RULES, pause_causes=("disaster",))
    with pytest.raises(Refused, match="cause_not_allowed"):
        paused_or_flagged(strict, "msr_1", PAUSE, state, ASKED_FOR)


def test_what_falls_due_in_a_pause_is_due_and_is_asked_and_missed_when_it_is_over() -> None:
    """29 February is paused: the instalment is said and nothing asked; on 21 March the account is asked, and when it has nothing the miss is
    said, one day late."""
    loan = given(LOAN, OPENED, *PAUSED)
    said = loan.when(dues(FIRST_DUE))
    said.then(due_unasked(1))
    assert LOAN.wake_on(said.state) == (AFTER, 2)
    given(LOAN, OPENED, *PAUSED, due_unasked(1)).when(misses(TO)).then()
    asked = given(LOAN, OPENED, *PAUSED, due_unasked(1)).when(dues(AFTER))
    asked.then(asked_again(AFTER, INSTALLMENT))
    empty = given(LOAN, OPENED, *PAUSED, due_unasked(1), asked_again(AFTER, INSTALLMENT), failed(AFTER))
    assert LOAN.wake_on(empty.state) == (AFTER, 4)
    empty.when(misses(AFTER)).then(
        missed(1, 1),
        moved(AFTER, "current", "M1", 1, INSTALLMENT, (0, 33_002)),
        classified(AFTER, "normal", "special_mention", 1),
    )


def test_days_past_due_stand_still_in_a_pause() -> None:
    """Missed on 1 March; 5 to 14 March are paused, so the 31st day past due is 10 April instead of 31 March."""
    pause = of_days(date(2024, 3, 5), date(2024, 3, 14))
    told = (*LATE, asked_again(days(FIRST_DUE, 1), INSTALLMENT), failed(days(FIRST_DUE, 1)))
    begun = (
        applied(pause, date(2024, 3, 4), before_phase=4),
        paused(pause.from_on, pause.to_on, date(2024, 3, 4)),
    )
    loan = given(LOAN, *UNPAID, *told, *begun, due(2, 2 * INSTALLMENT), failed(SECOND_DUE))
    loan.when(misses(SECOND_DUE)).then()
    later = loan.when(misses(date(2024, 4, 10)))
    assert [event.dpd for event in later.events if hasattr(event, "dpd")][-1] == 31
    assert later.state.bucket == "M2"
    assert loan.when(misses(date(2024, 4, 9))).state.bucket == "M1"


def test_what_is_unpaid_in_a_pause_is_not_cured() -> None:
    """Missed in March, paused until May, no income: once the first instalment is paid no day counts as late, so the bucket is better; but the
    second is unpaid since 31 March, so the class is not, nor is interest income, nor does risk say better by hand, until that is paid."""
    begun, today = date(2024, 3, 4), date(2024, 4, 11)
    pause = of_days(days(begun, 1), date(2024, 5, 18))
    paused_ = (applied(pause, begun, before_phase=4), paused(pause.from_on, pause.to_on, begun))
    stopped = no_income(today, 1)
    late = (*UNPAID, *LATE, *paused_, due_unasked(2, 2 * INSTALLMENT))
    part = in_time(given(LOAN, *late, stopped).when(pays(today, INSTALLMENT), on(today)))
    better_bucket = replace(moved(today, "M1", "current", 0, 0, (33_002, 0)), principal_fen=66_998)
    assert part.events[2:] == (better_bucket,)
    better = done(Reclassification(to_class="normal"), "msr_3")
    given(LOAN, *late, stopped, *part.events).when(better, on(today)).then_refused("not_cured")
    whole = pays(today, INSTALLMENT, payment_id="pay_2")
    cured = given(LOAN, *late, stopped, *part.events).when(whole, on(today))
    assert in_time(cured).events[2:] == (
        classified(today, "special_mention", "normal", 0, 33_666),
        NonAccrualEnded(loan_id="loan_7", borrower="usr_bo", ended_on=today, principal_fen=33_666),
    )


def test_penalty_does_not_run_in_a_pause_and_its_grace_stands_still() -> None:
    """18 % a year on 34,002 over the 20 - 10 days that counted; within three days that count it costs nothing."""
    pause = of_days(date(2024, 3, 5), date(2024, 3, 14))
    begun = (applied(pause, date(2024, 3, 4)), paused(pause.from_on, pause.to_on, date(2024, 3, 4)))
    book = given(LOAN, CONTRACTED, due(1), failed(FIRST_DUE), *begun).state.book
    fen = round(INSTALLMENT * 0.18 * 10 / 365)
    line = PenaltyLine(number=1, open_fen=INSTALLMENT, days=10, penalty_fen=fen)
    assert penalty_lines(book, date(2024, 3, 20), RULES) == (line,)
    soon = of_days(date(2024, 3, 2), date(2024, 3, 14))
    begun = (applied(soon, date(2024, 3, 1)), paused(soon.from_on, soon.to_on, date(2024, 3, 1)))
    book = given(LOAN, CONTRACTED, due(1), failed(FIRST_DUE), *begun).state.book
    assert penalty_lines(book, date(2024, 3, 16), RULES) == ()
    assert [each.days for each in penalty_lines(book, date(2024, 3, 17), RULES)] == [4]


def test_a_pause_ends_with_the_day_on_which_two_people_end_it() -> None:
    """Ended on 29 February: that day does not count, and 1 March is asked and judged."""
    loan = given(LOAN, OPENED, *PAUSED, due_unasked(1))
    over = loan.when(done(END, "msr_2"), on(FIRST_DUE))
    over.then(applied(END, FIRST_DUE, "msr_2", before_phase=4), ended(FIRST_DUE, FIRST_DUE))
    assert LOAN.wake_on(over.state) == (days(FIRST_DUE, 1), 2)
    given(LOAN, OPENED, *PAUSED, due_unasked(1), *ENDED).when(done(END, "msr_3"), on(FIRST_DUE)).then_refused(
        "no_pause"
    )


@pytest.mark.parametrize(
    ("terms", "cause"),
    [(Restructuring(months=2), "restructured"), (WriteOff(ground="court"), "written_off")],
)
def test_what_ends_the_debt_as_it_was_ends_its_pause(terms: Any, cause: str) -> None:
    """A new schedule, or a write-off, in the middle of a pause: the record says that it is over."""
    pause = of_days(date(2024, 3, 5), date(2024, 3, 14))
    begun = (applied(pause, date(2024, 3, 4)), paused(pause.from_on, pause.to_on, date(2024, 3, 4)))
    loan = given(LOAN, *UNPAID, *LATE, *begun)
    today = date(2024, 3, 10)
    events = loan.when(done(terms, "msr_2"), on(today)).events
    assert ended(today, today, cause, from_on=pause.from_on) in events
    loan.when(done(terms, "msr_2"), on(date(2024, 3, 15)))
    assert not [
        event
        for event in loan.when(done(terms, "msr_2"), on(date(2024, 3, 14))).events
        if type(event).__name__ == "DelinquencyPauseEnded"
    ]


@pytest.mark.parametrize("terms", [Restructuring(months=2), LORRY], ids=lambda terms: terms.kind)
def test_what_fell_due_in_a_pause_and_is_unpaid_is_in_arrears(terms: Any) -> None:
    """It may have a new schedule, or be settled by a thing, on the day after it was due, though no day has counted; not on the due day."""
    loan = given(LOAN, OPENED, *PAUSED, due_unasked(1))
    code = "nothing_overdue" if terms.kind == "restructuring" else "not_overdue"
    loan.when(done(terms, "msr_2"), on(FIRST_DUE)).then_refused(code)
    says = [type(event).__name__ for event in loan.when(done(terms, "msr_2"), on(TO)).events]
    assert ("LoanRescheduled" if terms.kind == "restructuring" else "DebtSettledInKind") in says


def test_a_guarantor_is_not_asked_for_what_no_day_has_counted_of() -> None:
    """He answers for what is missed: what falls due in a pause is not, and his days begin with the day on which it counts."""
    loan = given(LOAN, GUARANTEED, *PAUSED, due_unasked(1))
    loan.when(PROPOSE, by("fin", TO)).then_refused("nothing_overdue")
    loan.when(PROPOSE, by("fin", AFTER)).then_refused("not_overdue_enough")


def test_nobody_pauses_what_is_written_off() -> None:
    """Its days are counted by nobody."""
    lost = given(LOAN, *UNPAID, *LATE).when(done(WriteOff(ground="court")), on(date(2024, 3, 4)))
    given(LOAN, *UNPAID, *LATE, *lost.events).when(
        done(of_days(date(2024, 3, 6), TO), "msr_2"), on(date(2024, 3, 5))
    ).then_refused("loan_written_off")


def test_a_close_that_catches_up_says_what_the_days_would_have_said() -> None:
    """Woken once on 10 April or on each of its days, the loan is the same but for what the days had asked and charged on their own."""
    loan = given(LOAN, OPENED, *PAUSED)
    state: Any = loan.state
    day = ASKED_FOR
    while day <= date(2024, 4, 10):
        for phase in (2, 4):
            if (due_at := LOAN.wake_on(state)) and due_at <= (day, phase):
                for event in LOAN.decide(Wake(business_date=day, phase=phase), state, on(day)):
                    state = LOAN.evolve(state, event)
                state = replace(state, unanswered=())
        day = days(day, 1)
    caught: Any = loan.state
    for phase in (2, 4):
        for event in LOAN.decide(
            Wake(business_date=date(2024, 4, 10), phase=phase), caught, on(date(2024, 4, 10))
        ):
            caught = LOAN.evolve(caught, event)
        caught = replace(caught, unanswered=())
    assert (caught.bucket, caught.loan_class, caught.next_due, caught.next_missed) == (
        state.bucket,
        state.loan_class,
        state.next_due,
        state.next_missed,
    )
    assert caught.bucket == "M1"


def test_what_is_not_asked_is_not_debited() -> None:
    """Bidding hears of the instalment and leaves the account alone."""
    assert on_repayment(recorded(due_unasked(1), "loan_7")) == []
    assert len(on_repayment(recorded(due(1), "loan_7"))) == 1
