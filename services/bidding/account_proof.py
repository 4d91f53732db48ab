"""The third side of reconciliation: what every account says that it has, against what its postings come to.

Postings of an entry add up to zero by themselves, so their sum proves nothing; a balance that an account carries on from event to event
may be wrong all the same.
"""

from typing import Final

from libs.runtime.http.edge import ReadsViews

PROOF: Final = "bidding.account-proof"
_PAGE: Final = 1_000


async def drift_fen(views: ReadsViews) -> int:
    """How far what accounts say is from what they were given, each without its sign, so that two errors never cancel. A page at a
    time: both stand in one document, so nobody has to be at rest. Raises ViewMissing, DatabaseError.
    """
    total_fen = 0
    after: str | None = None
    while True:
        page, after = await views.page(PROOF, where={}, after=after, limit=_PAGE)
        for document in page:
            total_fen += abs(document.get("says_fen", 0) - document.get("posted_fen", 0))
        if after is None:
            return total_fen
