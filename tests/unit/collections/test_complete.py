"""No command without its three cases: it does something, it refuses by name, and done already it says nothing."""

from dataclasses import replace
from typing import Any

import pytest

from libs.events.deciding import Aggregate
from services.collections.app import build
from services.collections.commands import (
    AnswerPlan,
    AssignCase,
    ChangeDesk,
    ClaimCase,
    CloseCase,
    CorrectCasePayment,
    EnrolCollector,
    JudgeAgain,
    LogContact,
    MakePromise,
    ProposePlan,
    RecordBucket,
    RecordCasePayment,
    RecordFlag,
    RecordMiss,
    RecordPenalty,
    RecordUnflag,
    ReleaseDebtor,
    RetireCollector,
    StartContact,
)
from tests.unit.collections.flag_story import flag, unflag
from tests.unit.collections.plan_story import NO, PLAN
from tests.unit.collections.stories import (
    ASSIGN,
    CALL,
    CLAIM,
    KIM,
    LOAN,
    MISS,
    OWED,
    PROMISE,
    PROMISED,
    REACHED,
    RELEASE,
    history,
    moved,
    pays,
)
from tests.unit.collections.test_collector import DESK, ENROL, ENROLLED, RETIRE
from tests.unit.collections.test_judged_again import KEPT, RESTATED, REVERSED
from tests.unit.given import TODAY, given

AGGREGATES = {aggregate.name: aggregate for aggregate in build("demo").aggregates}
COMMANDS = [(aggregate, kind) for aggregate in AGGREGATES.values() for kind in aggregate.commands]
PENALTY = RecordPenalty(loan_id=LOAN, dpd=3, overdue_fen=OWED + 5, charged_on=TODAY)

#: command -> (history and command that does; history and command that is refused; its code)
CASES: dict[type, tuple[tuple[tuple[Any, ...], Any], tuple[tuple[Any, ...], Any], str]] = {
    RecordMiss: (((), MISS), ((), replace(MISS, borrower="nobody")), "invalid_loan"),
    RecordBucket: (
        (history(MISS), moved("M2", 31, OWED)),
        (history(MISS), moved("Q1", 1, 1)),
        "invalid_bucket",
    ),
    ClaimCase: (
        (history(MISS), CLAIM),
        (history(MISS, CLAIM), replace(CLAIM, collector=KIM)),
        "claimed_by_another",
    ),
    ReleaseDebtor: ((history(MISS, CLAIM), RELEASE), ((), RELEASE), "unknown_debtor"),
    AssignCase: ((history(MISS), ASSIGN), ((), ASSIGN), "unknown_case"),
    StartContact: ((history(MISS, CLAIM), CALL), (history(MISS), CALL), "not_claimed"),
    LogContact: ((history(MISS, CLAIM, CALL), REACHED), ((), REACHED), "unknown_contact"),
    MakePromise: ((history(MISS, CLAIM, CALL, PROMISED), PROMISE), (history(MISS), PROMISE), "not_claimed"),
    ProposePlan: ((history(MISS, CLAIM), PLAN), (history(MISS), PLAN), "not_claimed"),
    AnswerPlan: ((history(MISS, CLAIM, PLAN), NO), (history(MISS), NO), "unknown_plan"),
    EnrolCollector: (((), ENROL), ((), replace(ENROL, staff_id="usr_lee")), "invalid_staff"),
    ChangeDesk: (((ENROLLED,), DESK), ((), DESK), "unknown_collector"),
}
#: Facts that nothing is refused of: a loan without an open case has nothing to change.
NEVER_REFUSED: dict[type, tuple[tuple[Any, ...], Any]] = {
    RecordCasePayment: (history(MISS), pays("pay_1", 5, TODAY, OWED - 5)),
    CorrectCasePayment: (history(*KEPT), REVERSED),
    JudgeAgain: (history(*KEPT, REVERSED), RESTATED),
    CloseCase: (history(MISS), CloseCase(loan_id=LOAN, repaid_on=TODAY)),
    RecordPenalty: (history(MISS), PENALTY),
    RetireCollector: ((ENROLLED,), RETIRE),
    RecordFlag: (history(MISS), flag("death")),
    RecordUnflag: (history(MISS, flag("death")), unflag("death")),
}


@pytest.mark.parametrize(("aggregate", "kind"), COMMANDS, ids=lambda value: getattr(value, "__name__", ""))
def test_every_command_does_refuses_and_then_says_nothing(aggregate: Aggregate, kind: type) -> None:
    """The three cases of each declared command; its code stands on it."""
    history_of, command = NEVER_REFUSED[kind] if kind in NEVER_REFUSED else CASES[kind][0]
    assert type(command) is kind
    outcome = given(aggregate, *history_of).when(command)
    assert outcome.events
    given(aggregate, *history_of, *outcome.events).when(command).then_nothing()
    if kind in NEVER_REFUSED:
        assert "efused" not in (kind.__doc__ or "")
        return
    _, (refusing, refused), code = CASES[kind]
    assert type(refused) is kind
    given(aggregate, *refusing).when(refused).then_refused(code)
    assert f"`{code}`" in (kind.__doc__ or "")
