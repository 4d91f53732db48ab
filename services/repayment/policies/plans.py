"""From a plan that a collector asks for to a measure like all others. Its end collections reads itself."""

from libs.events.measures import Extension, MeasureProposed, MeasureTerms, Restructuring
from libs.events.plans import PlanProposed, measure_of, plan_of
from libs.events.records import RecordedEvent
from libs.events.sagas import Saga, Send, Step
from services.repayment.commands.measures import ProposeMeasure


def on_collections(event: RecordedEvent) -> list[Send]:
    """A plan is proposed as a measure, by the collector who asked for it: so he signs none of it."""
    match event.data:
        case PlanProposed() as plan:
            measure_id = measure_of(plan.plan_id)
            propose = ProposeMeasure(
                measure_id=measure_id,
                loan_id=plan.loan_id,
                terms=_terms(plan),
                reason=plan.reason,
                evidence=(plan.income_proof,),
                proposed_by=plan.collector,
                debtor_id=plan.debtor_id,
                himself=plan.himself or None,
            )
            return [Send("plan", measure_id, propose)]
        case _:
            return []


def _terms(plan: PlanProposed) -> MeasureTerms:
    kind = Extension if plan.kind == "extension" else Restructuring
    return kind(months=plan.months, guarantor_consent=plan.guarantor_consent)


def _of_a_plan(proposed: MeasureProposed) -> str | tuple[str, ...]:
    """Most measures are nobody's plan."""
    return plan_of(proposed.measure_id) if proposed.debtor_id else ()


SAGAS = (
    Saga(
        name="plan to measure",
        why="What a collector asks for goes the way of all measures, its signatures and its lenders' word.",
        opened_by={PlanProposed: lambda plan: plan.plan_id},
        closed_by={MeasureProposed: _of_a_plan},
        steps=(Step(on=PlanProposed, send=ProposeMeasure),),
    ),
)
