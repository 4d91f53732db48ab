"""Repayment plans: a collector asks for one on a case that he works on, and the house's answer comes back to it."""

from collections.abc import Sequence

from libs.events.deciding import Context, Refused
from libs.events.plans import PlanAnswered, PlanProposed
from services.collections.commands import AnswerPlan, ProposePlan
from services.collections.domain.debtor_contacts import require_lease
from services.collections.domain.debtor_flags import require_agreed
from services.collections.domain.debtor_state import Debtor, DebtorState, NoDebtor, OpenCase


def propose_plan(
    command: ProposePlan, state: Debtor, case: OpenCase, context: Context
) -> Sequence[PlanProposed]:
    """Ask for a plan; one per case at a time."""
    last = next((plan for plan in state.plans if plan.case_id == case.case_id), None)
    if last is not None and last.plan_id == command.plan_id:
        return []
    require_lease(state, command.collector, context)
    require_agreed(state, case)
    if last is not None and not last.answered:
        raise Refused("plan_open")
    return [
        PlanProposed(
            debtor_id=state.debtor_id,
            case_id=case.case_id,
            loan_id=case.loan_id,
            plan_id=command.plan_id,
            collector=command.collector,
            kind=command.kind,
            months=command.months,
            reason=command.reason,
            income_proof=command.income_proof,
            proposed_on=context.business_date,
            guarantor_consent=command.guarantor_consent,
            himself=command.himself or "",
        )
    ]


def answer_plan(command: AnswerPlan, state: DebtorState, context: Context) -> Sequence[PlanAnswered]:
    """Take over what became of a plan, whether its case is still open or not."""
    plans = () if isinstance(state, NoDebtor) else state.plans
    plan = next((known for known in plans if known.plan_id == command.plan_id), None)
    if isinstance(state, NoDebtor) or plan is None:
        raise Refused("unknown_plan")
    if plan.answered:
        return []
    return [
        PlanAnswered(
            debtor_id=state.debtor_id,
            case_id=plan.case_id,
            loan_id=plan.loan_id,
            plan_id=plan.plan_id,
            agreed=command.agreed,
            code=command.code,
            answered_on=context.business_date,
        )
    ]
