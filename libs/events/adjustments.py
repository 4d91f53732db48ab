"""Events of `bidding` about money that was paid out by an error: collected from who has it, and only then paid to whom it belongs.

The money of one correction lies in `clearing:correction:<id>` meanwhile (across a year's end in `clearing:prior_year:<id>`), which is
never negative and ends at zero. What an account cannot give yet it owes, and the next money that comes to it is taken first.
"""

from libs.events.bank import Posting
from libs.events.codec import event
from libs.events.corrections import AdjustingLine, CorrectionBooking, Share
from libs.events.money import Count, Fen, PositiveFen

# --- settlement ----------------------------------------------------------------------------------------------------


@event("bidding.CorrectionOpened.v1")
class CorrectionOpened:
    """A loan was put right: these lines are to be settled, those that get something in this order."""

    correction_id: str
    loan_id: str
    booking: CorrectionBooking
    lines: tuple[AdjustingLine, ...]


@event("bidding.CorrectionCollected.v1")
class CorrectionCollected:
    """An account gave back `amount_fen`, and it is paid on in the stated order; `open_fen` is not collected yet."""

    correction_id: str
    loan_id: str
    booking: CorrectionBooking
    account_id: str
    amount_fen: PositiveFen
    paid: tuple[Share, ...]
    open_fen: Count


@event("bidding.CorrectionSettled.v1")
class CorrectionSettled:
    """All of a correction's money is collected and paid on."""

    correction_id: str
    loan_id: str


# --- account -------------------------------------------------------------------------------------------------------


@event("bidding.AdjustmentBooked.v1")
class AdjustmentBooked:
    """What a correction means for an account. What it has to give back it owes from here on, `owed_after_fen` of all corrections."""

    account_id: str
    owner: str
    loan_id: str
    correction_id: str
    booking: CorrectionBooking
    line: AdjustingLine
    owed_after_fen: Count


@event("bidding.AdjustmentDebited.v1")
class AdjustmentDebited:
    """Money that the account owes for a correction is taken from what is available; `rest_fen` of it it owes still, `owed_after_fen` of
    all corrections."""

    account_id: str
    owner: str
    loan_id: str
    correction_id: str
    amount_fen: PositiveFen
    rest_fen: Count
    owed_after_fen: Count
    available_after_fen: Count
    held_after_fen: Count
    postings: tuple[Posting, ...]


@event("bidding.AdjustmentCredited.v1")
class AdjustmentCredited:
    """Money of a correction comes to the account that it belongs to."""

    account_id: str
    owner: str
    loan_id: str
    correction_id: str
    amount_fen: PositiveFen
    available_after_fen: Count
    held_after_fen: Count
    postings: tuple[Posting, ...]


@event("bidding.FeeAdjusted.v1")
class FeeAdjusted:
    """The platform's fee account gets a correction's money (or gives it back, below zero); of this correction it owes `rest_fen` still,
    of all `owed_after_fen`."""

    account_id: str
    loan_id: str
    correction_id: str
    booking: CorrectionBooking
    amount_fen: Fen
    balance_after_fen: Count
    rest_fen: Count
    owed_after_fen: Count
    postings: tuple[Posting, ...]
