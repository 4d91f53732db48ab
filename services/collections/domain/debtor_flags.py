"""Flags on a debtor's loans, as repayment raises and lifts them: whom they keep from being reached for, and what nobody agrees with him.

A death is the debtor's, whichever of his loans says so; a dispute is of one loan, and the others are worked as before *(chosen)*. A flag
is remembered before anything was missed.
"""

from collections.abc import Sequence

from libs.events.deciding import Refused
from libs.events.flags import DebtorFlagged, DebtorUnflagged, FlagKind
from services.collections.commands import RecordFlag, RecordUnflag, debtor_of
from services.collections.domain.debtor_cases import released
from services.collections.domain.debtor_state import Debtor, DebtorEvent, DebtorState, OpenCase
from services.collections.domain.flag_state import Flagged


def record_flag(command: RecordFlag, state: DebtorState) -> Sequence[DebtorEvent]:
    """The flag stands from now on. A promise of who has died is nobody's, so nobody breaks it."""
    if _flagged(command) in state.flags:
        return []
    flagged = DebtorFlagged(
        debtor_id=debtor_of(command.borrower),
        borrower=command.borrower,
        loan_id=command.loan_id,
        flag=command.flag,
        flagged_on=command.flagged_on,
    )
    if not isinstance(state, Debtor) or command.flag != "death":
        return [flagged]
    return [
        flagged,
        *(released(state, case, case.promise) for case in state.cases if case.promise),
    ]


def record_unflag(command: RecordUnflag, state: DebtorState) -> Sequence[DebtorUnflagged]:
    """The flag does not stand any more."""
    if _flagged(command) not in state.flags:
        return []
    return [
        DebtorUnflagged(
            debtor_id=debtor_of(command.borrower),
            borrower=command.borrower,
            loan_id=command.loan_id,
            flag=command.flag,
            unflagged_on=command.unflagged_on,
        )
    ]


def flags_on(state: Debtor, loan_id: str) -> tuple[FlagKind, ...]:
    """The flags that bind the work on a loan's case."""
    found: list[FlagKind] = []
    if any(each.flag == "death" for each in state.flags):
        found.append("death")
    if Flagged(loan_id=loan_id, flag="dispute") in state.flags:
        found.append("dispute")
    return tuple(found)


def require_alive(state: Debtor, case: OpenCase) -> None:
    """Raises Refused `debtor_deceased` where nobody is there to promise anything."""
    if "death" in flags_on(state, case.loan_id):
        raise Refused("debtor_deceased")


def require_agreed(state: Debtor, case: OpenCase) -> None:
    """Raises Refused `debtor_deceased` or `debt_disputed` where there is nobody, or nothing, to agree with or on."""
    require_alive(state, case)
    if "dispute" in flags_on(state, case.loan_id):
        raise Refused("debt_disputed")


def _flagged(command: RecordFlag | RecordUnflag) -> Flagged:
    return Flagged(loan_id=command.loan_id, flag=command.flag)
