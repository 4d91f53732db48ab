"""The tables of onboarding's sagas are what its policies do: a step sends, a decline undoes, an end closes what was opened."""

from typing import Any

import pytest

from libs.events.codec import name_of
from libs.events.sagas import Saga, Send, Step
from libs.events.system import CommandRefused
from services.onboarding.domain import aggregates
from services.onboarding.domain.profile import DEMO
from services.onboarding.policies import SAGAS
from tests.unit.onboarding import stories as s
from tests.unit.onboarding import test_user
from tests.unit.onboarding.policy_story import ANSWERS
from tests.unit.onboarding.test_user import released


def answered(saga: Saga, kind: type) -> list[list[type]]:
    """The types of the commands that each event of a type is answered with, where it concerns the saga at all."""
    wanted = {name_of(refused) for refused in saga.expected_refusals}
    wanted |= {"repayment.ReserveGuarantee"} if saga.name == "guarantee" else set()

    def concerns(event: Any, sends: list[Send]) -> bool:
        return not isinstance(event, CommandRefused) or (bool(sends) and event.command_type in wanted)

    return [
        [type(send.command) for send in sends]
        for _, event, sends in ANSWERS
        if type(event) is kind and concerns(event, sends)
    ]


@pytest.mark.parametrize(
    ("saga", "step"),
    [(saga, step) for saga in SAGAS for step in saga.steps],
    ids=lambda part: str(getattr(part, "name", "")),
)
def test_each_step_sends_its_command_and_each_decline_its_compensation(saga: Saga, step: Step) -> None:
    """The saga tables are what the policies do: the step's event sends its command, a decline sends what undoes it."""
    assert any(step.send in commands for commands in answered(saga, step.on))
    for declined in step.declined_by:
        assert step.compensation is not None
        compensations = answered(saga, declined)
        assert compensations
        assert all(step.compensation in commands for commands in compensations)


def test_the_sagas_cover_every_command_that_a_policy_sends() -> None:
    """No policy sends a command that no saga's table names, and all of them are commands of this service's aggregates."""
    sent = {type(send.command) for _, _, sends in ANSWERS for send in sends}
    named = {kind for saga in SAGAS for step in saga.steps for kind in (step.send, step.compensation) if kind}
    declared = {kind for aggregate in aggregates(DEMO) for kind in aggregate.commands}
    assert sent == named
    assert sent <= declared


@pytest.mark.parametrize("saga", SAGAS, ids=lambda saga: saga.name)
def test_every_expected_refusal_is_handled(saga: Saga) -> None:
    """A refusal that a saga expects does not alarm, so it must be undone: its step is declined by CommandRefused."""
    for refused in saga.expected_refusals:
        steps = [step for step in saga.steps if step.send is refused]
        assert steps
        assert all(CommandRefused in step.declined_by for step in steps)


def test_what_opens_a_saga_and_what_closes_it_share_their_key() -> None:
    """A saga that an event opened is closed by the event that ends the same thing."""
    pairs = [
        ("applicant", s.SUBMITTED, s.RECORDED),
        ("applicant", s.SUBMITTED, s.declined("not_verified", "submitted")),
        ("approval", s.ASKED, s.APPROVED),
        ("approval", s.ASKED, s.declined("exposure_cap_exceeded", "at_reservation")),
        ("recheck", s.SEEN, s.MET),
        ("recheck", s.SEEN, s.declined("exposure_cap_exceeded", "at_cap_check")),
        ("erasure", test_user.LEAVING, test_user.ERASED),
        ("erasure", test_user.LEAVING, test_user.STAYS),
        ("release", s.TERMS_DECLINED, released(1, "terms_declined")),
    ]
    by_name = {saga.name: saga for saga in SAGAS}
    for name, opening, closing in pairs:
        saga = by_name[name]
        assert saga.opened_by[type(opening)](opening) == saga.closed_by[type(closing)](closing)
    opens = by_name["release"].opened_by[type(s.lapsed("approved", 1))]
    assert opens(s.lapsed("approved", 1)) == ("loan_1",)
    assert opens(s.lapsed("returned")) == ()
