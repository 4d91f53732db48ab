"""What a debtor remembers of the flags on his loans."""

from libs.events.codec import record
from libs.events.flags import DebtorFlagged, DebtorUnflagged, FlagKind


@record
class Flagged:
    """A flag that stands on a loan."""

    loan_id: str
    flag: FlagKind


def flags_after(flags: tuple[Flagged, ...], event: DebtorFlagged | DebtorUnflagged) -> tuple[Flagged, ...]:
    """The flags after one event."""
    told = Flagged(loan_id=event.loan_id, flag=event.flag)
    others = tuple(each for each in flags if each != told)
    return (*others, told) if isinstance(event, DebtorFlagged) else others
