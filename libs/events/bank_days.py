"""Events of `bidding` about the custodian bank's daily file 对账: what was compared, and the life of every difference.

All stand in one stream, so that differences of two days are matched in one decision (decisions/0017). Amounts are signed as the
bank counts them: what came in is positive, what went out negative. Nobody's words stand here, only codes and ids.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from libs.events.codec import event, record
from libs.events.money import Count, Fen
from libs.events.onboarding import TextHash

LineKind = Literal[
    "missing_here",
    "missing_there",
    "amount_differs",
    "direction_differs",
    "account_differs",
    "reference_reused",
]
"""What may be wrong with one booking: the bank has it and we do not, the reverse, the two tell it differently, or we booked one
reference of the bank twice.
"""

BreakKind = Literal[LineKind, "balance_differs", "accounts_differ", "claims_differ"]
"""And with the whole: the bank's balance against the ledger's, the accounts' sum against that, the claims that were paid for
against the register of claims.
"""

Explanation = Literal["timing", "booked_later", "bank_error", "our_error"]
Resolution = Literal["timing", "booked_later", "bank_corrected", "our_correction"]
MatchedBy = Literal["reference", "amount"]

Reference = Annotated[str, Field(max_length=100)]


@record
class Side:
    """One side of a day: how many bookings, what came in and went out, and the balance at its end."""

    bookings: Count
    in_fen: Count
    out_fen: Count
    closing_fen: Fen


@record
class Claims:
    """What lenders paid for their claims and have not got back, and what the claims' own register says, at one moment of rest.

    Opposite errors cancel in the sums: by `apart_fen` the two differ, loan by loan, and `loans` are the first of these.
    """

    ledger_fen: Fen
    register_fen: Fen
    apart_fen: Count = 0
    loans: tuple[str, ...] = ()


@record
class LineBreak:
    """A booking that differs: what the bank says, and what we say; zero where one says nothing. `number` tells those apart that say
    the same."""

    kind: LineKind
    reference: Reference
    account_id: Reference
    bank_fen: Fen
    ledger_fen: Fen
    number: Count = 0


@record
class Part:
    """So many of a day's differences as one command lists, new ones and those that are gone: their digest, how much more the bank has
    by them, and how many more bookings."""

    digest: TextHash
    breaks: Count
    differs_fen: Fen
    alone: Fen


@record
class Unlisted:
    """Differences of a day that wait, because a work list and a decision take only so many: how many, and the same sums."""

    breaks: Count
    differs_fen: Fen
    alone: Fen


@record
class Told:
    """All differences of a day that were told, open or over, and that its file still shows: how many, the same sums, and a digest that
    only the same ones have (the sum of the digests of their ids)."""

    breaks: Count
    differs_fen: Fen
    alone: Fen
    digest: TextHash


@event("bidding.BankDayReconciled.v1")
class BankDayReconciled:
    """A day's file was compared with the ledger, the accounts and, where that could be, the claims.

    `revision` counts the files of the day that said something new; `lines_hash` is the digest of the last one's bookings.
    `accounts_fen`: what customers, fees and all others had at the day's end. `open_after`: breaks of all days that are not
    resolved. `corrected`: of these kinds of the whole the settled differences are gone.

    `unlisted`: differences of the day that wait to be told until there is room, by which the bank has `unlisted_fen` more;
    `unclosed`: told ones that the file shows no more and that wait to be closed. `told` is what was told of a day that comes bit by
    bit, None where its file is told as a whole. `gone`: differences that are over and that the file shows no more.
    """

    business_date: date
    revision: Count
    lines_hash: TextHash
    bank: Side
    ledger: Side
    accounts_fen: Fen
    claims: Claims | None
    opened: Count
    closed: Count
    open_after: Count
    unlisted: Count = 0
    corrected: tuple[BreakKind, ...] = ()
    unlisted_fen: Fen = 0
    unclosed: Count = 0
    told: Told | None = None
    gone: tuple[str, ...] = ()


@event("bidding.BankDayBegun.v1")
class BankDayBegun:
    """A day's file differs in more bookings than one command lists: these parts follow, which add up with what was told before
    (`known`) and what waits. The day is reconciled when all are in; `listing` is the digest over them."""

    business_date: date
    listing: TextHash
    lines_hash: TextHash
    bank: Side
    ledger: Side
    accounts_fen: Fen
    claims: Claims | None
    parts: tuple[Part, ...]
    unlisted: Unlisted | None
    known: Told | None = None
    unclosed: Unlisted | None = None


@event("bidding.BankBreaksListed.v1")
class BankBreaksListed:
    """A part of a day's differences is in (`part`, from 0): these are new, and `gone` are over and not shown any more. `told` is
    what was told of the day with them; `opened` and `closed` count what its record opens and closes."""

    business_date: date
    listing: TextHash
    part: Count
    break_ids: tuple[str, ...]
    told: Told | None = None
    gone: tuple[str, ...] = ()
    opened: Count = 0
    closed: Count = 0


@event("bidding.BankBreakOpened.v1")
class BankBreakOpened:
    """A difference of a day is on the work list. `account_id` and `reference` are empty for one of the whole."""

    break_id: str
    business_date: date
    kind: BreakKind
    reference: Reference
    account_id: Reference
    bank_fen: Fen
    ledger_fen: Fen


@event("bidding.BankBreakClosed.v1")
class BankBreakClosed:
    """A later file of the day, or a later day, shows the difference no more."""

    break_id: str
    business_date: date
    code: Literal["closed_by_file"]


@event("bidding.BankBreakExplained.v1")
class BankBreakExplained:
    """Somebody said where a difference comes from; `counterpart` is the break of the same amount that he matched it with."""

    break_id: str
    business_date: date
    code: Explanation
    explained_by: str
    counterpart: str | None = None


@event("bidding.BankBreakResolved.v1")
class BankBreakResolved:
    """Somebody else found the explanation right and the difference settled."""

    break_id: str
    business_date: date
    code: Resolution
    explained_by: str
    resolved_by: str


@event("bidding.BankBreaksMatched.v1")
class BankBreaksMatched:
    """The bank booked on one day what we booked on another, under one reference: the two differences settle each other."""

    here: str
    there: str
    amount_fen: Fen
    matched_by: str


@event("bidding.BankBreakInFlight.v1")
class BankBreakInFlight:
    """The bank booked on one date what we booked on the next, or the reverse, under one reference: it is one difference, which
    timing explains. `counterpart` is the id that the booking of the other date, `other_date`, would have had by itself, as `other`
    says it."""

    break_id: str
    business_date: date
    counterpart: str
    other_date: date
    amount_fen: Fen
    code: Literal["timing"] = "timing"
    other: LineBreak | None = None
