"""Commands of `bidding` about a contract that is void before its money moved. Who acts is the principal; `himself` is who he is as a
customer, None where the staff's register names none.
"""

from libs.events.codec import command
from libs.events.voiding import VoidingCode, VoidingPost


@command("bidding.ProposeVoiding")
class ProposeVoiding:
    """Legal finds that a listing's contract would be void. No effect when that is proposed, or the listing is cancelled.

    Refused: `forbidden_not_staff`, `unknown_listing`, `forbidden_borrower`, `loan_funded` (its money has moved: the way is the measure
    `voidance` of repayment),
    `listing_ended`, `voiding_proposed` (for another reason).
    """

    code: VoidingCode
    himself: str | None = None


@command("bidding.ApproveVoiding")
class ApproveVoiding:
    """Another person agrees, for legal or for finance; with the second of both the listing is cancelled and every hold released.
    No effect when that post has agreed, or the listing is cancelled.

    Refused: `forbidden_not_staff`, `unknown_listing`, `forbidden_borrower`, `loan_funded`, `listing_ended`,
    `voiding_not_proposed`, `forbidden_second_signature`.
    """

    post: VoidingPost
    himself: str | None = None
