"""Loan 7's days do not count from 20 February to 20 March, over its first due date; and its debtor may have died."""

from dataclasses import replace
from datetime import date
from typing import Any

from libs.events.flags import Flag, FlagKind, LoanFlagged, LoanUnflagged, Unflag
from libs.events.measures import MeasureApplied, MeasureTerms
from libs.events.pauses import DelinquencyPaused, DelinquencyPauseEnded, Pause, PauseEnd
from libs.events.repayment import InstallmentDue
from services.repayment.commands.measures import CarryOutMeasure
from tests.unit.repayment.stories import INSTALLMENT, due

FROM, TO = date(2024, 2, 20), date(2024, 3, 20)
ASKED_FOR, AFTER = date(2024, 2, 15), date(2024, 3, 21)
PAUSE = Pause(from_on=FROM, to_on=TO, cause="illness")


def done(terms: MeasureTerms, measure_id: str = "msr_1") -> CarryOutMeasure:
    """All have agreed."""
    return CarryOutMeasure(measure_id=measure_id, terms=terms)


def applied(
    terms: MeasureTerms, on: date, measure_id: str = "msr_1", before_phase: int = 2
) -> MeasureApplied:
    """The loan does it."""
    return MeasureApplied(
        loan_id="loan_7",
        borrower="usr_bo",
        measure_id=measure_id,
        terms=terms,
        applied_on=on,
        before_phase=before_phase,
    )


def paused(from_on: date = FROM, to_on: date = TO, on: date = ASKED_FOR) -> DelinquencyPaused:
    """These days do not count."""
    return DelinquencyPaused(
        loan_id="loan_7",
        borrower="usr_bo",
        measure_id="msr_1",
        cause="illness",
        from_on=from_on,
        to_on=to_on,
        paused_on=on,
    )


def ended(
    to_on: date | None, on: date, cause: Any = "by_hand", from_on: date = FROM
) -> DelinquencyPauseEnded:
    """The pause is over before its time, by measure 2."""
    return DelinquencyPauseEnded(
        loan_id="loan_7",
        borrower="usr_bo",
        measure_id="msr_2",
        pause_id="msr_1",
        cause=cause,
        from_on=from_on,
        to_on=to_on,
        ended_on=on,
    )


def flagged(flag: FlagKind, on: date = ASKED_FOR) -> LoanFlagged:
    """The flag stands."""
    return LoanFlagged(loan_id="loan_7", borrower="usr_bo", measure_id="msr_1", flag=flag, flagged_on=on)


def unflagged(flag: FlagKind, on: date = ASKED_FOR) -> LoanUnflagged:
    """It is lifted."""
    return LoanUnflagged(loan_id="loan_7", borrower="usr_bo", measure_id="msr_2", flag=flag, unflagged_on=on)


def due_unasked(number: int, debit_fen: int = INSTALLMENT) -> InstallmentDue:
    """It fell due, and the account is left alone."""
    return replace(due(number, debit_fen), asked=False)


PAUSED = (applied(PAUSE, ASKED_FOR), paused())
END = PauseEnd()
DEATH, NO_DEATH = Flag(flag="death"), Unflag(flag="death")
DIED = (applied(DEATH, ASKED_FOR), flagged("death"))
