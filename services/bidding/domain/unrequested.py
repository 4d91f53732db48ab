"""Money that the bank received for us and that nobody asked to pay in: booked the moment it is known, whosever it may be.

One stream per booking of the bank, named by its reference, so the same reference twice has one effect. To whom the money
belongs is found out by people (reconciliation); until then it is nobody's, and the books still balance.
"""

from collections.abc import Sequence
from typing import Literal, assert_never

from libs.events.bidding import UnrequestedMoneyReceived
from libs.events.codec import record
from libs.events.deciding import Aggregate, Context, Refused, WakeOn
from libs.events.money import PositiveFen
from services.bidding.commands import RecordUnrequestedMoney
from services.bidding.domain.booking import BANK, UNREQUESTED, postings
from services.bidding.domain.ids import reference_of


@record
class Unknown:
    """The bank has said nothing under this reference."""

    kind: Literal["unknown"] = "unknown"


@record
class Received:
    """So much came in."""

    kind: Literal["received"] = "received"
    amount_fen: PositiveFen


UnrequestedState = Unknown | Received


def decide(
    command: RecordUnrequestedMoney, state: UnrequestedState, context: Context
) -> Sequence[UnrequestedMoneyReceived]:
    """Book what the bank says. Refusals stand on the command."""
    match state:
        case Received():
            if state.amount_fen != command.amount_fen:
                raise Refused("amount_differs")
            return []
        case Unknown():
            pass
        case _:
            assert_never(state)
    return [
        UnrequestedMoneyReceived(
            booking_id=command.booking_id,
            bank_reference=reference_of(command.booking_id),
            amount_fen=command.amount_fen,
            received_on=context.business_date,
            postings=postings((BANK, -command.amount_fen), (UNREQUESTED, command.amount_fen)),
        )
    ]


def evolve(_state: UnrequestedState, event: UnrequestedMoneyReceived) -> UnrequestedState:
    """Fold the one event that there is."""
    return Received(amount_fen=event.amount_fen)


def wake_on(_state: UnrequestedState) -> WakeOn:
    """Time does nothing to it."""
    return None


AGGREGATE = Aggregate(
    name="unrequested money",
    prefix="bankref",
    commands=(RecordUnrequestedMoney,),
    events=(UnrequestedMoneyReceived,),
    state=UnrequestedState,
    initial=Unknown(),
    decide=decide,
    evolve=evolve,
    wake_on=wake_on,
)
