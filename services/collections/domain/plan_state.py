"""What a debtor remembers of the plans that were asked for him: of each case the last one, and whether it was answered."""

from dataclasses import replace

from libs.events.codec import record
from libs.events.plans import PlanAnswered, PlanProposed


@record
class Plan:
    """The last plan of a case. It outlives its case: what cures the loan closes the case before the answer is here."""

    plan_id: str
    case_id: str
    loan_id: str
    answered: bool = False


def planned(plans: tuple[Plan, ...], event: PlanProposed | PlanAnswered) -> tuple[Plan, ...]:
    """The plans after one event."""
    if isinstance(event, PlanAnswered):
        return tuple(
            replace(plan, answered=True) if plan.plan_id == event.plan_id else plan for plan in plans
        )
    others = tuple(plan for plan in plans if plan.case_id != event.case_id)
    return (*others, Plan(plan_id=event.plan_id, case_id=event.case_id, loan_id=event.loan_id))
