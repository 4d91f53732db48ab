"""Standing orders: their owners set them up, the queue asks in the published order, accounts hold, the listing answers in turns."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from libs.events.codec import encode
from libs.events.deciding import Wake
from libs.events.standing import Ended
from libs.events.topics import COMMAND_BYTES_MAX, DECISION_BYTES_MAX
from services.bidding.commands.standing import ConsiderOrders, EndService, RecordBids, ReturnBids
from services.bidding.domain.listing import aggregate as listing_aggregate
from services.bidding.domain.profile import CN_P2P_2016, DEMO
from services.bidding.domain.standing import aggregate as queue_aggregate
from services.bidding.domain.standing_considering import ASK_MAX, LOOK_MAX
from services.bidding.domain.standing_lines import NONE, order_of, order_with
from services.bidding.domain.standing_state import Queue
from tests.unit.bidding import listing_story as listing
from tests.unit.bidding.specs import ANN, Spec, on
from tests.unit.bidding.standing_story import (
    ANNS,
    ASK_ANN,
    ASK_CEM,
    ASKED,
    BID,
    BROKE,
    CEMS,
    CHANGE,
    CHANGED,
    END,
    ENDED,
    HELD_BY_BOTH,
    LEAVE,
    LEFT,
    LOOKED,
    OPENED,
    PAUSE,
    PAUSED,
    RECORD_BIDS,
    RESUME,
    RESUMED,
    RETURN_SPENT,
    SERVED,
    SPENT_RETURNED,
    THREE,
    UNBID,
    WAIT_UNTIL,
    answers,
    asked,
    bid,
    bids,
    dropped,
    held,
    kept,
    late,
    looked,
    open_order,
    opened,
    over,
    passed,
    queue_listing,
    queued,
    record_dropped,
    record_held,
    served,
    spent,
    terms,
    took,
    took_nothing,
    unanswered,
)
from tests.unit.given import TODAY, context, fold, given

QUEUE = queue_aggregate(DEMO)
CEM = "usr_cem"
ENDS: tuple[Ended, ...] = ("listing_full", "listing_closed")


def spec(says: str, history: tuple[Any, ...], when: Any, then: tuple[Any, ...] | str, who: str = ANN) -> Spec:
    """A rule of the queue, for whoever acts."""
    return Spec(says, history, when, then, on(principal=who))


OWNER_SPECS = [
    spec("an order stands at the end of the queue", (), open_order(), (OPENED,)),
    spec("behind those that were there", (opened("cem"),), open_order(), (opened("ann", 2),)),
    spec("it is set up once", (OPENED,), open_order(), ()),
    spec("its owner has one", (OPENED,), open_order("eve"), "order_exists"),
    spec("on its own terms", (OPENED,), open_order(keep_back_fen=0), "order_exists"),
    spec("an id is one order's", (OPENED,), open_order(), "order_exists", CEM),
    spec("only for a user", (), open_order(), "invalid_owner", "stf_ole"),
    spec("an order has an order's id", (), replace(open_order(), order_id="x"), "unknown_order"),
    spec("who has not read the text", (), replace(open_order(), text_hash="0" * 64), "text_differs"),
    spec("an order takes a grade", (), open_order(grades=()), "invalid_grades"),
    spec("each once, in order", (), open_order(grades=("B", "A")), "invalid_grades"),
    spec("a grade is a short word", (), open_order(grades=("A;B",)), "invalid_grades"),
    spec("a term has a month", (), open_order(tenor_months_max=0), "invalid_tenor"),
    spec("and a cap takes a bid", (), open_order(loan_max_fen=99_99), "loan_max_too_small"),
    spec("the terms change, the place does not", (OPENED,), CHANGE, (CHANGED,)),
    spec("once", (OPENED, CHANGED), CHANGE, ()),
    spec("nobody changes another's", (OPENED,), CHANGE, "unknown_order", CEM),
    spec("to what an order may be", (OPENED,), replace(CHANGE, terms=terms(grades=())), "invalid_grades"),
    spec("a term is none", (OPENED,), replace(CHANGE, terms=terms(tenor_months_max=1_201)), "invalid_tenor"),
    spec("nor a fen", (OPENED,), replace(CHANGE, terms=terms(loan_max_fen=1)), "loan_max_too_small"),
    spec("an order is paused", (OPENED,), PAUSE, (PAUSED,)),
    spec("once", (OPENED, PAUSED), PAUSE, ()),
    spec("by its owner", (OPENED,), PAUSE, "unknown_order", CEM),
    spec("it takes part again", (OPENED, PAUSED), RESUME, (RESUMED,)),
    spec("if it did not", (OPENED,), RESUME, ()),
    spec("if there is one", (), RESUME, "unknown_order"),
    spec("an order ends", (OPENED,), END, (ENDED,)),
    spec("by its owner", (OPENED,), END, "unknown_order", CEM),
    spec("once", (OPENED, ENDED), END, ()),
    spec(
        "who may have another",
        (OPENED, ENDED),
        open_order("new"),
        (replace(opened("ann", 2), order_id="sto_new"),),
    ),
    spec("who leaves has no order", (OPENED,), LEAVE, (LEFT,), ""),
    spec("if he had one", (opened("cem"),), LEAVE, (), ""),
]
FULL, CLOSED = (EndService(listing_id="lst_1", code=code) for code in ENDS)
#: Ann could not pay for four listings.
POOR = (
    OPENED,
    *(
        event
        for _ in range(4)
        for event in (queued(), looked(ASK_ANN), dropped("ann"), over("orders_exhausted", 1))
    ),
)
SERVICE_SPECS = [
    spec("without orders a listing is not served", (), queue_listing(), (), ""),
    spec("those who fit are asked in their turns", THREE, queue_listing(), (queued(), LOOKED), ""),
    spec("once", ASKED, queue_listing(), (), ""),
    spec(
        "one listing after the other",
        ASKED,
        queue_listing(listing_id="lst_2"),
        (queued(listing_id="lst_2"),),
        "",
    ),
    spec("which waits once", (*ASKED, queued(listing_id="lst_2")), queue_listing(listing_id="lst_2"), (), ""),
    spec(
        "nobody who does not fit is asked",
        (
            opened("bea", 1),
            opened("rel", 2),
            opened("ann", 3),
            PAUSED,
            opened("cem", 4, annual_rate_min=Decimal("0.13")),
            opened("dan", 5, tenor_months_max=11),
            opened("eve", 6, total_max_fen=99_00),
            opened("fay", 7, grades=("A",)),
        ),
        queue_listing(related=("usr_rel",)),
        (
            queued(related=("usr_rel",)),
            looked(
                to_turn=7,
                last_turn=7,
                passed=(
                    passed("own_loan", "bea"),
                    passed("related_party", "rel"),
                    passed("order_paused", "ann"),
                    passed("rate_too_low", "cem"),
                    passed("term_too_long", "dan"),
                    passed("total_max_reached", "eve"),
                    passed("grade_not_wanted", "fay"),
                ),
            ),
            over("orders_exhausted", 7),
        ),
        "",
    ),
    spec(
        "a cap below the listing's smallest bid takes no part",
        (opened(loan_max_fen=100_00),),
        queue_listing(bid_min_fen=200_00),
        (
            queued(bid_min_fen=200_00),
            looked(to_turn=1, last_turn=1, bid_min_fen=200_00, passed=(passed("loan_max_too_small", "ann"),)),
            over("orders_exhausted", 1),
        ),
        "",
    ),
    spec(
        "enough are asked, in whole steps, and the last for all that is missing",
        (opened(loan_max_fen=650_99), opened("cem", 2, loan_max_fen=2_000_00), opened("dan", 3)),
        queue_listing(),
        (
            queued(),
            looked(
                asked("ann", 1, 1, 600_00), asked("cem", 2, 2, 1_000_50), to_turn=2, last_turn=3, more=True
            ),
        ),
        "",
    ),
    spec("the queue hears who holds money", ASKED, record_held(CEMS), (held(CEMS),), ""),
    spec("once", (*ASKED, held(CEMS)), record_held(CEMS), (), ""),
    spec(
        "when all have answered the bids go out in their turns",
        (*ASKED, held(CEMS)),
        record_held(ANNS),
        (held(ANNS), bids(ANNS, CEMS)),
        "",
    ),
    spec(
        "of those who hold something",
        (*ASKED, held(CEMS)),
        record_dropped("ann"),
        (dropped("ann"), bids(CEMS)),
        "",
    ),
    spec("who has answered is not heard again", (*ASKED, dropped("ann")), record_dropped("ann"), (), ""),
    spec("who was not asked is not heard", ASKED, record_dropped("dan"), (), ""),
    spec(
        "if nobody holds anything all had their turn",
        (*ASKED, dropped("ann")),
        record_dropped("cem"),
        (dropped("cem"), over("orders_exhausted", 3)),
        "",
    ),
    spec(
        "who spent goes to the end, and is not asked twice",
        BID,
        answers(took("ann", 500_00), took("cem", 400_00), remaining_fen=100_50),
        (SERVED, over("orders_exhausted", 3)),
        "",
    ),
    spec("once", (*BID, SERVED), answers(took("ann", 1), took("cem", 1), remaining_fen=1), (), ""),
    spec(
        "who spent nothing keeps his place, and knows why",
        BID,
        answers(took_nothing("ann", "unsuitable"), took("cem", 400_00), remaining_fen=600_50),
        (
            served(kept("ann", "unsuitable", 1), spent("cem", 400_00, 4), remaining_fen=600_50),
            over("orders_exhausted", 3),
        ),
        "",
    ),
    spec(
        "a full listing ends its service, and the next begins",
        (*HELD_BY_BOTH, queued(listing_id="lst_2"), bids(ANNS, CEMS)),
        answers(took("ann", 500_00), took("cem", 400_00), remaining_fen=0, ended="listing_full"),
        (
            served(spent("ann", 500_00, 4), spent("cem", 400_00, 5), remaining_fen=0, ended="listing_full"),
            over("listing_full", 3, "lst_2"),
        ),
        "",
    ),
    spec(
        "in the order in which they stand then",
        (
            *(*HELD_BY_BOTH, queued(listing_id="lst_2"), bids(ANNS, CEMS)),
            replace(SERVED, remaining_fen=0, ended="listing_full"),
            over("listing_full", 3, "lst_2"),
        ),
        ConsiderOrders(listing_id="lst_2", after_turn=0),
        (
            looked(
                asked("ann", 4, 3),
                asked("cem", 5, 4),
                listing_id="lst_2",
                passed=(passed("grade_not_wanted", "dan"),),
            ),
        ),
        "",
    ),
    spec(
        "a service that has gone on goes on once",
        ASKED,
        ConsiderOrders(listing_id="lst_1", after_turn=0),
        (),
        "",
    ),
    spec(
        "a listing that refuses its bids as a whole gives them back",
        (OPENED, queued(), looked(ASK_ANN), held(ANNS), bids(ANNS)),
        ReturnBids(listing_id="lst_1", chunk=1, code="unknown_listing"),
        (UNBID, over("listing_closed", 1)),
        "",
    ),
    spec(
        "a listing that closes ends its service: nobody waits for who has not answered, and its money comes back by the listing",
        (*ASKED, held(ANNS)),
        FULL,
        (unanswered("cem", "listing_full"), bids(ANNS)),
        "",
    ),
    spec(
        "at once where nobody holds anything",
        (*ASKED, dropped("ann")),
        CLOSED,
        (unanswered("cem", "listing_closed"), over("listing_closed", 3)),
        "",
    ),
    spec(
        "before the next look",
        (OPENED, queued(), looked(to_turn=1, last_turn=1, more=True)),
        FULL,
        (over("listing_full", 1),),
        "",
    ),
    spec(
        "and before its own turn",
        (*ASKED, queued(listing_id="lst_2")),
        replace(CLOSED, listing_id="lst_2"),
        (replace(over("listing_closed", 3), listing_id="lst_2"),),
        "",
    ),
    spec("if it is served", THREE, FULL, (), ""),
    spec("and does not have the bids", BID, FULL, (), ""),
    spec(
        "the money of an account that answers too late goes back",
        (*ASKED, held(ANNS), unanswered("cem"), bids(ANNS)),
        record_held(CEMS),
        (late("cem", 2),),
        "",
    ),
    spec(
        "once", (*ASKED, held(ANNS), unanswered("cem"), bids(ANNS), late("cem", 2)), record_held(CEMS), (), ""
    ),
    spec(
        "if it holds something",
        (*ASKED, unanswered("cem")),
        record_dropped("cem"),
        (late("cem"),),
        "",
    ),
    spec("what a bid stands on stays", BID, record_held(CEMS), (), ""),
    spec(
        "who cannot pay for five listings is paused, and told",
        (*POOR, queued(), looked(ASK_ANN, last_turn=1)),
        record_dropped("ann"),
        (dropped("ann"), BROKE, over("orders_exhausted", 1)),
        "",
    ),
    spec(
        "in a row",
        (*POOR, CHANGED, queued(), looked(ASK_ANN, last_turn=1)),
        record_dropped("ann"),
        (dropped("ann"), over("orders_exhausted", 1)),
        "",
    ),
    spec(
        "once",
        (*POOR, queued(), looked(ASK_ANN, last_turn=1), PAUSED),
        record_dropped("ann"),
        (dropped("ann"), over("orders_exhausted", 1)),
        "",
    ),
    spec(
        "behind those who hold nothing as many are asked as may",
        (
            OPENED,
            opened("cem", 2),
            opened("dan", 3, loan_max_fen=1_000_00),
            opened("eve", 4),
            queued(amount_fen=500_00),
            looked(ASK_ANN, last_turn=4, more=True, remaining_fen=500_00),
        ),
        record_dropped("ann"),
        (
            dropped("ann"),
            looked(
                asked("cem", 2, 2),
                asked("dan", 3, 3),
                asked("eve", 4, 4),
                chunk=2,
                after_turn=1,
                last_turn=4,
                remaining_fen=500_00,
            ),
        ),
        "",
    ),
    spec("if it did not answer", ASKED, ReturnBids(listing_id="lst_1", chunk=1, code="x"), (), ""),
    spec(
        "what came to nothing counts no more, for orders that stand",
        (*BID, SERVED, over("orders_exhausted", 3)),
        RETURN_SPENT,
        (SPENT_RETURNED,),
        "",
    ),
    spec("for nobody else", (opened("cem"),), RETURN_SPENT, (), ""),
    spec(
        "an order that ended while it was served is told of and forgotten",
        (*BID, ENDED),
        answers(took("ann", 500_00), took("cem", 400_00), remaining_fen=100_50),
        (SERVED, over("orders_exhausted", 3)),
        "",
    ),
]
SPECS = [*OWNER_SPECS, *SERVICE_SPECS]


@pytest.mark.parametrize("each", SPECS, ids=lambda each: each.says)
def test_the_queue(each: Spec) -> None:
    """Every rule of an order and of its service holds."""
    each.check(QUEUE)


def test_under_the_law_no_order_is_asked_for_more_than_one_investor_may_have() -> None:
    """A standing order makes bids like its owner's own, so the cap on his part of a listing bounds what it is asked for."""
    rich = opened(loan_max_fen=500_000_00, annual_rate_min=Decimal(0))
    stands = given(queue_aggregate(CN_P2P_2016), rich)
    _, first = stands.when(queue_listing(amount_fen=900_000_00)).events
    assert [ask.most_fen for ask in first.asked] == [120_000_00]


def test_one_silent_account_holds_up_the_others_until_the_next_day_ends() -> None:
    """Then their bids go out without it; before, and once they are out, time does nothing."""
    waits = (*ASKED, held(ANNS))
    assert QUEUE.wake_on(fold(QUEUE, waits)) == (WAIT_UNTIL, 1)
    early, due = Wake(business_date=TODAY, phase=1), Wake(business_date=WAIT_UNTIL, phase=1)
    given(QUEUE, *waits).when(early, context()).then_nothing()
    given(QUEUE, *waits).when(due, context(WAIT_UNTIL)).then(unanswered("cem"), bids(ANNS))
    given(QUEUE, *BID).when(due, context(WAIT_UNTIL)).then_nothing()
    assert QUEUE.wake_on(fold(QUEUE, BID)) is None
    nobody = given(QUEUE, *ASKED).when(due, context(WAIT_UNTIL))
    nobody.then(unanswered("ann"), unanswered("cem"), over("orders_exhausted", 3))


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
