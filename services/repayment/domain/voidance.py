"""A contract that is void after its money moved: principal back, no interest (Civil Code art. 157; processes.md 1.N).

What was paid as interest, penalty or fees counts as principal. Who holds a claim keeps what he got, and his claim is less by it; what
he got beyond his claim, what those got who have sold theirs, and the platform's fees are collected for the claims that are left, by their
size, and what is more than all principal goes back to the borrower. A lender who knew of an illegal purpose has none of what others give
back before the others have all of theirs *(chosen)*. That is a restatement of the loan, so it is told by LoanRestated and
settled as a correction is. The law voids, not the lenders: nobody votes *(chosen)*. A sale's price is not reopened *(chosen)*.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from libs.events.compensation import CompensationDeclined
from libs.events.corrections import (
    ClaimStanding,
    CorrectionBooking,
    LoanRestated,
    RowStanding,
    Standing,
)
from libs.events.deciding import Context, Refused
from libs.events.measures import MeasureExamined
from libs.events.repayment import LoanClass, LoanClassified, LoanRepaid, OverdueBucketChanged
from libs.events.schedules.row import ScheduleRow
from libs.events.voidance import LoanVoided, PastRow, Voidance
from services.repayment.commands.measures import CarryOutMeasure, ExamineMeasure
from services.repayment.domain.deferring import ON_ITS_WAY, is_on_its_way
from services.repayment.domain.himself import guarantor_of, require_no_part_in
from services.repayment.domain.journal import entries_of, lent
from services.repayment.domain.loan_state import LoanEvent, Repaid, Running, reopened
from services.repayment.domain.pausing_loan import pause_ended
from services.repayment.domain.profile import CURRENT, WRITTEN_OFF, Profile
from services.repayment.domain.recovering import owed_change
from services.repayment.domain.replay_run import Row
from services.repayment.domain.replay_start import require_short
from services.repayment.domain.replaying import Replayed, replay
from services.repayment.domain.restatement import require_settleable
from services.repayment.domain.restating import standing_at
from services.repayment.domain.schedule import reached
from services.repayment.domain.trading import release_all
from services.repayment.domain.voidance_shares import Shares, kept_fen, lines_of, shares_of

_DAY = timedelta(days=1)
#: The best class that a loan has whose contract is void, until two people say otherwise (chosen).
_BEST: LoanClass = "special_mention"
#: So far away is the last day by which what is left may be asked back: a year (chosen).
_LONGEST_DAYS = 366


def examine(
    profile: Profile, command: ExamineMeasure, terms: Voidance, state: Running | Repaid, context: Context
) -> Sequence[MeasureExamined]:
    """Whether the loan's contract could be declared void today. Refusals stand on CarryOutMeasure."""
    live, on, measure_id = reopened(state), context.business_date, command.measure_id
    if measure_id in live.trouble.examined:
        return []
    require_no_part_in(live, command.himself)
    if terms.repay_by is not None and not 0 < (terms.repay_by - on).days <= _LONGEST_DAYS:
        raise Refused("invalid_date")
    _require_lenders(live, terms)
    _effect(profile, measure_id, terms, state, context)
    return [
        MeasureExamined(
            loan_id=live.loan_id,
            measure_id=measure_id,
            borrower=live.borrower,
            examined_on=on,
            mandate="not_needed",
            product=live.product,
            region=live.region,
            guarantor=guarantor_of(live),
            holders=tuple(dict.fromkeys(claim.investor for claim in live.claims)),
        )
    ]


def carry_out(
    profile: Profile, command: CarryOutMeasure, terms: Voidance, state: Running | Repaid, context: Context
) -> Sequence[LoanEvent]:
    """The contract is void. Refusals stand on CarryOutMeasure."""
    if command.measure_id in reopened(state).trouble.done:
        return []
    return _effect(profile, command.measure_id, terms, state, context)


# --- the loan ------------------------------------------------------------------------------------------------------


