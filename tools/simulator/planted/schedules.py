"""Bugs of how loans are repaid: a manner that is lost on the way, holidays, deferred interest, and whose the fees are."""

from dataclasses import replace
from datetime import date
from typing import Any

from libs.events.schedules import due_dates, rows
from services.repayment.commands import OpenLoan
from services.repayment.domain import paying
from services.repayment.policies import POLICIES as REPAYMENT
from tools.simulator.planted.plant import DUES, LATE, MONTH_END, WHOLE, Plant, changing, instead, policy


def _keeps_no_fee(real: Any) -> Any:
    """The borrower's fee is taken from him and given to nobody."""

    def distributed(*arguments: Any) -> Any:
        shared = real(*arguments)
        return replace(shared, fee_fen=shared.fee_fen - shared.period_fee_fen, period_fee_fen=0)

    return distributed


def _unmoved(_real: Any) -> Any:
    def shifted(day: date, *_how: Any) -> date:
        return day

    return shifted


def _forgiven(_real: Any) -> Any:
    """Interest of the months of grace is never asked."""
    return lambda interest, grace: [0] * grace + interest[grace:]


PLANTS = (
    Plant(
        "anyone-pays",
        "A loan takes a stranger's money although its terms do not say so.",
        instead(paying, "takes_from_anyone", lambda _real: lambda _state: True),
        ("who is not its borrower",),
        config=LATE,
        seeds=range(9, 13),
    ),
    Plant(
        "manner-forgotten",
        "The ledger opens every loan in equal monthly instalments, whatever was agreed.",
        policy(REPAYMENT, "bidding", changing(OpenLoan, repayment=lambda _command: None)),
        ("is repaid by",),
        config=MONTH_END,
    ),
    Plant(
        "period-fee-lost",
        "The fee of an instalment is paid and reaches nobody.",
        instead(paying, "_distributed", _keeps_no_fee),
        ("is not shared out", "of fees, the platform gets"),
        config=DUES,
        seeds=range(10, 14),
    ),
    Plant(
        "holiday-worked",
        "A due day on which nobody works is not moved.",
        instead(due_dates, "shifted", _unmoved),
        ("instalment ",),
        config=MONTH_END,
    ),
    Plant(
        "grace-is-a-gift",
        "The interest of a grace is never asked.",
        instead(rows, "deferred", _forgiven),
        ("wrong interest of instalment",),
        config=WHOLE,
    ),
)
