"""Lee asks for three months more for Bo's loan 7, and the house answers."""

from dataclasses import replace

from libs.events.measures import MeasureExecuted, MeasureFailed, MeasureRefused
from libs.events.plans import PlanAnswered, PlanProposed
from services.collections.commands import AnswerPlan, ProposePlan
from tests.unit.collections.stories import CASE, DEBTOR, LEE, LOAN
from tests.unit.given import TODAY

PLAN = ProposePlan(
    plan_id="pln_1",
    case_id=CASE,
    collector=LEE,
    kind="extension",
    months=3,
    reason="income_lost",
    income_proof="vault:7f3a",
)
ASKED = PlanProposed(
    debtor_id=DEBTOR,
    case_id=CASE,
    loan_id=LOAN,
    plan_id="pln_1",
    collector=LEE,
    kind="extension",
    months=3,
    reason="income_lost",
    income_proof="vault:7f3a",
    proposed_on=TODAY,
)
YES = AnswerPlan(plan_id="pln_1", agreed=True)
NO = AnswerPlan(plan_id="pln_1", agreed=False, code="not_proven")
AGREED = PlanAnswered(
    debtor_id=DEBTOR, case_id=CASE, loan_id=LOAN, plan_id="pln_1", agreed=True, code=None, answered_on=TODAY
)
DENIED = replace(AGREED, agreed=False, code="not_proven")

DONE = MeasureExecuted(
    measure_id="msr_1", loan_id=LOAN, kind="extension", executed_on=TODAY, debtor_id=DEBTOR
)
REFUSED = MeasureRefused(
    measure_id="msr_1",
    loan_id=LOAN,
    step="risk",
    signer="stf_ria",
    code="not_proven",
    refused_on=TODAY,
    debtor_id=DEBTOR,
)
FAILED = MeasureFailed(
    measure_id="msr_1", loan_id=LOAN, code="extended_before", failed_on=TODAY, debtor_id=DEBTOR
)
