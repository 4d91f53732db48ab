"""What collections does on each event of repayment and onboarding, and that its table of sagas is its code."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from libs.events.codec import COMMAND_TYPES, decode, name_of
from libs.events.corrections import LoanRestated, PaymentRedated, PaymentReversed, Retaken
from libs.events.in_kind import DebtSettledInKind
from libs.events.lateness import LatenessJudged
from libs.events.measures import LoanWrittenOff, PenaltyWaived
from libs.events.onboarding import StaffAppointed, StaffDismissed
from libs.events.repayment import (
    AllocationLine,
    LoanRepaid,
    OverdueBucketChanged,
    PaymentMissed,
    PaymentReceived,
    PenaltyCharged,
)
from libs.events.sagas import Send, Step
from services.collections import commands
from services.collections.app import build
from services.collections.commands import (
    CloseCase,
    CorrectCasePayment,
    EnrolCollector,
    JudgeAgain,
    RecordCasePayment,
    RecordPenalty,
    RetireCollector,
)
from services.collections.policies import POLICIES, SAGAS
from tests.unit.collections.flag_story import LIFTED, RAISED
from tests.unit.collections.plan_story import DONE, FAILED, REFUSED
from tests.unit.collections.stories import BORROWER, DEBTOR, DUE, LOAN, MISS, OPENED, OWED, history, moved
from tests.unit.documents import recorded
from tests.unit.given import TODAY

GOLDEN = Path(__file__).parents[2] / "contract" / "golden"

MISSED = PaymentMissed(
    loan_id=LOAN,
    borrower=BORROWER,
    number=1,
    due_on=DUE,
    open_fen=OWED,
    dpd=1,
    product="micro",
    region="CN-31",
)
WORSE = OverdueBucketChanged(
    loan_id=LOAN,
    borrower=BORROWER,
    changed_on=TODAY,
    from_bucket="current",
    to_bucket="M1",
    dpd=1,
    principal_fen=1000_00,
    overdue_fen=OWED,
)
FINED: LatenessJudged = replace(
    decode(LatenessJudged, (GOLDEN / "repayment.LatenessJudged.v1.json").read_bytes()),
    loan_id=LOAN,
    borrower=BORROWER,
    judged_on=TODAY,
)
CHARGED: PenaltyCharged = replace(
    decode(PenaltyCharged, (GOLDEN / "repayment.PenaltyCharged.v1.json").read_bytes()),
    loan_id=LOAN,
    borrower=BORROWER,
    charged_on=TODAY,
    overdue_after_fen=OWED + 50,
    dpd=1,
)
RESTATED: LoanRestated = replace(
    decode(LoanRestated, (GOLDEN / "repayment.LoanRestated.v1.json").read_bytes()), from_bucket="M1"
)
REVERSED: PaymentReversed = replace(
    decode(PaymentReversed, (GOLDEN / "repayment.PaymentReversed.v1.json").read_bytes()),
    loan_id=LOAN,
    borrower=BORROWER,
    payment_id="pay_1",
    value_date=DUE,
)
REDATED: PaymentRedated = replace(
    decode(PaymentRedated, (GOLDEN / "repayment.PaymentRedated.v1.json").read_bytes()),
    loan_id=LOAN,
    borrower=BORROWER,
    payment_id="pay_1",
    to_date=TODAY,
)
WAIVED: PenaltyWaived = replace(
    decode(PenaltyWaived, (GOLDEN / "repayment.PenaltyWaived.v1.json").read_bytes()),
    loan_id=LOAN,
    borrower=BORROWER,
    waived_on=TODAY,
    overdue_after_fen=OWED + 20,
    dpd=1,
)
IN_KIND: DebtSettledInKind = replace(
    decode(DebtSettledInKind, (GOLDEN / "repayment.DebtSettledInKind.v1.json").read_bytes()),
    loan_id=LOAN,
    borrower=BORROWER,
    settled_on=TODAY,
    overdue_after_fen=OWED - 20,
    dpd=1,
    bucket="M1",
)
PAID = PaymentReceived(
    loan_id=LOAN,
    borrower=BORROWER,
    payment_id="pay_1",
    amount_fen=100_00,
    value_date=DUE,
    allocation=(AllocationLine(number=1, interest_fen=0, principal_fen=100_00),),
    early=False,
    bucket="M1",
    principal_before_fen=1000_00,
    principal_after_fen=900_00,
    overdue_after_fen=240_02,
)
WRITTEN_OFF: LoanWrittenOff = replace(
    decode(LoanWrittenOff, (GOLDEN / "repayment.LoanWrittenOff.v1.json").read_bytes()),
    loan_id=LOAN,
    borrower=BORROWER,
    written_off_on=TODAY,
    overdue_after_fen=OWED,
    dpd=181,
)
REPAID = LoanRepaid(loan_id=LOAN, borrower=BORROWER, repaid_on=TODAY, early=False)
APPOINTED = StaffAppointed(staff_id="stf_lee", roles=("rep", "collector"), region="CN-31")
DISMISSED = StaffDismissed(staff_id="stf_lee", roles=("collector",), region=None)

EXAMPLES = (
    MISSED,
    WORSE,
    CHARGED,
    FINED,
    WAIVED,
    REVERSED,
    REDATED,
    RESTATED,
    IN_KIND,
    WRITTEN_OFF,
    PAID,
    REPAID,
    DONE,
    REFUSED,
    FAILED,
    RAISED,
    LIFTED,
    APPOINTED,
    replace(APPOINTED, roles=("rep",)),
    DISMISSED,
)
STEPS = [step for saga in SAGAS for step in saga.steps]


def sent(data: Any) -> list[Send]:
    """What collections sends on an event, from whichever service it is."""
    event = recorded(data, "any_1")
    return list(POLICIES[event.service](event))


def test_a_missed_payment_reaches_its_borrowers_stream() -> None:
    """With region and product, which the queue sorts by."""
    assert sent(MISSED) == [Send("miss", DEBTOR, MISS)]


def test_buckets_and_penalties_keep_the_arrears_up_to_date() -> None:
    """The totals are the loan's own."""
    penalty = RecordPenalty(loan_id=LOAN, dpd=1, overdue_fen=OWED + 50, charged_on=TODAY)
    assert sent(WORSE) == [Send("bucket", DEBTOR, moved("M1", 1, OWED))]
    assert sent(CHARGED) == [Send("penalty", DEBTOR, penalty)]
    waiver = replace(penalty, overdue_fen=OWED + 20)
    assert sent(WAIVED) == [Send("waiver", DEBTOR, waiver)]
    rest = replace(penalty, overdue_fen=OWED - 20)
    assert sent(IN_KIND) == [Send("in-kind", DEBTOR, rest)]
    assert sent(replace(IN_KIND, bucket="current")) == []


