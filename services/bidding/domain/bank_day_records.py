"""What is kept of bank days: the last days, the differences that stand or are settled, and a file that is being told."""

from datetime import date
from typing import Literal

from libs.events.bank_days import (
    BreakKind,
    Claims,
    Explanation,
    Part,
    Resolution,
    Side,
    Told,
    Unlisted,
)
from libs.events.codec import record
from libs.events.money import Count, Fen
from libs.events.onboarding import TextHash
from services.bidding.commands.bank_days import Half


@record
class Day:
    """The last file of a date that said something new, and our side of it. `told`: of a day that comes bit by bit, all that was told;
    `waits`: how many differences of it wait to be told or closed."""

    revision: Count
    lines_hash: TextHash
    bank: Side
    ledger: Side
    told: Told | None = None
    waits: Count = 0


@record
class Explained:
    """Who said what of a difference, and by which other one it comes from where he knows that (`other_over`: that one was resolved by
    this one, and its file still shows it)."""

    code: Explanation
    who: str
    counterpart: str = ""
    other: Half | None = None
    other_over: bool = False


@record
class Break:
    """A difference that is not resolved; `explained` is None while nobody has said where it comes from."""

    business_date: date
    kind: BreakKind
    reference: str
    account_id: str
    bank_fen: Fen
    ledger_fen: Fen
    explained: Explained | None = None

    @property
    def difference_fen(self) -> int:
        """How much more the bank has than we."""
        return self.bank_fen - self.ledger_fen


@record
class Settled:
    """A difference that its date's files still show and nobody has to look at. Of two that settle each other each knows the other one
    (`counterpart`), and what that says by itself."""

    business_date: date
    kind: BreakKind
    code: Resolution
    counterpart: str = ""
    other: Half | None = None


@record
class Begun:
    """A file whose differences come in parts: what was told of it, how many parts are in, and all that was told of the day with them."""

    business_date: date
    listing: TextHash
    lines_hash: TextHash
    bank: Side
    ledger: Side
    accounts_fen: Fen
    claims: Claims | None
    parts: tuple[Part, ...]
    unlisted: Unlisted | None
    unclosed: Unlisted | None
    told: Told
    listed: Count = 0
    opened: Count = 0
    closed: Count = 0


Breaks = dict[str, dict[str, Break]]
"""By the first digits of an id, then by the id."""


@record
class Books:
    """The last days by date, and all differences. A settled one is told again by every later file of its day, so its id is kept;
    `settled_fen` sums those of the whole by kind, because they stand until something else changes. `left_fen` is how much more the bank
    moved than we on all days that have left.
    """

    kind: Literal["books"] = "books"
    days: dict[str, Day]
    breaks: Breaks
    settled: dict[str, dict[str, Settled]]
    settled_fen: dict[str, Fen]
    left_fen: Fen = 0
    begun: Begun | None = None
