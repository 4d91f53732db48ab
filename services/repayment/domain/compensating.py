"""Compensation 代偿 with subrogation: the guarantor pays the holders of an overdue loan, and is owed what he paid for.

The borrower owes the same as before (the book stays), to somebody else (claims change): Civil Code art. 700. What was paid for whole
instalments, so from then on these are his alone: whatever is paid on them, later penalty included, goes to him, on all others to the
holders. Of the interest that he is paid the platform takes no fee: the holders have borne it when he paid them *(chosen)*. He pays
penalty up to the day, and never the platform's own fees *(chosen)*: those stay the borrower's debt. Three people of finance sign
(processes.md 1.J: finance reviews the external guarantor's compensation); the platform pays nothing (domain.md section 9).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import assert_never

from libs.events.compensation import (
    ClaimsSubrogated,
    CompensationApproved,
    CompensationDeclined,
    CompensationExecuted,
    CompensationProposed,
    SubrogatedClaim,
)
from libs.events.deciding import Context, Refused
from libs.events.repayment import (
    AllocationLine,
    OverpaymentReturned,
    PaymentReturned,
    RepaymentDistributed,
)
from services.repayment.commands.compensation import (
    ApproveCompensation,
    DeclineCompensation,
    ExecuteCompensation,
    ProposeCompensation,
    RecordCompensation,
    RefuseCompensation,
)
from services.repayment.domain.allocation import UNDUE, line_fen
from services.repayment.domain.compensable import days_unpaid, owed, terms_of, total_fen
from services.repayment.domain.compensation_days import require_in_time
from services.repayment.domain.guarantee import Approved, Asked, Guarantee, Proposed, UnderWay
from services.repayment.domain.himself import signer_without_part
from services.repayment.domain.ids import account_of_guarantor, user_of_guarantor
from services.repayment.domain.loan_day import charged_by, penalties
from services.repayment.domain.loan_state import LoanEvent, Repaid, Running
from services.repayment.domain.profile import Rules
from services.repayment.domain.sharing import shares
from services.repayment.domain.trading import release_all

_Signing = ProposeCompensation | ApproveCompensation | RefuseCompensation | ExecuteCompensation
CompensationCommand = _Signing | RecordCompensation | DeclineCompensation


def compensate(
    rules: Rules, command: CompensationCommand, state: Running, context: Context
) -> Sequence[LoanEvent]:
    """What a step of a compensation does to a loan that is owed. Refusals stand on the commands."""
    match command:
        case ProposeCompensation():
            return _propose(rules, command, state, context)
        case ApproveCompensation():
            return _approve(command, state, context)
        case RefuseCompensation():
            return _refuse(command, state, context)
        case ExecuteCompensation():
            return _execute(rules, command, state, context)
        case RecordCompensation():
            return record(rules, command, state, context)
        case DeclineCompensation():
            guarantee, asked = state.guarantee, _asked_for(state, command.compensation_id)
            if guarantee is None or asked is None:
                return []
            return [_declined(state.loan_id, guarantee, command, command.code, context.business_date)]
        case _:
            assert_never(command)


def compensate_repaid(
    command: CompensationCommand, state: Repaid, context: Context
) -> Sequence[CompensationDeclined | PaymentReturned]:
    """What is still on its way for a loan that is repaid goes back. Refused: `loan_repaid`."""
    if not isinstance(command, RecordCompensation | DeclineCompensation):
        raise Refused("loan_repaid")
    guarantee = state.last.guarantee
    if guarantee is None or _asked_for(state.last, command.compensation_id) is None:
        return []
    if isinstance(command, DeclineCompensation):
        return [_declined(state.loan_id, guarantee, command, command.code, context.business_date)]
    return _sent_back(state.loan_id, guarantee, command, "loan_repaid", context.business_date)


# --- three people --------------------------------------------------------------------------------------------------


def _propose(
    rules: Rules, command: ProposeCompensation, state: Running, context: Context
) -> Sequence[CompensationProposed]:
    who, on, guarantee = (
        signer_without_part(command.himself, state, context),
        context.business_date,
        state.guarantee,
    )
    if guarantee is None:
        raise Refused("no_guarantor")
    if guarantee.under_way is not None:
        if guarantee.under_way.compensation_id == command.compensation_id:
            return []
        raise Refused("compensation_open")
    _require_answers(state)
    lines = owed(rules, state, on)
    if not lines:
        raise Refused("nothing_overdue")
    dpd = days_unpaid(state, lines, on)
    if dpd < terms_of(state.book).compensated_after:
        raise Refused("not_overdue_enough")
    return [
        CompensationProposed(
            loan_id=state.loan_id,
            borrower=state.borrower,
            compensation_id=command.compensation_id,
            guarantor=guarantee.guarantor,
            covers=terms_of(state.book).compensates,
            dpd=dpd,
            amount_fen=total_fen(lines),
            proposed_by=who,
            proposed_on=on,
            product=state.product,
            region=state.region,
            sign_until=on + timedelta(days=rules.compensation_days),
        )
    ]


def _require_answers(state: Running) -> None:
    """While a debit has no answer nobody knows what is overdue (docs/decisions/0018)."""
    if state.unanswered:
        raise Refused("debit_unanswered")


def _approve(
    command: ApproveCompensation, state: Running, context: Context
) -> Sequence[CompensationApproved]:
    who = signer_without_part(command.himself, state, context)
    guarantee, under_way = _under_way(state, command.compensation_id)
    if not isinstance(under_way, Proposed):
        return []
    require_in_time(under_way, context)
    if who == under_way.proposed_by:
        raise Refused("forbidden_same_person")
    return [
        CompensationApproved(
            loan_id=state.loan_id,
            compensation_id=command.compensation_id,
            guarantor=guarantee.guarantor,
            approved_by=who,
            approved_on=context.business_date,
        )
    ]


def _refuse(command: RefuseCompensation, state: Running, context: Context) -> Sequence[CompensationDeclined]:
    who, guarantee = signer_without_part(command.himself, state, context), state.guarantee
    under_way = guarantee.under_way if guarantee else None
    if guarantee is None or under_way is None or under_way.compensation_id != command.compensation_id:
        return []
    if isinstance(under_way, Asked):
        raise Refused("compensation_executed")
    declined = _declined(state.loan_id, guarantee, command, command.code, context.business_date)
    return [replace(declined, declined_by=who)]


def _execute(
    rules: Rules, command: ExecuteCompensation, state: Running, context: Context
) -> Sequence[CompensationExecuted | CompensationDeclined]:
    who, on = signer_without_part(command.himself, state, context), context.business_date
    guarantee, under_way = _under_way(state, command.compensation_id)
    if isinstance(under_way, Asked):
        return []
    if not isinstance(under_way, Approved):
        raise Refused("not_approved")
    require_in_time(under_way, context)
    if who in (under_way.proposed_by, under_way.approved_by):
        raise Refused("forbidden_same_person")
    _require_answers(state)
    lines = owed(rules, state, on)
    if not lines:
        return [_declined(state.loan_id, guarantee, command, "nothing_overdue", on)]
    if days_unpaid(state, lines, on) < terms_of(state.book).compensated_after:
        # What it was proposed for is paid; what is late now may be so for a day.
        return [_declined(state.loan_id, guarantee, command, "not_overdue_enough", on)]
    return [
        CompensationExecuted(
            loan_id=state.loan_id,
            borrower=state.borrower,
            compensation_id=command.compensation_id,
            guarantor=guarantee.guarantor,
            account_id=account_of_guarantor(guarantee.guarantor),
            covers=terms_of(state.book).compensates,
            amount_fen=total_fen(lines),
            lines=lines,
            value_date=on,
            executed_by=who,
        )
    ]


def _under_way(state: Running, compensation_id: str) -> tuple[Guarantee, UnderWay]:
    guarantee = state.guarantee
    under_way = guarantee.under_way if guarantee else None
    if guarantee is None or under_way is None or under_way.compensation_id != compensation_id:
        raise Refused("compensation_not_open")
    return guarantee, under_way


# --- the account's answer ------------------------------------------------------------------------------------------


def _asked_for(state: Running, compensation_id: str) -> Asked | None:
    under_way = state.guarantee.under_way if state.guarantee else None
    if isinstance(under_way, Asked) and under_way.compensation_id == compensation_id:
        return under_way
    return None


def record(
    rules: Rules, command: RecordCompensation, state: Running, context: Context
) -> Sequence[LoanEvent]:
    """What of his money is owed still is taken, the rest goes back."""
    guarantee, asked = state.guarantee, _asked_for(state, command.compensation_id)
    if guarantee is None or asked is None:
        return []
    on = command.value_date
    charges = penalties(rules, state, on)
    charged = replace(state, book=charged_by(state.book, charges))
    lines = _still_owed(asked, owed(rules, charged, on))
    if lines is None or not lines:
        code = "terms_changed" if lines is None else "nothing_overdue"
        return _sent_back(state.loan_id, guarantee, command, code, context.business_date)
    events: list[LoanEvent] = [
        *charges,
        *release_all(state, "claims_subrogated"),
        *_subrogated(rules, charged, guarantee, command, lines),
    ]
    if excess_fen := command.amount_fen - total_fen(lines):
        events.append(
            OverpaymentReturned(
                loan_id=state.loan_id,
                payment_id=command.compensation_id,
                account_id=command.account_id,
                amount_fen=excess_fen,
            )
        )
    return events


def _still_owed(asked: Asked, left: Sequence[AllocationLine]) -> tuple[AllocationLine, ...] | None:
    """What of what was asked for is still owed, never more than was asked; the borrower may have paid meanwhile. None where he owes on
    other terms now: a guarantor pays for whole instalments or for nothing."""
    before = {line.number: line for line in asked.lines}
    lines = [_lesser(before[line.number], line) for line in left if line.number in before]
    open_fen = sum(line.principal_fen + line.interest_fen for line in left if _is_before(line, asked))
    paid_fen = sum(line.principal_fen + line.interest_fen for line in lines)
    return tuple(line for line in lines if line_fen(line)) if open_fen == paid_fen else None


def _is_before(line: AllocationLine, asked: Asked) -> bool:
    """Whether he was to pay for it: all, where he was asked for what settles the loan."""
    return any(each.number == UNDUE for each in asked.lines) or line.number <= asked.lines[-1].number


def _lesser(asked: AllocationLine, left: AllocationLine) -> AllocationLine:
    return AllocationLine(
        number=asked.number,
        penalty_fen=min(asked.penalty_fen, left.penalty_fen),
        interest_fen=min(asked.interest_fen, left.interest_fen),
        principal_fen=min(asked.principal_fen, left.principal_fen),
    )


def _subrogated(
    rules: Rules,
    state: Running,
    guarantee: Guarantee,
    command: RecordCompensation,
    lines: tuple[AllocationLine, ...],
) -> Sequence[ClaimsSubrogated | RepaymentDistributed]:
    principal_fen = sum(line.principal_fen for line in lines)
    interest_fen = sum(line.interest_fen for line in lines)
    penalty_fen = sum(line.penalty_fen for line in lines)
    parts = shares(rules, state, lines)
    order, covers = state.last_order + 1, terms_of(state.book).compensates
    claim = SubrogatedClaim(
        order=order,
        claim_id=f"clm_{state.loan_id.removeprefix('loan_')}_{order}",
        account_id=command.account_id,
        investor=user_of_guarantor(guarantee.guarantor),
        principal_fen=principal_fen,
        first=min((line.number for line in lines if line.number), default=len(state.book.rows)),
        through=None if covers == "outstanding" else lines[-1].number,
    )
    his = {each.claim_id for each in guarantee.subrogated}
    held_fen = sum(each.principal_fen for each in state.claims if each.claim_id not in his)
    return [
        ClaimsSubrogated(
            loan_id=state.loan_id,
            borrower=state.borrower,
            compensation_id=command.compensation_id,
            guarantor=guarantee.guarantor,
            covers=covers,
            claim=claim,
            amount_fen=total_fen(lines),
            principal_fen=principal_fen,
            interest_fen=interest_fen,
            penalty_fen=penalty_fen,
            lines=lines,
            guaranteed_fen=held_fen - principal_fen,
            value_date=command.value_date,
            product=state.product,
            region=state.region,
        ),
        RepaymentDistributed(
            loan_id=state.loan_id,
            distribution_id=f"dst_{command.compensation_id}",
            payment_id=command.compensation_id,
            value_date=command.value_date,
            principal_fen=principal_fen,
            interest_fen=interest_fen,
            fee_fen=sum(line.fee_fen for line in parts),
            lines=parts,
            penalty_fen=penalty_fen,
        ),
    ]


def _sent_back(
    loan_id: str, guarantee: Guarantee, command: RecordCompensation, code: str, on: date
) -> list[CompensationDeclined | PaymentReturned]:
    return [
        _declined(loan_id, guarantee, command, code, on),
        PaymentReturned(
            loan_id=loan_id,
            payment_id=command.compensation_id,
            account_id=command.account_id,
            amount_fen=command.amount_fen,
            code=code,
        ),
    ]


def _declined(
    loan_id: str, guarantee: Guarantee, command: CompensationCommand, code: str, on: date
) -> CompensationDeclined:
    return CompensationDeclined(
        loan_id=loan_id,
        compensation_id=command.compensation_id,
        guarantor=guarantee.guarantor,
        code=code,
        declined_on=on,
    )
