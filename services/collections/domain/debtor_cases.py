"""What repayment's facts and the day do to a debtor's cases: opening, arrears, stages, promises judged, closing.

A case opens at the first missed payment and follows the loan (domain.md section 5). Facts of one loan arrive in its order; a
fact of a loan without an open case has nothing to change.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TypedDict

from libs.events.collections import (
    ArrearsUpdated,
    CaseClosed,
    CaseOpened,
    CasePaymentRecorded,
    CaseStageChanged,
    MissAdded,
    PromiseBroken,
    PromiseKept,
    PromiseMended,
    PromiseReleased,
)
from libs.events.deciding import Context, Refused
from libs.events.money import PositiveFen
from services.collections.commands import (
    CURRENT,
    WRITTEN_OFF,
    CloseCase,
    RecordBucket,
    RecordCasePayment,
    RecordMiss,
    RecordPenalty,
    debtor_of,
)
from services.collections.domain.debtor_state import (
    ClosedCase,
    Debtor,
    DebtorEvent,
    DebtorState,
    NoDebtor,
    OpenCase,
    case_in,
)
from services.collections.domain.ids import case_of
from services.collections.domain.profile import Rules
from services.collections.domain.promise_state import JudgedPromise, Promise, tally_of


def record_miss(
    rules: Rules, command: RecordMiss, state: DebtorState, context: Context
) -> Sequence[DebtorEvent]:
    """Open the loan's case, or take over what is overdue with the instalment; of older records, add it unless the total already counts it."""
    case_id = case_of(command.loan_id)
    debtor_id = _debtor_id(command.borrower)
    case = None if isinstance(state, NoDebtor) else case_in(state, case_id)
    is_known = case is not None and command.due_on <= case.last_missed
    if is_known and not (command.again and not isinstance(case, OpenCase)):
        return []
    if isinstance(case, OpenCase):
        is_counted = command.due_on < case.overdue_as_of
        added_fen = case.overdue_fen if is_counted else case.overdue_fen + command.open_fen
        return [
            MissAdded(
                debtor_id=debtor_id,
                case_id=case_id,
                loan_id=command.loan_id,
                number=command.number,
                due_on=command.due_on,
                overdue_fen=added_fen if command.overdue_after_fen is None else command.overdue_after_fen,
                dpd=command.dpd,
            )
        ]
    first = rules.stages[0]
    return [
        CaseOpened(
            debtor_id=debtor_id,
            borrower=command.borrower,
            case_id=case_id,
            loan_id=command.loan_id,
            opening=1 if case is None else case.opening + 1,
            opened_on=context.business_date,
            number=command.number,
            due_on=command.due_on,
            overdue_fen=command.open_fen if command.overdue_after_fen is None else command.overdue_after_fen,
            dpd=command.dpd,
            bucket=first.buckets[0],
            stage=first.name,
            region=command.region,
            product=command.product,
        )
    ]


def record_bucket(rules: Rules, command: RecordBucket, state: DebtorState) -> Sequence[DebtorEvent]:
    """Move the case to the stage of its loan's new bucket, or close it when that is `current`."""
    found = _open_case(state, command.loan_id)
    if found is None:
        return []
    debtor, case = found
    if command.bucket == CURRENT:
        return _closed(debtor, case, command.changed_on, "cured")
    return _arrears(rules, debtor, case, command.changed_on, command.bucket, command.dpd, command.overdue_fen)


def record_penalty(command: RecordPenalty, state: DebtorState) -> Sequence[DebtorEvent]:
    """Take over what is overdue with the penalty in it; bucket and stage stay."""
    found = _open_case(state, command.loan_id)
    if found is None:
        return []
    return _updated(*found, command.charged_on, found[1].bucket, command.dpd, command.overdue_fen)


