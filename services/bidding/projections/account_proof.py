"""The view `bidding.account-proof`: what an account's last event says that it has, beside the sum of all its postings.

One document per account, the platform's own among them; a rebuild adds the postings up again, so the two agree or an account is wrong.
"""

from collections.abc import Sequence

from libs.events.bidding import Posting
from libs.events.records import RecordedEvent
from libs.events.views import Add, Op, Set, View
from services.bidding.projections.custody import VIEW as CUSTODY

#: Postings to these are an account's own; clearing, unrequested money and the bank have no balance of their own.
_OWN = ("available", "held", "fees", "marketing")


def project(event: RecordedEvent) -> Sequence[Op]:
    """What the account of this event says afterwards, and what it was given."""
    data = event.data
    postings: tuple[Posting, ...] = data.postings
    own_fen = sum(each.amount_fen for each in postings if each.account.split(":", 1)[0] in _OWN)
    return [
        Set(data.account_id, "says_fen", _says_fen(data)),
        Add(data.account_id, "posted_fen", own_fen),
        Set(data.account_id, f"src.{event.stream}", event.address),
    ]


def _says_fen(data: object) -> int:
    """All that an account has after an event of its own."""
    available_fen = getattr(data, "available_after_fen", None)
    if available_fen is None:
        return int(getattr(data, "balance_after_fen"))  # noqa: B009  # the platform's own accounts
    return int(available_fen + getattr(data, "held_after_fen", 0))


def _is_an_accounts(kind: type) -> bool:
    return not {"available_after_fen", "balance_after_fen"}.isdisjoint(kind.__annotations__)


VIEW = View(
    name="bidding.account-proof",
    version=1,
    reads=tuple(kind for kind in CUSTODY.reads if _is_an_accounts(kind)),
    project=project,
)
