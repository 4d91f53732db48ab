"""A loan's payments, one line each: what of it was the cost of recovery, penalty, fee, interest and principal, and which one it replaces.

What of a payment the cost is, and what the debt is, are two events of one record, so a line is the sum of both. A part of the loan's own
document: its stream writes it.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from libs.events.recovery_costs import RecoveryCostPaid
from libs.events.repayment import PaymentReceived
from libs.events.views import Add, Op, Set

_PARTS: Final = ("cost_fen", "penalty_fen", "fee_fen", "interest_fen", "principal_fen")


def received(payment: PaymentReceived) -> Sequence[Op]:
    """What the debt took of it."""
    parts = {
        part: sum(getattr(line, part) for line in payment.allocation) for part in _PARTS if part != "cost_fen"
    }
    at = f"payments.{payment.payment_id}"
    line = _line(payment.loan_id, at, payment.value_date, parts, early=payment.early)
    behind = [Set(payment.loan_id, f"{at}.behind_charge", True)] if payment.behind_charge else []
    return [*line, *behind, *_replaced(payment)]


def cost(paid: RecoveryCostPaid) -> Sequence[Op]:
    """What the cost took of it, and of all payments."""
    at = f"payments.{paid.payment_id}"
    line = _line(paid.loan_id, at, paid.value_date, {"cost_fen": paid.amount_fen}, early=False)
    return [*line, Add(paid.loan_id, "paid_cost_fen", paid.amount_fen), *_replaced(paid)]


def _replaced(payment: PaymentReceived | RecoveryCostPaid) -> Sequence[Op]:
    """What was voided and what was entered in its place are marked with each other's number."""
    if payment.arrival is None or not payment.arrival.replaces:
        return []
    doc, voided = payment.loan_id, payment.arrival.replaces
    return [
        Set(doc, f"payments.{payment.payment_id}.replaces", voided),
        Set(doc, f"payments.{voided}.replaced_by", payment.payment_id),
    ]


def _line(doc: str, at: str, on: date, parts: Mapping[str, int], *, early: bool) -> list[Op]:
    return [
        Set(doc, f"{at}.value_date", on.isoformat()),
        Set(doc, f"{at}.early", early),
        Add(doc, f"{at}.amount_fen", sum(parts.values())),
        *(Add(doc, f"{at}.{part}", parts.get(part, 0)) for part in _PARTS),
    ]
