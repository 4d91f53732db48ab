"""Known bugs, planted one at a time: a search that finds nothing proves something only if it would find these."""

from typing import Final

from tools.simulator.planted import (
    anew,
    assets,
    bank,
    closing,
    corrections,
    guarantors,
    kernel,
    lateness,
    limits,
    listings,
    market,
    measures,
    openings,
    outside,
    pages,
    papers,
    pauses,
    people,
    plans,
    prepaying,
    redemptions,
    rules,
    schedules,
    settling,
    shells,
    standing,
    stock,
    views,
    voidances,
)
from tools.simulator.planted.plant import Plant, Verdict, judge

#: All of them by name.
PLANTS: Final = {
    plant.name: plant
    for plant in (
        *kernel.PLANTS,
        *rules.PLANTS,
        *shells.PLANTS,
        *people.PLANTS,
        *plans.PLANTS,
        *papers.PLANTS,
        *listings.PLANTS,
        *openings.PLANTS,
        *redemptions.PLANTS,
        *measures.PLANTS,
        *pauses.PLANTS,
        *limits.PLANTS,
        *market.PLANTS,
        *standing.PLANTS,
        *schedules.PLANTS,
        *prepaying.PLANTS,
        *settling.PLANTS,
        *anew.PLANTS,
        *lateness.PLANTS,
        *outside.PLANTS,
        *bank.PLANTS,
        *views.PLANTS,
        *pages.PLANTS,
        *closing.PLANTS,
        *corrections.PLANTS,
        *guarantors.PLANTS,
        *stock.PLANTS,
        *assets.PLANTS,
        *voidances.PLANTS,
    )
}

__all__ = ["PLANTS", "Plant", "Verdict", "judge"]
