"""Two differences that settle each other: whether one may rest on the other, and what stands alone when the other one is there no more.

A pair rests on both halves. So whatever ends one of them apart from the other, or says that it is something else, gives the other one
back to the work list.
"""

from libs.events.bank_days import BankBreakOpened
from services.bidding.commands.bank_days import Half
from services.bidding.domain.bank_day_records import Books, Explained
from services.bidding.domain.bank_day_wholes import opened
from services.bidding.domain.bank_days_state import told_of
from services.bidding.domain.buckets import kept


def stands(break_id: str, said: Explained, state: Books) -> bool:
    """Whether an explanation still holds: the other difference that it names says the same of this one, or was resolved with it."""
    if not said.counterpart or said.other_over:
        return True
    other = kept(state.breaks, said.counterpart)
    return other is not None and other.explained is not None and other.explained.counterpart == break_id


def alone(break_id: str, counterpart: str, other: Half | None, state: Books) -> list[BankBreakOpened]:
    """The other one of two that settled each other, now that this one ends apart: unless it is open again, over for another
    reason, or of a day that nobody looks at any more."""
    if other is None or kept(state.breaks, counterpart) is not None:
        return []
    settled = kept(state.settled, counterpart)
    is_kept = settled is not None and settled.counterpart == break_id
    if not is_kept and told_of(state, other.business_date) is None:
        return []
    return [opened(counterpart, other)]


def freed(break_id: str, state: Books) -> list[BankBreakOpened]:
    """What was resolved by a difference of the work list that ends apart from it, or is explained otherwise."""
    found = kept(state.breaks, break_id)
    said = found.explained if found else None
    return alone(break_id, said.counterpart, said.other, state) if said and said.other_over else []
