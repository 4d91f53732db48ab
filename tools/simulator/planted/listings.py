"""Bugs of listings as they are offered: to whom, from which day, until when, and of what waits for their end."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import services.bidding.domain.funding as funding
import services.bidding.domain.listing as listing
import services.bidding.domain.opening as opening
import services.bidding.domain.waiting as waiting
from services.bidding.commands.vouchers import ReturnVouchers, SettleVouchers
from services.bidding.policies import POLICIES as BIDDING
from tools.simulator.planted.plant import LASTING, LAWFUL, Plant, forgetting, instead, policy, together


def _a_day_early(real: Any) -> Any:
    def wakes_on(state: Any) -> Any:
        due = real(state)
        return due if due is None else (due[0] - timedelta(days=1), due[1])

    return wakes_on


def _for_everybody(real: Any) -> Any:
    def why_unfit(*arguments: Any) -> str | None:
        code: str | None = real(*arguments)
        return None if code in ("unsuitable", "suitability_expired") else code

    return why_unfit


def _whoever_published_it(real: Any) -> Any:
    def require_another(who: str, state: Any) -> None:
        real(who, replace(state, terms=replace(state.terms, signers=())))

    return require_another


PLANTS = (
    Plant(
        "publisher-pays-out",
        "Who let a listing be published pays it out.",
        instead(funding, "_require_another", _whoever_published_it),
        (" pays out what others have to",),
        config=LAWFUL,
        seeds=range(5, 7),
    ),
    Plant(
        "payout-forgotten-for-ever",
        "Nothing ends a reviewed listing that no cashier pays out.",
        together(
            instead(listing, "lapses_on", lambda _real: lambda _state: None),
            instead(funding, "require_in_time", lambda _real: lambda _state, _context: None),
        ),
        (" is paid out on ", " beyond "),
        config=LASTING,
        seeds=range(16, 19),
    ),
    Plant(
        "payout-lapses-early",
        "A reviewed listing ends while a cashier may still pay it out.",
        together(instead(listing, "lapses_on", _a_day_early), instead(waiting, "lapses_on", _a_day_early)),
        ("has not waited until",),
        config=LASTING,
        seeds=range(3, 6),
    ),
    Plant(
        "opens-a-day-early",
        "A scheduled listing opens the day before.",
        together(instead(listing, "opening_of", _a_day_early), instead(opening, "opening_of", _a_day_early)),
        (" opens on ",),
        config=LAWFUL,
        seeds=range(8),
    ),
    Plant(
        "unsuitable-may-bid",
        "Nobody looks at an investor's risk level.",
        instead(listing, "_why_unfit", _for_everybody),
        ("he bids", " bids on an assessment of ", "which is for"),
        config=LAWFUL,
        seeds=range(8),
    ),
    Plant(
        "funded-loan-keeps-its-vouchers",
        "The marketing account never hears that a loan is funded.",
        policy(BIDDING, "bidding", forgetting(SettleVouchers)),
        ("no bidding.SettleVouchers",),
        config=LAWFUL,
        seeds=range(4),
    ),
    Plant(
        "ended-listing-keeps-its-vouchers",
        "The marketing account never hears that a listing came to nothing.",
        policy(BIDDING, "bidding", forgetting(ReturnVouchers)),
        ("no bidding.ReturnVouchers",),
        config=LAWFUL,
        seeds=range(4),
    ),
)
