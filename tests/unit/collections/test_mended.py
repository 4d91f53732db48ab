"""Promises mended: what was broken by what was known on its day is kept once enough of what was paid counts as of that day."""

from dataclasses import replace
from datetime import date

from libs.events.collections import CasePaymentCorrected, CasePaymentRecorded, PromiseMended
from libs.events.deciding import Wake
from services.collections.commands import CorrectCasePayment, JudgeAgain, RecordCasePayment, Retaken
from services.collections.domain.debtor_state import evolve
from services.collections.projections.case_file import VIEW as CASE_FILES
from services.collections.projections.collectors import VIEW as COLLECTORS
from tests.unit.collections.stories import (
    AGGREGATE,
    CASE,
    DEBTOR,
    LEE,
    LOAN,
    PROMISE,
    at,
    debtor,
    history,
    moved,
    pays,
)
from tests.unit.collections.test_judged_again import (
    AFTER,
    BROKEN,
    OF_PROMISE,
    PAID,
    PROMISE_DAY,
    REOPENED,
    RESTATED,
    TALKED,
)
from tests.unit.documents import documents
from tests.unit.documents import history as stream
from tests.unit.given import Given

LATE = date(2024, 3, 25)
BROKE = (*TALKED, PROMISE, PAID[0], (Wake(business_date=PROMISE_DAY, phase=5), at(0, PROMISE_DAY)))
#: It came five days after the promise, and counts as of its day since.
TOO_LATE = (*BROKE, (pays("pay_2", 200_00, LATE, 40_02), at(0, LATE)))
DATED_BACK = CorrectCasePayment(loan_id=LOAN, payment_id="pay_2", amount_fen=None, value_date=PROMISE_DAY)
MENDED = PromiseMended(**OF_PROMISE, paid_fen=300_00, kept_on=PROMISE_DAY, broken_promises=0)
AGAIN = (RESTATED, at(0, LATE))


def test_a_broken_promise_is_kept_once_its_payment_counts_as_of_its_day() -> None:
    """Once, and no fen less: its case weighs in the queue as one that has broken nothing."""
    assert debtor(*BROKE).state.cases[0].broken_promises == 1
    told = debtor(*TOO_LATE, DATED_BACK).when(RESTATED, at(0, LATE))
    assert told.events[0] == MENDED
    assert told.events[1].entry.broken_promises == 0
    debtor(*TOO_LATE, DATED_BACK, AGAIN).when(RESTATED, at(0, LATE)).then_nothing()
    debtor(*TOO_LATE).when(RESTATED, at(0, LATE)).then_nothing()
    a_day_late = replace(DATED_BACK, value_date=AFTER)
    debtor(*TOO_LATE, a_day_late).when(RESTATED, at(0, LATE)).then_nothing()
    less = JudgeAgain(loan_id=LOAN, retaken=(Retaken(payment_id="pay_2", amount_fen=199_99),))
    kinds = [type(event) for event in debtor(*TOO_LATE, DATED_BACK).when(less, at(0, LATE)).events]
    assert kinds == [CasePaymentCorrected]


def test_a_payment_that_comes_late_with_an_early_date_mends_it_too() -> None:
    """What a debit found on the promise's day, and the bank answered days after it, was paid in time."""
    found = pays("pay_2", 200_00, PROMISE_DAY, 40_02)
    late = debtor(*BROKE).when(found, at(0, LATE))
    assert late.events[1] == MENDED
    debtor(*BROKE, (found, at(0, LATE))).when(found, at(0, LATE)).then_nothing()
    less = debtor(*BROKE).when(replace(found, amount_fen=199_99), at(0, LATE))
    assert PromiseMended not in map(type, less.events)
    assert PromiseMended not in map(type, debtor(*TOO_LATE).when(found, at(0, LATE)).events[:1])


def test_what_was_mended_by_a_payment_that_was_none_is_broken_again() -> None:
    """Its payment is reversed: it is open again, and its day is over."""
    reversed_ = replace(DATED_BACK, amount_fen=0)
    told = debtor(*TOO_LATE, DATED_BACK, AGAIN, reversed_).when(RESTATED, at(0, LATE))
    assert told.events[:2] == (REOPENED, BROKEN)


def test_a_payment_after_a_newer_promise_is_that_ones() -> None:
    """What was recorded after another promise was made counts towards that one, whatever its date."""
    newer = replace(PROMISE, promise_id="prm_2", amount_fen=240_02, promised_on=LATE)
    promised = debtor(*BROKE, (newer, at(0, AFTER)))
    kept = promised.when(pays("pay_2", 200_00, PROMISE_DAY, 40_02), at(0, AFTER))
    assert PromiseMended not in map(type, kept.events)


