"""Promises judged again: the payment that kept one is reversed, counts as of another date, or is taken for less."""

from dataclasses import replace
from datetime import date
from typing import Any

from libs.events.collections import (
    CasePaymentCorrected,
    PromiseBroken,
    PromiseKept,
    PromiseReleased,
    PromiseReopened,
)
from libs.events.deciding import Wake
from services.collections.commands import CorrectCasePayment, JudgeAgain, Retaken
from services.collections.projections.case_file import VIEW as CASE_FILES
from services.collections.projections.collectors import VIEW as COLLECTORS
from tests.unit.collections.flag_story import flag, unflag
from tests.unit.collections.stories import (
    AGGREGATE,
    CALL,
    CASE,
    CLAIM,
    DEBTOR,
    LEE,
    LOAN,
    MISS,
    OWED,
    PROMISE,
    PROMISED,
    at,
    debtor,
    entry,
    history,
    moved,
    pays,
    ranked,
)
from tests.unit.documents import documents
from tests.unit.documents import history as stream

PROMISE_DAY, AFTER = date(2024, 3, 20), date(2024, 3, 21)
TALKED = (MISS, CLAIM, CALL, PROMISED)
PAID = (pays("pay_1", 100_00, date(2024, 3, 18), 240_02), pays("pay_2", 200_00, PROMISE_DAY, 40_02))
KEPT = (*TALKED, PROMISE, *PAID)
REVERSED = CorrectCasePayment(loan_id=LOAN, payment_id="pay_2", amount_fen=0, value_date=PROMISE_DAY)
RESTATED = JudgeAgain(loan_id=LOAN, retaken=())
CORRECTED = CasePaymentCorrected(
    debtor_id=DEBTOR,
    case_id=CASE,
    loan_id=LOAN,
    payment_id="pay_2",
    before_fen=200_00,
    amount_fen=0,
    value_date=PROMISE_DAY,
)
OF_PROMISE: dict[str, Any] = {
    "debtor_id": DEBTOR,
    "case_id": CASE,
    "loan_id": LOAN,
    "promise_id": "prm_1",
    "collector": LEE,
    "amount_fen": 300_00,
}
REOPENED = PromiseReopened(**OF_PROMISE, paid_fen=100_00, promised_on=PROMISE_DAY)
BROKEN = PromiseBroken(**OF_PROMISE, paid_fen=100_00, promised_on=PROMISE_DAY, broken_promises=1)
#: The case in the queue while Lee holds it and the promise is kept: it is due.
DUE = entry(claimed_by=LEE, claimed_until=at(30).at, overdue_fen=40_02, priority=1_010_100)
RESTING = replace(DUE, due=False, next_on=AFTER, priority=10_100)


def test_what_the_loan_says_of_a_payment_is_what_the_case_counts() -> None:
    """Of one that no case counts, or that stands so already, there is nothing to say; the promise waits for the loan's standing."""
    debtor(*KEPT).when(REVERSED).then(CORRECTED)
    debtor(*KEPT, REVERSED).when(REVERSED).then_nothing()
    debtor(*KEPT).when(replace(REVERSED, payment_id="pay_9")).then_nothing()
    debtor().when(REVERSED).then_nothing()
    debtor().when(RESTATED).then_nothing()
    debtor(*KEPT).when(RESTATED).then_nothing()


def test_a_promise_whose_payment_is_reversed_waits_for_its_date_again() -> None:
    """The case rests until that is over, and then the promise is broken or kept as any other."""
    again = debtor(*KEPT, REVERSED).when(RESTATED, at(0, PROMISE_DAY))
    again.then(REOPENED, ranked(DUE, RESTING))
    assert AGGREGATE.wake_on(again.state) == (PROMISE_DAY, 5)
    reopened = (*KEPT, REVERSED, (RESTATED, at(0, PROMISE_DAY)))
    debtor(*reopened).when(RESTATED, at(0, PROMISE_DAY)).then_nothing()
    over = debtor(*reopened).when(Wake(business_date=PROMISE_DAY, phase=5), at(0, PROMISE_DAY))
    assert over.events[0] == BROKEN
    paid = debtor(*reopened).when(pays("pay_3", 200_00, PROMISE_DAY, 40_02), at(0, PROMISE_DAY))
    assert paid.events[1] == PromiseKept(**OF_PROMISE, paid_fen=300_00, kept_on=PROMISE_DAY)


def test_once_its_date_is_over_a_promise_that_nothing_kept_is_broken() -> None:
    """It weighs in the queue as a broken one."""
    late = debtor(*KEPT, REVERSED).when(RESTATED, at(0, AFTER))
    late.then(REOPENED, BROKEN, ranked(DUE, replace(DUE, broken_promises=1, priority=1_015_100)))


def test_a_promise_of_who_has_died_since_is_released_whatever_the_day() -> None:
    """A correction opens it again and nobody breaks it, before its date or after; once, and where it was another it is judged as ever."""
    dead = debtor(*KEPT, flag("death"), REVERSED)
    for day in (PROMISE_DAY, AFTER):
        again = dead.when(RESTATED, at(0, day))
        again.then(REOPENED, PromiseReleased(**OF_PROMISE, paid_fen=100_00))
        assert AGGREGATE.wake_on(again.state) is None
    told = (*KEPT, flag("death"), REVERSED, (RESTATED, at(0, PROMISE_DAY)))
    debtor(*told).when(RESTATED, at(0, AFTER)).then_nothing()
    alive = debtor(*KEPT, flag("death"), unflag("death"), REVERSED).when(RESTATED, at(0, AFTER))
    assert alive.events[:2] == (REOPENED, BROKEN)


