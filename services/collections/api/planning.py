"""The route by which a collector asks the house for a repayment plan. What becomes of it stands in the case's file."""

from libs.events.plans import PlanProposed
from libs.runtime.http import Order, ThisCall, scopes
from services.collections import commands
from services.collections.api.routes import COLLECTOR, CaseId, Collectors, DebtorId, desk_of, router, told
from services.collections.api.shapes import PlanIn, PlanOut


@router.command(
    "/debtors/{debtor}/cases/{case}/plans",
    scopes(COLLECTOR),
    answer=PlanOut,
    answers={PlanProposed: PlanOut.of},
)
async def propose_plan(
    debtor: DebtorId, case: CaseId, body: PlanIn, call: ThisCall, collectors: Collectors
) -> Order:
    """Ask for so many months more for the case's loan: a measure, which others sign and its lenders are asked about."""
    plan = commands.ProposePlan(
        plan_id=call.mint("pln"),
        case_id=case,
        collector=call.principal.subject,
        kind=body.kind,
        months=body.months,
        reason=body.reason,
        income_proof=body.income_proof,
        desk=told(await desk_of(call.principal, collectors)),
    )
    return Order(debtor, plan)