def _effect(
    profile: Profile, measure_id: str, terms: Voidance, state: Running | Repaid, context: Context
) -> Sequence[LoanEvent]:
    live, on = reopened(state), context.business_date
    rules = profile.on(live.book.funded_on)
    _require_may(live)
    paid = _history(profile, state, context)
    shares = shares_of(live, paid, terms.knew)
    left_fen = sum(shares.left.values())
    due_on = max(terms.repay_by or on, on + _DAY)
    rows, received = _rows(live, paid, shares.returned_fen, left_fen, due_on)
    best = max(live.loan_class, _BEST, key=rules.class_rank) if left_fen else rules.class_of(0)
    bucket = WRITTEN_OFF if left_fen and live.bucket == WRITTEN_OFF else CURRENT
    standing = _standing(live, shares, rows, on, bucket=bucket, loan_class=best, is_over=not left_fen)
    under_way = live.guarantee.under_way if live.guarantee else None
    return [
        *([_declined(live, under_way.compensation_id, on)] if under_way else []),
        LoanVoided(
            loan_id=live.loan_id,
            borrower=live.borrower,
            measure_id=measure_id,
            ground=terms.ground,
            voided_on=on,
            counted_fen=sum(map(kept_fen, paid.got.values())) + paid.platform_fen,
            returned_fen=shares.returned_fen,
            platform_fen=paid.platform_fen,
            principal_fen=left_fen,
            due_on=due_on if left_fen else None,
            floor_class=best,
            lent=_lent(live),
            rows=_until_now(live, paid),
            was_repaid=isinstance(state, Repaid),
            guarantor=live.guarantee.guarantor if live.guarantee else "",
            product=live.product,
            region=live.region,
            knew=terms.knew,
        ),
        LoanRestated(
            loan_id=live.loan_id,
            borrower=live.borrower,
            correction_id=measure_id,
            booking=_booking(live, on),
            restated_on=on,
            standing=standing,
            rows=received,
            retaken=(),
            lines=require_settleable(lines_of(live, paid, shares)),
            claims=shares.changes,
            platform_fen=-paid.platform_fen,
            from_bucket=None if isinstance(state, Repaid) else live.bucket,
            principal_before_fen=0 if isinstance(state, Repaid) else live.book.outstanding_fen,
            principal_after_fen=left_fen,
            overdue_after_fen=0,
            penalty_after_fen=0,
            dpd=0,
            product=live.product,
            region=live.region,
            branch=live.trouble.branch or live.region,
            owed=owed_change(live, standing_at(live, standing).book),
        ),
        *(pause_ended(measure_id, live, on, "voided") if left_fen else ()),
        *_moved(live, standing, left_fen, measure_id, on),
        *release_all(live, "loan_voided"),
        *([] if left_fen else [_repaid(live, paid, on)]),
    ]


def _require_lenders(live: Running, terms: Voidance) -> None:
    """Who knew of an illegal purpose is a lender of the loan, said once."""
    if terms.knew and terms.ground != "illegal_purpose":
        raise Refused("not_illegal_purpose")
    holders = [claim.investor for claim in live.claims]
    if len(dict.fromkeys(terms.knew)) != len(terms.knew) or any(each not in holders for each in terms.knew):
        raise Refused("invalid_lenders")


def _history(profile: Profile, state: Running | Repaid, context: Context) -> Replayed:
    """What came to the loan, decided again: it must give the loan, or nobody knows what each has had (docs/decisions/0024)."""
    live = reopened(state)
    entries = entries_of(live.journal)
    require_short(live, entries)
    try:
        paid = replay(profile, state, context, entries)
    except Refused as refused:
        raise Refused("history_differs") from refused
    if paid.state != live or paid.is_repaid != isinstance(state, Repaid):
        raise Refused("history_differs")
    return paid


def _require_may(live: Running) -> None:
    if live.trouble.voided_on is not None:
        raise Refused("loan_voided")
    if live.trouble.in_kind:
        raise Refused("loan_settled_in_kind")
    if live.trouble.unreplayed:
        raise Refused("loan_measured")
    if live.guarantee and live.guarantee.subrogated:
        raise Refused("loan_compensated")
    if is_on_its_way(live):
        raise Refused(ON_ITS_WAY)


def _rows(
    live: Running, paid: Replayed, returned_fen: int, left_fen: int, due_on: date
) -> tuple[tuple[ScheduleRow, ...], tuple[RowStanding, ...]]:
    """The schedule of a contract that owes principal only: each instalment asks for what it has received, one more for the rest."""
    last = max((number for number, row in paid.rows.items() if _received_fen(row)), default=0)
    received = {number: _received_fen(paid.rows.get(number, Row())) for number in range(last + 1)}
    for number in (0, *range(last, 0, -1)):
        back_fen = min(returned_fen, received[number])
        received[number] -= back_fen
        returned_fen -= back_fen
    old = live.book.rows
    rows = [
        ScheduleRow(
            number=number,
            due_on=min(old[min(number, len(old)) - 1].due_on, due_on),
            principal_fen=received[number],
            interest_fen=0,
        )
        for number in range(1, last + 1)
    ]
    if left_fen or not rows:
        rows.append(ScheduleRow(number=last + 1, due_on=due_on, principal_fen=left_fen, interest_fen=0))
    stands = [_row(number, received.get(number, 0), paid) for number in range(len(rows) + 1)]
    return tuple(rows), tuple(stands)


