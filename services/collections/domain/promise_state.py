"""What a case remembers of payments and of the promises that they kept, so that these can be judged again when one is corrected.

It outlives its case: the payment that keeps a promise is often the one that cures the loan. But it is no history: of a case's payments the last
ones are remembered, and the promises to which they count.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Final

from libs.events.codec import record
from libs.events.collections import (
    CasePaymentCorrected,
    CasePaymentRecorded,
    PromiseBroken,
    PromiseKept,
    PromiseMade,
    PromiseMended,
    PromiseReleased,
    PromiseReopened,
)
from libs.events.money import Count, PositiveFen

PromiseEvent = PromiseMade | PromiseKept | PromiseReopened | PromiseBroken | PromiseMended | PromiseReleased
TallyEvent = CasePaymentRecorded | CasePaymentCorrected | PromiseEvent

#: So many payments of a case are remembered (chosen, 2 kB): who pays once a month pays them in over two years, and a payment that was wrong is
#: found within weeks. One before them is not corrected: what it brought towards a promise stands.
PAYMENTS_REMEMBERED: Final = 32


@record
class Promise:
    """A promise that is not decided yet, and what payments have brought towards it."""

    promise_id: str
    collector: str
    amount_fen: PositiveFen
    promised_on: date
    paid_fen: Count


@record
class CountedPayment:
    """A payment as it counts now."""

    payment_id: str
    amount_fen: Count
    value_date: date


@record
class JudgedPromise:
    """A promise that is open, kept or broken. Payments number `since` and after count towards it, up to `until` once another was made, and
    `before_fen` that payments brought which are remembered no more."""

    promise_id: str
    collector: str
    amount_fen: PositiveFen
    promised_on: date
    since: Count
    until: Count | None = None
    kept: bool = False
    broken: bool = False
    before_fen: Count = 0


@record
class Tally:
    """One case's last payments in the order in which they were recorded, and its promises that are not released: broken ones while
    a payment is remembered that may keep them, or one to come."""

    case_id: str
    loan_id: str
    payments: tuple[CountedPayment, ...] = ()
    promises: tuple[JudgedPromise, ...] = ()

    def paid_fen(self, promise: JudgedPromise) -> int:
        """What payments with value dates up to its date have brought towards a promise."""
        counted = self.payments[promise.since : promise.until]
        return promise.before_fen + _in_time_fen(counted, promise)

    def last_paid_on(self, promise: JudgedPromise) -> date:
        """The latest value date of what counts towards a promise; what was corrected to nothing does not. Its own date where all that does is
        remembered no more: it was paid by then."""
        counted = self.payments[promise.since : promise.until]
        dates = (one.value_date for one in counted if one.amount_fen)
        return max((day for day in dates if day <= promise.promised_on), default=promise.promised_on)

    def payment(self, payment_id: str) -> CountedPayment | None:
        """A payment that the case remembers."""
        return next((payment for payment in self.payments if payment.payment_id == payment_id), None)

    def promise(self, promise_id: str) -> JudgedPromise | None:
        """A promise that is not released, nor broken for good."""
        return next((promise for promise in self.promises if promise.promise_id == promise_id), None)


def tally_of(tallies: tuple[Tally, ...], case_id: str) -> Tally | None:
    """A case's tally; None where nothing was promised or paid."""
    return next((tally for tally in tallies if tally.case_id == case_id), None)


def tallied(tallies: tuple[Tally, ...], event: TallyEvent) -> tuple[Tally, ...]:
    """The tallies after one event."""
    before = tally_of(tallies, event.case_id)
    if before is None:
        return (*tallies, _tallied(Tally(case_id=event.case_id, loan_id=event.loan_id), event))
    return tuple(_tallied(tally, event) if tally is before else tally for tally in tallies)


def _tallied(tally: Tally, event: TallyEvent) -> Tally:
    match event:
        case CasePaymentRecorded():
            return _bounded(replace(tally, payments=(*tally.payments, _counted(event))))
        case CasePaymentCorrected():
            after = tuple(
                _counted(event) if payment.payment_id == event.payment_id else payment
                for payment in tally.payments
            )
            return replace(tally, payments=after)
        case PromiseMade():
            so_far = len(tally.payments)
            ended = tuple(
                replace(promise, until=so_far) if promise.until is None else promise
                for promise in tally.promises
                if not (promise.broken and promise.until is None and promise.since == so_far)
            )
            made = JudgedPromise(
                promise_id=event.promise_id,
                collector=event.collector,
                amount_fen=event.amount_fen,
                promised_on=event.promised_on,
                since=so_far,
            )
            return replace(tally, promises=(*ended, made))
        case PromiseKept() | PromiseReopened() | PromiseBroken() | PromiseMended():
            return replace(tally, promises=tuple(_as_judged(promise, event) for promise in tally.promises))
        case PromiseReleased():
            rest = tuple(promise for promise in tally.promises if promise.promise_id != event.promise_id)
            return replace(tally, promises=rest)


def _as_judged(
    promise: JudgedPromise, event: PromiseKept | PromiseReopened | PromiseBroken | PromiseMended
) -> JudgedPromise:
    if promise.promise_id != event.promise_id:
        return promise
    return replace(
        promise,
        kept=isinstance(event, PromiseKept | PromiseMended),
        broken=isinstance(event, PromiseBroken),
    )


def _bounded(tally: Tally) -> Tally:
    """The last payments alone, and the promises to which these count or payments to come: what was kept by others is kept for good."""
    gone = tally.payments[:-PAYMENTS_REMEMBERED]
    if not gone:
        return tally
    promises = tuple(
        _without(gone, promise)
        for promise in tally.promises
        if promise.until is None or promise.until > len(gone)
    )
    return replace(tally, payments=tally.payments[len(gone) :], promises=promises)


def _without(gone: tuple[CountedPayment, ...], promise: JudgedPromise) -> JudgedPromise:
    return replace(
        promise,
        since=max(0, promise.since - len(gone)),
        until=None if promise.until is None else promise.until - len(gone),
        before_fen=promise.before_fen + _in_time_fen(gone[promise.since : promise.until], promise),
    )


def _in_time_fen(payments: Iterable[CountedPayment], promise: JudgedPromise) -> int:
    return sum(payment.amount_fen for payment in payments if payment.value_date <= promise.promised_on)


def _counted(event: CasePaymentRecorded | CasePaymentCorrected) -> CountedPayment:
    return CountedPayment(
        payment_id=event.payment_id, amount_fen=event.amount_fen, value_date=event.value_date
    )


def promise_after(promise: Promise | None, event: TallyEvent, tally: Tally | None) -> Promise | None:
    """The promise that a case waits for, after one event. What is said of another than that leaves it."""
    match event:
        case PromiseMade():
            return _open(event, 0)
        case PromiseReopened():
            return promise or _open(event, event.paid_fen)
        case PromiseKept() | PromiseBroken() | PromiseMended() | PromiseReleased():
            return None if promise and promise.promise_id == event.promise_id else promise
        case CasePaymentRecorded() | CasePaymentCorrected():
            judged = tally.promise(promise.promise_id) if tally and promise else None
            if tally is None or promise is None or judged is None:
                return promise
            return replace(promise, paid_fen=tally.paid_fen(judged))


def _open(event: PromiseMade | PromiseReopened, paid_fen: int) -> Promise:
    return Promise(
        promise_id=event.promise_id,
        collector=event.collector,
        amount_fen=event.amount_fen,
        promised_on=event.promised_on,
        paid_fen=paid_fen,
    )
