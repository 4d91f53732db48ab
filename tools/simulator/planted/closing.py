"""Bugs of the day's close: what counts on which date, what is said twice, and what is judged too soon."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import services.bidding.domain.loans as loans
from services.repayment.commands import RecordDebit
from services.repayment.domain import charging, loan_day, paying, settling
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


def _bar_month_ends(real: Any) -> Any:
    """The days get worse, and months end unseen."""

    def charging_days(book: Any, to: Any, rules: Any) -> Any:
        return tuple(day for day in real(book, to, rules) if (day + _DAY).day > 1)

    return charging_days


def _in_one_piece(_real: Any) -> Any:
    """What the days until then will round is not asked."""

    def accrued(book: Any, on: Any, rules: Any) -> Any:
        return charging.charged(book, charging.penalty_lines(book, on, rules), on)

    return accrued


PLANTS = (
    Plant(
        "overdue-before-it-is-missed",
        "A payment counts the next instalment as overdue, which nobody has called missed.",
        instead(paying, "overdue_fen", lambda real: lambda book, next_missed: real(book, next_missed + 1)),
        ("overdue, missed is",),
        config=LATE,
    ),
    Plant(
        "month-end-not-charged",
        "Penalty is charged when a bucket gets worse, and at no month's end.",
        instead(charging, "charging_days", _bar_month_ends),
        ("was not charged on", "over", "is quoted"),
        config=LATE,
    ),
    Plant(
        "quoted-in-one-piece",
        "A settlement is quoted as if no day until then charged for itself.",
        instead(settling, "accrued", _in_one_piece),
        ("is quoted",),
        config=LATE,
    ),
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
        instead(charging, "penalty_lines", _compounded),
        ("open is", "the contract says", "internal refusals"),
        config=LATE,
        seeds=range(18, 24),
    ),
)
