"""Bugs of repayment plans: an answer that nobody hears, one that says the contrary, another plan than was asked for."""

from dataclasses import replace
from typing import Any

import services.collections.domain.debtor as debtor
import services.repayment.policies.plans as plans
from libs.events.measures import Restructuring
from services.collections.commands import AnswerPlan
from services.collections.policies import POLICIES as COLLECTIONS
from tools.simulator.planted.plant import WHOLE, Plant, forgetting, instead, policy


def _agreed_whatever_comes(real: Any) -> Any:
    return lambda *arguments: [replace(event, agreed=True, code=None) for event in real(*arguments)]


PLANTS = (
    Plant(
        "plan-never-answered",
        "The measure of a plan ends, and the case never hears of it.",
        policy(COLLECTIONS, "repayment", forgetting(AnswerPlan)),
        ("its case never heard", "while", "never ends"),
        config=WHOLE,
        seeds=range(24),
    ),
    Plant(
        "plan-always-agreed",
        "A case is told that its plan was agreed, whatever became of it.",
        instead(debtor, "answer_plan", _agreed_whatever_comes),
        ("the case hears",),
        config=WHOLE,
        seeds=range(24),
    ),
    Plant(
        "another-plan-than-asked-for",
        "More time is asked for, a new schedule is proposed.",
        instead(plans, "_terms", lambda _real: lambda plan: Restructuring(months=plan.months)),
        ("asked for was",),
        config=WHOLE,
        seeds=range(24),
    ),
)
