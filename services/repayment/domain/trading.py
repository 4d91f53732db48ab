"""The loan's side of the secondary market 债权转让: a claim is reserved for one offer, then another's, or free again.

The loan alone knows what a claim is worth on a day and whether it may change hands, so it fixes every amount of a sale
(design.md section 4, step 8). Claims are sold one by one and never packed together (rules.md 1.8).
"""

from collections.abc import Sequence
from datetime import date, timedelta

from libs.events.bidding import ClaimTerms
from libs.events.claims import ClaimReserved, ClaimTransferred, ReservationReleased
from libs.events.deciding import Refused
from libs.events.market import permille_fen
from libs.events.money import split_fen
from libs.events.schedules.terms import PLAIN
from services.repayment.commands import ReleaseClaim, ReserveClaim, TransferClaim
from services.repayment.domain.accruing import accrued_interest_fen, interest_max_fen
from services.repayment.domain.loan_state import Claim, Repaid, Reservation, Running
from services.repayment.domain.profile import Rules
from services.repayment.domain.schedule import reached

#: More could not be said in the one record of a distribution (design.md section 4).
CLAIMS_MAX = 2_000


def reserve(rules: Rules, command: ReserveClaim, state: Running) -> Sequence[ClaimReserved]:
    """The claim is for sale. Refusals stand on ReserveClaim."""
    if _reservation_of(state, command.offer_id) or command.offer_id in state.sold:
        return []
    _require_tradable(rules, state, command.value_date, may_wait=command.may_wait)
    claim = _claim(state, command.claim_id)
    if claim is None or claim.investor != command.seller:
        raise Refused("unknown_claim")
    if not claim.principal_fen:
        raise Refused("share_not_for_sale" if state.trouble.in_kind else "unknown_claim")
    if state.guarantee and any(paid.claim_id == claim.claim_id for paid in state.guarantee.subrogated):
        raise Refused("claim_subrogated")
    if any(other.claim_id == claim.claim_id for other in state.reservations):
        raise Refused("claim_reserved")
    principal_fen = claim.principal_fen if command.principal_fen is None else command.principal_fen
    if principal_fen != claim.principal_fen:
        _require_part(rules, state, claim, principal_fen)
    book = state.book
    until = book.rows[-1].due_on if command.until is None else command.until
    return [
        ClaimReserved(
            loan_id=state.loan_id,
            offer_id=command.offer_id,
            claim_id=claim.claim_id,
            account_id=claim.account_id,
            investor=claim.investor,
            borrower=state.borrower,
            principal_fen=principal_fen,
            outstanding_fen=claim.principal_fen,
            interest_max_fen=interest_max_fen(rules, book, principal_fen, (command.value_date, until)),
            grade=state.grade,
            annual_rate=book.annual_rate,
            matures_on=book.rows[-1].due_on,
            reserved_on=command.value_date,
            product=state.product,
            region=state.region,
            method=(book.repayment or PLAIN).method,
        )
    ]


def _require_part(rules: Rules, state: Running, claim: Claim, principal_fen: int) -> None:
    """A part is a claim of its own, so neither it nor the rest may be too small, and there must be room for one more."""
    if principal_fen > claim.principal_fen:
        raise Refused("part_too_large")
    if principal_fen < rules.part_min_fen:
        raise Refused("part_too_small")
    if claim.principal_fen - principal_fen < rules.part_min_fen:
        raise Refused("rest_too_small")
    parts = sum(other.principal_fen != other.of_fen for other in state.reservations)
    if len(state.claims) + parts + 1 > CLAIMS_MAX:
        raise Refused("too_many_claims")


