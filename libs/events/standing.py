"""Events of `bidding` about standing orders 自动投标: investors' orders, the one queue that serves them, and what came of each listing.

All but `OrderHoldDeclined` (an account's) and `OrdersAnswered` (a listing's) stand in the queue's one stream, so the order of the
log is the order of service. A *turn* is a number of the queue's own: an order gets the next one when it is set up and whenever it
spends, and the lowest turn is served first. `chunk` counts what one listing's service looked at in one go, from 1.
"""

from datetime import date
from typing import Literal

from libs.events.account import RiskLevel
from libs.events.codec import event, record
from libs.events.money import AnnualRate, Count, Fen, PositiveFen
from libs.events.onboarding import Code, TextHash

Ended = Literal["", "listing_full", "listing_closed"]
"""Why a listing takes no more bids; empty while it does."""

ServiceEnd = Literal["listing_full", "listing_closed", "orders_exhausted"]
"""Why a listing's service ended."""


@record
class OrderTerms:
    """What an investor's standing order takes (domain.md section 3): loans of these grades, at least this rate, at most this term;
    per loan at most `loan_max_fen`, leaving `keep_back_fen` available, in all at most `total_max_fen` (None: no such cap)."""

    grades: tuple[Code, ...]
    annual_rate_min: AnnualRate
    tenor_months_max: Count
    loan_max_fen: PositiveFen
    keep_back_fen: Count
    total_max_fen: PositiveFen | None


@record
class OrderAsked:
    """An order whose turn it was: its account is asked to hold at most `most_fen`, under the order's terms of `version`."""

    order_id: str
    owner: str
    account_id: str
    version: Count
    turn: Count
    most_fen: PositiveFen
    keep_back_fen: Count
    hold_id: str
    bid_id: str


@record
class OrdersPassed:
    """Orders whose turn it was and that do not take part, all for one reason, in their order."""

    code: Code
    order_ids: tuple[str, ...]


@record
class HeldBid:
    """Money that an account holds for an order, with what the account knows of its owner: a bid's facts, as in FundsHeld.

    Not his relations: an account that knows the borrower as related holds nothing for an order.
    """

    order_id: str
    bid_id: str
    hold_id: str
    account_id: str
    investor: str
    amount_fen: PositiveFen
    suitability_level: RiskLevel | None
    suitability_valid_to: date | None
    has_lent: bool = False


@record
class BidAnswer:
    """What the listing took of an order's bid: nothing (0) for the reason `code`, which is empty where it took something."""

    order_id: str
    amount_fen: Count
    code: str


@record
class OrderResult:
    """What came of an order that bid: what the listing took, or nothing (0) for the reason `code`. Who spent has a new turn.

    `spent_after_fen` may be below zero for a moment: the return of what a listing took may overtake the word that it was taken.
    """

    order_id: str
    amount_fen: Count
    code: str
    turn: Count
    spent_after_fen: Fen


@record
class SpentReturned:
    """What an order had bid on a listing that came to nothing: it counts no more towards the order's total cap."""

    order_id: str
    amount_fen: PositiveFen
    spent_after_fen: Fen


@record
class HeldMoney:
    """A hold of an account."""

    account_id: str
    hold_id: str


# --- orders --------------------------------------------------------------------------------------------------------


@event("bidding.StandingOrderOpened.v1")
class StandingOrderOpened:
    """An investor set up his standing order, after the risk text of this hash; it stands at the end of the queue."""

    order_id: str
    owner: str
    terms: OrderTerms
    text_hash: TextHash
    turn: Count


@event("bidding.StandingOrderChanged.v1")
class StandingOrderChanged:
    """The owner changed what his order takes; it keeps its place."""

    order_id: str
    owner: str
    version: Count
    terms: OrderTerms


@event("bidding.StandingOrderPaused.v1")
class StandingOrderPaused:
    """The order takes no part until it is resumed; it keeps its place. By its owner's wish, or because it could not pay for so many
    listings in a row (`code`)."""

    order_id: str
    owner: str
    code: Literal["by_owner", "could_not_pay"] = "by_owner"


