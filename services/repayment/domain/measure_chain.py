"""Which posts sign a measure of a kind, in which order, and which propose it (processes.md 1.P; what it leaves open is *(chosen)*)."""

from typing import Final, assert_never

from libs.events.flags import Flag, Unflag
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
from libs.events.pauses import Pause, PauseEnd
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
    "pause": ("customer_manager", "collector", "collections_supervisor"),
    "pause_end": ("customer_manager", "collector", "collections_supervisor"),
    "flag": ("customer_manager", "collector", "collections_supervisor"),
    "unflag": ("customer_manager", "collector", "collections_supervisor"),
}


def steps_of(rules: Rules, terms: MeasureTerms, waived_before_fen: int = 0) -> tuple[MeasureStep, ...]:
    """The signatures that a measure needs, in their order; of a waiver, all posts up to the first whose limit reaches it together with
    what the loan was forgiven before: three small ones need whom one large one needs."""
    match terms:
        case Extension() | Restructuring():
            return ("risk", "general_manager")
        case WriteOff():
            return ("risk", "finance_supervisor", "general_manager")
        case Waiver():
            return tuple(post for post, _ in _asked(rules, terms.amount_fen + waived_before_fen))
        case Reclassification() | NonAccrual():
            return ("risk_assessor",)
        case BranchMove():
            return ("receiving_clerk",)
        case SettlementInKind():
            return ("legal", "risk", "general_manager", "finance_supervisor")
        case Voidance():
            return ("legal", "finance_supervisor", "general_manager")
        case Pause():
            # Penalty that does not run is never more than what these two may waive: the last post of the limits gives up any.
            return ("risk", rules.waiver_limits[-1][0])
        case PauseEnd():
            return ("risk",)
        case Flag() | Unflag():
            return ("legal",)
        case _:
            assert_never(terms)


def waivable_fen(rules: Rules, terms: MeasureTerms, waived_before_fen: int) -> int | None:
    """How much of a loan the last of these signatures may give up, over its life; None for what is no waiver."""
    return _asked(rules, terms.amount_fen + waived_before_fen)[-1][1] if isinstance(terms, Waiver) else None


def _asked(rules: Rules, fen: int) -> tuple[tuple[MeasureStep, int], ...]:
    below = [post for post, limit_fen in rules.waiver_limits if limit_fen < fen]
    return rules.waiver_limits[: len(below) + 1]
