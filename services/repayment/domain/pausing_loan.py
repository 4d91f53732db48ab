"""What a pause and a flag do to a loan: one record of one event, or a refusal by name. No fen of the debt moves.

A pause gives up penalty that would have come, so whoever signs it may waive any (`measure_chain`), and its days have two limits. It
begins tomorrow at the earliest: what was said of a day stays said, and no day is judged twice *(chosen)*.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TypedDict, assert_never

from libs.events.deciding import Refused
from libs.events.flags import Flag, FlagKind, LoanFlagged, LoanUnflagged, Unflag
from libs.events.pauses import DelinquencyPaused, DelinquencyPauseEnded, Pause, PauseEnd, PauseEndCause
from services.repayment.domain.loan_state import Running
from services.repayment.domain.pausing import Paused, most_in_a_year, standing
from services.repayment.domain.profile import Rules

_DAY = timedelta(days=1)


def paused_or_flagged(
    rules: Rules, measure_id: str, terms: Pause | PauseEnd | Flag | Unflag, state: Running, on: date
) -> Sequence[DelinquencyPaused | DelinquencyPauseEnded | LoanFlagged | LoanUnflagged]:
    """What one of these measures does. Refusals stand on CarryOutMeasure."""
    match terms:
        case Pause():
            return _paused(rules, measure_id, terms, state, on)
        case PauseEnd():
            return _unpaused(measure_id, state, on)
        case Flag() | Unflag():
            return flagged(measure_id, terms, state, on)
        case _:
            assert_never(terms)


def _paused(
    rules: Rules, measure_id: str, terms: Pause, state: Running, on: date
) -> Sequence[DelinquencyPaused]:
    if terms.cause not in rules.pause_causes:
        raise Refused("cause_not_allowed")
    if terms.to_on < terms.from_on:
        raise Refused("invalid_date")
    if terms.to_on <= on:
        raise Refused("pause_over")
    if state.trouble.written_off_on is not None:
        raise Refused("loan_written_off")
    if standing(state.book.pauses, on):
        raise Refused("pause_stands")
    wanted = Paused(
        from_on=max(terms.from_on, on + _DAY), to_on=terms.to_on, pause_id=measure_id, cause=terms.cause
    )
    if (wanted.to_on - wanted.from_on).days + 1 > rules.pause_days_max:
        raise Refused("pause_too_long")
    if most_in_a_year((*state.book.pauses, wanted)) > rules.pause_year_days_max:
        raise Refused("pause_days_used")
    return [
        DelinquencyPaused(
            loan_id=state.loan_id,
            borrower=state.borrower,
            measure_id=measure_id,
            cause=wanted.cause,
            from_on=wanted.from_on,
            to_on=wanted.to_on,
            paused_on=on,
            product=state.product,
            region=state.region,
        )
    ]


def require_ahead(terms: Pause, on: date) -> None:
    """Whoever proposes a pause means days to come: it moves while it is signed, not before. Refused: `pause_backdated`."""
    if terms.from_on < on:
        raise Refused("pause_backdated")


def require_of_the_loan(rules: Rules, terms: Pause, state: Running, on: date) -> None:
    """A pause of days that the loan never has would only keep a real one out: it begins by the last due day, or, where that is over, within the
    days in which a measure is signed *(chosen)*. Refused: `pause_after_maturity`."""
    if terms.from_on > max(state.book.rows[-1].due_on, on + timedelta(days=rules.signing_days)):
        raise Refused("pause_after_maturity")


def _unpaused(measure_id: str, state: Running, on: date) -> Sequence[DelinquencyPauseEnded]:
    ended = pause_ended(measure_id, state, on, "by_hand")
    if not ended:
        raise Refused("no_pause")
    return ended


def pause_ended(
    measure_id: str, state: Running, on: date, cause: PauseEndCause
) -> Sequence[DelinquencyPauseEnded]:
    """What stands of a pause ends with today; nothing where none does."""
    pause = standing(state.book.pauses, on)
    if pause is None:
        return []
    return [
        DelinquencyPauseEnded(
            loan_id=state.loan_id,
            borrower=state.borrower,
            measure_id=measure_id,
            pause_id=pause.pause_id,
            cause=cause,
            from_on=pause.from_on,
            to_on=on if pause.from_on <= on else None,
            ended_on=on,
            product=state.product,
            region=state.region,
        )
    ]


class _Said(TypedDict):
    """What is said of a flag, whether it is raised or lifted."""

    loan_id: str
    borrower: str
    measure_id: str
    flag: FlagKind
    product: str
    region: str


def flagged(
    measure_id: str, terms: Flag | Unflag, state: Running, on: date
) -> Sequence[LoanFlagged | LoanUnflagged]:
    """The flag is raised, or lifted. Refusals stand on CarryOutMeasure."""
    stands = terms.flag in state.trouble.flags
    if stands == isinstance(terms, Flag):
        raise Refused("flag_stands" if stands else "no_flag")
    said = _Said(
        loan_id=state.loan_id,
        borrower=state.borrower,
        measure_id=measure_id,
        flag=terms.flag,
        product=state.product,
        region=state.region,
    )
    return [LoanUnflagged(**said, unflagged_on=on) if stands else LoanFlagged(**said, flagged_on=on)]
