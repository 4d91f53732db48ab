"""Commands of `bidding` about the bank's daily files. All go to one stream; who acts is the command's principal, never a field."""

from datetime import date

from libs.events.bank_days import (
    Claims,
    Explanation,
    LineBreak,
    LineKind,
    MatchedBy,
    Part,
    Reference,
    Resolution,
    Side,
    Told,
    Unlisted,
)
from libs.events.codec import command, record
from libs.events.money import Count, Fen
from libs.events.onboarding import TextHash

#: The one stream of all days.
BANK_DAYS: str = "bankdays"


@record
class Half:
    """What one of two differences that settled each other says by itself."""

    business_date: date
    kind: LineKind
    reference: Reference
    account_id: Reference
    bank_fen: Fen
    ledger_fen: Fen


@record
class Gone:
    """A difference that was told and that the file shows no more. Where it was settled together with another one, that one
    (`counterpart`) stands alone now, as `other` says."""

    break_id: str
    kind: LineKind
    bank_fen: Fen
    ledger_fen: Fen
    counterpart: str = ""
    other: Half | None = None


@command("bidding.ReconcileBankDay")
class ReconcileBankDay:
    """A day's file was matched with the ledger. No effect when nothing is new.

    `lines_hash` is the digest of all bookings of the file, `begins_with` that of its first `begins_at`, as many as the last
    file of the day had. `breaks` are all bookings that differ; or, of a day that differs in more than one command takes, those that
    were not told before, `gone` those that the file shows no more, and `known` all that were told. More than one command takes come
    in `parts`, one ListBankBreaks each. What nothing has room for waits: `unlisted` to be told, `unclosed` to be closed.

    Refused: `day_not_over`, `day_too_old`, `file_differs` (it does not begin with the bookings of the day's last file),
    `known_differs` (from what was told), `too_many_breaks`, `invalid_breaks` (one twice or told before, both here and in parts, or of a
    day that comes bit by bit told as a whole), `breaks_do_not_add_up` (to the difference of the two sides), `amount_too_large`.
    """

    business_date: date
    lines_hash: TextHash
    begins_at: Count
    begins_with: TextHash
    bank: Side
    ledger: Side
    accounts_fen: Fen
    claims: Claims | None
    breaks: tuple[LineBreak, ...]
    parts: tuple[Part, ...] = ()
    unlisted: Unlisted | None = None
    known: Told | None = None
    gone: tuple[Gone, ...] = ()
    unclosed: Unlisted | None = None


@command("bidding.ListBankBreaks")
class ListBankBreaks:
    """One part of a day's differences; with the last one the day is reconciled. No effect for a part that is in.

    Refused: `listing_not_begun` (or another one was, since), `part_missing` (one before it), `part_differs` (from what was told of it),
    `invalid_breaks` (one was told before), `too_many_breaks`.
    """

    business_date: date
    listing: TextHash
    part: Count
    breaks: tuple[LineBreak, ...]
    gone: tuple[Gone, ...] = ()


@command("bidding.ExplainBreak")
class ExplainBreak:
    """Say by a code where a difference comes from. No effect for the same code, where that still holds. What was resolved together with
    this one is open again.

    `himself` is who the member of staff is as a customer.

    Refused: `forbidden_not_staff`, `forbidden_holder` (it is of his own account), `break_not_open` (also one that is closed or resolved).
    """

    break_id: str
    code: Explanation
    himself: str | None = None


@command("bidding.ResolveBreak")
class ResolveBreak:
    """Another person finds the explanation right and the difference settled. No effect when it is resolved with this code.

    Refused: `forbidden_not_staff`, `forbidden_holder`, `break_not_open` (also one that is closed, or resolved on a day that comes bit
    by bit), `break_not_explained`, `explanation_lapsed` (the other difference that it was explained by is not there any more, or is
    something else),
    `forbidden_second_signature` (by who explained it), `break_resolved` (with another code).
    """

    break_id: str
    code: Resolution
    himself: str | None = None


@command("bidding.MatchBreaks")
class MatchBreaks:
    """Match what the bank booked on one day with what we booked on another, all of it that fits. No effect where nothing does.

    By `reference` (and account, and amount) two differences settle each other. By `amount`, where just one on each side has it,
    both are explained as timing, and another person resolves them. At most 2,000 pairs at a time; asked again, the next follow.
    What is of his own account (`himself`) is left to others.
    Refused: `forbidden_not_staff`.
    """

    by: MatchedBy
    himself: str | None = None
