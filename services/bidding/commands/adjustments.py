"""Commands about money that was paid out by an error: what each account gets or gives back, and what comes of it."""

from libs.events.codec import command
from libs.events.corrections import AdjustingLine, CorrectionBooking
from libs.events.money import Count, PositiveFen


@command("bidding.OpenSettlement")
class OpenSettlement:
    """A loan was put right: settle these lines, which sum to zero. No effect for one that is open; refused: `invalid_lines`."""

    correction_id: str
    loan_id: str
    booking: CorrectionBooking
    lines: tuple[AdjustingLine, ...]


@command("bidding.RecordCollected")
class RecordCollected:
    """An account gave back all but `rest_fen` of what it owes for the correction: what is new is paid on. No effect for what was
    recorded; refused: `unknown_settlement`, `unknown_account` (one that owes nothing for it)."""

    account_id: str
    rest_fen: Count


@command("bidding.BookAdjustment")
class BookAdjustment:
    """What a correction means for an account: claims that are worth more or less, and what it owes. Refused: `unknown_account`."""

    correction_id: str
    loan_id: str
    booking: CorrectionBooking
    line: AdjustingLine


@command("bidding.CreditAdjustment")
class CreditAdjustment:
    """Money of a correction that was collected belongs to this account. Refused: `unknown_account`, `amount_too_large`."""

    account_id: str
    correction_id: str
    loan_id: str
    booking: CorrectionBooking
    amount_fen: PositiveFen
