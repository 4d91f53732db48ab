"""What of a loan's principal is overdue, that of missed instalments, and is said wherever a record changes it; the rest stays normal
(processes.md 1.P).

It is a sum of the state, whatever changed it, so it is found after a decision and said by one event of it: nobody who decides has to
think of it. What was said is remembered, so an event says before and after, and sums of loans move by exactly what was said.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from libs.events.corrections import LoanRestated
from libs.events.in_kind import DebtSettledInKind
from libs.events.measures import LoanWrittenOff
from libs.events.overdue import OverduePrincipal
from libs.events.repayment import OverdueBucketChanged, PaymentMissed, PaymentReceived
from services.repayment.domain import loan_state
from services.repayment.domain.allocation import lines_through
from services.repayment.domain.loan_state import LoanEvent, LoanState, NotOpened, Repaid, Running, reopened

#: The events that may say it; the last of the first kind that a record has does.
_CARRIERS: Final = (
    OverdueBucketChanged,
    LoanWrittenOff,
    PaymentMissed,
    PaymentReceived,
    DebtSettledInKind,
    LoanRestated,
)


def overdue_principal_fen(state: LoanState) -> int:
    """Principal that is open of missed instalments."""
    if not isinstance(state, Running):
        return 0
    return sum(line.principal_fen for line in lines_through(state.book, state.next_missed - 1))


def said(state: LoanState, events: Sequence[LoanEvent]) -> Sequence[LoanEvent]:
    """The decision, of which one event says what of the principal is overdue once that, or where it is counted, is changed by it."""
    place = _carrier(state, events)
    if place is None:
        return events
    before, after = _live(state), state
    for event in events:
        after = loan_state.evolve(after, event)
    fen, bucket = overdue_principal_fen(after), _live(after).bucket
    if fen == before.overdue_said_fen and (bucket == before.bucket or not fen):
        return events
    told = OverduePrincipal(
        from_bucket=before.bucket, to_bucket=bucket, before_fen=before.overdue_said_fen, after_fen=fen
    )
    return [
        replace(event, overdue_principal=told) if at == place and isinstance(event, _CARRIERS) else event
        for at, event in enumerate(events)
    ]


def evolve(state: LoanState, event: LoanEvent) -> LoanState:
    """The state after one event, with what it said."""
    after = loan_state.evolve(state, event)
    told = getattr(event, "overdue_principal", None)
    if told is None or isinstance(after, NotOpened):
        return after
    if isinstance(after, Repaid):
        return replace(after, last=replace(after.last, overdue_said_fen=told.after_fen))
    return replace(after, overdue_said_fen=told.after_fen)


def _carrier(state: LoanState, events: Sequence[LoanEvent]) -> int | None:
    """The place of the event that would say it; none where nothing of it can change, as in all that a loan in time does."""
    kinds = {type(event) for event in events}
    is_in_time = isinstance(state, Running) and not state.overdue_said_fen and state.next_missed == 1
    if isinstance(state, NotOpened) or (is_in_time and kinds.isdisjoint({PaymentMissed, LoanRestated})):
        return None
    return next(
        (
            at
            for kind in _CARRIERS
            if kind in kinds
            for at, event in reversed(list(enumerate(events)))
            if isinstance(event, kind)
        ),
        None,
    )


def _live(state: LoanState) -> Running:
    assert not isinstance(state, NotOpened), "only of a loan that was lent something is overdue"
    return reopened(state)
