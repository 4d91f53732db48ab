"""The cost of recovering what was written off: who is owed it, and what of a payment is its (processes.md 1.P: "money first to cost, then to
the holders").

One cost is open at a time *(chosen)*: the next is booked once it is paid. It goes to an account that has no part in the loan, and
it is paid by what is paid on the loan, never by its guarantor nor by a debtor's thing, and by nobody once the loan is repaid *(chosen)*.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial

from libs.events.deciding import Refused
from libs.events.measures import WriteOff
from libs.events.recovery_costs import RecoveryCostBooked, RecoveryCostPaid
from libs.events.repayment import OverpaymentReturned, PaymentReceived, PaymentReturned
from services.repayment.domain.himself import require_other_payee as require_other
from services.repayment.domain.ids import account_of_guarantor, require_account
from services.repayment.domain.loan_state import LoanEvent, Running
from services.repayment.domain.money_in import Money


def booked(measure_id: str, terms: WriteOff, state: Running, on: date) -> Sequence[RecoveryCostBooked]:
    """The cost that a write-off says, open from now on; nothing where it says none. Refusals stand on CarryOutMeasure."""
    if bool(terms.cost_fen) != bool(terms.cost_account):
        raise Refused("invalid_cost")
    if not terms.cost_fen:
        return []
    if state.trouble.cost is not None:
        raise Refused("cost_open")
    require_account(terms.cost_account)
    accounts = {state.borrower_account, *(claim.account_id for claim in state.claims)}
    if state.guarantee:
        accounts.add(account_of_guarantor(state.guarantee.guarantor))
    if terms.cost_account in accounts:
        raise Refused("forbidden_payee")
    return [
        RecoveryCostBooked(
            loan_id=state.loan_id,
            borrower=state.borrower,
            measure_id=measure_id,
            cost_fen=terms.cost_fen,
            account_id=terms.cost_account,
            booked_on=on,
            product=state.product,
            region=state.region,
        )
    ]


def require_other_payee(terms: object, himself: str | None) -> None:
    """Nobody proposes or signs what his own account is paid. Refused: `forbidden_payee`."""
    if isinstance(terms, WriteOff):
        require_other(terms.cost_account, himself)


def cost_first(
    state: Running, money: Money, take: Callable[[Money], Sequence[LoanEvent]], *, is_whole: bool = False
) -> Sequence[LoanEvent]:
    """The open cost from a payment, then what the loan takes of the rest. `is_whole`: a payment that settles or prepays does that or nothing,
    so where its rest does not reach it goes back with the cost's part."""
    cost = state.trouble.cost
    if cost is None:
        return take(money)
    cost_fen = min(cost.owed_fen, money.amount_fen)
    rest_fen = money.amount_fen - cost_fen
    # The rest of nothing is asked as well: what it is refused as is what the payment is.
    events = take(replace(money, amount_fen=rest_fen)) if rest_fen or is_whole else ()
    is_taken = bool(events) and not any(isinstance(event, PaymentReturned) for event in events)
    if is_whole and not is_taken:
        return [
            replace(event, amount_fen=money.amount_fen) if isinstance(event, PaymentReturned) else event
            for event in events
        ]
    paid = RecoveryCostPaid(
        loan_id=state.loan_id,
        borrower=state.borrower,
        measure_id=cost.measure_id,
        payment_id=money.payment_id,
        account_id=cost.account_id,
        amount_fen=cost_fen,
        left_fen=cost.owed_fen - cost_fen,
        value_date=money.value_date,
        is_all=not is_taken,
        product=state.product,
        region=state.region,
        payer=money.payer,
    )
    if is_taken:
        return [paid, *map(partial(_beside, cost_fen), events)]
    if not rest_fen:
        return [paid]
    back = OverpaymentReturned(
        loan_id=state.loan_id,
        payment_id=money.payment_id,
        account_id=money.account_id,
        amount_fen=rest_fen,
    )
    return [paid, back]


def _beside(cost_fen: int, event: LoanEvent) -> LoanEvent:
    """What is received says what of its payment came before it."""
    return replace(event, cost_fen=cost_fen) if isinstance(event, PaymentReceived) else event
