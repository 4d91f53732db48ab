"""Bugs of what people read of loans: a history that forgets, sums that do not move on, receipts of the wrong month, promises that stay
kept."""

from dataclasses import replace
from datetime import date
from typing import Any

from services.collections.domain import debtor_corrections
from services.collections.projections import collectors
from services.repayment.api import page_shapes
from services.repayment.domain import loan_account
from services.repayment.projections import loan_history, off_balance, overdue_buckets, receipts
from tools.simulator.planted.plant import DUES, LATE, WHOLE, Plant, instead


def _first_of_year(real: Any) -> Any:
    return lambda line, on: real(line, date(on.year, 1, 1))


def _restated_in_january(real: Any) -> Any:
    return lambda loan: real(replace(loan, restated_on=date(loan.restated_on.year, 1, 1)))


def _only_more(real: Any) -> Any:
    return lambda doc, what, amount_fen, times=1: real(doc, what, amount_fen, max(0, times))


def _never_less(real: Any) -> Any:
    return lambda case, overdue_fen: real(case, max(0, overdue_fen))


def _from_nothing(real: Any) -> Any:
    return lambda of, said: real(of, replace(said, before_fen=0))


def _kept(_real: Any) -> Any:
    """What was paid of a loss is never taken off."""
    return lambda _lines: {}


PLANTS = (
    Plant(
        "losses-stay-whole",
        "What is left of a loss is never less, whatever comes back.",
        instead(off_balance, "_left", _kept),
        (" of the loss of loan_",),
        config=WHOLE,
        seeds=range(11, 13),
    ),
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
        "all-principal-is-normal",
        "A loan's page knows no principal that is overdue.",
        instead(page_shapes, "overdue_principal_fen", lambda _real: lambda _account: 0),
        (" splits its principal ",),
        config=LATE,
    ),
    Plant(
        "overdue-principal-only-grows",
        "Principal that was overdue where a loan was counted is never taken off.",
        instead(overdue_buckets, "_split", _from_nothing),
        ("the segment ",),
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
        "given-back-in-january",
        "What a correction takes back from a claim is dated by the first day of the year.",
        instead(receipts, "restated", _restated_in_january),
        (" shows received ",),
        config=LATE,
    ),
    Plant(
        "lines-leave-out-what-came-early",
        "The lines of a loan's history do not tell what was paid before it was due.",
        instead(loan_account, "parts_of", lambda real: lambda account: real(account | {"early": {}})),
        ("the lines of ",),
        config=LATE,
    ),
    Plant(
        "kept-by-what-was-reversed",
        "A promise stays kept when the payment that kept it is reversed.",
        instead(debtor_corrections, "_reopened", lambda _real: lambda *_fields: []),
        (" is called kept, ",),
        config=WHOLE,
    ),
    Plant(
        "kept-promises-are-never-less",
        "A collector's figures keep a promise that is kept no more.",
        instead(collectors, "_counted", _only_more),
        (" is shown with promises ",),
        config=WHOLE,
    ),
    Plant(
        "overdue-only-grows",
        "What a case owed where it stood before is never taken off.",
        instead(overdue_buckets, "_owing", _never_less),
        ("the segment ",),
        config=WHOLE,
    ),
)
