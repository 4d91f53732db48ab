"""Bugs of what people read of loans: a history that forgets, sums that do not move on, receipts of the wrong month."""

from datetime import date
from typing import Any

from services.repayment.projections import loan_history, overdue_buckets, receipts
from tools.simulator.planted.plant import DUES, LATE, WHOLE, Plant, instead


def _first_of_year(real: Any) -> Any:
    return lambda line, on: real(line, date(on.year, 1, 1))


def _never_less(real: Any) -> Any:
    return lambda case, overdue_fen: real(case, max(0, overdue_fen))


PLANTS = (
    Plant(
        "history-overwrites",
        "The events of a loan overwrite each other in its history.",
        instead(loan_history, "line_of", lambda _real: lambda loan_id, _sequence: f"{loan_id}/1"),
        ("the history of ",),
        config=DUES,
    ),
    Plant(
        "history-forgets-the-penalty",
        "Penalty that was charged on an instalment is no part of the loan's history.",
        instead(
            loan_history,
            "_is_shown",
            lambda real: lambda field: real(field) and not field.endswith("penalty_fen"),
        ),
        ("the history of ",),
        config=LATE,
    ),
    Plant(
        "received-in-january",
        "What a claim received is dated by the first day of the year.",
        instead(receipts, "received", _first_of_year),
        (" shows received ",),
        config=DUES,
    ),
    Plant(
        "overdue-only-grows",
        "What a case owed where it stood before is never taken off.",
        instead(overdue_buckets, "_owing", _never_less),
        ("the segment ",),
        config=WHOLE,
    ),
)
