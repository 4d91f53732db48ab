"""Bugs of new schedules: interest that was not agreed on, days that bore penalty, fees and arrears that are forgotten."""

from dataclasses import replace
from typing import Any

from services.repayment.domain import restructuring, troubled
from tools.simulator.planted.plant import Plant, instead
from tools.simulator.planted.settling import RESTRUCTURED


def _on_all_of_it(real: Any) -> Any:
    """An extension's last row asks for as much interest as its first."""

    def spread(rules: Any, state: Any, plan: Any) -> Any:
        rows = real(rules, state, plan)
        if plan.accrued_fen is not None:
            return rows
        return (*rows[:-1], replace(rows[-1], interest_fen=rows[0].interest_fen))

    return spread


def _of_what_is_asked(real: Any) -> Any:
    """A row that asks for no principal and no interest has no fee of its own."""

    def spread(rules: Any, state: Any, plan: Any) -> Any:
        first, *others = real(rules, state, plan)
        asked = (row if row.principal_fen or row.interest_fen else replace(row, fee_fen=0) for row in others)
        return (first, *asked)

    return spread


PLANTS = (
    Plant(
        "extended-at-flat-interest",
        "The last month of an extension costs what the first did, whatever was repaid by then.",
        instead(restructuring, "_spread", _on_all_of_it),
        ("is extended: asked anew is",),
        config=RESTRUCTURED,
        seeds=range(1),
    ),
    Plant(
        "restructured-at-the-cost-of-both",
        "The first row after a restructuring asks for interest of days on which its principal bore penalty.",
        instead(restructuring, "interest_used_fen", lambda _real: lambda *_arguments, **_named: 0),
        ("is restructured: asked anew is",),
        config=RESTRUCTURED,
        seeds=range(2, 3),
    ),
    Plant(
        "fee-of-an-empty-row-forgotten",
        "Where interest comes first and is none, new rows but the first and the last have no fee.",
        instead(restructuring, "_spread", _of_what_is_asked),
        ("is restructured: asked anew is", "is extended: asked anew is"),
        config=RESTRUCTURED,
        seeds=range(1, 2),
    ),
    Plant(
        "arrears-lost-with-the-loan",
        "A write-off gives up what was in arrears of interest and fees before a restructuring, because it is due anew.",
        instead(
            troubled, "_bare", lambda _real: lambda _arrears, row: replace(row, interest_fen=0, fee_fen=0)
        ),
        ("is written off with",),
        config=RESTRUCTURED,
        seeds=range(20, 21),
    ),
)
