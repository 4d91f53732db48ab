"""The view `bidding.bank-bookings`: our side of each bank day, as the matching with the bank's file needs it.

One document per booking under a reference of the bank, named by date first so that a day is read as one range and in order. `day:<date>`
sums the day's bookings and what all other accounts gained on it; neither changes any more once every partition (`partition:~pN`)
has gone on to a later date.
"""

from collections.abc import Sequence

from libs.events.bidding import Posting
from libs.events.records import RecordedEvent
from libs.events.system import BusinessDateSet
from libs.events.views import Add, Op, Set, SetOnce, View
from services.bidding.projections.custody import VIEW as CUSTODY

#: The posting account that stands for the bank.
BANK = "bank:custody"

#: What our own word for a booking's cause is, by the event's field.
_REQUESTS = ("top_up_id", "withdrawal_id", "booking_id")


def project(event: RecordedEvent) -> Sequence[Op]:
    """A booking with the bank is a row and counts on its day; every posting counts in the day's accounts."""
    data = event.data
    if isinstance(data, BusinessDateSet):
        on = data.business_date.isoformat()
        return [Set(f"partition:{event.stream}", "lives_on", on), *_on_day(on, 0)]
    assert event.business_date is not None, "an account decides on a business date"
    on = event.business_date.isoformat()
    postings: tuple[Posting, ...] = data.postings
    others_fen = sum(posting.amount_fen for posting in postings if posting.account != BANK)
    ops = _on_day(on, others_fen)
    for posting in postings:
        if posting.account == BANK:
            ops += _booked(event, on, -posting.amount_fen)
    return ops


def _on_day(on: str, others_fen: int) -> list[Op]:
    """Every date has its sums, also one on which nothing moves."""
    return [SetOnce(f"day:{on}", "business_date", on), Add(f"day:{on}", "accounts_fen", others_fen)]


def _booked(event: RecordedEvent, on: str, moved_fen: int) -> list[Op]:
    data, day = event.data, f"day:{on}"
    request = next((getattr(data, name) for name in _REQUESTS if hasattr(data, name)), "")
    account = getattr(data, "account_id", "")
    fields = {
        "booked_on": on,
        "reference": data.bank_reference,
        "account_id": account,
        "request_id": request,
        "moved_fen": moved_fen,
        "event": event.address,
    }
    row = f"{on}|{data.bank_reference}|{account}|{request}"
    return [
        *(Set(row, name, value) for name, value in fields.items()),
        Add(day, "bookings", 1),
        Add(day, "in_fen", max(moved_fen, 0)),
        Add(day, "out_fen", max(-moved_fen, 0)),
    ]


VIEW = View(
    name="bidding.bank-bookings",
    version=1,
    reads=(BusinessDateSet, *CUSTODY.reads),
    project=project,
    indexes=("reference",),
)
