"""Bugs of a loan whose debits are answered late: what was late meanwhile is hidden, made up, or charged twice."""

from dataclasses import replace
from typing import Any, Final

from services.repayment.domain import lateness, loan_state
from tools.simulator.planted.plant import LATE, Plant, instead

#: Loans some of whose debits are decided, or told, days after their day; people pay meanwhile.
ANSWERED_LATE: Final = replace(
    LATE,
    plan=replace(
        LATE.plan, days=70, listings=16, tenor_months_max=3, actions_on_quiet_days=4, answers_late=True
    ),
)


def _every_day_twice(real: Any) -> Any:
    return lambda fen, rate, days, *rest: real(fen, rate, 2 * days, *rest)


PLANTS = (
    Plant(
        "late-in-silence",
        "What was late while a debit had no answer is not said when it is paid by then.",
        instead(loan_state, "with_paid", lambda _real: lambda paid, *_others: replace(paid.kept, freed=())),
        ("in silence",),
        config=ANSWERED_LATE,
        seeds=range(7, 8),
    ),
    Plant(
        "found-and-forgotten",
        "A late answer's money was not there on its day: what it paid in time is a miss.",
        instead(loan_state, "with_found", lambda _real: lambda kept, *_others: replace(kept, freed=())),
        ("of which 0 were paid",),
        config=ANSWERED_LATE,
        seeds=range(11, 12),
    ),
    Plant(
        "late-days-twice",
        "The penalty of what was paid late, said with a late answer, counts each day twice.",
        instead(lateness, "daily_interest_fen", _every_day_twice),
        ("it says",),
        config=ANSWERED_LATE,
        seeds=range(10, 11),
    ),
)
