"""The loan's situations and how events lead from one to the next: compact, rows and one position in them, never a history."""

from dataclasses import replace
from datetime import date
from typing import Literal, TypeVar, assert_never

from libs.events.arrival import LoanWaited
from libs.events.claims import ClaimReserved, ClaimTransferred, ReservationReleased
from libs.events.codec import record
from libs.events.compensation import (
    ClaimsSubrogated,
    CompensationApproved,
    CompensationDeclined,
    CompensationExecuted,
    CompensationProposed,
)
from libs.events.corrections import CorrectionExamined, LoanRestated, PaymentRedated, PaymentReversed
from libs.events.deferrals import MeasureDeferred, MeasureResumed
from libs.events.flags import LoanUnflagged
from libs.events.lateness import Freed, LatenessJudged, Unjudged
from libs.events.measures import MeasureExamined
from libs.events.money import Count
from libs.events.recovery_costs import RecoveryCostPaid
from libs.events.repayment import (
    DebitFailureRecorded,
    DebitRequested,
    InstallmentDue,
    LoanClass,
    LoanClassified,
    LoanOpened,
    LoanRepaid,
    OverdueBucketChanged,
    OverpaymentReturned,
    PaymentMissed,
    PaymentReceived,
    PaymentReturned,
    PenaltyCharged,
    RepaymentDistributed,
)
from libs.events.rescheduling import ScheduleChanged
from libs.events.voidance import LoanVoided
from services.repayment.domain import holding
from services.repayment.domain.allocation import Book, after, book_of
from services.repayment.domain.charging import charged
from services.repayment.domain.claims_told import compensated, shared, traded
from services.repayment.domain.guarantee import Guarantee, GuaranteeEvent
from services.repayment.domain.holding import claim_of
from services.repayment.domain.journal import EMPTY, Journal, opened
from services.repayment.domain.pending import Pending, answered, asked_as, waits_for
from services.repayment.domain.profile import CURRENT
from services.repayment.domain.restating import (
    corrected,
    rescheduled_by,
    with_answer,
    with_cost,
    with_payment,
    with_wait,
)
from services.repayment.domain.trouble import Trouble, TroubledEvent, classified
from services.repayment.domain.trouble_told import troubled, voided
from services.repayment.domain.unjudged import (
    Kept,
    Paid,
    booked,
    fined,
    with_found,
    with_late_money,
    with_paid,
)

Claim = holding.Claim  # whoever reads the state finds its claims here too
Reservation = holding.Reservation

#: How many voluntary payments that it did not take a loan recognises when they come again (see `paying`).
PAYMENTS_REMEMBERED = 32


@record
class NotOpened:
    """Nothing was lent yet."""

    kind: Literal["not_opened"] = "not_opened"


@record
class Running:
    """The loan is owed. `next_due` and `next_missed` are the first instalments of which that was not said yet.

    `asked_on` is the date of the last debit, `unanswered` the debits without an answer, `remembered` the last voluntary
    payments, `bucket` and `loan_class` where the loan is counted. `reservations` are the claims that are for sale, `sold` the
    last offers that were transferred, `last_order` the highest that any of its claims ever had. `weights` are what the claims,
    in their order, were owed before the payment that repaid all principal: by them interest and penalty that are still owed are shared.
    `trouble` is what measures left behind, `unjudged` what was paid late while nobody could know, `freed` what was there beside it, `answered_on` the day of the last late answer.
    `journal` is what came to the loan, from which all this can be decided again (`replaying`). `overdue_said_fen`: see `overdue_split`.
    """

    kind: Literal["running"] = "running"
    loan_id: str
    borrower: str
    borrower_account: str
    interest_fee_permille: int
    book: Book
    claims: tuple[Claim, ...]
    bucket: str
    loan_class: LoanClass
    product: str
    region: str
    next_due: int
    next_missed: int
    asked_on: date
    unanswered: tuple[Pending, ...]
    remembered: tuple[str, ...]
    grade: str
    last_order: int
    reservations: tuple[Reservation, ...] = ()
    sold: tuple[str, ...] = ()
    weights: tuple[Count, ...] = ()
    guarantee: Guarantee | None = None
    trouble: Trouble = Trouble()
    journal: Journal = EMPTY
    overdue_said_fen: Count = 0
    unjudged: tuple[Unjudged, ...] = ()
    freed: tuple[Freed, ...] = ()
    answered_on: date | None = None


@record
class Repaid:
    """Nothing is owed; what still arrives goes back. `last` is how it ran to its end: a correction may open it again."""

    kind: Literal["repaid"] = "repaid"
    loan_id: str
    borrower: str
    unanswered: tuple[Pending, ...]
    remembered: tuple[str, ...]
    last: Running


LoanState = NotOpened | Running | Repaid