@event("bidding.StandingOrderResumed.v1")
class StandingOrderResumed:
    """The order takes part again."""

    order_id: str
    owner: str


@event("bidding.StandingOrderEnded.v1")
class StandingOrderEnded:
    """The order is over: by its owner's wish, or because his account is closed. A new one stands at the end of the queue."""

    order_id: str
    owner: str
    code: Literal["by_owner", "account_closed"]


@event("bidding.OrdersSpentReturned.v1")
class OrdersSpentReturned:
    """A listing that these orders had bid on came to nothing. Their turns stay as they are."""

    listing_id: str
    returned: tuple[SpentReturned, ...]


# --- a listing's service -------------------------------------------------------------------------------------------


@event("bidding.AutoInvestQueued.v1")
class AutoInvestQueued:
    """A listing opened and there are standing orders: it is served when those that opened before it are."""

    listing_id: str
    borrower: str
    related: tuple[str, ...]
    amount_fen: PositiveFen
    annual_rate: AnnualRate
    tenor_months: Count
    grade: str
    bid_min_fen: PositiveFen


@event("bidding.OrdersConsidered.v1")
class OrdersConsidered:
    """The orders with turns above `after_turn` up to `to_turn` were looked at, in that order: each was asked, or passed for a reason.

    `remaining_fen` is what the listing lacked before. Orders with a turn above `last_turn` came, or spent, after the listing's
    service began. `more`: there are others still. Answers are awaited until the end of `wait_until`.
    """

    listing_id: str
    chunk: Count
    after_turn: Count
    to_turn: Count
    last_turn: Count
    more: bool
    remaining_fen: PositiveFen
    borrower: str
    bid_min_fen: PositiveFen
    asked: tuple[OrderAsked, ...]
    passed: tuple[OrdersPassed, ...]
    wait_until: date | None = None


@event("bidding.OrderHoldDeclined.v1")
class OrderHoldDeclined:
    """The account of an order that was asked holds nothing for it (`code`)."""

    account_id: str
    owner: str
    order_id: str
    hold_id: str
    listing_id: str
    code: Code


@event("bidding.OrderHeld.v1")
class OrderHeld:
    """The queue knows that the account of an order that was asked holds money."""

    listing_id: str
    bid: HeldBid


@event("bidding.OrderDropped.v1")
class OrderDropped:
    """The queue knows that the account of an order that was asked holds nothing (`code`): it keeps its place. `unanswered`: it waits
    no longer for the account to say so."""

    listing_id: str
    order_id: str
    code: Code
    unanswered: bool = False


@event("bidding.OrderAnsweredLate.v1")
class OrderAnsweredLate:
    """The account of an order answered when nobody waited for it any more: what it holds (`held`) is released."""

    listing_id: str
    order_id: str
    held: HeldMoney | None


@event("bidding.OrdersBid.v1")
class OrdersBid:
    """All who were asked have answered: these bids go to the listing together, in their orders' turns."""

    listing_id: str
    chunk: Count
    bids: tuple[HeldBid, ...]


@event("bidding.OrdersAnswered.v1")
class OrdersAnswered:
    """The listing decided on the orders' bids, one after the other; `ended` says why it takes no more, empty while it does."""

    listing_id: str
    chunk: Count
    remaining_after_fen: Count
    ended: Ended
    answers: tuple[BidAnswer, ...]


@event("bidding.OrdersServed.v1")
class OrdersServed:
    """What came of the orders that bid: who spent goes to the end of the queue. `unbid` is held for a listing that does not exist
    and is to be released for the reason of the results."""

    listing_id: str
    chunk: Count
    remaining_fen: Count
    ended: Ended
    results: tuple[OrderResult, ...]
    unbid: tuple[HeldMoney, ...] = ()


@event("bidding.AutoInvestEnded.v1")
class AutoInvestEnded:
    """The listing's service is over: it is full or takes no more bids, or every order had its turn. `next_listing_id` comes next,
    empty where none waits. Orders with a turn up to `last_turn` that were not looked at came too late in the queue."""

    listing_id: str
    code: ServiceEnd
    last_turn: Count
    next_listing_id: str
