"""A listing is served: the queue asks in the published order, accounts hold or are silent, the listing answers in turns."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from libs.events.standing import Ended
from services.bidding.commands.standing import ConsiderOrders, EndService, ReturnBids
from services.bidding.domain.profile import DEMO
from services.bidding.domain.standing import aggregate as queue_aggregate
from tests.unit.bidding.specs import ANN, Spec, on
from tests.unit.bidding.standing_story import (
    ANNS,
    ASK_ANN,
    ASKED,
    BID,
    BROKE,
    CEMS,
    CHANGED,
    ENDED,
    HELD_BY_BOTH,
    LOOKED,
    OPENED,
    PAUSED,
    RETURN_SPENT,
    SERVED,
    SPENT_RETURNED,
    THREE,
    UNBID,
    answers,
    asked,
    bids,
    dropped,
    held,
    kept,
    late,
    looked,
    opened,
    over,
    passed,
    queue_listing,
    queued,
    record_dropped,
    record_held,
    served,
    spent,
    took,
    took_nothing,
    unanswered,
)

QUEUE = queue_aggregate(DEMO)
CEM = "usr_cem"
ENDS: tuple[Ended, ...] = ("listing_full", "listing_closed")


def spec(says: str, history: tuple[Any, ...], when: Any, then: tuple[Any, ...] | str, who: str = ANN) -> Spec:
    """A rule of the queue, for whoever acts."""
    return Spec(says, history, when, then, on(principal=who))


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
#: Then she bought a part of the fifth, and is asked again for the next.
BOUGHT = (
    queued(),
    looked(ASK_ANN),
    held(ANNS),
    bids(ANNS),
    served(spent("ann", 500_00, 2), remaining_fen=500_50),
    over("orders_exhausted", 1),
)
AGAIN = asked("ann", 2, 2)
SPECS = [
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
        "nor is a dead man asked for ever",
        (*POOR, queued(), looked(ASK_ANN, last_turn=1)),
        record_dropped("ann", "owner_deceased"),
        (dropped("ann", "owner_deceased"), BROKE, over("orders_exhausted", 1)),
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
        "nor is who could pay for one of them",
        (*POOR, *BOUGHT, queued(listing_id="lst_2"), looked(AGAIN, listing_id="lst_2")),
        replace(record_dropped("ann"), listing_id="lst_2"),
        (
            replace(dropped("ann"), listing_id="lst_2"),
            replace(over("orders_exhausted", 2), listing_id="lst_2"),
        ),
        "",
    ),
    spec(
        "a total cap is that of all loans: what was spent on others is taken off",
        (opened(total_max_fen=600_00), *BOUGHT),
        queue_listing(listing_id="lst_2"),
        (queued(listing_id="lst_2"), looked(replace(AGAIN, most_fen=100_00), listing_id="lst_2")),
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


@pytest.mark.parametrize("each", SPECS, ids=lambda each: each.says)
def test_the_queue(each: Spec) -> None:
    """Every rule of an order and of its service holds."""
    each.check(QUEUE)
