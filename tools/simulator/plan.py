"""How much is to happen in one run of the simulation: people, listings, days."""

from dataclasses import dataclass
from datetime import date
from typing import Final

FIRST_DATE: Final = date(2024, 1, 25)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is to happen, whether loans that are late are restructured (some of which cost a fee each period) and ended early, whether
    some debits are answered late, and whether voided payments are entered again."""

    people: int
    listings: int
    days: int
    busy_days: int
    actions_on_busy_days: int
    actions_on_quiet_days: int
    tenor_months_max: int
    first_date: date = FIRST_DATE
    restructures: bool = False
    answers_late: bool = False
    enters_again: bool = False
