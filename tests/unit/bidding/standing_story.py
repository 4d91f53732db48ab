"""The standing orders of the specs: Ann's, Cem's and Dan's, and how Bea's listing of 1,000.50 yuan is served with them."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from libs.events.bidding import FundsHeld, HoldReleased
from libs.events.sagas import Send
from libs.events.standing import (
    AutoInvestEnded,
    AutoInvestQueued,
    BidAnswer,
    Ended,
    HeldBid,
    HeldMoney,
    OrderAnsweredLate,
    OrderAsked,
    OrderDropped,
    OrderHeld,
    OrderHoldDeclined,
    OrderResult,
    OrdersAnswered,
    OrdersBid,
    OrdersConsidered,
    OrdersPassed,
    OrdersServed,
    OrdersSpentReturned,
    OrderTerms,
    ServiceEnd,
    SpentReturned,
    StandingOrderChanged,
    StandingOrderEnded,
    StandingOrderOpened,
    StandingOrderPaused,
    StandingOrderResumed,
)
from services.bidding.commands.standing import (
    ChangeStandingOrder,
    EndOrderOf,
    EndService,
    EndStandingOrder,
    HoldForOrder,
    OpenStandingOrder,
    PauseStandingOrder,
    QueueListing,
    RecordAnswers,
    RecordBids,
    RecordOrderDropped,
    RecordOrderHeld,
    ResumeStandingOrder,
    ReturnSpent,
)
from services.bidding.domain.standing_text import TEXT_HASH
from tests.unit.bidding import listing_story as listing
from tests.unit.bidding.specs import AVAILABLE, HELD, moved
from tests.unit.given import TODAY

QUEUE = "auto_queue"
#: Accounts that were asked today are awaited until then.
WAIT_UNTIL = TODAY + timedelta(days=1)
TERMS = OrderTerms(
    grades=("A", "B"),
    annual_rate_min=Decimal("0.1"),
    tenor_months_max=12,
    loan_max_fen=500_00,
    keep_back_fen=50_00,
    total_max_fen=None,
)


def terms(**changed: Any) -> OrderTerms:
    """Grades A and B from 10 %, at most a year and 500 yuan a loan, 50 yuan stay."""
    return replace(TERMS, **changed)


def open_order(who: str = "ann", **changed: Any) -> OpenStandingOrder:
    """Somebody sets up an order, having read the text."""
    return OpenStandingOrder(order_id=f"sto_{who}", terms=terms(**changed), text_hash=TEXT_HASH)


def opened(who: str = "ann", turn: int = 1, **changed: Any) -> StandingOrderOpened:
    """It stands at the end of the queue."""
    return StandingOrderOpened(
        order_id=f"sto_{who}",
        owner=f"usr_{who}",
        terms=terms(**changed),
        text_hash=TEXT_HASH,
        turn=turn,
    )


OPENED = opened()
HERS: dict[str, Any] = {"order_id": "sto_ann", "owner": "usr_ann"}
CHANGE = ChangeStandingOrder(order_id="sto_ann", terms=terms(loan_max_fen=300_00))
CHANGED = StandingOrderChanged(version=2, terms=terms(loan_max_fen=300_00), **HERS)
BROKE = StandingOrderPaused(code="could_not_pay", **HERS)
PAUSE, PAUSED = PauseStandingOrder(order_id="sto_ann"), StandingOrderPaused(**HERS)
RESUME, RESUMED = ResumeStandingOrder(order_id="sto_ann"), StandingOrderResumed(**HERS)
END, ENDED = EndStandingOrder(order_id="sto_ann"), StandingOrderEnded(code="by_owner", **HERS)
LEAVE, LEFT = EndOrderOf(owner="usr_ann"), StandingOrderEnded(code="account_closed", **HERS)

LISTING: dict[str, Any] = {
    "listing_id": "lst_1",
    "borrower": "usr_bea",
    "related": (),
    "amount_fen": 1_000_50,
    "annual_rate": Decimal("0.12"),
    "tenor_months": 12,
    "grade": "B",
    "bid_min_fen": 100_00,
}


def queue_listing(**changed: Any) -> QueueListing:
    """Bea's listing opened."""
    return QueueListing(**(LISTING | changed))


def queued(**changed: Any) -> AutoInvestQueued:
    """It is to be served."""
    return AutoInvestQueued(**(LISTING | changed))


def asked(who: str, turn: int, number: int, most_fen: int = 500_00, **changed: Any) -> OrderAsked:
    """An order's account is asked."""
    fields: dict[str, Any] = {
        "order_id": f"sto_{who}",
        "owner": f"usr_{who}",
        "account_id": f"acc_{who}",
        "version": 1,
        "turn": turn,
        "most_fen": most_fen,
        "keep_back_fen": 50_00,
        "hold_id": f"hold_auto{number}",
        "bid_id": f"bid_auto{number}",
    }
    return OrderAsked(**(fields | changed))


