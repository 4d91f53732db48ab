"""Events of `collections` about repayment plans: what a debtor could pay, asked of the house through his collector.

A plan is a wish. Repayment makes a measure of it, which goes the way of all measures; its end is the plan's answer.
"""

from datetime import date
from typing import Literal

from libs.events.codec import event
from libs.events.measures import Months
from libs.events.onboarding import Code, Reference

PlanKind = Literal["extension", "restructuring"]
"""More time for what is not due yet, or a new schedule for all that is open."""


@event("collections.PlanProposed.v1")
class PlanProposed:
    """A collector asks for `months` more for his debtor, for a reason (a code) and with the proof of what he earns. It is asked of the
    loan, whose answer comes back (PlanAnswered). `guarantor_consent` is the paper of whoever answers for the loan, and `himself` the
    collector as a customer, empty for none."""

    debtor_id: str
    case_id: str
    loan_id: str
    plan_id: str
    collector: str
    kind: PlanKind
    months: Months
    reason: Code
    income_proof: Reference
    proposed_on: date
    guarantor_consent: Reference | None = None
    himself: str = ""


@event("collections.PlanAnswered.v1")
class PlanAnswered:
    """The loan is due as the plan asked (`agreed`), or it is not, for a reason (`code`)."""

    debtor_id: str
    case_id: str
    loan_id: str
    plan_id: str
    agreed: bool
    code: Code | None
    answered_on: date


def measure_of(plan_id: str) -> str:
    """The measure that a plan becomes: `msr_x` of `pln_x`."""
    return f"msr_{plan_id.removeprefix('pln_')}"


def plan_of(measure_id: str) -> str:
    """The plan that a measure was: `pln_x` of `msr_x`."""
    return f"pln_{measure_id.removeprefix('msr_')}"
