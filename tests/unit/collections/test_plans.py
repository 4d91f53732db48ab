"""Repayment plans: one per case at a time, by whoever holds the debtor; the house's answer finds the case, closed or not."""

from dataclasses import replace

from libs.events.sagas import Send
from services.collections.policies import SAGAS, on_repayment
from services.collections.projections.case_file import VIEW as CASE_FILES
from tests.unit.collections.plan_story import (
    AGREED,
    ASKED,
    DENIED,
    DONE,
    FAILED,
    NO,
    PLAN,
    REFUSED,
    YES,
)
from tests.unit.collections.stories import CASE, CLAIM, DEBTOR, DESK, KIM, LEE, MISS, debtor, history, moved
from tests.unit.documents import documents, recorded
from tests.unit.documents import history as stream


def test_whoever_holds_the_debtor_asks_for_a_plan_once() -> None:
    """The plan says what is asked for and why; the same again says nothing."""
    held = debtor(MISS, CLAIM)
    held.when(PLAN).then(ASKED)
    debtor(MISS, CLAIM, PLAN).when(PLAN).then_nothing()
    debtor(MISS, CLAIM, PLAN, NO).when(PLAN).then_nothing()
    consented = replace(PLAN, guarantor_consent="vault:9", himself="usr_lee")
    held.when(consented).then(replace(ASKED, guarantor_consent="vault:9", himself="usr_lee"))


def test_a_plan_is_refused_by_name() -> None:
    """Without a case, beyond one's desk, without holding the debtor, and while another is not answered."""
    elsewhere = replace(PLAN, desk=replace(DESK, stages=("late",)), collector=KIM)
    debtor().when(PLAN).then_refused("unknown_case")
    debtor(MISS, CLAIM).when(elsewhere).then_refused("unknown_case")
    debtor(MISS).when(PLAN).then_refused("not_claimed")
    debtor(MISS, CLAIM, PLAN).when(replace(PLAN, plan_id="pln_2")).then_refused("plan_open")


def test_an_answer_finds_its_plan_and_leaves_room_for_the_next() -> None:
    """Agreed or refused, once; of a plan that nobody asked for there is no answer."""
    debtor(MISS, CLAIM, PLAN).when(YES).then(AGREED)
    debtor(MISS, CLAIM, PLAN).when(NO).then(DENIED)
    debtor(MISS, CLAIM, PLAN, YES).when(YES).then_nothing()
    debtor(MISS, CLAIM).when(YES).then_refused("unknown_plan")
    again = replace(PLAN, plan_id="pln_2")
    debtor(MISS, CLAIM, PLAN, NO).when(again).then(replace(ASKED, plan_id="pln_2"))


def test_an_answer_finds_a_closed_case() -> None:
    """A new schedule cures the loan before the measure says that it is done."""
    debtor(MISS, CLAIM, PLAN, moved("current", 0, 0)).when(YES).then(AGREED)


def test_the_end_of_a_measure_is_the_answer_to_its_plan() -> None:
    """Done is agreed; refused or failed is not, for its code. Measures of nobody's plan answer nothing."""
    late = replace(NO, code="extended_before")
    for event, answer in ((DONE, YES), (REFUSED, NO), (FAILED, late)):
        assert on_repayment(recorded(event, "msr_1")) == [Send("answer", DEBTOR, answer)]
        assert on_repayment(recorded(replace(event, debtor_id=""), "msr_1")) == []
    saga = next(saga for saga in SAGAS if saga.name == "answer-plan")
    assert saga.opened_by[type(DONE)](DONE) == saga.closed_by[type(AGREED)](AGREED) == "pln_1"
    assert saga.opened_by[type(DONE)](replace(DONE, debtor_id="")) == ()


def test_the_case_file_shows_plans_and_their_answers() -> None:
    """Who asked, for what, and what came of it."""
    file = documents(CASE_FILES, stream(DEBTOR, *history(MISS, CLAIM, PLAN, NO)))[CASE]
    shown = {name.removeprefix("plans.pln_1."): value for name, value in file.items() if "pln_1" in name}
    assert shown == {
        "collector": LEE,
        "kind": "extension",
        "months": 3,
        "reason": "income_lost",
        "income_proof": "vault:7f3a",
        "guarantor_consent": None,
        "proposed_on": "2024-03-15",
        "agreed": False,
        "code": "not_proven",
        "answered_on": "2024-03-15",
    }
