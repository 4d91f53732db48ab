"""Bugs of the day's close: what counts on which date, what is said twice, and what is judged too soon."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import services.bidding.domain.loans as loans
from services.repayment.commands import RecordDebit
from services.repayment.domain import loan_day
from services.repayment.policies import POLICIES as REPAYMENT
from tools.simulator.planted.plant import DUES, LATE, Plant, changing, instead, policy

_DAY = timedelta(days=1)


def _from_the_first(real: Any) -> Any:
    """Nobody remembers what was said, so every wake of a late loan says all of its misses."""
    return lambda state, on: real(replace(state, next_missed=1), on)


def _of_tomorrow(real: Any) -> Any:
    def pay(command: Any, state: Any, context: Any) -> Any:
        return real(command, state, replace(context, business_date=context.business_date + _DAY))

    return pay


def _compounded(real: Any) -> Any:
    """Penalty runs on the penalty, too."""

    def penalty_lines(book: Any, on: Any, rules: Any) -> Any:
        lines = []
        for line in real(book, on, rules):
            before = book.penalty_of(line.number)
            open_fen = line.open_fen + (before.owed_fen if before else 0)
            lines.append(
                replace(line, open_fen=open_fen, penalty_fen=line.penalty_fen * open_fen // line.open_fen)
            )
        return tuple(lines)

    return penalty_lines


PLANTS = (
    Plant(
        "missed-again",
        "A late loan says its misses whenever it is woken.",
        instead(loan_day, "_misses", _from_the_first),
        (" misses ",),
        config=LATE,
    ),
    Plant(
        "dated-by-arrival",
        "What a debit found counts on the day after it was asked.",
        policy(
            REPAYMENT, "bidding", changing(RecordDebit, value_date=lambda command: command.value_date + _DAY)
        ),
        (" counts on ",),
        config=DUES,
    ),
    Plant(
        "paid-tomorrow",
        "A borrower's own payment is dated a day ahead of his account.",
        instead(loans, "pay", _of_tomorrow),
        ("is dated",),
        config=LATE,
    ),
    Plant(
        "penalty-compounded",
        "Penalty is charged on penalty.",
        instead(loan_day, "penalty_lines", _compounded),
        ("open is", "the contract says", "internal refusals"),
        config=LATE,
        seeds=range(18, 24),
    ),
)
