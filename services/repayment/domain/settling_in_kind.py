"""What a loan does when a thing takes the place of money (以资抵债): it owes less, and its holders have shares in the thing.

It settles arrears, in part or whole, or the whole loan; what lies between would prepay with a thing what nobody asked for *(chosen)*.
The platform has no share in an asset, so it takes no fee on the interest of it, and a loan that owes it a fee pays that first *(chosen)*.
Sources: processes.md 1.P (cash first; at market value; debt reduced by the agreed value).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from libs.events.deciding import Refused
from libs.events.in_kind import AssetShare, DebtSettledInKind, SettlementInKind
from libs.events.repayment import AllocationLine, LoanRepaid
from services.repayment.domain.accrual import resumed
from services.repayment.domain.allocation import (
    UNDUE,
    after,
    allocate,
    days_past_due,
    line_fen,
    open_lines,
    overdue_fen,
)
from services.repayment.domain.deferring import ON_ITS_WAY, is_on_its_way
from services.repayment.domain.himself import guarantor_of
from services.repayment.domain.ids import asset_of
from services.repayment.domain.loan_day import better_bucket, charged_by, cured, penalties
from services.repayment.domain.loan_state import LoanEvent, Running
from services.repayment.domain.pay_order import order_of
from services.repayment.domain.profile import Rules
from services.repayment.domain.settling import settlement
from services.repayment.domain.sharing import shares
from services.repayment.domain.trading import release_all


def settled_in_kind(
    rules: Rules, measure_id: str, terms: SettlementInKind, state: Running, on: date
) -> Sequence[LoanEvent]:
    """The debt is less by the agreed value, penalty up to the day included. Refusals stand on CarryOutMeasure."""
    _require_sound(terms, state, on)
    charges = penalties(rules, state, on)
    charged = charged_by(state.book, charges)
    lines = _lines(rules, terms, replace(state, book=charged), on)
    if any(line.fee_fen for line in lines):
        raise Refused("fee_owed")
    book = after(charged, lines)
    settled_fen = sum(map(line_fen, lines))
    events: list[LoanEvent] = [
        *charges,
        DebtSettledInKind(
            loan_id=state.loan_id,
            borrower=state.borrower,
            borrower_account=state.borrower_account,
            measure_id=measure_id,
            asset_id=asset_of(measure_id),
            terms=terms,
            settled_fen=settled_fen,
            excess_fen=terms.agreed_fen - settled_fen,
            lines=lines,
            shares=_shares(rules, state, lines),
            principal_before_fen=state.book.outstanding_fen,
            principal_after_fen=book.outstanding_fen,
            overdue_after_fen=overdue_fen(book, state.next_missed),
            dpd=days_past_due(book, on),
            bucket=state.bucket,
            settled_on=on,
            product=state.product,
            region=state.region,
            guarantor=guarantor_of(state),
        ),
        *better_bucket(rules, state, book, on),
        *cured(rules, state, book, on),
        *resumed(state, book, on),
    ]
    if book.oldest_due_on is None:
        events += release_all(state, "loan_repaid")
        events.append(
            LoanRepaid(
                loan_id=state.loan_id,
                borrower=state.borrower,
                repaid_on=on,
                early=any(line.number == UNDUE for line in lines),
                product=state.product,
                region=state.region,
            )
        )
    return events


def require_lately(rules: Rules, terms: SettlementInKind, state: Running, on: date) -> None:
    """What an asset that is taken now must be; older ones were not asked, nor is a guarantor in a replay, which does not know what his
    account said."""
    if is_on_its_way(state):
        raise Refused(ON_ITS_WAY)
    if state.guarantee is not None and state.guarantee.is_asked_first:
        raise Refused("loan_guaranteed")
    # It is acquired when the agreement, or the award, is in force: there is none on a debt that is not there yet.
    if terms.acquired_on < state.book.funded_on:
        raise Refused("acquired_before_loan")
    if terms.valued_on + timedelta(days=rules.valuation_days) < on:
        raise Refused("valuation_too_old")


def _require_sound(terms: SettlementInKind, state: Running, on: date) -> None:
    if not state.book.is_behind(on) and state.trouble.written_off_on is None:
        raise Refused("not_overdue")
    if state.unanswered:
        raise Refused(ON_ITS_WAY)
    if terms.agreed_fen > terms.valued_fen:
        raise Refused("above_valuation")
    has_lapsed = terms.valid_to is not None and terms.valid_to < on
    if max(terms.acquired_on, terms.valued_on) > on or has_lapsed:
        raise Refused("invalid_date")
    if (terms.asset == "rights") != (terms.valid_to is not None):
        raise Refused("invalid_validity")


def _lines(rules: Rules, terms: SettlementInKind, state: Running, on: date) -> tuple[AllocationLine, ...]:
    """What of the debt it settles, in the order in which a payment pays."""
    whole = settlement(state.book, on, rules)
    if terms.agreed_fen >= sum(map(line_fen, whole)):
        return whole
    if terms.agreed_fen > sum(map(line_fen, open_lines(state.book, on))):
        raise Refused("neither_arrears_nor_all")
    return allocate(state.book, terms.agreed_fen, on, order_of(state.book.repayment, state.loan_class))


def _shares(rules: Rules, state: Running, lines: tuple[AllocationLine, ...]) -> tuple[AssetShare, ...]:
    """Each holder's, as a payment of the same lines is shared."""
    return tuple(
        AssetShare(
            claim_id=line.claim_id,
            account_id=line.account_id,
            investor=line.investor,
            amount_fen=line.principal_fen + line.interest_fen + line.penalty_fen,
            principal_fen=line.principal_fen,
            interest_fen=line.interest_fen,
            penalty_fen=line.penalty_fen,
        )
        for line in shares(rules, replace(state, interest_fee_permille=0), lines)
    )
