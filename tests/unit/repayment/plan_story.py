"""Lee has asked for two months more for Bo's loan 7."""

from libs.events.plans import PlanProposed
from tests.unit.given import TODAY

PLAN = PlanProposed(
    debtor_id="dbt_bo",
    case_id="case_7",
    loan_id="loan_7",
    plan_id="pln_1",
    collector="stf_lee",
    kind="extension",
    months=2,
    reason="income_lost",
    income_proof="vault:1",
    proposed_on=TODAY,
)
