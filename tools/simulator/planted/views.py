"""Bugs of what people read: rows of a cash history, and what the holders of a loan may expect."""

from typing import Any

from libs.events.bidding import HoldReleased
from services.repayment.domain import expected
from services.repayment.projections import holders
from services.reporting.projections import statement
from tools.simulator.planted.plant import DUES, LATE, Plant, instead


def _but_for_releases(real: Any) -> Any:
    return lambda moved, account: 0 if isinstance(moved, HoldReleased) else real(moved, account)


def _floored(total_fen: int, start: int, end: int, whole: int) -> int:
    return total_fen * (end - start) // whole


PLANTS = (
    Plant(
        "release-moves-nothing",
        "A released hold is in the cash history, and its row says that it moved nothing.",
        instead(statement, "_on", _but_for_releases),
        ("the row bidding/",),
    ),
    Plant(
        "movement-without-a-row",
        "The movements of an account overwrite each other in its cash history.",
        instead(statement, "_line", lambda _real: lambda account_id, _sequence: f"{account_id}/1"),
        (" rows of acc_",),
    ),
    Plant(
        "holders-not-paid",
        "What was distributed is still owed to the claims on their loan's page.",
        instead(holders, "distributed", lambda _real: lambda _shared: []),
        (" is held by ",),
        config=DUES,
    ),
    Plant(
        "expectation-floored",
        "Each holder expects his proportion rounded down, and nobody the rest.",
        instead(expected, "slice_fen", lambda _real: _floored),
        ("holders of loan_",),
        config=DUES,
        seeds=range(9, 13),
    ),
    Plant(
        "his-instalments-spread-on-all",
        "What the holders of a loan expect of instalments that its guarantor has paid for.",
        instead(holders, "owned", lambda _real: lambda _event: []),
        (" of instalments that ask for ",),
        config=LATE,
        seeds=range(5, 9),
    ),
)