def shared_by(state: Running) -> tuple[Claim, ...]:
    """The claims as a payment is shared among them: where no principal is owed any more, by what each was owed last."""
    if not state.weights:
        return state.claims
    return tuple(
        replace(claim, principal_fen=fen) for claim, fen in zip(state.claims, state.weights, strict=True)
    )


_Lent = TypeVar("_Lent", bound=Running | Repaid)
LoanEvent = (
    LoanOpened
    | InstallmentDue
    | DebitRequested
    | DebitFailureRecorded
    | PaymentReceived
    | RepaymentDistributed
    | OverpaymentReturned
    | PaymentReturned
    | PaymentMissed
    | PenaltyCharged
    | OverdueBucketChanged
    | LoanClassified
    | LoanRepaid
    | ClaimReserved
    | ReservationReleased
    | ClaimTransferred
    | ScheduleChanged
    | GuaranteeEvent
    | TroubledEvent
    | PaymentReversed
    | PaymentRedated
    | LoanRestated
    | LoanVoided
    | LoanWaited
    | LatenessJudged
)


def evolve(state: LoanState, event: LoanEvent) -> LoanState:
    """The state after one event. A record's events belong together: between PaymentReceived and RepaymentDistributed the book is ahead of the claims."""
    match event:
        case LoanOpened():
            return _opened(event)
        case PaymentReturned():
            return state if isinstance(state, NotOpened) else _came_to_nothing(state, event.payment_id, event)
        case DebitFailureRecorded():
            return state if isinstance(state, NotOpened) else _came_to_nothing(state, event.debit_id, event)
        case (
            CompensationProposed()
            | CompensationApproved()
            | CompensationExecuted()
            | CompensationDeclined()
            | ClaimsSubrogated()
        ):
            return state if isinstance(state, NotOpened) else _compensated(state, event)
        case PaymentReversed() | PaymentRedated():
            if isinstance(state, Repaid):
                return replace(state, last=corrected(state.last, event))
            return corrected(state, event) if isinstance(state, Running) else state
        case LoanVoided():
            if isinstance(state, Repaid):
                return replace(state, last=voided(state.last, event))
            return voided(state, event) if isinstance(state, Running) else state
        case LoanRestated():
            return state if isinstance(state, NotOpened) else corrected(reopened(state), event)
        case _ if isinstance(state, Repaid):
            return _after_its_end(state, event)
        case _ if not isinstance(state, Running):
            return state
        case _ if isinstance(event, TroubledEvent):
            return troubled(_answered_by(state, event), event)
        case LoanWaited():
            return replace(state, journal=with_wait(state.journal, event))
        case _:
            return _evolve_running(state, event)


def _after_its_end(state: Repaid, event: LoanEvent) -> Repaid:
    match event:
        case (
            MeasureExamined() | MeasureDeferred() | MeasureResumed() | CorrectionExamined() | LoanUnflagged()
        ):
            return replace(state, last=troubled(state.last, event))
        case PaymentMissed(number=number):
            next_missed = max(state.last.next_missed, number + 1)
            return replace(state, last=replace(state.last, next_missed=next_missed))
        case LatenessJudged():
            return replace(state, last=replace(state.last, unjudged=(), freed=()))
        case _:
            return state


def reopened(state: Running | Repaid) -> Running:
    """The loan as it ran, whether it has ended or not."""
    if isinstance(state, Running):
        return state
    return replace(state.last, unanswered=state.unanswered, remembered=state.remembered)


def _evolve_running(
    state: Running,
    event: InstallmentDue
    | DebitRequested
    | PaymentReceived
    | RepaymentDistributed
    | OverpaymentReturned
    | PaymentMissed
    | PenaltyCharged
    | OverdueBucketChanged
    | LoanClassified
    | LoanRepaid
    | ClaimReserved
    | ReservationReleased
    | ClaimTransferred
    | ScheduleChanged
    | LatenessJudged,
) -> LoanState:
    match event:
        case InstallmentDue():
            asked = _asked(state, event.debit_id, event.value_date, waits=event.asked)
            return replace(asked, next_due=event.number + 1)
        case DebitRequested():
            return _asked(state, event.debit_id, event.value_date)
        case PaymentReceived():
            return _paid(state, event)
        case RepaymentDistributed():
            return shared(state, event)
        case OverpaymentReturned():
            return state
        case PaymentMissed():
            # A correction says where the loan stands first, and then what it makes missed.
            return replace(state, next_missed=max(state.next_missed, event.number + 1))
        case PenaltyCharged():
            return replace(state, book=charged(state.book, event.lines, event.charged_on))
        case LatenessJudged():
            book = fined(state.book, event.number, event.penalty_fen)
            return replace(state, unjudged=(), freed=(), book=book)
        case OverdueBucketChanged():
            return replace(state, bucket=event.to_bucket)
        case LoanClassified():
            return replace(state, loan_class=event.to_class, trouble=classified(state.trouble, event))
        case LoanRepaid():
            return Repaid(
                loan_id=state.loan_id,
                borrower=state.borrower,
                unanswered=state.unanswered,
                remembered=state.remembered,
                last=state,
            )
        case ClaimReserved() | ReservationReleased() | ClaimTransferred():
            return traded(state, event)
        case ScheduleChanged():
            return rescheduled_by(state, event)
        case _:
            assert_never(event)