def looked(*asks: OrderAsked, **changed: Any) -> OrdersConsidered:
    """The queue was looked at."""
    fields: dict[str, Any] = {
        "listing_id": "lst_1",
        "chunk": 1,
        "after_turn": 0,
        "to_turn": asks[-1].turn if asks else 0,
        "last_turn": asks[-1].turn if asks else 0,
        "more": False,
        "remaining_fen": 1_000_50,
        "borrower": "usr_bea",
        "bid_min_fen": 100_00,
        "asked": asks,
        "passed": (),
        "wait_until": WAIT_UNTIL if asks else None,
    }
    return OrdersConsidered(**(fields | changed))


def passed(code: str, *who: str) -> OrdersPassed:
    """These do not take part."""
    return OrdersPassed(code=code, order_ids=tuple(f"sto_{each}" for each in who))


def bid(who: str, number: int, amount_fen: int) -> HeldBid:
    """Money is held for an order."""
    return HeldBid(
        order_id=f"sto_{who}",
        bid_id=f"bid_auto{number}",
        hold_id=f"hold_auto{number}",
        account_id=f"acc_{who}",
        investor=f"usr_{who}",
        amount_fen=amount_fen,
        suitability_level=None,
        suitability_valid_to=None,
    )


def held(each: HeldBid) -> OrderHeld:
    """The queue knows."""
    return OrderHeld(listing_id="lst_1", bid=each)


def record_held(each: HeldBid) -> RecordOrderHeld:
    """The queue is told."""
    return RecordOrderHeld(listing_id="lst_1", bid=each)


def record_dropped(who: str, code: str = "insufficient_available") -> RecordOrderDropped:
    """The queue is told that there is nothing."""
    return RecordOrderDropped(listing_id="lst_1", order_id=f"sto_{who}", code=code)


def dropped(who: str, code: str = "insufficient_available") -> OrderDropped:
    """The queue knows that there is nothing."""
    return OrderDropped(listing_id="lst_1", order_id=f"sto_{who}", code=code)


def unanswered(who: str, code: str = "no_answer") -> OrderDropped:
    """The queue waits no longer."""
    return replace(dropped(who, code), unanswered=True)


def late(who: str, number: int = 0) -> OrderAnsweredLate:
    """The account answers all the same: what it holds goes back."""
    held = HeldMoney(account_id=f"acc_{who}", hold_id=f"hold_auto{number}") if number else None
    return OrderAnsweredLate(listing_id="lst_1", order_id=f"sto_{who}", held=held)


def bids(*each: HeldBid, chunk: int = 1) -> OrdersBid:
    """All have answered."""
    return OrdersBid(listing_id="lst_1", chunk=chunk, bids=each)


def took(who: str, amount_fen: int) -> BidAnswer:
    """The listing took this of an order's bid."""
    return BidAnswer(order_id=f"sto_{who}", amount_fen=amount_fen, code="")


def took_nothing(who: str, code: str) -> BidAnswer:
    """It took none of it."""
    return BidAnswer(order_id=f"sto_{who}", amount_fen=0, code=code)


def answers(*each: BidAnswer, remaining_fen: int, ended: Ended = "", chunk: int = 1) -> RecordAnswers:
    """The queue is told what the listing took."""
    return RecordAnswers(
        listing_id="lst_1", chunk=chunk, remaining_after_fen=remaining_fen, ended=ended, answers=each
    )


def spent(who: str, amount_fen: int, turn: int, spent_fen: int | None = None) -> OrderResult:
    """An order spent and stands at the end."""
    after_fen = amount_fen if spent_fen is None else spent_fen
    return OrderResult(
        order_id=f"sto_{who}", amount_fen=amount_fen, code="", turn=turn, spent_after_fen=after_fen
    )


def kept(who: str, code: str, turn: int) -> OrderResult:
    """An order spent nothing and keeps its place."""
    return OrderResult(order_id=f"sto_{who}", amount_fen=0, code=code, turn=turn, spent_after_fen=0)


def served(
    *each: OrderResult, remaining_fen: int, ended: Ended = "", chunk: int = 1, **changed: Any
) -> OrdersServed:
    """The queue knows what the listing took."""
    return OrdersServed(
        listing_id="lst_1", chunk=chunk, remaining_fen=remaining_fen, ended=ended, results=each, **changed
    )


def over(code: ServiceEnd, last_turn: int, next_listing: str = "") -> AutoInvestEnded:
    """The listing's service is over."""
    return AutoInvestEnded(listing_id="lst_1", code=code, last_turn=last_turn, next_listing_id=next_listing)


