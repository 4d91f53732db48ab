"""What was late while nobody could know: a debit had no answer, and the instalment was paid before that came (docs/decisions/0018)."""

from datetime import date

from libs.events.codec import event, record
from libs.events.money import Count, PositiveFen
from libs.events.repayment import LoanClass


@record
class Unjudged:
    """A part of an instalment that was paid on `paid_on`, after an evening on which it was open and the loan was not judged: `fee_fen` of its
    fee, `open_fen` of its principal and interest. Penalty was charged on it up to `since`, or it counts from its due date."""

    number: int
    due_on: date
    since: date
    paid_on: date
    fee_fen: Count
    open_fen: Count


@record
class Freed:
    """So much was there on a day and was not needed for what was due by then, because a late answer has shown that this had been paid: it would have
    paid what else was due by that day, and whoever pays that later is not late with it."""

    on: date
    fen: PositiveFen


@record
class LateLine:
    """Such a part as it is judged: the penalty on `open_fen` for `days`, which can be recomputed from this and the contract."""

    number: int
    due_on: date
    paid_on: date
    open_fen: Count
    days: Count
    penalty_fen: Count


@event("repayment.LatenessJudged.v1")
class LatenessJudged:
    """What was paid while the loan could not be judged is judged: all debits have an answer now. Nothing that has been booked is moved.

    `reached_dpd`, and with it `bucket`, `loan_class` and `no_income` (its interest was none), are the worst that the loan had reached on the
    last evening before such a payment; where it stands now, `dpd` says, and its other events as always. `penalty_fen` is owed with instalment `number` from now on, which
    is 0 where nothing is; `given_up_fen` is the penalty of a loan that was repaid before anybody knew of it.
    """

    loan_id: str
    borrower: str
    judged_on: date
    lines: tuple[LateLine, ...]
    dpd: Count
    reached_dpd: Count
    bucket: str
    loan_class: LoanClass
    no_income: bool
    number: Count
    penalty_fen: Count
    penalty_after_fen: Count
    overdue_after_fen: Count
    given_up_fen: Count
    product: str = ""
    region: str = ""
