"""How a loan's state takes over what measures did to it: no deciding, only what the events say."""

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from libs.events.measures import LoanWrittenOff, PenaltyWaived
from services.repayment.domain.profile import WRITTEN_OFF
from services.repayment.domain.trouble import TroubledEvent, after_event
from services.repayment.domain.waiving import waived

if TYPE_CHECKING:  # the state's module folds by this one
    from services.repayment.domain.loan_state import Running


def troubled(state: "Running", event: TroubledEvent) -> "Running":
    """The loan after one of these events. A new schedule is told by its own, which comes next."""
    state = replace(state, trouble=after_event(state.trouble, event))
    match event:
        case LoanWrittenOff():
            return replace(state, bucket=WRITTEN_OFF, book=replace(state.book, penalty_rate=Decimal(0)))
        case PenaltyWaived():
            return replace(state, book=waived(state.book, event.lines))
        case _:
            return state
