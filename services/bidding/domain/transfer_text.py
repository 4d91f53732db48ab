"""The wording of the certificate that whoever bought a claim gets: one text for one sale, known by its hash (decision 12).

A changed wording is a new version, and a version is never edited. It names people by their ids only, is plain ASCII, and
promises nothing (processes.md 1.N).
"""

from typing import Final

from libs.events.market import OfferSettled
from services.bidding.domain.contract_text import UnknownVersion

#: The name of the one template, and the version that new certificates are written by.
TEMPLATE: Final = "transfer_certificate"
CURRENT_VERSION: Final = 1

_VERSION_1: Final = """\
CERTIFICATE OF CLAIM, BOUGHT
version 1

Claim             {sold.sale.claim_id}
Out of claim      {sold.sale.sold_claim_id}
Loan              {sold.loan_id}
Offer             {sold.offer_id}
Date of transfer  {sold.sale.transferred_on}
Lender            {sold.buyer}
Custody account   {sold.buyer_account}
Seller            {sold.seller}
Borrower          {sold.borrower}

The lender has bought {sold.sale.principal_fen} fen of the principal that is outstanding on this loan, at
{rate:f} a year, its last instalment due on {sold.matures_on}.
He paid the seller {sold.sale.price_fen} fen for the principal and {sold.sale.interest_fen} fen for the interest
that had accrued on it. What the borrower pays from the transfer on is the lender's.

The loan's contract says what either side owes. The platform mediates and answers for no debt.
Lending can lose interest and principal. Nobody promises a return. The grade is {sold.grade}; it
is an opinion and no promise.
"""

_WORDINGS: Final = {1: _VERSION_1}


def transfer_text(sold: OfferSettled) -> str:
    """The certificate in full, with line feeds, by the version that the event names; never from its hash. Raises UnknownVersion."""
    if sold.version not in _WORDINGS:
        raise UnknownVersion(f"there is no version {sold.version} of {TEMPLATE}")
    return _WORDINGS[sold.version].format(sold=sold, rate=sold.annual_rate.normalize())
