"""The offered terms as the applicant reads and signs them: one text for one offer, known by its hash.

He signs a hash, so the platform must be able to show the text of it for ever: a changed wording is a new version, and a version
is never edited. (The contract proper, with its template and parties, is bidding's when the loan is funded.)
"""

from hashlib import sha256

from libs.events.application import LoanTerms
from libs.events.onboarding import TextHash
from libs.events.schedules.terms import RepaymentTerms
from libs.events.wording import lawful

_ACROSS = {
    "horizontal": "of each instalment, the oldest first",
    "vertical": "each of all instalments that are due, the oldest first",
}

_VERSION_1 = lawful("""\
Loanstream loan terms, version 1
application {application_id}
loan {loan_id}
borrower {applicant}
product {product}, for {purpose}
amount {terms.amount_fen} fen
interest {rate:f} a year
repaid in {terms.tenor_months} months, {terms.method}
origination fee {terms.origination_fee_fen} fen, taken from the pay-out
service fee {terms.interest_fee_permille} per mille of the interest, borne by the lenders
grade {terms.grade}, listed for {terms.window_days} days
""")

_VERSION_2 = lawful(
    _VERSION_1.replace("version 1", "version 2")
    + """\
interest runs by the {repayment.interest_by} ({repayment.day_count}), amounts are rounded {repayment.rounding}
no principal in the first {repayment.principal_grace} months, no interest in the first {repayment.interest_grace}
fee with each instalment {repayment.period_fee_permille} per mille of the amount
due days on which nobody works: {repayment.shift}, by the calendar {repayment.calendar}
"""
)
"""For a loan that names its manner of repayment."""

_VERSION_3 = lawful(
    _VERSION_2.replace("version 2", "version 3")
    + """\
a payment pays {performing}
once the loan is non-performing {non_performing}
"""
)
"""For a loan that names the order in which a payment pays what is owed."""


def text_of(
    terms: LoanTerms, *, application_id: str, loan_id: str, applicant: str, product: str, purpose: str
) -> str:
    """The text of an offer, with line feeds. It names people by their ids only; a rate has no zeros at its end."""
    if terms.repayment is None:
        wording = _VERSION_1
    else:
        wording = _VERSION_2 if terms.repayment.allocation is None else _VERSION_3
    return wording.format(
        **_orders(terms.repayment),
        terms=terms,
        repayment=terms.repayment,
        rate=terms.annual_rate.normalize(),
        application_id=application_id,
        loan_id=loan_id,
        applicant=applicant,
        product=product,
        purpose=purpose,
    )


def _orders(repayment: RepaymentTerms | None) -> dict[str, str]:
    """The orders of payment in words."""
    if repayment is None or repayment.allocation is None:
        return {}
    orders = {
        "performing": repayment.allocation.performing,
        "non_performing": repayment.allocation.non_performing,
    }
    return {name: f"{', '.join(order.components)}, {_ACROSS[order.across]}" for name, order in orders.items()}


def hash_of(text: str) -> TextHash:
    """SHA-256 of the text's UTF-8 bytes, in hex."""
    return sha256(text.encode()).hexdigest()
