"""The queue at its edges: ten thousand orders, names that look like each other, an investor at his cap, a state that is stored."""

from dataclasses import replace

from libs.events.codec import encode
from libs.events.topics import COMMAND_BYTES_MAX, DECISION_BYTES_MAX
from services.bidding.commands.standing import RecordBids
from services.bidding.domain.listing import aggregate as listing_aggregate
from services.bidding.domain.profile import CN_P2P_2016, DEMO
from services.bidding.domain.standing import aggregate as queue_aggregate
from services.bidding.domain.standing_considering import ASK_MAX, LOOK_MAX
from services.bidding.domain.standing_lines import NONE, order_of, order_with
from services.bidding.domain.standing_state import Queue
from tests.unit.bidding import listing_story as listing
from tests.unit.bidding.specs import on
from tests.unit.bidding.standing_story import (
    ASK_CEM,
    BID,
    LOOKED,
    RECORD_BIDS,
    bid,
    opened,
    queue_listing,
    terms,
)
from tests.unit.given import context, fold, given

QUEUE = queue_aggregate(DEMO)


def test_at_its_investors_cap_an_order_is_taken_up_to_it() -> None:
    """Whole steps of what he may still have in the listing; the rest comes back; where no bid is left of it, it is declined."""
    lawful = listing_aggregate(replace(CN_P2P_2016, suitability_required=False, grade_levels=()))
    large = replace(listing.OPENED, amount_fen=400_000_00)
    wanted = bid("ann", 1, 50_000_00)
    for has_fen, taken_fen, code in ((100_000_50, 19_900_00, ""), (119_950_00, 0, "above_investor_cap")):
        first_bid = replace(listing.PLACED.bid, investor="usr_ann", account_id="acc_ann", amount_fen=has_fen)
        by_hand = replace(
            listing.PLACED, bid=first_bid, raised_after_fen=has_fen, remaining_after_fen=400_000_00 - has_fen
        )
        history = (large, by_hand)
        command = replace(RECORD_BIDS, bids=(wanted,))
        first, answer = given(lawful, *history).when(command, on()).events
        assert [(each.amount_fen, each.code) for each in answer.answers] == [(taken_fen, code)]
        assert not taken_fen or first.excess_fen == wanted.amount_fen - taken_fen


def test_one_look_is_bounded_however_many_orders_there_are() -> None:
    """Ten thousand orders are looked at a thousand at a time and asked fifty at a time; the record and the bids stay small."""
    state = fold(
        QUEUE, [opened(f"{'u' * 32}{turn:05}", turn, grades=("A",)) for turn in range(1, LOOK_MAX + 2)]
    )
    _, first = QUEUE.decide(queue_listing(), state, context())
    assert (first.to_turn, first.more, first.asked) == (LOOK_MAX, True, ())
    assert [len(each.order_ids) for each in first.passed] == [LOOK_MAX]
    assert len(encode(type(first), first)) < DECISION_BYTES_MAX // 40
    matching = fold(QUEUE, [opened(f"{'u' * 32}{turn:05}", turn) for turn in range(1, ASK_MAX + 2)])
    huge = queue_listing(amount_fen=900_000_00)
    _, first = QUEUE.decide(huge, matching, context())
    assert (len(first.asked), first.more) == (ASK_MAX, True)
    every = tuple(bid("u" * 37, number, 500_00) for number in range(ASK_MAX))
    command = RecordBids(listing_id="lst_" + "l" * 32, chunk=1, bids=every)
    assert len(encode(RecordBids, command)) < COMMAND_BYTES_MAX // 4


def test_orders_of_similar_names_are_told_apart() -> None:
    """An owner who is called like a grade or a number, or like the beginning of another, finds his own order and no other."""
    names = ("A", "B", "1", "12", "a", "an", "ann", "500_00", "p")
    state = fold(QUEUE, [opened(name, turn) for turn, name in enumerate(names, 1)])
    for turn, name in enumerate(names, 1):
        found = order_of(state.orders, f"usr_{name}")
        assert found is not None
        assert found == order_with(state.orders, f"sto_{name}")
        assert (found.turn, found.owner, found.terms) == (turn, f"usr_{name}", terms())
    assert order_of(state.orders, "usr_c") is None
    assert order_of(NONE, "usr_ann") is None


def test_the_queue_is_written_and_read_whole() -> None:
    """Every situation of the queue comes back from the store as it was."""
    for until in range(len(BID) + 1):
        assert isinstance(fold(QUEUE, BID[:until]), Queue)
    assert ASK_CEM in LOOKED.asked
