"""Commands to the register of guarantors: people of the platform admit them, sagas reserve and reduce.

`himself` is a member of staff as a customer, None where the register names none: nobody judges his own guarantee (`forbidden_guarantor`).
"""

from datetime import date

from libs.events.codec import command
from libs.events.guarantees import Liability
from libs.events.money import Count, PositiveFen
from libs.events.onboarding import Code, Reference


@command("repayment.ProposeGuarantor")
class ProposeGuarantor:
    """Risk proposes a company, or new terms for one that is known: jointly liable unless it is said. No effect for the same proposal
    by the same person.

    Refused: `forbidden_not_staff`, `forbidden_guarantor`, `invalid_date` (not valid for a day, or for longer than until its review),
    `liability_not_taken` (one that the profile does not), `limit_too_high` (with what it guarantees elsewhere more than the profile's
    multiple of its net assets), `proposal_waits` (another one).
    """

    guarantor: str
    limit_fen: PositiveFen
    valid_to: date
    file: Reference
    liability: Liability = "joint"
    net_assets_fen: PositiveFen | None = None
    elsewhere_fen: Count = 0
    himself: str | None = None


@command("repayment.AdmitGuarantor")
class AdmitGuarantor:
    """Another person agrees to what is proposed, or to less: `limit_fen` and `valid_to` where he names them. No effect when nothing is
    proposed beside what is admitted.

    Refused: `unknown_guarantor`, `forbidden_not_staff`, `forbidden_guarantor`, `forbidden_same_person`, `too_late` (its last day has
    passed), `proposal_expired` (it waited for longer than the profile's days), `above_proposal` (a higher limit or a later day),
    `nothing_proposed` (to one that is suspended).
    """

    guarantor: str
    limit_fen: PositiveFen | None = None
    valid_to: date | None = None
    himself: str | None = None


@command("repayment.RefuseGuarantor")
class RefuseGuarantor:
    """What is proposed is not agreed to, or taken back by whoever proposed it. No effect when nothing is proposed.

    Refused: `unknown_guarantor`, `forbidden_not_staff`, `forbidden_guarantor`.
    """

    guarantor: str
    code: Code
    himself: str | None = None


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
