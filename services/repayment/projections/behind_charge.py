"""The view of payments that came behind a charge: they count as of a day before one up to which penalty had been charged
(docs/decisions/0005), so what was charged and paid since may be too much until two people date them back.

A work list of who proposes corrections: a payment is in it until one dates it anew or takes it back.
"""

from collections.abc import Sequence

from libs.events.corrections import PaymentRedated, PaymentReversed
from libs.events.records import RecordedEvent
from libs.events.repayment import PaymentReceived
from libs.events.views import Delete, Op, Set, View


def project(event: RecordedEvent) -> Sequence[Op]:
    """The payment's document; amounts in fen, dates as ISO text."""
    match event.data:
        case PaymentReceived(behind_charge=True) as payment:
            doc = _name(payment)
            fields = {
                "payment_id": payment.payment_id,
                "loan_id": payment.loan_id,
                "region": payment.region,
                "product": payment.product,
                "amount_fen": payment.amount_fen,
                "value_date": payment.value_date.isoformat(),
                "told_on": payment.arrival.booked_on.isoformat() if payment.arrival else None,
            }
            return [
                *(Set(doc, name, value) for name, value in fields.items()),
                Set(doc, f"src.{event.stream}", event.address),
            ]
        case PaymentRedated() | PaymentReversed() as corrected:
            return [Delete(_name(corrected))]
        case _:
            return []


def _name(of: PaymentReceived | PaymentRedated | PaymentReversed) -> str:
    return f"{of.loan_id}/{of.payment_id}"


VIEW = View(
    name="repayment.behind-charge",
    version=1,
    reads=(PaymentReceived, PaymentRedated, PaymentReversed),
    project=project,
    indexes=("region", "product"),
)
