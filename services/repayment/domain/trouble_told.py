"""How a loan's state takes over what measures did to it: no deciding, only what the events say."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from libs.events.flags import LoanUnflagged
from libs.events.in_kind import DebtSettledInKind
from libs.events.measures import LoanRescheduled, LoanWrittenOff, MeasureApplied, PenaltyWaived
from libs.events.pauses import DelinquencyPaused, DelinquencyPauseEnded
from libs.events.voidance import LoanVoided
from services.repayment.domain.accruing import Arrears
from services.repayment.domain.allocation import after
from services.repayment.domain.measure_entry import is_journaled
from services.repayment.domain.pausing import Paused, ended
from services.repayment.domain.profile import WRITTEN_OFF
from services.repayment.domain.restating import with_measure
from services.repayment.domain.trouble import TroubledEvent, after_event
from services.repayment.domain.trouble import voided as remembered
from services.repayment.domain.waiving import waived

if TYPE_CHECKING:  # the state's module folds by this one
    from services.repayment.domain.loan_state import Running

_DAY = timedelta(days=1)


def troubled(state: "Running", event: TroubledEvent) -> "Running":
    """The loan after one of these events. A new schedule is told by its own, which comes next."""
    state = replace(state, trouble=after_event(state.trouble, event))
    match event:
        case MeasureApplied():
            is_input = is_journaled(event.terms)
            return replace(state, journal=with_measure(state.journal, event)) if is_input else state
        case LoanRescheduled(kind="restructuring"):
            arrears = Arrears(
                number=event.from_number,
                since=event.rescheduled_on,
                interest_fen=event.interest_fen,
                fee_fen=event.fee_fen,
                accrued_fen=event.accrued_fen,
            )
            return replace(state, book=replace(state.book, arrears=arrears))
        case LoanWrittenOff():
            return replace(state, bucket=WRITTEN_OFF, book=replace(state.book, penalty_rate=Decimal(0)))
        case PenaltyWaived():
            return replace(state, book=waived(state.book, event.lines))
        case DebtSettledInKind():
            return _settled(state, event)
        case DelinquencyPaused() | DelinquencyPauseEnded():
            return replace(state, book=replace(state.book, pauses=_paused(state, event)))
        case LoanUnflagged(flag="death"):
            # The days on which nothing was asked of the dead are not made up for: the account is asked once for all that is owed, as after a
            # pause, and from this day on as ever.
            return replace(
                state,
                asked_on=max(state.asked_on, event.unflagged_on - _DAY),
                trouble=replace(state.trouble, asked_again_on=event.unflagged_on + _DAY),
            )
        case _:
            return state


def _paused(state: "Running", event: DelinquencyPaused | DelinquencyPauseEnded) -> tuple[Paused, ...]:
    pauses = state.book.pauses
    if isinstance(event, DelinquencyPauseEnded):
        return ended(pauses, event.pause_id, event.to_on)
    paused = Paused(from_on=event.from_on, to_on=event.to_on, pause_id=event.measure_id, cause=event.cause)
    return (*pauses, paused)


def voided(state: "Running", event: LoanVoided) -> "Running":
    """A void contract charges nothing, and nobody guarantees it. Where the loan stands, LoanRestated of the same record says."""
    book = replace(state.book, penalty_rate=Decimal(0))
    return replace(state, trouble=remembered(state.trouble, event), book=book, guarantee=None)


def _settled(state: "Running", event: DebtSettledInKind) -> "Running":
    """As a payment's record does it, in one event: the book and the claims are less by the same principal."""
    given_up = {share.claim_id: share.principal_fen for share in event.shares}
    claims = tuple(
        replace(claim, principal_fen=claim.principal_fen - given_up.get(claim.claim_id, 0))
        for claim in state.claims
    )
    state = replace(state, book=after(state.book, event.lines))
    if state.weights or any(claim.principal_fen for claim in claims):
        return replace(state, claims=claims)
    return replace(state, claims=claims, weights=tuple(claim.principal_fen for claim in state.claims))