def record_payment(command: RecordCasePayment, state: DebtorState) -> Sequence[DebtorEvent]:
    """Count the payment towards the promise: kept when those up to its date reach its amount (design.md section 4)."""
    case = None if isinstance(state, NoDebtor) else _case_of(state, command.loan_id)
    if isinstance(state, NoDebtor) or case is None or not _concerns(command, state, case):
        return []
    debtor = state
    events: list[DebtorEvent] = [
        CasePaymentRecorded(
            debtor_id=debtor.debtor_id,
            case_id=case.case_id,
            loan_id=case.loan_id,
            payment_id=command.payment_id,
            amount_fen=command.amount_fen,
            value_date=command.value_date,
            as_of=command.as_of,
            overdue_fen=command.overdue_fen,
        )
    ]
    events += _mended_by(command, debtor, case)
    promise = case.promise
    if promise is None or command.value_date > promise.promised_on:
        return events
    paid = replace(promise, paid_fen=promise.paid_fen + command.amount_fen)
    if paid.paid_fen >= promise.amount_fen:
        events.append(kept(debtor, case, paid, command.value_date))
    return events


def _concerns(command: RecordCasePayment, debtor: Debtor, case: OpenCase | ClosedCase) -> bool:
    """Every payment an open case, once. A closed one only what may still keep a promise: it counts as of its day or before, and was known when
    somebody else had paid the rest."""
    if isinstance(case, OpenCase):
        return case.last_payment != command.payment_id
    tally = tally_of(debtor.tallies, case.case_id)
    return (
        tally is not None
        and tally.payment(command.payment_id) is None
        and any(
            promise.until is None and not promise.kept and command.value_date <= promise.promised_on
            for promise in tally.promises
        )
    )


def _mended_by(
    command: RecordCasePayment, debtor: Debtor, case: OpenCase | ClosedCase
) -> Sequence[PromiseMended]:
    """What counts as of a day before may keep a promise that was broken since, if none was made after it."""
    tally = tally_of(debtor.tallies, case.case_id)
    broken = () if tally is None else (one for one in tally.promises if one.broken and one.until is None)
    return [
        mended(debtor, case, promise, paid_fen, command.value_date)
        for promise in broken
        if tally is not None
        and command.value_date <= promise.promised_on
        and (paid_fen := tally.paid_fen(promise) + command.amount_fen) >= promise.amount_fen
    ]


def close_case(command: CloseCase, state: DebtorState) -> Sequence[DebtorEvent]:
    """The loan is repaid, so there is nothing to collect."""
    found = _open_case(state, command.loan_id)
    return [] if found is None else _closed(*found, command.repaid_on, "repaid")


def judge_promises(state: DebtorState, day: date) -> Sequence[DebtorEvent]:
    """The day is over: promises for it, or for a day before it, that nothing has kept are broken.

    One that a correction opened again on a case which did not open is released: there is nothing left to promise.
    """
    if isinstance(state, NoDebtor):
        return []
    return [
        broken(state, case, case.promise)
        if isinstance(case, OpenCase)
        else released(state, case, case.promise)
        for case in state.cases
        if case.promise and case.promise.promised_on <= day
    ]


def _open_case(state: DebtorState, loan_id: str) -> tuple[Debtor, OpenCase] | None:
    if isinstance(state, NoDebtor):
        return None
    case = _case_of(state, loan_id)
    return (state, case) if isinstance(case, OpenCase) else None


def _case_of(debtor: Debtor, loan_id: str) -> OpenCase | ClosedCase | None:
    return next((case for case in debtor.cases if case.loan_id == loan_id), None)


def _arrears(
    rules: Rules, debtor: Debtor, case: OpenCase, on: date, bucket: str, dpd: int, overdue_fen: int
) -> Sequence[DebtorEvent]:
    # what was written off is collected on in the stage that it has reached (chosen)
    stage = rules.stage_named(case.stage) if bucket == WRITTEN_OFF else rules.stage_of(bucket)
    if stage is None:
        raise Refused("invalid_bucket")
    updated = _updated(debtor, case, on, bucket, dpd, overdue_fen)
    if stage.name == case.stage:
        return updated
    return [
        *updated,
        CaseStageChanged(
            debtor_id=debtor.debtor_id,
            case_id=case.case_id,
            loan_id=case.loan_id,
            changed_on=on,
            from_stage=case.stage,
            to_stage=stage.name,
            bucket=bucket,
            dpd=dpd,
        ),
    ]


