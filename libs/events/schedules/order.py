"""In which order a payment pays what is owed: agreed on with the loan, and no longer the same once the loan is in bad standing.

Where nothing is agreed it is today's: oldest instalment first, within it penalty, fee, interest, principal. Civil Code art. 561 gives
the same: costs, then interest, then principal.
"""

from typing import Final, Literal

from libs.events.codec import record
from libs.events.deciding import Refused

Component = Literal["penalty", "fee", "interest", "principal"]

COMPONENTS: Final[tuple[Component, ...]] = ("penalty", "fee", "interest", "principal")


@record
class PayOrder:
    """`horizontal`: instalment by instalment, oldest first, each by its components in this order. `vertical`: component by component,
    each over all instalments that are due, oldest first."""

    across: Literal["horizontal", "vertical"] = "horizontal"
    components: tuple[Component, ...] = COMPONENTS


@record
class Allocation:
    """The orders of one loan: while it is performing, and while it is non-performing (five-class substandard or worse)."""

    performing: PayOrder = PayOrder()
    non_performing: PayOrder = PayOrder()


def require_order(allocation: Allocation | None) -> None:
    """Refused: `invalid_allocation` unless each order names every component once."""
    for order in (allocation.performing, allocation.non_performing) if allocation else ():
        if sorted(order.components) != sorted(COMPONENTS):
            raise Refused("invalid_allocation")
