"""What lapses when a payment that is told late ends a loan as of a day that is over: what was charged for days since a row's own, and never what
was owed before them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from libs.events.codec import decode, encode
from libs.events.corrections import Correction
from libs.events.measures import Restructuring, Waiver, WriteOff
from libs.events.repayment import PaymentReceived
from services.repayment.commands.corrections import CorrectPayment
from services.repayment.commands.measures import CarryOutMeasure
from services.repayment.domain.allocation import Penalty
from tests.unit.repayment.late_story import Story
from tests.unit.repayment.stories import CONTRACTED, FIRST_DUE, INSTALLMENT, ROWS, SECOND_DUE, days, pays

RESTRUCTURED_ON = date(2024, 4, 15)
RESTRUCTURING = CarryOutMeasure(measure_id="msr_1", terms=Restructuring(months=2))
#: The day before the first of its new rows is due.
BEFORE = date(2024, 4, 29)
TOLD_ON = date(2024, 6, 2)
SETTLED = pays(BEFORE, 10**6, settle=True)


def restructured(*measures: CarryOutMeasure, paid: Mapping[date, list[Any]] | None = None) -> Story:
    """In April, with 1,024 of penalty: 772 of the first row and 252 of the second. The first was charged 540 at the end of May; on the
    day after that comes what else is done, and then it is settled."""
    return Story(
        before={RESTRUCTURED_ON: (RESTRUCTURING,), date(2024, 6, 1): measures},
        paid={TOLD_ON: [SETTLED], **(paid or {})},
    )


def fined() -> Story:
    """The first debit finds nothing, which is said when the instalment has been paid nine days late; settled in May as of March."""
    ninth, told_on = days(FIRST_DUE, 9), date(2024, 5, 2)
    settled = pays(date(2024, 3, 20), 10**6, settle=True, payment_id="pay_2")
    return Story(
        told_on={FIRST_DUE: days(FIRST_DUE, 12)},
        paid={ninth: [pays(ninth, INSTALLMENT)], told_on: [settled]},
    )


def penalties(story: Story) -> tuple[int, dict[int, int]]:
    """Of the settlement: what of penalty it paid, and what lapsed by row."""
    settled = story.said(PaymentReceived)[-1]
    lapsed = {line.number: line.penalty_fen for line in settled.lapsed if line.penalty_fen}
    return sum(line.penalty_fen for line in settled.allocation), lapsed


def test_what_was_owed_before_a_restructuring_does_not_lapse() -> None:
    """Told in June as of April it costs what it would have cost in April; of the penalty May's lapses."""
    assert penalties(restructured().live(TOLD_ON)) == (1_024, {1: 540})


def test_nor_does_it_of_a_loss() -> None:
    """One day more was charged with the write-off."""
    court = CarryOutMeasure(measure_id="msr_2", terms=WriteOff(ground="court"))
    story = restructured(court)
    assert penalties(story.live(TOLD_ON)) == (1_024, {1: 557})


def test_nor_does_what_a_late_answer_made_owed() -> None:
    """151 of the first instalment are owed with the second, which is charged 520 for its own days."""
    assert penalties(fined().live(date(2024, 5, 2))) == (151, {2: 520})


@pytest.mark.parametrize(
    ("waived_fen", "left"),
    [(300, (724, {1: 557})), (1_000, (252, {1: 329}))],
)
def test_what_is_given_up_is_the_older_first(waived_fen: int, left: tuple[int, dict[int, int]]) -> None:
    """Of the first row 772 are older and 557 are not: the waiver's day is charged."""
    waiver = CarryOutMeasure(measure_id="msr_2", terms=Waiver(amount_fen=waived_fen))
    assert penalties(restructured(waiver).live(TOLD_ON)) == left


def test_a_correction_keeps_it_apart() -> None:
    """A payment of May is reversed in June: the loan stands where it would, and the settlement comes after that."""
    may = date(2024, 5, 20)
    wrong = Correction(
        correction_id="cor_1",
        loan_id="loan_7",
        payment_id="pay_0",
        kind="reverse",
        reason="wrong_date",
        value_date=may,
        to_date=None,
    )
    reversal = CorrectPayment(correction=wrong, booking="same_year")
    story = restructured(paid={may: [pays(may, 100, payment_id="pay_0")], date(2024, 6, 1): [reversal]})
    assert penalties(story.live(TOLD_ON)) == penalties(restructured().live(TOLD_ON))


def test_a_loan_that_was_stored_before_is_read() -> None:
    """It does not say what is older: all is for days since, as it was."""
    stored = encode(Penalty, Penalty(number=1, to=TOLD_ON, owed_fen=5)).replace(b',"before_fen":0', b"")
    assert b"before" not in stored
    assert decode(Penalty, stored) == Penalty(number=1, to=TOLD_ON, owed_fen=5)
    assert decode(Penalty, stored).owed_before(BEFORE) == 0


def test_nothing_lapses_while_the_loan_goes_on() -> None:
    """Lost on the second due date; a part is prepaid on it as of the day before, when its instalment was not due: its interest stays owed."""
    court = CarryOutMeasure(measure_id="msr_1", terms=WriteOff(ground="court"))
    prepaid = replace(pays(days(SECOND_DUE, -1), 60_000), prepay="reamortise")
    story = Story(before={SECOND_DUE: (court,)}, paid={SECOND_DUE: [prepaid]}).live(SECOND_DUE)
    [payment] = story.said(PaymentReceived)
    assert (payment.early, payment.lapsed) == (True, ())


@pytest.mark.parametrize("is_lost", [True, False], ids=("lost", "late"))
def test_of_fees_what_was_owed_by_a_loss_lapses(is_lost: bool) -> None:
    """Those of the two rows that were due when it was written off; that of the row to come, and those of a loan that is no loss, nobody owed."""
    told_on = date(2024, 4, 2)
    court = CarryOutMeasure(measure_id="msr_1", terms=WriteOff(ground="court"))
    story = Story(
        contract=replace(CONTRACTED, rows=tuple(replace(row, fee_fen=100) for row in ROWS)),
        before={date(2024, 4, 1): (court,)} if is_lost else {},
        paid={told_on: [pays(days(FIRST_DUE, -1), 10**6, settle=True)]},
    )
    [payment] = story.live(told_on).said(PaymentReceived)
    assert {line.number: line.fee_fen for line in payment.lapsed} == ({1: 100, 2: 100} if is_lost else {1: 0})
