"""The disclosure pack 信息披露 as investors read it: one text for one listing, known by its hash.

Who bids relies on a text, so the platform must be able to show it for ever: a changed wording is a new version, and a version
is never edited. It says nothing that names the borrower.
"""

from hashlib import sha256

from libs.events.bidding import Disclosure
from libs.events.schedules.terms import PLAIN, RepaymentTerms
from libs.events.wording import forbidden_in, lawful

#: The version of which a new listing is told in equal monthly instalments, and of which one that names its manner of repayment.
PLAIN_TEMPLATE, TEMPLATE = 5, 6

_VERSION_1 = lawful("""\
Loanstream disclosure, version 1
loan {pack.loan_id}
borrower: a {kind}, region {region}, risk grade {pack.grade}
owes on this platform with this loan: {owes}
product {product}, for {purpose}
amount {pack.amount_fen} fen, bids from {pack.bid_min_fen} fen
interest {rate:f} a year
repaid in {pack.tenor_months} months, {pack.method}
origination fee {pack.origination_fee_fen} fen, taken from the pay-out
service fee {pack.interest_fee_permille} per mille of the interest, borne by the lenders
fees as published in version {pack.fees_version}
external guarantor: {guarantor}
open for bids for {pack.window_days} days
The platform only mediates: it does not lend, does not promise repayment and does not make up for a loss.
Whoever lends may lose all that he lent. Past figures say nothing about this loan.
""")

#: Since version 2 it says whether the borrower is staff or related to staff (red line 3).
_VERSION_2 = lawful(
    _VERSION_1.replace("version 1", "version 2").replace(
        "owes on this platform", "staff of this platform or related to staff: {staff}\nowes on this platform"
    )
)
_VERSION_3 = lawful(
    _VERSION_2.replace("disclosure, version 2", "disclosure, version 3").replace(
        "repaid in {pack.tenor_months} months, {pack.method}\n",
        """\
repaid in {pack.tenor_months} months, {pack.method}
interest runs by the {repayment.interest_by} ({repayment.day_count})
no principal in the first {repayment.principal_grace} months, no interest in the first {repayment.interest_grace}
fee with each instalment {repayment.period_fee_permille} per mille of the amount, borne by the borrower
""",
    )
)
#: Since version 4 it says whose payments the loan takes.
_VERSION_4 = lawful(
    _VERSION_3.replace("disclosure, version 3", "disclosure, version 4").replace(
        "origination fee", "paid by {payer}\norigination fee"
    )
)
#: Since versions 5 and 6 they say which days count: a listing may open at once, or as a day begins.
_WHOLE_DAYS = (
    "open for bids for {pack.window_days} whole days: a day that had begun when it opened is none of them"
)
_VERSION_5, _VERSION_6 = (
    lawful(
        text.replace(f"disclosure, version {old}", f"disclosure, version {new}").replace(
            "open for bids for {pack.window_days} days", _WHOLE_DAYS
        )
    )
    for text, old, new in ((_VERSION_2, 2, PLAIN_TEMPLATE), (_VERSION_4, 4, TEMPLATE))
)
_VERSIONS = dict(enumerate((_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4, _VERSION_5, _VERSION_6), start=1))
_PAYERS = {"borrower": "the borrower only", "anyone": "the borrower, or anyone for him"}


def template_of(repayment: RepaymentTerms | None) -> int:
    """The version by which a new listing is told."""
    return PLAIN_TEMPLATE if repayment is None else TEMPLATE


def text_of(pack: Disclosure) -> str:
    """The text of a disclosure, with line feeds; a rate has no zeros at its end. Raises ValueError for an unknown template."""
    if pack.template not in _VERSIONS:
        raise ValueError(f"there is no template {pack.template}")
    return _VERSIONS[pack.template].format(
        pack=pack,
        staff="yes" if pack.related_to_staff else "no",
        repayment=pack.repayment,
        payer=_PAYERS[(pack.repayment or PLAIN).payer],
        kind=pack.borrower_kind or "borrower",
        region=pack.region or "not stated",
        owes="not known" if pack.owes_fen is None else f"{pack.owes_fen} fen",
        product=pack.product or "not stated",
        purpose=pack.purpose or "not stated",
        rate=pack.annual_rate.normalize(),
        guarantor=pack.guarantor or "none",
    )


def hash_of(text: str) -> str:
    """SHA-256 of the text's UTF-8 bytes, in hex."""
    return sha256(text.encode()).hexdigest()


def is_lawful(text: str) -> bool:
    """Whether a text promises nothing that the platform must not promise: its codes are part of it."""
    return not forbidden_in(text)