#: Three orders: Ann's and Cem's fit Bea's listing, Dan's takes only grade A.
THREE = (OPENED, opened("cem", 2), opened("dan", 3, grades=("A",)))
ASK_ANN, ASK_CEM = asked("ann", 1, 1), asked("cem", 2, 2)
LOOKED = looked(ASK_ANN, ASK_CEM, to_turn=3, last_turn=3, passed=(passed("grade_not_wanted", "dan"),))
ASKED = (*THREE, queued(), LOOKED)
ANNS, CEMS = bid("ann", 1, 500_00), bid("cem", 2, 400_00)
HELD_BY_BOTH = (*ASKED, held(CEMS), held(ANNS))
BID = (*HELD_BY_BOTH, bids(ANNS, CEMS))
SERVED = served(spent("ann", 500_00, 4), spent("cem", 400_00, 5), remaining_fen=100_50)
RETURN_SPENT = ReturnSpent(listing_id="lst_1", bids=(took("ann", 500_00), took("eve", 100_00)))
SPENT_RETURNED = OrdersSpentReturned(
    listing_id="lst_1",
    returned=(SpentReturned(order_id="sto_ann", amount_fen=500_00, spent_after_fen=0),),
)

# --- the account and the listing -------------------------------------------------------------------------------------

HOLD = HoldForOrder(
    order_id="sto_ann",
    listing_id="lst_1",
    borrower="usr_bea",
    hold_id="hold_auto1",
    bid_id="bid_auto1",
    most_fen=500_00,
    bid_min_fen=100_00,
    keep_back_fen=50_00,
)
AUTO: dict[str, Any] = {
    "hold_id": "hold_auto1",
    "bid_id": "bid_auto1",
    "listing_id": "lst_1",
    "allow_partial": True,
    "standing_order": "sto_ann",
}


def held_funds(amount_fen: int, after_fen: int) -> FundsHeld:
    """Ann's account holds this much for her order."""
    legs = {AVAILABLE: -amount_fen, HELD: amount_fen}
    return moved(FundsHeld, legs, (after_fen, amount_fen), amount_fen=amount_fen, **AUTO)


def nothing_held(code: str) -> OrderHoldDeclined:
    """Ann's account holds nothing for it."""
    return OrderHoldDeclined(
        account_id="acc_ann",
        owner="usr_ann",
        order_id="sto_ann",
        hold_id="hold_auto1",
        listing_id="lst_1",
        code=code,
    )


RECORD_BIDS = RecordBids(listing_id="lst_1", chunk=1, bids=(ANNS, CEMS))


def answered(*each: BidAnswer, remaining_fen: int, ended: Ended = "") -> OrdersAnswered:
    """The listing has decided on all of them."""
    return OrdersAnswered(
        listing_id="lst_1", chunk=1, remaining_after_fen=remaining_fen, ended=ended, answers=each
    )


ANSWERED = answered(took("ann", 500_00), took("cem", 400_00), remaining_fen=100_50)
UNBID = served(
    kept("ann", "unknown_listing", 1),
    remaining_fen=1_000_50,
    ended="listing_closed",
    unbid=(HeldMoney(account_id="acc_ann", hold_id="hold_auto1"),),
)
BY_ORDER = replace(
    listing.EXPIRED, bids=(replace(listing.accepted(1, listing.FIRST), standing_order="sto_ann"),)
)
ABOUT = {"listing_id": "lst_1", "order_id": "sto_ann"}
ABOUT_BIDS = {"listing_id": "lst_1", "chunk": "1"}
END_FULL = Send("service", QUEUE, EndService(listing_id="lst_1", code="listing_full"))
END_CLOSED = Send("service", QUEUE, EndService(listing_id="lst_1", code="listing_closed"))
QUEUED = Send("orders", QUEUE, queue_listing())


RELEASED = moved(
    HoldReleased,
    {HELD: -500_00, AVAILABLE: 500_00},
    (600_00, 0),
    hold_id="hold_auto1",
    bid_id="bid_auto1",
    listing_id="lst_1",
    amount_fen=500_00,
    reason="listing_full",
)
#: An order's life, as its queue tells it.
LIFE = (
    *THREE,
    CHANGED,
    PAUSED,
    RESUMED,
    queued(),
    replace(LOOKED, asked=(replace(ASK_ANN, version=2, most_fen=300_00), ASK_CEM)),
    dropped("cem"),
    held(bid("ann", 1, 300_00)),
    bids(bid("ann", 1, 300_00)),
    served(spent("ann", 300_00, 4), remaining_fen=700_50),
    over("orders_exhausted", 3),
    replace(
        SPENT_RETURNED,
        returned=(SpentReturned(order_id="sto_ann", amount_fen=300_00, spent_after_fen=0),),
    ),
    ENDED,
)
