"""Which posts sign a measure of a kind, in which order, and which propose it (processes.md 1.P; what it leaves open is *(chosen)*)."""

from typing import Final, assert_never

from libs.events.in_kind import SettlementInKind
from libs.events.measures import (
    BranchMove,
    Extension,
    MeasureKind,
    MeasureStep,
    MeasureTerms,
    NonAccrual,
    Reclassification,
    Restructuring,
    Waiver,
    WriteOff,
)
from libs.events.voidance import Voidance
from services.repayment.domain.profile import Rules

#: Who proposes: the customer's owner or whoever collects brings it; who judges it is never among them.
PROPOSERS: Final[dict[MeasureKind, tuple[str, ...]]] = {
    "extension": ("customer_manager", "collector", "collections_supervisor"),
    "restructuring": ("collector", "collections_supervisor"),
    "write_off": ("collections_supervisor", "legal"),
    "waiver": ("collector", "collections_supervisor"),
    "reclassification": ("risk", "collections_supervisor"),
    "non_accrual": ("risk", "collections_supervisor"),
    "branch_move": ("loan_clerk",),
    "settlement_in_kind": ("collector", "collections_supervisor"),
    "voidance": ("legal",),
}


def steps_of(rules: Rules, terms: MeasureTerms) -> tuple[MeasureStep, ...]:
    """The signatures that a measure needs, in their order; of a waiver, all posts up to the first whose limit reaches it."""
    match terms:
        case Extension() | Restructuring():
            return ("risk", "general_manager")
        case WriteOff():
            return ("risk", "finance_supervisor", "general_manager")
        case Waiver():
            below = [post for post, limit_fen in rules.waiver_limits if limit_fen < terms.amount_fen]
            return tuple(post for post, _ in rules.waiver_limits[: len(below) + 1])
        case Reclassification() | NonAccrual():
            return ("risk_assessor",)
        case BranchMove():
            return ("receiving_clerk",)
        case SettlementInKind():
            return ("legal", "risk", "general_manager", "finance_supervisor")
        case Voidance():
            return ("legal", "finance_supervisor", "general_manager")
        case _:
            assert_never(terms)
