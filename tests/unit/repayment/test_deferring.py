"""A measure that all have agreed to waits for the answer of a debit: nobody signs, or votes, twice."""

from dataclasses import replace

import pytest

from libs.events.deferrals import MeasureDeferred, MeasureResumed
from libs.events.measures import LoanWrittenOff, MeasureTerms, Restructuring, WriteOff
from libs.events.sagas import Send
from services.repayment.commands.measures import CarryOutMeasure, ExamineMeasure
from services.repayment.domain.loan_state import Repaid
from services.repayment.domain.pending import waits_for
from services.repayment.policies import POLICIES
from services.repayment.projections.measures import VIEW as MEASURES
from tests.unit.bidding.specs import Spec
from tests.unit.documents import documents, recorded
from tests.unit.given import given
from tests.unit.repayment import asset_story as asset
from tests.unit.repayment import guarantee_story as guaranteed
from tests.unit.repayment.measure_story import PROPOSED
from tests.unit.repayment.stories import (
    CONTRACTED,
    FIRST_DUE,
    FIRST_PAID,
    INSTALLMENT,
    LAST_DUE,
    LOAN,
    OPENED,
    SECOND_DUE,
    days,
    debit_id,
    debited,
    due,
    failed,
    found_nothing,
    on,
    pays,
)
from tests.unit.repayment.test_voidance import VOID

ASKED = (OPENED, due(1))


def waits(terms: MeasureTerms = VOID.terms, measure_id: str = "msr_1") -> MeasureDeferred:
    """It waits for what the first instalment's debit finds."""
    return MeasureDeferred(
        loan_id="loan_7",
        borrower="usr_bo",
        measure_id=measure_id,
        terms=terms,
        code="payment_on_its_way",
        deferred_on=FIRST_DUE,
    )


def again(terms: MeasureTerms = VOID.terms, measure_id: str = "msr_1") -> MeasureResumed:
    """The debit is answered."""
    return MeasureResumed(
        loan_id="loan_7", borrower="usr_bo", measure_id=measure_id, terms=terms, resumed_on=FIRST_DUE
    )


LATE = (CONTRACTED, due(1), failed(FIRST_DUE))
ANEW = CarryOutMeasure(measure_id="msr_2", terms=Restructuring(months=3))
LOSS = CarryOutMeasure(measure_id="msr_3", terms=WriteOff(ground="court"))
BOTH_WAIT = (*ASKED, waits(), waits(ANEW.terms, "msr_2"))
SPECS = [
    Spec("a voidance waits", ASKED, VOID, (waits(),), on(FIRST_DUE)),
    Spec("once", (*ASKED, waits()), VOID, (), on(FIRST_DUE)),
    Spec("a restructuring waits", ASKED, ANEW, (waits(ANEW.terms, "msr_2"),), on(FIRST_DUE)),
    Spec(
        "a settlement in kind waits",
        ASKED,
        asset.carry_out(),
        (replace(waits(asset.LORRY), deferred_on=asset.DAY),),
        on(asset.DAY),
    ),
    Spec("a write-off waits", ASKED, LOSS, (waits(LOSS.terms, "msr_3"),), on(FIRST_DUE)),
    Spec(
        "one that is proposed meanwhile is told so",
        ASKED,
        ExamineMeasure(measure_id="msr_3", terms=LOSS.terms),
        "payment_on_its_way",
        on(FIRST_DUE),
    ),
    Spec(
        "what is proposed meanwhile is answered at once",
        ASKED,
        ExamineMeasure(measure_id="msr_1", terms=VOID.terms),
        "payment_on_its_way",
        on(FIRST_DUE),
    ),
    Spec(
        "what does not pass is the end of it",
        (*ASKED, waits()),
        asset.carry_out(measure_id="msr_2"),
        "not_overdue",
        on(FIRST_DUE),
    ),
    Spec(
        "the answer calls for all that waits",
        BOTH_WAIT,
        found_nothing(FIRST_DUE),
        (failed(FIRST_DUE), again(), again(ANEW.terms, "msr_2")),
        on(FIRST_DUE),
    ),
    Spec("once", (*BOTH_WAIT, failed(FIRST_DUE)), found_nothing(FIRST_DUE), (), on(FIRST_DUE)),
    Spec(
        "money calls for it behind what it pays",
        (*ASKED, waits()),
        debited(FIRST_DUE, INSTALLMENT),
        (*FIRST_PAID[1:], again()),
        on(FIRST_DUE),
    ),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.says)
def test_a_measure_waits_for_a_debit(spec: Spec) -> None:
    """Whole events, or the code of the refusal."""
    spec.check(LOAN)


