"""The claims that were paid for against their register, loan by loan, at a moment of rest.

The two are kept by two services: what moves is on its way between them, what stays is wrong. In one sum a loan that says too much hides
another one that says too little.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from libs.events.bank_days import Claims
from libs.runtime.http.edge import ReadsViews

LENT: Final = "bidding.lent"
#: Loans that differ and are named (chosen).
LOANS_SHOWN: Final = 20
#: Loans that are looked at again, because they differ (chosen): where more do, nobody needs to know more exactly by how much.
_WATCHED_MAX: Final = 10_000
_LOAN: Final = "loan:"
_PAGE: Final = 1_000

_Sums = tuple[int, int]


async def claims_at_rest(
    views: ReadsViews, pause: Callable[[], Awaitable[None]], looks: int = 20
) -> Claims | None:
    """What was paid for claims beside their register: at once where they agree, else what stays the same for all looks.

    All loans are read once, a page at a time; then those that differ again, until they do not or have moved. None while something is
    on its way between the two: a difference that moves is none. Raises ViewMissing, DatabaseError.
    """
    first: Claims | None = None
    apart = await _apart(views)
    for _ in range(looks):
        paid_fen, registered_fen = _sums(await views.get(LENT, "all"))
        seen = Claims(ledger_fen=paid_fen, register_fen=registered_fen)
        if paid_fen == registered_fen and not apart:
            return seen
        if first is not None and seen != first and paid_fen != registered_fen:
            return None
        first = seen
        await pause()
        apart = {loan: was for loan, was in apart.items() if _sums(await views.get(LENT, loan)) == was}
    return first and Claims(
        ledger_fen=first.ledger_fen,
        register_fen=first.register_fen,
        apart_fen=sum(abs(registered_fen - paid_fen) for paid_fen, registered_fen in apart.values()),
        loans=tuple(loan.removeprefix(_LOAN) for loan in sorted(apart)[:LOANS_SHOWN]),
    )


async def _apart(views: ReadsViews) -> dict[str, _Sums]:
    """The loans whose two sums differ at this moment."""
    found: dict[str, _Sums] = {}
    after: str | None = _LOAN
    while after is not None and len(found) < _WATCHED_MAX:
        page, after = await views.page(LENT, where={}, after=after, limit=_PAGE)
        for document in page:
            paid_fen, registered_fen = sums = _sums(document)
            if paid_fen != registered_fen:
                found[str(document["_id"])] = sums
    return found


def _sums(document: Any) -> _Sums:
    found = document or {}
    return found.get("ledger_fen", 0), found.get("register_fen", 0)
