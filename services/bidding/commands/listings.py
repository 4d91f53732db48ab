"""Commands to a listing: from the application that may be published to the loan that is paid out.

They stand beside the account's because one file of all would be too long to read; `services.bidding.commands` gives them on.
"""

from datetime import date
from typing import Literal

from libs.events.bidding import CancelCode, RiskLevel
from libs.events.codec import command
from libs.events.money import AnnualRate, Count, PositiveFen
from libs.events.schedules.terms import RepaymentTerms


@command("bidding.OpenListing")
class OpenListing:
    """Open a loan request for bids: for an approved application, or by an operator's hand where the profile allows it (then
    `application_id` is empty).
    No effect on the same terms again, nor for an application that was answered.

    Its listing shares the loan's id (`lst_` for `loan_`). An application's terms that break a rule are declined by the event
    ListingRefused with the code, so that its exposure is released. Refused (by hand; always for `listing_exists`):
    `application_required` (this profile lists nothing by hand), `invalid_loan`, `invalid_owner` (the borrower's id), `invalid_tenor`, `invalid_window`, `invalid_grade`, `invalid_fee`,
    `amount_too_large` (what may be owed on it could not be said), `invalid_rate`
    (profile's ceiling on the cost with all fees), `invalid_method` (another than that of `repayment`), `invalid_grace`, `invalid_date`, `forbidden_purpose`, `invalid_guarantor` (no guarantor's id), `fee_not_published`, `listing_exists` (on other terms).

    Where the profile wants a second person's look, it is prepared and not open: `forbidden_words` declines it then. By hand
    it opens as `opens_on` begins (None: now); `newcomers_only` for investors who have never lent: `invalid_opening` for a day
    that is past or too far ahead, and for both where a second person says when and to whom it opens.
    `related_to_staff` (the borrower, or somebody related to him, is staff) marks it, or declines it by this name where the
    profile lists no such loan.
    """

    loan_id: str
    borrower: str
    amount_fen: PositiveFen
    annual_rate: AnnualRate
    tenor_months: int
    grade: str
    window_days: int
    origination_fee_fen: Count
    interest_fee_permille: int
    product: str = ""
    region: str = ""
    owner: str | None = None
    related: tuple[str, ...] = ()
    application_id: str = ""
    borrower_kind: str = ""
    purpose: str = ""
    method: str = "equal_instalments"
    guarantor: str = ""
    owes_fen: Count | None = None
    prepared_by: str = ""
    related_to_staff: bool = False
    newcomers_only: bool = False
    opens_on: date | None = None
    repayment: RepaymentTerms | None = None


@command("bidding.CheckListing")
class CheckListing:
    """A second person has read what investors will be told, by its text's hash, and lets it be published or not; `opens_on` is
    the day it opens (None: now), `newcomers_only` for investors who have never lent. No effect for a verdict that was carried out.

    Refused: `unknown_listing`, `listing_checked` (the other way), `listing_ended` (taken back), `forbidden_not_staff`,
    `forbidden_owner` (of the borrower), `forbidden_borrower` (he is `himself`, the reader as a customer, None where the staff's
    register names none), `forbidden_same_person` (who prepared it), `check_lapsed` (its last day is over), `text_differs`,
    `invalid_opening`.
    """

    verdict: Literal["approve", "reject"]
    content_hash: str
    opens_on: date | None = None
    newcomers_only: bool = False
    himself: str | None = None


@command("bidding.RecordBid")
class RecordBid:
    """Accept a held bid or decline it by event. No effect for an accepted bid again. Refused: `unknown_listing`.

    Declined: `listing_full`, `listing_closed`, `own_loan`, `related_party`, `suitability_expired`, `unsuitable`,
    `newcomers_only` (a bid of his was captured before), `above_newcomer_cap` (of one newcomer in a newcomer listing),
    `above_investor_cap` (of one investor in one listing), `bid_above_remaining`, `bid_too_small`, `bid_not_multiple`. The suitability is None when nobody has assessed the investor.
    With `allow_partial` a bid above what is left is accepted for that. `standing_order` is what makes the bid, where one does.
    """

    bid_id: str
    hold_id: str
    account_id: str
    investor: str
    amount_fen: PositiveFen
    suitability_level: RiskLevel | None = None
    suitability_valid_to: date | None = None
    related: tuple[str, ...] = ()
    allow_partial: bool = False
    has_lent: bool = False
    standing_order: str = ""


