"""Commands to the register of guarantors: people of the platform admit them, sagas reserve and reduce."""

from datetime import date

from libs.events.codec import command
from libs.events.money import Count, PositiveFen
from libs.events.onboarding import Code, Reference


@command("repayment.ProposeGuarantor")
class ProposeGuarantor:
    """Risk proposes a company, or new terms for one that is known. No effect for the same proposal by the same person.

    Refused: `forbidden_not_staff`, `invalid_date` (not valid for a day, or for more than a year: it is reviewed yearly).
    """

    guarantor: str
    limit_fen: PositiveFen
    valid_to: date
    file: Reference


@command("repayment.AdmitGuarantor")
class AdmitGuarantor:
    """Another person agrees to what is proposed. No effect when nothing is proposed beside what is admitted.

    Refused: `unknown_guarantor`, `forbidden_not_staff`, `forbidden_same_person`, `too_late` (its last day has passed),
    `nothing_proposed` (to one that is suspended).
    """

    guarantor: str


@command("repayment.SuspendGuarantor")
class SuspendGuarantor:
    """It guarantees no new loans. No effect when it is suspended. Refused: `unknown_guarantor`, `forbidden_not_staff`."""

    guarantor: str
    code: Code


@command("repayment.ReserveGuarantee")
class ReserveGuarantee:
    """A loan that is about to be listed counts against the limit, or is declined by event. No effect for one that counts.

    Declined: `guarantor_not_admitted`, `guarantor_suspended`, `guarantor_expired`, `guarantor_limit_exceeded`,
    `guarantor_is_borrower`. Refused: `unknown_guarantor`.
    """

    guarantor: str
    application_id: str
    loan_id: str
    borrower: str
    amount_fen: PositiveFen


@command("repayment.RestoreGuarantee")
class RestoreGuarantee:
    """After a correction `owed_fen` of a loan is owed: so much counts, within the limit or not. No effect when it does, nor of a
    guarantor who is not in the register."""

    guarantor: str
    loan_id: str
    owed_fen: Count


@command("repayment.ReduceGuarantee")
class ReduceGuarantee:
    """Of a loan only `left_fen` still counts. No effect when no more does, nor of a guarantor who is not in the register."""

    guarantor: str
    loan_id: str
    left_fen: Count
