"""Commands of `bidding` about standing orders: their owners', and those by which the queue, accounts and listings serve them.

A command to an order that is not there, or is another's, is refused `unknown_order`.
"""

from libs.events.codec import command
from libs.events.money import AnnualRate, Count, PositiveFen
from libs.events.onboarding import Code, TextHash
from libs.events.standing import BidAnswer, Ended, HeldBid, OrderTerms

#: The one stream of the queue of standing orders.
QUEUE_STREAM = "auto_queue"

# --- of an order's owner -------------------------------------------------------------------------------------------


@command("bidding.OpenStandingOrder")
class OpenStandingOrder:
    """An investor sets up his standing order, having read the risk text of this hash. No effect for the same order again.

    Refused: `invalid_owner` (who asks is no user), `unknown_order` (no id of an order), `text_differs`, `invalid_grades` (none, twice the same, or too many),
    `invalid_tenor`, `loan_max_too_small` (below one step of bids), `order_exists` (he has one, or this id on other terms),
    `too_many_orders`.
    """

    order_id: str
    terms: OrderTerms
    text_hash: TextHash


@command("bidding.ChangeStandingOrder")
class ChangeStandingOrder:
    """The owner changes what his order takes; it keeps its place. What was asked of it before stands. No effect for the same terms.

    Refused: `unknown_order`, `invalid_grades`, `invalid_tenor`, `loan_max_too_small`.
    """

    order_id: str
    terms: OrderTerms


@command("bidding.PauseStandingOrder")
class PauseStandingOrder:
    """The order takes no part until further notice. What was asked of it before stands. No effect when it is paused.

    Refused: `unknown_order`.
    """

    order_id: str


@command("bidding.ResumeStandingOrder")
class ResumeStandingOrder:
    """The order takes part again, at its old place. No effect when it is not paused. Refused: `unknown_order`."""

    order_id: str


@command("bidding.EndStandingOrder")
class EndStandingOrder:
    """The order is over. What was asked of it before stands. No effect for an order that is over: it is forgotten, and so is whose
    it was. Refused: `unknown_order` (another's).
    """

    order_id: str


# --- of sagas ------------------------------------------------------------------------------------------------------


@command("bidding.EndOrderOf")
class EndOrderOf:
    """An account was closed: its owner's order is over. No effect where he has none."""

    owner: str


@command("bidding.QueueListing")
class QueueListing:
    """A listing opened: the standing orders are served with it. No effect where there are none, nor for one that is being served
    or waits.
    """

    listing_id: str
    borrower: str
    related: tuple[str, ...]
    amount_fen: PositiveFen
    annual_rate: AnnualRate
    tenor_months: Count
    grade: str
    bid_min_fen: PositiveFen


@command("bidding.EndService")
class EndService:
    """A listing takes no more bids (`code`): its service ends, or never begins. Who was asked and has not answered is not waited for.
    No effect for a listing that is not served, or has the orders' bids and answers them.
    """

    listing_id: str
    code: Ended


@command("bidding.ConsiderOrders")
class ConsiderOrders:
    """Go on with a listing's service behind `after_turn`. No effect when it has gone on."""

    listing_id: str
    after_turn: Count


@command("bidding.HoldForOrder")
class HoldForOrder:
    """Hold money for an order's bid: `most_fen`, or what the account has above `keep_back_fen`, in steps of bids. No effect while
    this hold stands. Refused: `unknown_account`.

    Declined: `account_closed`, `owner_deceased`, `related_party` (to the `borrower`), `keeps_back` (less than `bid_min_fen` is left above what stays), `insufficient_available`.
    """

    order_id: str
    listing_id: str
    borrower: str
    hold_id: str
    bid_id: str
    most_fen: PositiveFen
    bid_min_fen: PositiveFen
    keep_back_fen: Count


@command("bidding.RecordOrderHeld")
class RecordOrderHeld:
    """The account of an order holds money for it. The last answer sends the bids to the listing; what nobody waits for any more is
    released. No effect for a known answer."""

    listing_id: str
    bid: HeldBid


@command("bidding.RecordOrderDropped")
class RecordOrderDropped:
    """The account of an order holds nothing for it (`code`). No effect for a known answer."""

    listing_id: str
    order_id: str
    code: Code


@command("bidding.RecordBids")
class RecordBids:
    """Accept or decline the bids of standing orders, one after the other. No effect when one of them was accepted before. Refused:
    `unknown_listing`.

    A bid above what is left is taken for that; one below is taken in steps of bids, and the rest is available again. Declined as
    any bid, see RecordBid.
    """

    listing_id: str
    chunk: Count
    bids: tuple[HeldBid, ...]


@command("bidding.RecordAnswers")
class RecordAnswers:
    """What the listing answered to the bids that were sent to it: who spent goes to the end of the queue. No effect for a known
    answer."""

    listing_id: str
    chunk: Count
    remaining_after_fen: Count
    ended: Ended
    answers: tuple[BidAnswer, ...]


@command("bidding.ReturnBids")
class ReturnBids:
    """The listing refused the bids as a whole (`code`): their holds are released. No effect when it has answered."""

    listing_id: str
    chunk: Count
    code: Code


@command("bidding.ReturnSpent")
class ReturnSpent:
    """A listing came to nothing, and what orders had bid on it is available again. No effect for orders that are over.

    Only the source rule recognises the same listing again: the queue keeps no list of them.
    """

    listing_id: str
    bids: tuple[BidAnswer, ...]
