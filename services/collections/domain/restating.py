"""What a correction of a loan does to its case: the arrears are what they are now, and a case that was closed by the error is opened."""

from collections.abc import Sequence

from libs.events.collections import CaseOpened
from services.collections.commands import CURRENT, RecordBucket, RecordRestated
from services.collections.domain.debtor_cases import debtor_id_of, record_bucket
from services.collections.domain.debtor_state import (
    DebtorEvent,
    DebtorState,
    NoDebtor,
    OpenCase,
    case_in,
    evolve,
)
from services.collections.domain.ids import case_of
from services.collections.domain.profile import Rules


def record_restated(rules: Rules, command: RecordRestated, state: DebtorState) -> Sequence[DebtorEvent]:
    """Follow the loan to where it stands; misses that are told after it count no second time."""
    arrears = RecordBucket(
        loan_id=command.loan_id,
        bucket=command.bucket,
        dpd=command.dpd,
        overdue_fen=command.overdue_fen,
        changed_on=command.restated_on,
    )
    case = None if isinstance(state, NoDebtor) else case_in(state, case_of(command.loan_id))
    if isinstance(case, OpenCase) or command.bucket == CURRENT or not command.overdue_fen:
        return record_bucket(rules, arrears, state)
    first = rules.stages[0]
    opened = CaseOpened(
        debtor_id=debtor_id_of(command.borrower),
        borrower=command.borrower,
        case_id=case_of(command.loan_id),
        loan_id=command.loan_id,
        opening=1 if case is None else case.opening + 1,
        opened_on=command.restated_on,
        number=command.number,
        due_on=command.due_on,
        overdue_fen=command.overdue_fen,
        dpd=command.dpd,
        bucket=first.buckets[0],
        stage=first.name,
        region=command.region,
        product=command.product,
    )
    return [opened, *record_bucket(rules, arrears, evolve(state, opened))]
