"""A full listing that people forget: its bids are not held for ever.

From the last bid on nobody takes a listing back (cancelling.py), so what waits for a reviewer or a cashier ends by itself.
"""

from collections.abc import Sequence
from dataclasses import replace

from libs.events.bidding import ListingCancelled
from libs.events.deciding import Context, Refused, Wake, WakeOn
from services.bidding.domain.cancelling import cancelled
from services.bidding.domain.listing_state import Filled, Payable

#: The phase of a day in which it lapses (design.md 2.7): the one that ends the day here.
LAPSE_PHASE = 1


def lapses_on(state: Filled | Payable) -> WakeOn:
    """The end of the last day on which people may act; None where nobody has to."""
    last = state.review_by if isinstance(state, Filled) else state.pay_by
    return None if last is None else (last, LAPSE_PHASE)


def require_in_time(state: Filled | Payable, context: Context) -> None:
    """Refused `review_lapsed` or `payout_lapsed` after the last day, whether the tick has come to this stream yet or not."""
    due = lapses_on(state)
    if due is not None and context.business_date > due[0]:
        raise Refused(_code(state))


def lapse(wake: Wake, state: Filled | Payable, context: Context) -> Sequence[ListingCancelled]:
    """Nobody has reviewed it, or paid it out: every hold is released."""
    due = lapses_on(state)
    if due is None or (wake.business_date, wake.phase) < due:
        return []
    ended = cancelled(state.terms, state.bids, context, _code(state))
    return [replace(ended, cancelled_on=wake.business_date)]


def _code(state: Filled | Payable) -> str:
    return "review_lapsed" if isinstance(state, Filled) else "payout_lapsed"
