"""Repayment's table of sagas is its code: each step is what its policy does, and none ends in silence."""

from dataclasses import replace
from typing import Any

import pytest

from libs.events.codec import COMMAND_TYPES, name_of
from libs.events.corrections import LoanRestated
from libs.events.guarantees import GuaranteeDeclined
from libs.events.repayment import PaymentReturned
from libs.events.sagas import Send, Step
from libs.events.system import CommandRefused
from libs.events.voidance import LoanVoided
from services.bidding import policies as bidding
from services.onboarding import policies as onboarding
from services.repayment.app import build
from services.repayment.commands import ReserveClaim, ReserveGuarantee, TransferClaim
from services.repayment.commands.compensation import DeclineCompensation, RecordCompensation
from services.repayment.commands.corrections import CorrectPayment, DeclineCorrection, ExamineCorrection
from services.repayment.commands.measures import CarryOutMeasure, ExamineMeasure, FailMeasure
from services.repayment.policies import SAGAS
from tests.unit.repayment.measure_story import COSTLY, NO_PAYEE, PAYABLE, PROPOSED
from tests.unit.repayment.test_policies import EXAMPLES, STEPS, recorded, sent


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.on.__name__}-{step.send.__name__}")
def test_every_step_of_a_saga_is_what_its_policy_does(step: Step) -> None:
    """The table is the code: the step's event sends exactly its command, to a stream of this service."""
    source, event = EXAMPLES[step.on]
    # a loan that is put right, or void, concerns who asked for it and its guarantor
    both = (LoanRestated, LoanVoided)
    steps = [other.send for other in STEPS if other.on is step.on in both] or [step.send]
    assert {type(send.command) for send in sent(event, source)} == {*steps}
    declared = [kind for aggregate in build("demo").aggregates for kind in aggregate.commands]
    assert step.send in declared


@pytest.mark.parametrize(
    "step", [step for step in STEPS if step.declined_by], ids=lambda step: step.send.__name__
)
def test_every_decline_is_answered_by_bidding(step: Step) -> None:
    """Money that the loan declines by event goes back to the account that paid; what it refuses by name is undone by name."""
    if step.declined_by in ((CommandRefused,), (GuaranteeDeclined, CommandRefused)):
        assert step.send in {kind for saga in SAGAS for kind in saga.expected_refusals}
        return
    assert step.declined_by == (PaymentReturned,)
    declined = PaymentReturned(
        loan_id="loan_7", payment_id="pay_1", account_id="acc_bo", amount_fen=5, code="nothing_due"
    )
    assert _returns(declined) == [("acc_bo", "pay_1", 5)]


#: Refusals that are this service's own to undo: they end their measure.
OURS = (ExamineMeasure, CarryOutMeasure)
#: What bidding does about a refused step of a sale, by the refused command.
UNDONE = {
    ReserveClaim: "bidding.RefuseOffer",
    TransferClaim: "bidding.ReopenOffer",
    ReserveGuarantee: "onboarding.FailPrecedents",
}


@pytest.mark.parametrize("command", [kind for saga in SAGAS for kind in saga.expected_refusals])
def test_every_expected_refusal_is_undone(command: type) -> None:
    """A refusal brings `about` back: bidding returns the money or opens the offer that it names, a measure ends with its code."""
    event = next(step.on for step in STEPS if step.send is command)
    (send,) = sent(EXAMPLES[event][1], EXAMPLES[event][0])
    refused = CommandRefused(
        command_type=name_of(command), code="unknown_loan", stream_id="loan_7", about=dict(send.about)
    )
    if command in (ExamineCorrection, CorrectPayment):
        decline = DeclineCorrection(code="unknown_loan", examined=command is ExamineCorrection)
        assert sent(refused, "repayment") == [Send("decline-correction", "cor_1", decline)]
    elif command in OURS:
        fail = FailMeasure(code="unknown_loan")
        assert sent(refused, "repayment") == [Send("fail", "msr_1", fail)]
    elif command in UNDONE:
        there = onboarding if command is ReserveGuarantee else bidding
        (undo,) = there.POLICIES["repayment"](recorded(refused, "repayment", None))
        stream = "app_7" if command is ReserveGuarantee else "offer_1"
        assert (undo.stream_id, name_of(type(undo.command))) == (stream, UNDONE[command])
    else:
        about = send.about
        returned = about["account_id"], about["payment_id"], int(about["amount_fen"])
        assert _returns(refused) == [returned]
        if command is RecordCompensation:
            ended = DeclineCompensation(compensation_id=about["payment_id"], code="unknown_loan")
            assert sent(refused, "repayment") == [Send("compensation", about["loan_id"], ended)]


def _returns(event: Any) -> list[tuple[str, str, int]]:
    sends = bidding.POLICIES["repayment"](recorded(event, "repayment", None))
    assert [name_of(type(send.command)) for send in sends] == ["bidding.ReturnPayment"]
    return [(send.stream_id, send.command.payment_id, send.command.amount_fen) for send in sends]


def test_every_command_of_a_policy_belongs_to_this_service() -> None:
    """A service commands nobody but itself."""
    for source, event in EXAMPLES.values():
        for send in sent(event, source):
            assert COMMAND_TYPES[name_of(type(send.command))] is type(send.command)
            assert name_of(type(send.command)).startswith("repayment.")


def test_whom_a_measure_would_pay_is_asked_first() -> None:
    """A loan is asked for a write-off that says a cost once its payee's account has answered; without one the measure ends as why."""
    assert sent(replace(PROPOSED, terms=COSTLY), "repayment") == []
    examine = ExamineMeasure(measure_id="msr_1", terms=COSTLY, himself="usr_9")
    assert sent(PAYABLE, "bidding") == [Send("examine", "loan_7", examine, {"measure_id": "msr_1"})]
    assert sent(NO_PAYEE, "bidding") == [Send("fail", "msr_1", FailMeasure(code="unknown_account"))]
    to_nobody = replace(PROPOSED, terms=replace(COSTLY, cost_account=""))
    assert [type(send.command) for send in sent(to_nobody, "repayment")] == [ExamineMeasure]
