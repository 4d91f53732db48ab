"""A collector's plan becomes a measure of his, which names the debtor until its end."""

from dataclasses import replace

from libs.events.measures import Extension, Restructuring
from libs.events.sagas import Send
from services.repayment.commands.measures import CompleteMeasure, FailMeasure
from services.repayment.domain.measure import measure_aggregate
from services.repayment.domain.profile import profile_named
from services.repayment.policies.plans import SAGAS, on_collections
from tests.unit.documents import recorded
from tests.unit.given import context, given
from tests.unit.repayment.measure_story import (
    ADMITTED,
    CARRIED,
    EXECUTED,
    NO,
    PROPOSE,
    PROPOSED,
    RIA,
    failed,
    sign,
)
from tests.unit.repayment.plan_story import PLAN

MEASURE = measure_aggregate(profile_named("demo"))
PROPOSE_IT = replace(PROPOSE, proposed_by="stf_lee", debtor_id="dbt_bo")
ASKED = replace(PROPOSED, proposed_by="stf_lee", debtor_id="dbt_bo")


def test_a_plan_is_proposed_as_the_measure_that_it_names() -> None:
    """More time or a new schedule, by the collector, for his reason and with the debtor's proof of income."""
    assert on_collections(recorded(PLAN, "dbt_bo")) == [Send("plan", "msr_1", PROPOSE_IT)]
    (send,) = on_collections(recorded(replace(PLAN, kind="restructuring"), "dbt_bo"))
    assert send.command == replace(PROPOSE_IT, terms=Restructuring(months=2))
    consented = replace(PLAN, guarantor_consent="vault:2", himself="usr_lee")
    (send,) = on_collections(recorded(consented, "dbt_bo"))
    terms = Extension(months=2, guarantor_consent="vault:2")
    assert send.command == replace(PROPOSE_IT, terms=terms, himself="usr_lee")
    (saga,) = SAGAS
    assert saga.opened_by[type(PLAN)](PLAN) == saga.closed_by[type(ASKED)](ASKED) == "pln_1"
    assert saga.closed_by[type(PROPOSED)](PROPOSED) == ()


def test_the_measure_of_a_plan_names_its_debtor_from_first_to_last() -> None:
    """When it is proposed, and however it ends."""
    given(MEASURE).when(PROPOSE_IT).then(ASKED)
    given(MEASURE, ASKED).when(PROPOSE_IT).then_nothing()
    given(MEASURE, ASKED).when(PROPOSE).then_refused("measure_exists")
    given(MEASURE, ASKED).when(FailMeasure(code="loan_repaid")).then(
        replace(failed("loan_repaid"), debtor_id="dbt_bo")
    )
    manager = context(principal="stf_gus")
    given(MEASURE, ASKED, ADMITTED, RIA).when(sign("general_manager", refused="not_proven"), manager).then(
        replace(NO, debtor_id="dbt_bo")
    )
    done = replace(EXECUTED, debtor_id="dbt_bo")
    given(MEASURE, ASKED, *CARRIED[1:]).when(CompleteMeasure()).then(done)


def test_the_collector_signs_no_measure_of_his_plan() -> None:
    """Whoever asks is not whoever agrees."""
    lee = context(principal="stf_lee")
    given(MEASURE, ASKED, ADMITTED).when(sign("risk"), lee).then_refused("forbidden_second_signature")