def test_a_payment_that_counts_after_the_date_keeps_nothing() -> None:
    """And one of which the loan takes less than it had keeps less; what it takes more may keep the promise after all."""
    redated = replace(REVERSED, amount_fen=None, value_date=AFTER)
    moved_on = debtor(*KEPT, redated).when(RESTATED, at(0, AFTER))
    assert moved_on.events[:2] == (REOPENED, BROKEN)
    less = JudgeAgain(loan_id=LOAN, retaken=(Retaken(payment_id="pay_2", amount_fen=199_99),))
    fewer = debtor(*KEPT).when(less, at(0, PROMISE_DAY))
    assert fewer.events[:2] == (
        replace(CORRECTED, amount_fen=199_99),
        replace(REOPENED, paid_fen=299_99),
    )
    more = JudgeAgain(loan_id=LOAN, retaken=(Retaken(payment_id="pay_1", amount_fen=300_00),))
    still = debtor(*KEPT, REVERSED).when(more, at(0, AFTER))
    still.then(
        CasePaymentCorrected(
            debtor_id=DEBTOR,
            case_id=CASE,
            loan_id=LOAN,
            payment_id="pay_1",
            before_fen=100_00,
            amount_fen=300_00,
            value_date=date(2024, 3, 18),
        )
    )
    almost = debtor(*TALKED, PROMISE, PAID[0]).when(more, at(0, PROMISE_DAY))
    assert almost.events[1] == PromiseKept(**OF_PROMISE, paid_fen=300_00, kept_on=date(2024, 3, 18))


def test_a_payment_after_the_one_that_kept_it_keeps_it_too() -> None:
    """Both came in time: what was promised was paid without the one that did not count."""
    late = pays("pay_3", 200_00, PROMISE_DAY, 0)
    debtor(*KEPT, late, REVERSED).when(RESTATED, at(0, AFTER)).then_nothing()


def test_beside_a_newer_promise_an_older_one_is_not_needed() -> None:
    """The case goes on resting for the newer; the payments towards that one are its own."""
    newer = replace(PROMISE, promise_id="prm_2", amount_fen=40_02)
    both = (*KEPT, newer, REVERSED)
    outcome = debtor(*both).when(RESTATED, at(0, PROMISE_DAY))
    outcome.then(REOPENED, PromiseReleased(**OF_PROMISE, paid_fen=100_00))
    assert outcome.state.cases[0].promise.promise_id == "prm_2"
    over = debtor(*both).when(RESTATED, at(0, AFTER))
    assert over.events[:2] == (REOPENED, BROKEN)
    assert over.state.cases[0].promise.promise_id == "prm_2"


def test_a_promise_that_closed_its_case_goes_on_in_the_case_that_opens_again() -> None:
    """The correction makes the loan late again, which the case hears after it: nothing is asked for before the promise's date."""
    cured = (*KEPT, moved("current", 0, 0), REVERSED)
    again = debtor(*cured).when(RESTATED, at(0, PROMISE_DAY))
    again.then(REOPENED)
    assert AGGREGATE.wake_on(again.state) == (PROMISE_DAY, 5)
    reopened = (*cured, (RESTATED, at(0, PROMISE_DAY)))
    opened = debtor(*reopened).when(replace(MISS, again=True), at(0, PROMISE_DAY))
    assert opened.events[-1].entry == replace(RESTING, overdue_fen=OWED, priority=10_103)
    assert opened.state.cases[0].promise.paid_fen == 100_00
    nothing = debtor(*reopened).when(Wake(business_date=PROMISE_DAY, phase=5), at(0, PROMISE_DAY))
    nothing.then(PromiseReleased(**OF_PROMISE, paid_fen=100_00))
    assert AGGREGATE.wake_on(nothing.state) is None
    late = debtor(*cured).when(RESTATED, at(0, AFTER))
    late.then(REOPENED, BROKEN)
    opened = debtor(*cured, (RESTATED, at(0, AFTER))).when(replace(MISS, again=True), at(0, AFTER))
    assert opened.events[-1].entry.broken_promises == 1


def test_file_and_figures_follow() -> None:
    """What did not count was not paid, and the collector has one kept promise less."""
    told = stream(DEBTOR, *history(*KEPT, REVERSED, (RESTATED, at(0, PROMISE_DAY))))
    file = documents(CASE_FILES, told)[CASE]
    assert (file["paid_fen"], file["promises.prm_1.status"], file["promises.prm_1.kept_on"]) == (
        100_00,
        "open",
        None,
    )
    assert file["promises.prm_1.paid_fen"] == 100_00
    lee = documents(COLLECTORS, told)[LEE]
    assert (lee["promises_made"], lee["promises_kept"], lee["promises_kept_fen"]) == (1, 0, 0)
