"""Events about measures that all have agreed to, and that the loan cannot do yet for a reason that passes by itself.

Nobody signs twice for it: the loan keeps the measure and asks for it again when the reason has passed.
"""

from datetime import date

from libs.events.codec import event
from libs.events.measures import MeasureTerms
from libs.events.money import Count
from libs.events.onboarding import Code


@event("repayment.MeasureDeferred.v1")
class MeasureDeferred:
    """On the loan: a debit is on its way (`code`), so the measure waits for its answer. `waivable_fen` as it was approved."""

    loan_id: str
    borrower: str
    measure_id: str
    terms: MeasureTerms
    code: Code
    deferred_on: date
    waivable_fen: Count | None = None


@event("repayment.MeasureResumed.v1")
class MeasureResumed:
    """On the loan: no debit is on its way any more, so it is asked again for what had waited."""

    loan_id: str
    borrower: str
    measure_id: str
    terms: MeasureTerms
    resumed_on: date
    waivable_fen: Count | None = None
