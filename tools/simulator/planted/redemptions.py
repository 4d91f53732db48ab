"""Bugs of emergency redemptions: evidence that is none, one person for all, a post left out, a clock that nobody looks at."""

from dataclasses import replace
from typing import Any

import services.bidding.domain.redemption as redemption
import services.bidding.domain.unsold as unsold
from services.bidding.commands.redemption import LapseRedemption
from services.bidding.domain.profile import Profile
from services.bidding.policies import POLICIES as BIDDING
from tools.simulator.planted.market import TRADES
from tools.simulator.planted.plant import WHOLE, Plant, forgetting, instead, policy


def _straight_to_the_cashier(_real: Any) -> Any:
    return lambda step: "release" if step == "department_head" else _real(step)


def _for_anybody(real: Any) -> Any:
    """Whoever is the holder signs as if he were not."""

    def sign(command: Any, *others: Any) -> Any:
        return real(replace(command, himself=None), *others)

    return sign


PLANTS = (
    Plant(
        "redeemed-by-one-person",
        "Whoever has signed a redemption signs it again.",
        instead(redemption, "_require_another", lambda _real: lambda *_arguments: None),
        ("a second time", "for himself"),
        config=WHOLE,
        seeds=range(12),
    ),
    Plant(
        "redeemed-for-himself",
        "Nobody looks whether a signer is the holder.",
        instead(redemption, "_sign", _for_anybody),
        ("for himself",),
        config=WHOLE,
        seeds=range(24),
    ),
    Plant(
        "redemption-skips-two-posts",
        "After the department head comes the cashier.",
        instead(redemption, "_after", _straight_to_the_cashier),
        ("told is release", "waits for branch_general_manager"),
        config=WHOLE,
        seeds=range(12),
    ),
    Plant(
        "evidence-of-a-day",
        "An offer that stood for a day is evidence.",
        instead(Profile, "stood_unsold", lambda _real: lambda *_arguments: True),
        (" stood for ",),
        config=TRADES,
        seeds=range(15, 17),
    ),
    Plant(
        "evidence-of-any-size",
        "Any offer that stayed unsold is evidence, however long ago and however little of the claim it was.",
        instead(unsold, "_why_too_weak", lambda _real: lambda *_arguments: None),
        ("offered less", "ended long ago", " stood for "),
        config=WHOLE,
        seeds=range(24),
    ),
    Plant(
        "redemption-without-end",
        "A deadline passes, and the redemption waits on.",
        instead(redemption, "_pass", lambda _real: lambda _wake, _state: []),
        ("is past its deadline", "WakeFailed"),
        config=TRADES,
        seeds=range(11, 13),
    ),
    Plant(
        "unsold-redemption-not-told",
        "The sale of a redemption expires, and the redemption never hears of it.",
        policy(BIDDING, "bidding", forgetting(LapseRedemption)),
        ("has ended and it has not", "never ends"),
        config=WHOLE,
        seeds=range(12),
    ),
)