def test_what_has_waited_is_done_on_the_loan_as_the_answer_left_it() -> None:
    """It is the same as if it had come after the answer, and the loan keeps nothing of the waiting."""
    waited = given(LOAN, *ASKED, waits()).when(debited(FIRST_DUE, INSTALLMENT), on(FIRST_DUE)).state
    came_later = given(LOAN, OPENED, *FIRST_PAID).state
    assert waited == came_later
    assert LOAN.decide(VOID, waited, on(FIRST_DUE)) == LOAN.decide(VOID, came_later, on(FIRST_DUE))


def test_a_loan_that_is_repaid_meanwhile_is_asked_again_too() -> None:
    """Its contract may be void all the same; the answer that comes too late calls for it."""
    lived = (CONTRACTED, due(1), waits())
    settled = given(LOAN, *lived).when(pays(days(FIRST_DUE, 1), 1_000_000, settle=True), on(FIRST_DUE))
    assert isinstance(settled.state, Repaid)
    late = given(LOAN, *lived, *settled.events).when(debited(FIRST_DUE, INSTALLMENT), on(FIRST_DUE))
    assert late.events[-1] == again()
    assert given(LOAN, *lived, *settled.events, *late.events).when(VOID, on(LAST_DUE)).events


def test_the_measure_is_carried_out_again_and_says_what_it_waits_for() -> None:
    """The loan is sent the same command; the measure's page names the reason until it has passed."""
    (send,) = POLICIES["repayment"](recorded(again()))
    assert send == Send("carry-out", "loan_7", VOID, {"measure_id": "msr_1"})
    assert POLICIES["repayment"](recorded(waits())) == []
    told = (recorded(PROPOSED, "msr_1"), recorded(waits(), "loan_7"))
    assert documents(MEASURES, told)["msr_1"]["waits_for"] == "payment_on_its_way"
    answered = (*told, recorded(again(), "loan_7", 2))
    assert documents(MEASURES, answered)["msr_1"]["waits_for"] is None


def test_a_voidance_waits_for_the_guarantors_money_too() -> None:
    """It comes, and the contract of a loan that he paid for is not declared void; or it does not, and it is."""
    asked = (*guaranteed.LATE, *guaranteed.SIGNED)
    waiting = replace(waits(), deferred_on=guaranteed.DAY)
    given(LOAN, *asked).when(VOID, on(guaranteed.DAY)).then(waiting)
    resumes = replace(again(), resumed_on=guaranteed.DAY)
    paid = given(LOAN, *asked, waiting).when(guaranteed.RECORD, on(guaranteed.DAY))
    assert paid.events[-1] == resumes
    given(LOAN, *asked, waiting, *paid.events).when(VOID, on(guaranteed.DAY)).then_refused("loan_compensated")
    unpaid = given(LOAN, *asked, waiting).when(guaranteed.DECLINE, on(guaranteed.DAY))
    unpaid.then(guaranteed.DECLINED, resumes)


def test_a_restructuring_waits_for_the_guarantors_money_too() -> None:
    """He pays for an instalment that new rows would have spread among all, and it comes too late for them; or he does not, and it is done."""
    asked, day = (*guaranteed.LATE, *guaranteed.SIGNED), guaranteed.DAY
    anew = CarryOutMeasure(measure_id="msr_2", terms=Restructuring(months=3, guarantor_consent="vault:1"))
    waiting = replace(waits(anew.terms, "msr_2"), deferred_on=day)
    given(LOAN, *asked).when(anew, on(day)).then(waiting)
    paid = given(LOAN, *asked, waiting).when(guaranteed.RECORD, on(day))
    given(LOAN, *asked, waiting, *paid.events).when(anew, on(day)).then_refused("loan_compensated")
    unpaid = given(LOAN, *asked, waiting).when(guaranteed.DECLINE, on(day))
    assert given(LOAN, *asked, waiting, *unpaid.events).when(anew, on(day)).events


def test_a_write_off_loses_no_penalty_behind_a_debit() -> None:
    """The second instalment's debit is answered weeks later, and found nothing: the penalty up to the day of the write-off is owed, as it would
    be without that debit."""
    behind = (*LATE, due(2), waits(LOSS.terms, "msr_3"))
    day = days(SECOND_DUE, 14)
    answered = given(LOAN, *behind).when(found_nothing(SECOND_DUE), on(day))
    waited = given(LOAN, *behind, *answered.events).when(LOSS, on(day))
    owed = given(LOAN, *LATE, due(2), failed(SECOND_DUE)).when(LOSS, on(day))
    told = [
        next(event.penalty_fen for event in outcome.events if isinstance(event, LoanWrittenOff))
        for outcome in (waited, owed)
    ]
    assert told[0] == told[1] > 0


def test_two_debits_are_both_waited_for() -> None:
    """The first answer of two calls for nothing."""
    two = replace(due(2), value_date=FIRST_DUE)
    first = given(LOAN, OPENED, due(1), two, waits()).when(found_nothing(FIRST_DUE), on(FIRST_DUE))
    assert first.events == (failed(FIRST_DUE),)
    assert not waits_for(first.state.unanswered, debit_id(FIRST_DUE))
