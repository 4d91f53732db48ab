"""Payments that came behind a charge: they count as of a day before one up to which penalty had been charged
(docs/decisions/0005), so what was charged and paid since may be too much until two people date them back.

They stand in the view of corrections, as what wants one: until a correction dates the payment anew or takes it back. The loan's own stream
writes them.
"""

from collections.abc import Sequence
from typing import Final

from libs.events.corrections import PaymentRedated, PaymentReversed
from libs.events.repayment import PaymentReceived
from libs.events.views import Delete, Op, Set

#: The state of what nobody has proposed yet.
WANTED: Final = "wanted"


def received(payment: PaymentReceived, stream: str | None, address: str) -> Sequence[Op]:
    """The payment's document, if it came so; amounts in fen, dates as ISO text."""
    if not payment.behind_charge:
        return []
    doc = _name(payment)
    fields = {
        "state": WANTED,
        "payment_id": payment.payment_id,
        "loan_id": payment.loan_id,
        "region": payment.region,
        "product": payment.product,
        "amount_fen": payment.amount_fen,
        "value_date": payment.value_date.isoformat(),
        "told_on": payment.arrival.booked_on.isoformat() if payment.arrival else None,
        f"src.{stream}": address,
    }
    return [Set(doc, name, value) for name, value in fields.items()]


def corrected(payment: PaymentRedated | PaymentReversed) -> Sequence[Op]:
    """It wants none any more."""
    return [Delete(_name(payment))]


def _name(of: PaymentReceived | PaymentRedated | PaymentReversed) -> str:
    return f"{of.loan_id}/{of.payment_id}"