@command("bidding.CancelBid")
class CancelBid:
    """An investor wants his bid back. A bid is answered in the order of the log, moments after its money was held; what the
    listing accepted stands until its end (domain.md section 3), and what it declined is released by itself: so this has no
    way but to be refused, each case by its name.

    Refused: `bid_accepted`, `unknown_bid` (never came, came to nothing, or is another's), `listing_ended`, `unknown_listing`.
    """

    bid_id: str


@command("bidding.CancelListing")
class CancelListing:
    """The borrower or an operator takes a listing back before it is filled; every hold is released. No effect when it is
    cancelled.

    Refused: `unknown_listing` (another's, too, where the borrower asks), `listing_filled`, `listing_ended`,
    `forbidden_code` (a borrower has no reason but his own wish, an operator has not that one).
    """

    code: CancelCode
    by: Literal["borrower", "operator"]


@command("bidding.FundListing")
class FundListing:
    """The full-bid review passes by itself (at or under the profile's threshold). No effect when it had.

    An application's listing asks for funding, one that was opened by hand is funded; a cost above the ceiling of the day
    cancels it. Refused: `unknown_listing`, `listing_not_filled`, `review_missing` (this one is for people).
    """


@command("bidding.ConfirmFunding")
class ConfirmFunding:
    """The borrower's caps are kept on the day of funding: the listing is funded, or may be paid out where people reviewed it and
    nobody has paid it out. A cost above the ceiling of the day cancels it, and so does `related_to_staff` (the borrower, or
    somebody related to him, is staff by now) where the profile lists no such loan; else it marks the loan. No effect when it is.

    Refused: `unknown_listing`, `listing_not_passed`.
    """

    related_to_staff: bool = False


@command("bidding.ExecutePayout")
class ExecutePayout:
    """A cashier pays a reviewed listing out under the number of its loan voucher; a cost above the ceiling of the day cancels it.
    An application's asks for funding once more, because its caps were looked at days ago; one that was opened by hand is funded.
    No effect when it has asked or is funded.

    Refused: `unknown_listing`, `payout_not_approved`, `invalid_voucher`, `forbidden_not_staff`, `forbidden_owner` (of the
    borrower), `forbidden_borrower` (he is `himself`, the cashier as a customer), `forbidden_same_person` (who prepared,
    checked or reviewed it), `payout_lapsed` (its last day is over).
    """

    voucher: str
    himself: str | None = None


@command("bidding.RejectFunding")
class RejectFunding:
    """The borrower's caps are not kept any more (`code`): the listing is cancelled. No effect when it is.

    Refused: `unknown_listing`, `listing_not_passed`.
    """

    code: str


@command("bidding.ReviewListing")
class ReviewListing:
    """One of finance approves or rejects a filled listing; the second approval by another person passes it (as FundListing
    does), one rejection cancels it and releases every hold. No effect for a verdict that was carried out.

    Refused: `unknown_listing`, `listing_not_filled`, `review_not_needed`, `listing_reviewed` (the other way),
    `forbidden_not_staff`, `forbidden_owner` (of the borrower), `forbidden_borrower` (he is `himself`, the reviewer as a customer),
    `forbidden_same_person` (who prepared or checked it), `forbidden_second_review` (by the same person), `review_lapsed` (its last day is over).
    """

    verdict: Literal["approve", "reject"]
    himself: str | None = None


@command("bidding.RecordCapture")
class RecordCapture:
    """A hold of this funded listing was captured. No effect when it is recorded.

    Refused: `unknown_listing`, `listing_not_funded`, `unknown_hold`, `amount_differs`.
    """

    hold_id: str
    amount_fen: PositiveFen