def _until_now(live: Running, paid: Replayed) -> tuple[PastRow, ...]:
    """The schedule that ends today, with what came on it: no row of the new one says what was in time."""
    return tuple(
        PastRow(
            due_on=row.due_on,
            principal_fen=row.principal_fen,
            interest_fen=row.interest_fen,
            paid_principal_fen=received.principal_fen,
            paid_interest_fen=received.interest_fen,
        )
        for row in live.book.rows
        for received in [paid.rows.get(row.number, Row())]
    )


def _received_fen(row: Row) -> int:
    return row.principal_fen + row.interest_fen + row.fee_fen + row.paid_penalty_fen


def _row(number: int, received_fen: int, paid: Replayed) -> RowStanding:
    """What was missed on a row that is no more stays seen on those that are."""
    return RowStanding(
        number=number,
        principal_fen=received_fen,
        interest_fen=0,
        fee_fen=0,
        paid_penalty_fen=0,
        penalty_fen=0,
        missed=bool(received_fen) and paid.rows.get(number, Row()).missed,
    )


def _standing(
    live: Running,
    shares: Shares,
    rows: tuple[ScheduleRow, ...],
    on: date,
    *,
    bucket: str,
    loan_class: LoanClass,
    is_over: bool,
) -> Standing:
    # What was paid before its day is not asked for, nor missed, before it.
    first = len(rows) + 1 if is_over else len(rows)
    return Standing(
        first_open=first,
        paid=(),
        penalties=(),
        claims=tuple(
            ClaimStanding(claim_id=claim.claim_id, principal_fen=shares.left[claim.claim_id])
            for claim in live.claims
        ),
        weights=(),
        bucket=bucket,
        loan_class=loan_class,
        next_due=min(first, reached(rows, on) + 1),
        next_missed=min(first, reached(rows, on - _DAY) + 1),
        asked_on=live.asked_on,
        rows=rows,
    )


def _booking(live: Running, on: date) -> CorrectionBooking:
    """What is undone began with the funding."""
    if live.book.funded_on >= on:
        return "same_day"
    return "same_year" if live.book.funded_on.year == on.year else "prior_year"


def _lent(live: Running) -> tuple[str, ...]:
    stem = live.loan_id.removeprefix("loan_")
    return tuple(f"clm_{stem}_{order}" for order in lent(live.journal))


def _moved(
    live: Running, standing: Standing, left_fen: int, measure_id: str, on: date
) -> Sequence[OverdueBucketChanged | LoanClassified]:
    """Arrears of a void contract are none. Its class gets no better by that, but once nothing is owed."""
    events: list[OverdueBucketChanged | LoanClassified] = []
    if standing.bucket != live.bucket:
        events.append(
            OverdueBucketChanged(
                loan_id=live.loan_id,
                borrower=live.borrower,
                changed_on=on,
                from_bucket=live.bucket,
                to_bucket=standing.bucket,
                dpd=0,
                principal_fen=left_fen,
                overdue_fen=0,
                product=live.product,
                region=live.region,
            )
        )
    if standing.loan_class != live.loan_class:
        events.append(
            LoanClassified(
                loan_id=live.loan_id,
                borrower=live.borrower,
                classified_on=on,
                from_class=live.loan_class,
                to_class=standing.loan_class,
                dpd=0,
                principal_fen=left_fen,
                product=live.product,
                region=live.region,
                measure_id=measure_id,
            )
        )
    return events


def _declined(live: Running, compensation_id: str, on: date) -> CompensationDeclined:
    """What is guaranteed is void, so the guarantee is (Civil Code art. 682)."""
    assert live.guarantee is not None, "only a guarantor is asked"
    return CompensationDeclined(
        loan_id=live.loan_id,
        compensation_id=compensation_id,
        guarantor=live.guarantee.guarantor,
        code="loan_voided",
        declined_on=on,
    )


def _repaid(live: Running, paid: Replayed, on: date) -> LoanRepaid:
    """A loan that was repaid stays so; one of which all principal is back now ends today."""
    return LoanRepaid(
        loan_id=live.loan_id,
        borrower=live.borrower,
        repaid_on=paid.repaid.repaid_on if paid.repaid else on,
        early=paid.repaid.early if paid.repaid else False,
        product=live.product,
        region=live.region,
    )
