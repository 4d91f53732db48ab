"""Bugs of blank contracts and of contracts that are void: a paper nobody misses, a hand-over nobody confirms, one person for all."""

from dataclasses import replace
from typing import Any

import services.bidding.domain.stock as stock
import services.bidding.domain.voiding as voiding
from services.bidding.domain.listing_state import Voiding
from tools.simulator.planted.plant import DUES, Plant, instead


def _misses_nothing(real: Any) -> Any:
    def count(*arguments: Any) -> Any:
        return [replace(event, missing=()) for event in real(*arguments)]

    return count


def _blind(real: Any) -> Any:
    """Whoever agrees is taken for somebody else."""

    def approve(command: Any, state: Any, context: Any) -> Any:
        known = state.terms.voiding
        if known is not None:
            blind = Voiding(code=known.code, people=(), posts=known.posts)
            state = replace(state, terms=replace(state.terms, voiding=blind))
        return real(command, state, context)

    return approve


PLANTS = (
    Plant(
        "missing-contract-not-named",
        "A blank contract is missing, and the count does not say so.",
        instead(stock, "_count", _misses_nothing),
        ("missing are",),
        config=DUES,
        seeds=range(6),
    ),
    Plant(
        "one-person-voids-a-contract",
        "Whoever proposes that a contract is void agrees to it, too.",
        instead(voiding, "_approve", _blind),
        ("says twice that",),
        config=DUES,
        seeds=range(6),
    ),
)
