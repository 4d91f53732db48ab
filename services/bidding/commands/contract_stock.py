"""Commands of `bidding` about blank contracts. Who acts is the command's principal, a member of staff (`forbidden_not_staff`) but for
what a policy sends."""

from datetime import date

from libs.events.codec import command
from libs.events.contract_stock import DifferenceCode, Number, Numbers, Party, StockVoidCode
from libs.events.money import Count
from libs.events.onboarding import Code
from libs.events.void_papers import VoidedBy


@command("bidding.PrintContracts")
class PrintContracts:
    """Headquarters prints and seals a branch's quota of a month, which begins on `month`. No effect when it is printed.

    Refused: `forbidden_not_staff`, `offline_selling_forbidden` (contracts of lenders, where the profile allows none),
    `invalid_branch` (1 to 20 letters, digits and hyphens), `invalid_month` (not the first of a month), `invalid_quota` (above 200, or a representative's
    above the branch's), `stock_exists` (on other terms).
    """

    branch: Code
    month: date
    party: Party
    quota: Number
    rep_quota: Number


@command("bidding.HandOverContracts")
class HandOverContracts:
    """Whoever has these blanks gives them to another, from headquarters to the branch or on to a representative; until he takes them
    they may be given to somebody else instead. No effect when they are offered to him.

    Refused: `forbidden_not_staff`, `unknown_stock`, `unknown_number`, `not_holder`, `forbidden_second_signature` (to
    himself), `contract_used` (signed or void), `mixed_range` (not all at one place), `quota_exceeded` (the receiver's),
    `difference_unexplained` (of the last count).
    """

    numbers: Numbers
    to: str


@command("bidding.TakeContracts")
class TakeContracts:
    """The receiver confirms that he has them. No effect when he has.

    Refused: `forbidden_not_staff`, `unknown_stock`, `unknown_number`, `contract_used`, `not_receiver`, `mixed_range`,
    `quota_exceeded`, `difference_unexplained`.
    """

    numbers: Numbers


@command("bidding.SignContract")
class SignContract:
    """A representative's blank was signed for a loan. No effect when it was, for this loan.

    Refused: `forbidden_not_staff`, `invalid_loan`, `unknown_stock`, `unknown_number`, `contract_used`, `not_holder`,
    `not_issued` (it lies at headquarters or the branch), `contract_offered` (to another), `loan_signed` (under another number).
    """

    number: Number
    loan_id: str


@command("bidding.ReturnContract")
class ReturnContract:
    """A signed contract lies in the branch's archive, in two copies. No effect when it does.

    Refused: `forbidden_not_staff`, `unknown_stock`, `unknown_number`, `not_signed`, `contract_void`, `forbidden_second_signature`
    (whoever signed it does not receive it), `copies_missing`.
    """

    number: Number
    copies: Count


@command("bidding.VoidContracts")
class VoidContracts:
    """Blanks are void; another person says so than who has them. No effect when they are, for this reason.

    Refused: `forbidden_not_staff`, `unknown_stock`, `unknown_number`, `contract_used`, `own_stock`.
    """

    numbers: Numbers
    code: StockVoidCode


@command("bidding.VoidSignedBlank")
class VoidSignedBlank:
    """The loan that was signed on this paper is void, so the paper is, signed or back in the archive. No effect when it is.

    Sent by a policy. Refused: `unknown_stock`, `unknown_number`, `not_signed` (for this loan).
    """

    number: Number
    loan_id: str
    voided: VoidedBy


@command("bidding.CountContracts")
class CountContracts:
    """Somebody who has none of them counted the blanks that are not void: once a month. No effect for the same count again.

    Refused: `forbidden_not_staff`, `unknown_stock`, `invalid_range` (it ends before it begins), `invalid_count` (more than 200 ranges or 1,000
    papers), `own_stock`, `month_counted`, `difference_unexplained` (of the count before).
    """

    seen: tuple[Numbers, ...]


@command("bidding.ExplainDifference")
class ExplainDifference:
    """Where the difference of the last count comes from. No effect when that is said.

    Refused: `forbidden_not_staff`, `unknown_stock`, `nothing_to_explain`, `forbidden_second_signature` (who counted),
    `difference_explained` (otherwise).
    """

    code: DifferenceCode