def _updated(
    debtor: Debtor, case: OpenCase, on: date, bucket: str, dpd: int, overdue_fen: int
) -> Sequence[DebtorEvent]:
    if (bucket, dpd, overdue_fen, on) == (case.bucket, case.dpd, case.overdue_fen, case.overdue_as_of):
        return []
    return [
        ArrearsUpdated(
            debtor_id=debtor.debtor_id,
            case_id=case.case_id,
            loan_id=case.loan_id,
            as_of=on,
            overdue_fen=overdue_fen,
            dpd=dpd,
            bucket=bucket,
        )
    ]


def _closed(debtor: Debtor, case: OpenCase, on: date, reason: str) -> Sequence[DebtorEvent]:
    assert case.entry is not None, "a case is ranked by the decision that opens it"
    events: list[DebtorEvent] = [] if case.promise is None else [released(debtor, case, case.promise)]
    events.append(
        CaseClosed(
            debtor_id=debtor.debtor_id,
            case_id=case.case_id,
            loan_id=case.loan_id,
            closed_on=on,
            reason=reason,
            opening=case.opening,
            entry=case.entry,
        )
    )
    return events


class OfPromise(TypedDict):
    """What everything that happens to a promise says of it."""

    debtor_id: str
    case_id: str
    loan_id: str
    promise_id: str
    collector: str
    amount_fen: PositiveFen
    paid_fen: int


def of_promise(
    debtor: Debtor, case: OpenCase | ClosedCase, promise: Promise | JudgedPromise, paid_fen: int
) -> OfPromise:
    """Whose it is, and what is paid of it."""
    return OfPromise(
        debtor_id=debtor.debtor_id,
        case_id=case.case_id,
        loan_id=case.loan_id,
        promise_id=promise.promise_id,
        collector=promise.collector,
        amount_fen=promise.amount_fen,
        paid_fen=paid_fen,
    )


def broken(debtor: Debtor, case: OpenCase | ClosedCase, promise: Promise) -> PromiseBroken:
    """Its date is over, and less was paid."""
    return PromiseBroken(
        **of_promise(debtor, case, promise, promise.paid_fen),
        promised_on=promise.promised_on,
        broken_promises=case.broken_promises + 1,
    )


def kept(debtor: Debtor, case: OpenCase | ClosedCase, promise: Promise, kept_on: date) -> PromiseKept:
    """Payments have reached its amount, the last of them of value date `kept_on`."""
    assert promise.paid_fen >= promise.amount_fen, "a promise is kept by what is paid"
    return PromiseKept(
        **of_promise(debtor, case, promise, promise.paid_fen),
        kept_on=kept_on,
    )


def mended(
    debtor: Debtor, case: OpenCase | ClosedCase, promise: JudgedPromise, paid_fen: int, kept_on: date
) -> PromiseMended:
    """It was broken by what was known on its day, and is kept by what is known now."""
    assert promise.broken, "what is not broken is not mended"
    return PromiseMended(
        **of_promise(debtor, case, promise, paid_fen),
        kept_on=kept_on,
        broken_promises=case.broken_promises - 1,
    )


def released(debtor: Debtor, case: OpenCase | ClosedCase, promise: Promise) -> PromiseReleased:
    """Neither kept nor broken."""
    return PromiseReleased(**of_promise(debtor, case, promise, promise.paid_fen))


def _debtor_id(borrower: str) -> str:
    try:
        return debtor_of(borrower)
    except ValueError:
        raise Refused("invalid_loan") from None
