"""What an account remembers of its owner's death: the last word of each of his loans, because only loans say so and each for itself.

He is dead while any of them says so. Words of one loan may come in either order, so the one that its stream said last counts.
"""

from typing import TYPE_CHECKING, Final

from libs.events.account import OwnerDeathRecorded, OwnerDeathWithdrawn
from libs.events.codec import record
from libs.events.money import Count

if TYPE_CHECKING:  # the state's module folds by this one
    from services.bidding.domain.account_state import Open

#: As which an account declines what nobody may take from it by himself: its owner has died.
OWNER_DECEASED: Final = "owner_deceased"


@record
class DeathWord:
    """What a loan said last of its borrower's death, as the event of that number in its stream."""

    loan_id: str
    said: Count
    stands: bool


def words_after(
    words: tuple[DeathWord, ...], event: OwnerDeathRecorded | OwnerDeathWithdrawn
) -> tuple[DeathWord, ...]:
    """The words once a loan has said another."""
    word = DeathWord(loan_id=event.loan_id, said=event.said, stands=isinstance(event, OwnerDeathRecorded))
    return (*(other for other in words if other.loan_id != event.loan_id), word)


def said_by(state: "Open", loan_id: str) -> Count:
    """The number of what a loan said last, 0 for nothing."""
    return next((word.said for word in state.deaths if word.loan_id == loan_id), 0)


def has_died(state: "Open") -> bool:
    """Whether the owner has died, as far as his loans say."""
    return any(word.stands for word in state.deaths)
