"""Events of `bidding` about who stands behind a listing: what investors will be told, who looked at it, who lets it be paid out.

They stand beside the others because one file of all would be too long to read; `libs.events.bidding` gives them on.
"""

from datetime import date
from typing import Literal

from libs.events.codec import event, record
from libs.events.money import AnnualRate, Count, PositiveFen
from libs.events.schedules.terms import RepaymentTerms


@record
class Disclosure:
    """Everything that an investor is told of a loan before he bids (domain.md section 3): codes and numbers, nothing that names
    the borrower. Never changed: what an investor relied on must be readable for ever.

    `related_to_staff`: the borrower is staff of the platform, or related to somebody who is (red line 3).
    `template` is the version of the text that says it, `fees_version` that of the published fees (0: none is published),
    `owes_fen` what the borrower owes on the platform with this loan (None: not known), `guarantor` the external company that
    stands in for it (empty: none).
    """

    template: int
    loan_id: str
    borrower_kind: str
    region: str
    grade: str
    product: str
    purpose: str
    guarantor: str
    owes_fen: Count | None
    amount_fen: PositiveFen
    annual_rate: AnnualRate
    method: str
    tenor_months: int
    origination_fee_fen: Count
    interest_fee_permille: int
    fees_version: int
    window_days: int
    bid_min_fen: PositiveFen
    related_to_staff: bool = False
    repayment: RepaymentTerms | None = None


@event("bidding.ListingPrepared.v1")
class ListingPrepared:
    """An application's loan is ready to be published: a second person looks at `disclosure`, whose text has this hash, by the
    end of `check_by`. `prepared_by` is who confirmed its conditions, `owner` who owns the borrower: neither of them may."""

    listing_id: str
    loan_id: str
    borrower: str
    borrower_account: str
    owner: str | None
    related: tuple[str, ...]
    application_id: str
    prepared_by: str
    check_by: date
    disclosure: Disclosure
    content_hash: str


@event("bidding.ListingChecked.v1")
class ListingChecked:
    """A second person looked at a prepared listing. Approved it opens at once, or at the beginning of `opens_on`; `newcomers_only`
    for investors who have never lent."""

    listing_id: str
    loan_id: str
    checker: str
    verdict: Literal["approve", "reject"]
    content_hash: str
    opens_on: date | None
    newcomers_only: bool = False


@event("bidding.PayoutApproved.v1")
class PayoutApproved:
    """A large listing is reviewed and its caps are kept: somebody who is none of `reviewers` nor `owner` pays it out, by the end of
    `pay_by` (None: an approval from before there was such a day). `related_to_staff`: red line 3's mark, by the listing or since."""

    listing_id: str
    loan_id: str
    borrower: str
    application_id: str
    amount_fen: PositiveFen
    reviewers: tuple[str, ...]
    owner: str | None
    pay_by: date | None = None
    related_to_staff: bool = False