def test_a_correction_reaches_the_payments_that_its_case_counts() -> None:
    """First the payment, then all others of which the loan takes another amount, and what is overdue of a loan that is late."""
    reversed_ = CorrectCasePayment(loan_id=LOAN, payment_id="pay_1", amount_fen=0, value_date=DUE)
    assert sent(REVERSED) == [Send("corrected", DEBTOR, reversed_)]
    redated = replace(reversed_, amount_fen=None, value_date=TODAY)
    assert sent(REDATED) == [Send("corrected", DEBTOR, redated)]
    restated = replace(
        RESTATED,
        loan_id=LOAN,
        borrower=BORROWER,
        restated_on=TODAY,
        retaken=(Retaken(payment_id="pay_2", before_fen=5, after_fen=7),),
        overdue_after_fen=OWED,
        dpd=1,
    )
    taken = commands.Retaken(payment_id="pay_2", amount_fen=7)
    judge = Send("judge-again", DEBTOR, JudgeAgain(loan_id=LOAN, retaken=(taken,)))
    overdue = RecordPenalty(loan_id=LOAN, dpd=1, overdue_fen=OWED, charged_on=TODAY)
    assert sent(restated) == [judge, Send("restated", DEBTOR, overdue)]
    assert sent(replace(restated, from_bucket="current")) == [judge]


