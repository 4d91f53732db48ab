"""A contract that is void after its money moved 合同无效: what is agreed of it, and what the loan says of it.

Each gives back what he has of it: principal back, no interest (Civil Code art. 157; processes.md 1.N). What moves between accounts stands
in LoanRestated of the same record, under the measure's id.
"""

from datetime import date
from typing import Literal

from libs.events.codec import event, record
from libs.events.money import Count
from libs.events.repayment import LoanClass
from libs.events.voiding import VoidingCode


@record
class Voidance:
    """The loan's contract is void. What is left of its principal is due at once, on the next day, or by `repay_by`. `knew` are the
    lenders who knew of its illegal purpose: the law does not protect them (processes.md 1.N)."""

    ground: VoidingCode
    repay_by: date | None = None
    knew: tuple[str, ...] = ()
    kind: Literal["voidance"] = "voidance"


@record
class PastRow:
    """An instalment of the schedule that held until then: what it asked for and had received of both (fen)."""

    due_on: date
    principal_fen: Count
    interest_fen: Count
    paid_principal_fen: Count
    paid_interest_fen: Count


@event("repayment.LoanVoided.v1")
class LoanVoided:
    """The loan's contract is void. Of what was paid on it `counted_fen` was interest, penalty or fees: that counts as principal, and
    `returned_fen` of it, more than the principal, goes back to the borrower. The platform gives back its fees, `platform_fen`.

    `principal_fen` is due on `due_on`, None where none is left; it bears neither interest nor penalty. `lent` are the claims as they were
    lent, whose papers are void; `guarantor` stands in for it no more, empty for nobody. The loan is at best of class `floor_class`
    until somebody says otherwise by hand. `knew` are the lenders who knew of its illegal purpose. `rows` is the schedule as it stood, `was_repaid` whether it was owed no more: by that what came
    in the past came early, in time or late, whatever it counts as since.
    """

    loan_id: str
    borrower: str
    measure_id: str
    ground: VoidingCode
    voided_on: date
    counted_fen: Count
    returned_fen: Count
    platform_fen: Count
    principal_fen: Count
    due_on: date | None
    floor_class: LoanClass
    lent: tuple[str, ...]
    rows: tuple[PastRow, ...]
    was_repaid: bool
    guarantor: str = ""
    product: str = ""
    region: str = ""
    knew: tuple[str, ...] = ()
