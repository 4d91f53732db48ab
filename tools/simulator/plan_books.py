"""Repayment plans, kept once more from the log: what a collector asked for is what was proposed, and what came of it is what his case heard."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tools.simulator.case_books import CaseBooks
from tools.simulator.loan_books import require


@dataclass(slots=True)
class PlanBook:
    """A plan: its own words, the code with which its measure ended (None: done), and whether its case has heard."""

    asked: Any
    is_proposed: bool = False
    has_ended: bool = False
    code: str | None = None
    is_answered: bool = False


@dataclass(slots=True)
class PlanBooks:
    """All plans, by the last part of their names, which their measures share."""

    cases: CaseBooks
    plans: dict[str, PlanBook] = field(default_factory=dict)

    def record(self, where: str, event: Any) -> None:
        """Fold one event. Raises WrongBooks."""
        handler = _HANDLERS.get(event["type"])
        if handler is not None:
            handler(self, where, event["data"])

    def at_rest(self) -> None:
        """Every plan was proposed, and every end was told."""
        for name, plan in self.plans.items():
            require(plan.is_proposed, f"the plan {name} was asked for and nobody proposed it")
            require(
                plan.is_answered or not plan.has_ended, f"the plan {name} has ended and its case never heard"
            )

    def _asked(self, where: str, data: Any) -> None:
        case = self.cases.cases.get(data["case_id"])
        known = case is not None and (case.debtor, case.loan) == (data["debtor_id"], data["loan_id"])
        require(known, f"{where}: a plan is asked for where there is no case")
        holder = self.cases.debtors[data["debtor_id"]].collector
        require(holder == data["collector"], f"{where}: {data['collector']} asks for whom {holder} holds")
        waiting = [
            name
            for name, plan in self.plans.items()
            if plan.asked["case_id"] == data["case_id"] and not plan.is_answered
        ]
        require(not waiting, f"{where}: a plan is asked for while {waiting} has no answer")
        self.plans[_name(data["plan_id"])] = PlanBook(data)

    def _proposed(self, where: str, data: Any) -> None:
        if not data.get("debtor_id"):
            return
        plan = self.plans[_name(data["measure_id"])]
        asked, terms = plan.asked, data["terms"]
        said = terms["kind"], terms["months"], data["loan_id"], data["debtor_id"], data["proposed_by"]
        meant = tuple(asked[name] for name in ("kind", "months", "loan_id", "debtor_id", "collector"))
        require(said == meant, f"{where}: {said} is proposed, asked for was {meant}")
        plan.is_proposed = True

    def _ended(self, where: str, data: Any) -> None:
        plan = self.plans.get(_name(data["measure_id"]))
        if plan is None:
            return
        require(data["debtor_id"] == plan.asked["debtor_id"], f"{where}: another debtor is told of a plan")
        plan.has_ended, plan.code = True, data.get("code")

    def _answered(self, where: str, data: Any) -> None:
        plan = self.plans[_name(data["plan_id"])]
        require(
            plan.has_ended and not plan.is_answered,
            f"{where}: {data['plan_id']} is answered too soon or again",
        )
        said, meant = (data["agreed"], data["code"]), (plan.code is None, plan.code)
        require(said == meant, f"{where}: the case hears {said} of its plan, it ended {meant}")
        plan.is_answered = True


def _name(identity: str) -> str:
    return identity.partition("_")[2]


_HANDLERS: dict[str, Callable[[PlanBooks, str, Any], None]] = {
    "collections.PlanProposed.v1": PlanBooks._asked,
    "collections.PlanAnswered.v1": PlanBooks._answered,
    "repayment.MeasureProposed.v1": PlanBooks._proposed,
    "repayment.MeasureExecuted.v1": PlanBooks._ended,
    "repayment.MeasureRefused.v1": PlanBooks._ended,
    "repayment.MeasureFailed.v1": PlanBooks._ended,
}