def transfer(rules: Rules, command: TransferClaim, state: Running) -> Sequence[ClaimTransferred]:
    """The claim is the buyer's, at what it is worth on the value date. Refusals stand on TransferClaim."""
    if command.offer_id in state.sold:
        return []
    on = command.value_date
    reserved = _reservation_of(state, command.offer_id)
    claim = _claim(state, reserved.claim_id) if reserved else None
    # Before all else: an offer whose claim is free again must never open again.
    if reserved is None or claim is None:
        raise Refused("claim_not_reserved")
    _require_tradable(rules, state, on)
    if reached(state.book.rows, on) < state.next_due - 1:
        raise Refused("value_date_passed")
    part_fen, left_fen = split_fen(
        claim.principal_fen, (reserved.principal_fen, reserved.of_fen - reserved.principal_fen)
    )
    if not part_fen:
        raise Refused("nothing_left")
    cap_fen = command.investor_cap_fen
    if cap_fen is not None and _held_fen(state, command.buyer) + part_fen > cap_fen:
        raise Refused("above_investor_cap")
    price_fen = permille_fen(part_fen, command.price_permille)
    interest_fen = accrued_interest_fen(rules, state.book, part_fen, on, of_fen=state.book.outstanding_fen)
    if price_fen + interest_fen > command.held_fen:
        raise Refused("above_maximum")
    order = state.last_order + 1
    return [
        ClaimTransferred(
            loan_id=state.loan_id,
            offer_id=command.offer_id,
            hold_id=command.hold_id,
            borrower=state.borrower,
            sold_claim_id=claim.claim_id,
            seller=claim.investor,
            seller_account=claim.account_id,
            left_fen=left_fen,
            claim=ClaimTerms(
                order=order,
                claim_id=f"clm_{state.loan_id.removeprefix('loan_')}_{order}",
                account_id=command.buyer_account,
                investor=command.buyer,
                principal_fen=part_fen,
            ),
            price_fen=price_fen,
            interest_fen=interest_fen,
            fee_fen=permille_fen(price_fen, command.fee_permille),
            value_date=on,
            product=state.product,
            region=state.region,
        )
    ]


def release(command: ReleaseClaim, state: Running | Repaid) -> Sequence[ReservationReleased]:
    """The claim is free again."""
    if isinstance(state, Repaid):
        return []
    reserved = _reservation_of(state, command.offer_id)
    return [_released(state, reserved, command.code)] if reserved else []


def release_all(state: Running, code: str) -> Sequence[ReservationReleased]:
    """Nothing of the loan is for sale any more: an instalment was missed, or all is repaid."""
    return [_released(state, reserved, code) for reserved in state.reservations]


def release_dearer(state: Running, owed: Running) -> Sequence[ReservationReleased]:
    """A buyer holds what a claim can cost by the rows and the principal that it was reserved with. What a correction makes due on other days,
    or owed more than that, is for sale no more, each by its name: `loan_rescheduled`, `claim_dearer`. Whatever stays for sale its buyer can pay."""
    principal = {claim.claim_id: claim.principal_fen for claim in owed.claims}
    moved = [row.due_on for row in owed.book.rows] != [row.due_on for row in state.book.rows]
    return [
        _released(state, reserved, "loan_rescheduled" if moved else "claim_dearer")
        for reserved in state.reservations
        if moved or principal[reserved.claim_id] > reserved.of_fen
    ]


def _released(state: Running, reserved: Reservation, code: str) -> ReservationReleased:
    claim = _claim(state, reserved.claim_id)
    assert claim is not None, "a claim that is reserved is not transferred"
    return ReservationReleased(
        loan_id=state.loan_id,
        offer_id=reserved.offer_id,
        claim_id=claim.claim_id,
        account_id=claim.account_id,
        investor=claim.investor,
        code=code,
    )


def _require_tradable(rules: Rules, state: Running, on: date, *, may_wait: bool = False) -> None:
    """Not near a due date, when nobody knows yet whether it will be paid, and not while something is overdue."""
    is_blocked = any(abs((row.due_on - on).days) <= rules.blocked_days for row in state.book.rows)
    if is_blocked and not may_wait:
        raise Refused("blocked_window")
    if state.book.is_behind(on) and not (may_wait and _may_be_paid(state, on)):
        raise Refused("loan_overdue")


def _may_be_paid(state: Running, on: date) -> bool:
    """Whether what looks overdue may have been paid in time: it was not asked for yet, or the answer is still on its way. What was said
    to be missed was not, whatever a later debit finds."""
    is_asked = reached(state.book.rows, on - timedelta(days=1)) < state.next_due
    is_missed = state.book.first_open < state.next_missed
    return not is_missed and (not is_asked or bool(state.unanswered))


def _claim(state: Running, claim_id: str) -> Claim | None:
    return next((claim for claim in state.claims if claim.claim_id == claim_id), None)


def _reservation_of(state: Running, offer_id: str) -> Reservation | None:
    return next((reserved for reserved in state.reservations if reserved.offer_id == offer_id), None)


def _held_fen(state: Running, investor: str) -> int:
    """What an investor has in this loan already."""
    return sum(claim.principal_fen for claim in state.claims if claim.investor == investor)
