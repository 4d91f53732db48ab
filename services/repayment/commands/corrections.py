"""Commands about a booking that was wrong: proposing, allowing and refusing its correction, and putting the loan right.

`himself` is a member of staff as a customer, None where the register names none. A correction knows who has a part in its loan once the loan has
said so; the loan itself looks at all who asked for it or allowed it, as of the day on which it is put right.
"""

from datetime import date

from libs.events.codec import command
from libs.events.corrections import Correction, CorrectionBooking, CorrectionKind, CorrectionRole
from libs.events.money import Count
from libs.events.onboarding import Code


@command("repayment.ProposeCorrection")
class ProposeCorrection:
    """A clerk asks that a payment does not count, or counts as of `to_date`. No effect for the same again; refused:
    `correction_exists`, `invalid_date` (one to reverse, none to redate), `date_in_future`. As of its own date it counts as
    if it had been told in time."""

    correction_id: str
    loan_id: str
    payment_id: str
    kind: CorrectionKind
    reason: Code
    value_date: date
    to_date: date | None = None
    himself: str | None = None


@command("repayment.AuthoriseCorrection")
class AuthoriseCorrection:
    """A supervisor allows it, across the year's end the finance head too. No effect for a role that has signed.

    Refused: `unknown_correction`, `correction_ended`, `same_person` (every signature is another's, and none the clerk's),
    `not_asked` (the finance head, within the year), `forbidden_borrower`, `forbidden_guarantor`, `forbidden_holder` (he is known to owe, to
    answer for the loan or to be owed).
    """

    role: CorrectionRole
    himself: str | None = None


@command("repayment.RefuseCorrection")
class RefuseCorrection:
    """A person says no (`code`). Refused: `unknown_correction`, `correction_ended`, `forbidden_borrower`, `forbidden_guarantor`,
    `forbidden_holder`."""

    code: Code
    himself: str | None = None


@command("repayment.AdmitCorrection")
class AdmitCorrection:
    """The loan has said who has a part in it. No effect once that is known, or the correction has gone on; refused: `unknown_correction`."""

    borrower: str
    guarantor: str
    holders: tuple[str, ...]


@command("repayment.DeclineCorrection")
class DeclineCorrection:
    """The loan said no (`code`), when it was put right, or before (`examined`) to who asks for it. `year_ended` makes it wait for the
    finance head. No effect once it has gone on, or waits; refused:
    `unknown_correction`."""

    code: Code
    examined: bool = False


@command("repayment.RecordCorrectionBooked")
class RecordCorrectionBooked:
    """The loan is put right. No effect for the same again; refused: `unknown_correction`."""

    open_fen: Count


@command("repayment.CloseCorrection")
class CloseCorrection:
    """All of its money has moved. No effect for one that is closed; refused: `unknown_correction`."""


@command("repayment.ExamineCorrection")
class ExamineCorrection:
    """Say who has a part in the loan. No effect for the same again; refused: `unknown_loan`, `forbidden_borrower`, `forbidden_guarantor`,
    `forbidden_holder` (who asks for it owes, answers for it or is owed)."""

    correction_id: str
    himself: str | None = None


@command("repayment.CorrectPayment")
class CorrectPayment:
    """Put the loan right. No effect for a correction that was applied. `people` asked for it or allowed it, as customers.

    Refused: `unknown_loan`, `unknown_payment`, `payment_reversed`, `value_date_differs`, `before_funding`, `date_in_future`, `year_ended` (allowed
    without the finance head in the year of the error, which is over),
    `loan_voided`, `loan_measured` (a measure changed what it owes, in records that do not say its terms), `loan_compensated` (its guarantor
    is asked for money), `compensation_would_differ` (without the error he would have paid otherwise), `claim_sold_since` (less of a claim would have been there than was sold), `<kind>_would_differ` (a measure of that kind would
    not have come about, or holders would have another share in an asset, or it would forgive more than who signed it may),
    `history_differs` (the loan's inputs, replayed, do not give the loan), `replay_too_long` (more than 500,000 shares of payments), `too_many_accounts` (more than 1,100 get or give something), `changes_nothing`, `forbidden_borrower`, `forbidden_guarantor`, `forbidden_holder` (one of `people` owes, answers for it or is owed).
    """

    correction: Correction
    booking: CorrectionBooking
    people: tuple[str, ...] = ()
