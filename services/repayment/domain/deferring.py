"""A measure that comes while a debit is on its way, of the borrower or his guarantor, waits for the answer: whoever signed it, or voted on it, is not asked again.

What the debit finds may change what the measure does, and whether it can be done at all, so the loan decides it anew once the last answer is
there. Any other reason against it is its end.
"""

from collections.abc import Sequence
from typing import Final

from libs.events.deciding import Context, Refused
from libs.events.deferrals import MeasureDeferred, MeasureResumed
from services.repayment.commands.measures import CarryOutMeasure
from services.repayment.domain.guarantee import Asked
from services.repayment.domain.loan_state import (
    LoanEvent,
    LoanState,
    NotOpened,
    Repaid,
    Running,
    evolve,
    reopened,
)

#: The refusal that passes by itself.
ON_ITS_WAY: Final = "payment_on_its_way"


def deferred(
    refused: Refused, command: CarryOutMeasure, state: Running | Repaid, context: Context
) -> Sequence[MeasureDeferred]:
    """The measure waits, once. Any other refusal is raised again."""
    if refused.code != ON_ITS_WAY:
        raise refused
    live = reopened(state)
    if any(waiting.measure_id == command.measure_id for waiting in live.trouble.waiting):
        return []
    return [
        MeasureDeferred(
            loan_id=live.loan_id,
            borrower=live.borrower,
            measure_id=command.measure_id,
            terms=command.terms,
            code=refused.code,
            deferred_on=context.business_date,
            waivable_fen=command.waivable_fen,
        )
    ]


def is_on_its_way(state: Running | Repaid) -> bool:
    """Whether money of somebody may be coming to the loan: a debit of its borrower has no answer yet, or one of its guarantor."""
    guarantee = reopened(state).guarantee
    return bool(state.unanswered) or (guarantee is not None and isinstance(guarantee.under_way, Asked))


def resumed(state: Running | Repaid, context: Context, answer: Sequence[LoanEvent]) -> Sequence[LoanEvent]:
    """What answers a debit, and all that has waited for it where it was the last."""
    live = reopened(state)
    if not answer or not live.trouble.waiting:
        return answer
    folded: LoanState = state
    for event in answer:
        folded = evolve(folded, event)
    assert not isinstance(folded, NotOpened), "a loan that was lent stays lent"
    if is_on_its_way(folded):
        return answer
    return [
        *answer,
        *(
            MeasureResumed(
                loan_id=live.loan_id,
                borrower=live.borrower,
                measure_id=waiting.measure_id,
                terms=waiting.terms,
                resumed_on=context.business_date,
                waivable_fen=waiting.waivable_fen,
            )
            for waiting in live.trouble.waiting
        ),
    ]
