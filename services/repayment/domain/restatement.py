"""What a correction says of a loan: where it stands without the error, and what moves, as differences of two replays."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from libs.events.corrections import (
    AdjustingLine,
    ClaimChange,
    ClaimStanding,
    CostStanding,
    FloorStanding,
    LoanRestated,
    MeasuredStanding,
    PenaltyStanding,
    Retaken,
    RowStanding,
    Standing,
)
from libs.events.deciding import Context, Refused
from services.repayment.commands.corrections import CorrectPayment
from services.repayment.domain.allocation import days_past_due, overdue_fen
from services.repayment.domain.journal_entries import Measure, Payment, Sale
from services.repayment.domain.loan_state import Repaid, Running
from services.repayment.domain.recovering import owed_change
from services.repayment.domain.replay_run import Got, Row
from services.repayment.domain.replaying import Replayed
from services.repayment.domain.trouble import Cost, Floor, Trouble


def restated(
    command: CorrectPayment, state: Running | Repaid, before: Replayed, after: Replayed, context: Context
) -> LoanRestated:
    """Where the loan stands without the error, and what each account and each claim gets more than it had."""
    live, book, on = before.state, after.state.book, context.business_date
    lines = require_settleable(_lines(before, after))
    platform_fen = after.platform_fen - before.platform_fen
    assert sum(line.amount_fen for line in lines) + platform_fen == 0, "what is given back is what is got"
    is_repaid = isinstance(state, Repaid)
    return LoanRestated(
        loan_id=live.loan_id,
        borrower=live.borrower,
        correction_id=command.correction.correction_id,
        booking=command.booking,
        restated_on=on,
        standing=_standing(
            live, after.state, applied=any(isinstance(each, Measure) for each in after.entries)
        ),
        rows=tuple(_rows(before, after)),
        retaken=tuple(_retaken(command, before, after)),
        lines=lines,
        claims=tuple(_claims(before, after)),
        platform_fen=platform_fen,
        from_bucket=None if is_repaid else live.bucket,
        principal_before_fen=0 if is_repaid else live.book.outstanding_fen,
        principal_after_fen=book.outstanding_fen,
        overdue_after_fen=overdue_fen(book, after.state.next_missed),
        penalty_after_fen=book.penalty_fen,
        dpd=days_past_due(book, on),
        product=live.product,
        region=live.region,
        branch=live.trouble.branch or live.region,
        owed=owed_change(live, book),
        guarantor=live.guarantee.guarantor if live.guarantee else "",
        recovered_fen=after.state.trouble.recovered_fen - live.trouble.recovered_fen,
        waived_fen=after.waived_fen - before.waived_fen,
        cost_paid_fen=sum(after.costs.values()) - sum(before.costs.values()),
        guaranteed_fen=_guaranteed_fen(after.state),
    )


#: Accounts between which a restatement may move money: one command opens their settlement, and 1,100 lines of numbers below 10^11 fill it.
LINES_MAX = 1_100


def require_settleable(lines: Sequence[AdjustingLine]) -> tuple[AdjustingLine, ...]:
    """Refused: `too_many_accounts` when their settlement would be larger than a command may be."""
    if len(lines) > LINES_MAX:
        raise Refused("too_many_accounts")
    return tuple(lines)


def _guaranteed_fen(state: Running) -> int | None:
    """What the holders are owed: he does not stand in for what he has paid himself."""
    if not state.guarantee or not state.guarantee.subrogated:
        return None
    his = {paid.claim_id for paid in state.guarantee.subrogated}
    return sum(claim.principal_fen for claim in state.claims if claim.claim_id not in his)


def _standing(live: Running, state: Running, *, applied: bool) -> Standing:
    book = state.book
    return Standing(
        first_open=book.first_open,
        paid=book.paid,
        penalties=tuple(
            PenaltyStanding(
                number=penalty.number,
                to=penalty.to,
                owed_fen=penalty.owed_fen,
                before_fen=penalty.before_fen,
            )
            for penalty in book.penalties
        ),
        claims=tuple(
            ClaimStanding(claim_id=claim.claim_id, principal_fen=claim.principal_fen)
            for claim in state.claims
        ),
        weights=state.weights,
        bucket=state.bucket,
        loan_class=state.loan_class,
        next_due=state.next_due,
        next_missed=state.next_missed,
        asked_on=state.asked_on,
        rows=None if book.rows == live.book.rows else book.rows,
        measured=_measured(live.trouble, state) if applied else None,
        unjudged=state.unjudged,
        freed=state.freed,
        answered_on=state.answered_on,
    )


def _measured(live: Trouble, state: Running) -> MeasuredStanding:
    trouble, arrears = state.trouble, state.book.arrears
    return MeasuredStanding(
        floor=_floor(trouble.floor),
        observed=_floor(trouble.observed),
        recovered_fen=trouble.recovered_fen,
        matures_on=state.book.rows[-1].due_on if trouble.reschedulings else None,
        arrears_in=arrears.number if arrears else 0,
        no_income_by_hand=trouble.no_income_by_hand,
        arrears_interest_fen=arrears.interest_fen if arrears else 0,
        arrears_fee_fen=arrears.fee_fen if arrears else 0,
        arrears_accrued_fen=arrears.accrued_fen if arrears else None,
        cost=_cost(live.cost, trouble.cost),
    )


def _cost(live: Cost | None, stands: Cost | None) -> CostStanding | None:
    if live == stands:
        return None
    said = stands or live
    assert said is not None, "they differ"
    return CostStanding(
        measure_id=said.measure_id, account_id=said.account_id, owed_fen=stands.owed_fen if stands else 0
    )


def _floor(floor: Floor | None) -> FloorStanding | None:
    return FloorStanding(best=floor.best, until=floor.until) if floor else None


def _rows(before: Replayed, after: Replayed) -> Iterator[RowStanding]:
    """Also a row to which nothing has happened now, if something had, and a row that the loan had not: nobody knows yet that it is empty."""
    had = [each.number for each in before.state.book.rows]
    new = {each.number: Row() for each in after.state.book.rows if each.number not in had}
    for number in sorted({0: Row()} | before.rows | after.rows | new):
        row = after.rows.get(number, Row())
        yield RowStanding(
            number=number,
            principal_fen=row.principal_fen,
            interest_fen=row.interest_fen,
            fee_fen=row.fee_fen,
            paid_penalty_fen=row.paid_penalty_fen,
            penalty_fen=row.penalty_fen,
            missed=row.missed,
            penalty_to=row.penalty_to,
        )


# --- what moves ----------------------------------------------------------------------------------------------------


def _retaken(command: CorrectPayment, before: Replayed, after: Replayed) -> Iterator[Retaken]:
    """Other payments of which the loan takes more, or less, than it had."""
    taken = _payments(after)
    for payment_id, had in _payments(before).items():
        has = taken[payment_id]
        is_reversed = payment_id == command.correction.payment_id and command.correction.kind == "reverse"
        if (has.taken_fen, has.cost_fen) != (had.taken_fen, had.cost_fen) and not is_reversed:
            yield Retaken(
                payment_id=payment_id,
                before_fen=had.taken_fen,
                after_fen=has.taken_fen,
                cost_fen=has.cost_fen,
            )


def _payments(replayed: Replayed) -> dict[str, Payment]:
    """By their ids; of one that does not count nothing is taken."""
    return {entry.payment_id: entry for entry in replayed.entries if isinstance(entry, Payment)}


def _claims(before: Replayed, after: Replayed) -> Iterator[ClaimChange]:
    """What each claim got more than it had."""
    for claim_id in before.got | after.got:
        had, has = before.got.get(claim_id, Got()), after.got.get(claim_id, Got())
        if had != has:
            yield ClaimChange(
                claim_id=claim_id,
                principal_fen=has.principal_fen - had.principal_fen,
                interest_fen=has.interest_fen - had.interest_fen,
                penalty_fen=has.penalty_fen - had.penalty_fen,
                fee_fen=has.fee_fen - had.fee_fen,
            )


def _lines(before: Replayed, after: Replayed) -> tuple[AdjustingLine, ...]:
    """One line per account, so that nobody waits for his own money: payers first, in the order of their payments, then holders,
    then whom a recovery's cost is owed to."""
    lines: dict[str, AdjustingLine] = {}
    taken = _payments(after)
    for payment_id, had in _payments(before).items():
        account_id, has = had.account_id or before.state.borrower_account, taken[payment_id]
        line = lines.get(account_id, _nothing(account_id))
        back_fen = had.taken_fen + had.cost_fen - has.taken_fen - has.cost_fen
        lines[account_id] = replace(line, returned_fen=line.returned_fen + back_fen)
    holders = _holders(before)
    for change in _claims(before, after):
        account_id = holders[change.claim_id]
        line = lines.get(account_id, _nothing(account_id))
        lines[account_id] = replace(
            line,
            principal_fen=line.principal_fen + change.principal_fen,
            interest_fen=line.interest_fen + change.interest_fen,
            penalty_fen=line.penalty_fen + change.penalty_fen,
            fee_fen=line.fee_fen + change.fee_fen,
        )
    for account_id in before.costs | after.costs:
        line = lines.get(account_id, _nothing(account_id))
        cost_fen = after.costs.get(account_id, 0) - before.costs.get(account_id, 0)
        lines[account_id] = replace(line, cost_fen=cost_fen)
    return tuple(
        replace(line, amount_fen=_amount_fen(line))
        for account_id, line in lines.items()
        if line != _nothing(account_id)
    )


def _nothing(account_id: str) -> AdjustingLine:
    return AdjustingLine(
        account_id=account_id,
        principal_fen=0,
        interest_fen=0,
        penalty_fen=0,
        fee_fen=0,
        returned_fen=0,
        amount_fen=0,
    )


def _amount_fen(line: AdjustingLine) -> int:
    held_fen = line.principal_fen + line.interest_fen + line.penalty_fen - line.fee_fen
    return held_fen + line.returned_fen + line.cost_fen


def _holders(replayed: Replayed) -> dict[str, str]:
    """Claim -> the account of its holder, of those too who sold all."""
    sold = {
        entry.sold_claim_id: entry.seller_account for entry in replayed.entries if isinstance(entry, Sale)
    }
    return sold | {claim.claim_id: claim.account_id for claim in replayed.state.claims}