def test_a_closed_case_is_mended_as_well() -> None:
    """The payment that came too late cured the loan; one that opens again has broken nothing."""
    closed = (*TOO_LATE, moved("current", 0, 0), DATED_BACK)
    told = debtor(*closed).when(RESTATED, at(0, LATE))
    told.then(MENDED)
    assert told.state.cases[0].broken_promises == 0


def test_what_a_debit_found_in_time_counts_although_others_have_cured_the_loan_since() -> None:
    """It is told when the case is closed: by the fen, once, and corrected as any other. What is dated later concerns a closed case no more, nor one
    whose promises are kept."""
    cured = (*BROKE, (moved("current", 0, 0, LATE), at(0, LATE)))
    found = pays("pay_2", 200_00, PROMISE_DAY, 0, LATE)
    told = debtor(*cured).when(found, at(0, LATE))
    recorded, *rest = told.events
    assert (recorded.payment_id, rest) == ("pay_2", [MENDED])
    assert told.state.cases[0].broken_promises == 0
    again = debtor(*cured, (found, at(0, LATE)))
    again.when(found, at(0, LATE)).then_nothing()
    again.when(replace(found, payment_id="pay_3"), at(0, LATE)).then_nothing()
    debtor(*cured).when(replace(found, value_date=AFTER), at(0, LATE)).then_nothing()
    half = debtor(*cured, (replace(found, amount_fen=199_99), at(0, LATE)))
    assert half.state.cases[0].broken_promises == 1
    other_half = replace(found, payment_id="pay_3", amount_fen=1)
    assert half.when(other_half, at(0, LATE)).events[1] == MENDED
    taken = replace(DATED_BACK, amount_fen=0)
    undone = debtor(*cured, (found, at(0, LATE)), (taken, at(0, LATE))).when(RESTATED, at(0, LATE))
    undone.then(REOPENED, BROKEN)


def test_what_was_paid_by_payments_that_are_forgotten_is_kept_by_its_day() -> None:
    """An older log knew of enough, and did not say so; the two that were in time are before the last 32 now."""
    found = pays("pay_2", 200_00, PROMISE_DAY, 40_02)
    state = debtor(*BROKE).state
    for payment in (found, *(pays(f"pay_{number}", 1, LATE, 40_02) for number in range(3, 36))):
        state = evolve(state, paid(payment))
    told = Given(AGGREGATE, state).when(RESTATED, at(0, LATE))
    assert told.events[0] == MENDED


def paid(payment: RecordCasePayment) -> CasePaymentRecorded:
    """It is in the log; what it kept was not said."""
    return CasePaymentRecorded(
        debtor_id=DEBTOR,
        case_id=CASE,
        loan_id=LOAN,
        payment_id=payment.payment_id,
        amount_fen=payment.amount_fen,
        value_date=payment.value_date,
        as_of=payment.as_of,
        overdue_fen=payment.overdue_fen,
    )


def test_file_and_figures_follow_what_is_mended() -> None:
    """The collector has one kept promise more, and one broken less."""
    told = stream(DEBTOR, *history(*TOO_LATE, DATED_BACK, AGAIN))
    file = documents(CASE_FILES, told)[CASE]
    shown = (file["promises.prm_1.status"], file["promises.prm_1.kept_on"], file["broken_promises"])
    assert shown == ("kept", "2024-03-20", 0)
    lee = documents(COLLECTORS, told)[LEE]
    figures = {name: fen for name, fen in lee.items() if name.startswith("promises_")}
    assert figures == {
        "promises_made": 1,
        "promises_made_fen": 300_00,
        "promises_broken": 0,
        "promises_broken_fen": 0,
        "promises_kept": 1,
        "promises_kept_fen": 300_00,
    }


def test_a_broken_promise_that_nothing_can_keep_is_remembered_no_more() -> None:
    """Nobody paid between it and the next: however many are broken in a row, one is remembered."""
    broke = (*TALKED, PROMISE, (Wake(business_date=PROMISE_DAY, phase=5), at(0, PROMISE_DAY)))
    newer = replace(PROMISE, promise_id="prm_2", promised_on=LATE)
    promises = debtor(*broke, (newer, at(0, AFTER))).state.tallies[0].promises
    assert [promise.promise_id for promise in promises] == ["prm_2"]