def test_a_write_off_is_followed() -> None:
    """A loan that is off the balance has left its bucket."""
    assert sent(WRITTEN_OFF) == [Send("written-off", DEBTOR, moved("written_off", 181, OWED))]


def test_a_payment_in_arrears_carries_its_value_date_and_the_date_of_its_total() -> None:
    """The total was counted on the loan's business date; a payment of a loan in no overdue bucket concerns no case, unless it
    counts as of a day before: on that somebody may have promised it, and others have cured the loan since."""
    command = RecordCasePayment(
        loan_id=LOAN,
        payment_id="pay_1",
        amount_fen=100_00,
        value_date=DUE,
        as_of=TODAY,
        overdue_fen=240_02,
    )
    assert sent(PAID) == [Send("payment", DEBTOR, command)]
    assert sent(replace(PAID, bucket="current", value_date=TODAY)) == []
    assert sent(replace(PAID, bucket="current")) == [Send("payment", DEBTOR, command)]


def test_a_repaid_loan_closes_its_case() -> None:
    """If it still had one."""
    assert sent(REPAID) == [Send("close", DEBTOR, CloseCase(loan_id=LOAN, repaid_on=TODAY))]


def test_collectors_come_and_go_with_their_appointment() -> None:
    """An appointment replaces the earlier one: to something else, it ends the collecting."""
    enrol = EnrolCollector(staff_id="stf_lee", region="CN-31")
    assert sent(APPOINTED) == [Send("enrol", "col_lee", enrol)]
    assert sent(DISMISSED) == [Send("retire", "col_lee", RetireCollector(staff_id="stf_lee"))]
    ended = [Send("retire", "col_lee", RetireCollector(staff_id="stf_lee"))]
    assert sent(replace(APPOINTED, roles=("rep",))) == ended
    assert sent(replace(DISMISSED, roles=("rep",))) == ended


def test_its_own_events_send_nothing() -> None:
    """The day's own steps are the runtime's."""
    assert [sent(event) for event in history(MISS)] == [[], []]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.on.__name__}-{step.send.__name__}")
def test_every_step_of_a_saga_is_what_its_policy_does(step: Step) -> None:
    """The table is the code: the step's event sends exactly its command, to a stream of this service; nothing declines."""
    sends = [send for event in EXAMPLES if type(event) is step.on for send in sent(event)]
    (send,) = [send for send in sends if type(send.command) is step.send]
    assert step.declined_by == ()
    (aggregate,) = [one for one in build("demo").aggregates if step.send in one.commands]
    assert send.stream_id.startswith(f"{aggregate.prefix}_")
    assert COMMAND_TYPES[name_of(step.send)] is step.send


def test_every_event_that_is_answered_is_a_step_of_a_saga() -> None:
    """Nothing is sent that the table does not show."""
    answered = {(type(event), type(send.command)) for event in EXAMPLES for send in sent(event)}
    assert {(step.on, step.send) for step in STEPS} == answered


def test_a_saga_is_closed_by_what_its_command_decides() -> None:
    """A miss opens and closes under the same key; a worse bucket opens nothing, a cure is closed by the case's end."""
    miss, payment, arrears, *_ = SAGAS
    assert (
        miss.opened_by[PaymentMissed](MISSED) == miss.closed_by[type(OPENED)](OPENED) == "loan_7/2024-03-14"
    )
    assert payment.opened_by[PaymentReceived](PAID) == "pay_1"
    assert payment.opened_by[PaymentReceived](replace(PAID, bucket="current")) == ()
    assert arrears.opened_by[OverdueBucketChanged](WORSE) == ()
    closed = history(MISS, moved("current", 0, 0))[-1]
    cured = arrears.opened_by[OverdueBucketChanged](replace(WORSE, to_bucket="current"))
    assert cured == arrears.closed_by[type(closed)](closed) == "loan_7/2024-03-15"