def _opened(event: LoanOpened) -> Running:
    return Running(
        loan_id=event.loan_id,
        borrower=event.borrower,
        borrower_account=event.borrower_account,
        interest_fee_permille=event.interest_fee_permille,
        book=book_of(
            event.funded_on,
            event.annual_rate,
            event.rows,
            penalty_rate=event.penalty_rate,
            repayment=event.repayment,
        ),
        claims=tuple(map(claim_of, event.claims)),
        bucket=CURRENT,
        loan_class="normal",
        product=event.product,
        region=event.region,
        next_due=1,
        next_missed=1,
        asked_on=event.funded_on,
        unanswered=(),
        remembered=(),
        grade=event.grade,
        last_order=max(claim.order for claim in event.claims),
        guarantee=Guarantee(guarantor=event.guarantor) if event.guarantor else None,
        journal=opened([(claim.order, claim.principal_fen) for claim in event.claims]),
    )


def _asked(state: Running, debit_id: str, on: date, *, waits: bool = True) -> Running:
    """The day is over for what falls due on it, whether the account was asked or not."""
    pending = (Pending(debit_id=debit_id, asked_on=on),) if waits else ()
    return replace(state, asked_on=on, unanswered=(*state.unanswered, *pending))


def _answered(state: _Lent, payment_id: str) -> _Lent:
    if waits_for(state.unanswered, payment_id):
        return replace(state, unanswered=answered(state.unanswered, payment_id))
    return replace(state, remembered=(*state.remembered, payment_id)[-PAYMENTS_REMEMBERED:])


def _answered_by(state: Running, event: TroubledEvent) -> Running:
    if isinstance(event, RecoveryCostPaid) and event.is_all:
        debit = asked_as(state.unanswered, event.payment_id)
        after = replace(state, journal=with_cost(state, event, is_debit=debit is not None))
        if debit is not None and event.arrival and event.arrival.booked_on > debit.asked_on:
            more_fen = event.arrival.received_fen - event.amount_fen
            after = reopened(found(after, event.payment_id, more_fen, event.arrival.booked_on))
        return _answered(after, event.payment_id)
    return state


def _came_to_nothing(
    state: Running | Repaid, payment_id: str, event: PaymentReturned | DebitFailureRecorded
) -> Running | Repaid:
    """A debit's answer that came late is an input: until then the loan was not judged."""
    debit = asked_as(state.unanswered, payment_id)
    if event.answered is None or debit is None:
        return _answered(state, payment_id)
    found_fen = event.amount_fen if isinstance(event, PaymentReturned) else 0
    state = found(state, payment_id, found_fen, event.answered.on)
    journal = with_answer(reopened(state).journal, debit, event.answered, found_fen)
    if isinstance(state, Repaid):
        return _answered(replace(state, last=replace(state.last, journal=journal)), payment_id)
    return _answered(replace(state, journal=journal), payment_id)


def found(state: Running | Repaid, debit_id: str, found_fen: int, on: date) -> Running | Repaid:
    """A debit is answered late: it has found so much that the loan does not need, so what was paid since was there on the day of the asking."""
    last, debit = reopened(state), asked_as(state.unanswered, debit_id)
    if debit is None:
        return state
    kept = with_found(Kept(last.unjudged, last.freed), last.book.pauses, debit, found_fen)
    last = replace(last, unjudged=kept.parts, freed=kept.freed, answered_on=on)
    return last if isinstance(state, Running) else replace(state, last=last)


def _paid(state: Running, event: PaymentReceived) -> Running:
    journal = with_payment(state, event, is_debit=waits_for(state.unanswered, event.payment_id))
    debit, knows = asked_as(state.unanswered, event.payment_id), _answered(state, event.payment_id)
    paid = Paid(event, Kept(state.unjudged, state.freed), state.book, state.next_missed)
    if debit is not None and state.unjudged and booked(event) > debit.asked_on:
        kept = with_late_money(paid, debit)
    else:
        kept = with_paid(paid, state.unanswered, state.answered_on)
    if debit is not None and booked(event) > debit.asked_on:
        knows = replace(knows, answered_on=booked(event))
    book = after(state.book, event.allocation)
    return replace(knows, book=book, journal=journal, unjudged=kept.parts, freed=kept.freed)


def _compensated(state: Running | Repaid, event: GuaranteeEvent) -> Running | Repaid:
    if isinstance(state, Repaid):
        return replace(state, last=compensated(state.last, event))
    return compensated(state, event)
