"""Bugs of what waits for people: money that is held for ever, or a listing that ends while they may still act."""

from datetime import timedelta
from typing import Any

import services.bidding.domain.funding as funding
import services.bidding.domain.listing as listing
import services.bidding.domain.waiting as waiting
from tools.simulator.planted.plant import LASTING, Plant, instead, together


def _a_day_early(real: Any) -> Any:
    def lapses_on(state: Any) -> Any:
        due = real(state)
        return due if due is None else (due[0] - timedelta(days=1), due[1])

    return lapses_on


PLANTS = (
    Plant(
        "payout-forgotten-for-ever",
        "Nothing ends a reviewed listing that no cashier pays out.",
        together(
            instead(listing, "lapses_on", lambda _real: lambda _state: None),
            instead(funding, "require_in_time", lambda _real: lambda _state, _context: None),
        ),
        (" is paid out on ", " beyond "),
        config=LASTING,
        seeds=range(12),
    ),
    Plant(
        "payout-lapses-early",
        "A reviewed listing ends while a cashier may still pay it out.",
        together(instead(listing, "lapses_on", _a_day_early), instead(waiting, "lapses_on", _a_day_early)),
        ("has not waited until",),
        config=LASTING,
        seeds=range(12),
    ),
)
