"""How calls and attempts are counted, for the limits that are the debtor's over all collectors."""

from datetime import date

from libs.events.codec import record
from libs.events.collections import ContactLogged

#: Local days whose effective calls are remembered: API clocks differ by seconds, a call is logged hours after it began.
CALL_DAYS_REMEMBERED = 7


@record
class DayCalls:
    """Effective calls to the debtor on one of his local days, over all collectors."""

    day: date
    calls: int


def is_counted(event: ContactLogged) -> bool:
    """Whether the contact was an effective call in the sense of the limit: we called, and somebody was spoken to."""
    return event.effective and event.channel == "call" and event.direction == "outbound"


def unanswered_after(before: int, event: ContactLogged) -> int:
    """Attempts at the debtor himself in vain, after one more contact."""
    if event.party != "debtor" or event.channel not in ("call", "visit"):
        return before
    if event.effective:
        return 0
    return before + 1 if event.direction == "outbound" else before  # whoever rings up himself can be reached


def counted(days: tuple[DayCalls, ...], day: date) -> tuple[DayCalls, ...]:
    """One more effective call on a local day; the oldest days are forgotten."""
    calls = next((known.calls for known in days if known.day == day), 0)
    others = (known for known in days if known.day != day)
    counted = sorted((*others, DayCalls(day=day, calls=calls + 1)), key=lambda known: known.day)
    return tuple(counted[-CALL_DAYS_REMEMBERED:])
