"""Bugs of an early end after a restructuring: days that bore penalty cost interest too, what was owed before is forgotten."""

from dataclasses import replace
from typing import Any, Final

from services.repayment.domain import accruing, restructuring
from services.repayment.domain.allocation import Penalty
from tools.simulator.planted.plant import LATE, Plant, instead

#: Loans of several instalments that are restructured as soon as one is missed, and ended early before the next.
RESTRUCTURED: Final = replace(
    LATE,
    plan=replace(
        LATE.plan, days=70, listings=16, tenor_months_max=6, actions_on_quiet_days=3, restructures=True
    ),
)
_COSTS: Final = ("of interest to the day, the contract says", "of interest, not", "the contract says (")


def _since_it_was_paid(_real: Any) -> Any:
    """As of any other loan: the row before the one that runs was due then."""
    return lambda lent, due: lent.rows[due - 1].due_on if due else lent.funded_on


def _of_the_rows_before(real: Any) -> Any:
    """Their numbers are the new rows' too."""
    return lambda rules, state, book, on: real(
        rules, replace(state, next_missed=len(book.rows) + 1), book, on
    )


PLANTS = (
    Plant(
        "days-that-cost-twice",
        "After a restructuring interest runs from the last due day that was paid, as if the days before had borne no penalty.",
        instead(accruing, "_since", _since_it_was_paid),
        _COSTS,
        config=RESTRUCTURED,
        seeds=range(1),
    ),
    Plant(
        "penalty-of-before-forgotten",
        "Who ends a loan before its new rows are due pays no penalty that was charged on the old ones.",
        instead(Penalty, "owed_before", lambda _real: lambda _penalty, _due_on: 0),
        ("charged since is", "is paid early, penalty of", "is quoted"),
        config=RESTRUCTURED,
        seeds=range(4, 5),
    ),
    Plant(
        "restructured-at-a-discount",
        "What had run on principal that was not due is forgotten by the restructuring.",
        instead(restructuring, "accrued_interest_fen", lambda _real: lambda *_arguments, **_named: 0),
        _COSTS,
        config=RESTRUCTURED,
        seeds=range(1),
    ),
    Plant(
        "missed-before-it-is-asked",
        "A restructuring calls its new rows overdue, because those that they replace were.",
        instead(restructuring, "better_bucket", _of_the_rows_before),
        ("overdue, missed is",),
        config=RESTRUCTURED,
        seeds=range(1),
    ),
)
