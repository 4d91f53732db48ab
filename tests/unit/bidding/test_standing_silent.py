"""How long the queue waits for accounts, whom it does not ask again meanwhile, and how much it asks one investor for."""

from decimal import Decimal
from typing import Any

from libs.events.deciding import Wake
from libs.events.standing import OrdersConsidered
from services.bidding.domain.profile import CN_P2P_2016, DEMO
from services.bidding.domain.standing import aggregate as queue_aggregate
from tests.unit.bidding.standing_story import (
    ANNS,
    ASKED,
    BID,
    WAIT_UNTIL,
    bids,
    held,
    late,
    opened,
    over,
    queue_listing,
    unanswered,
)
from tests.unit.given import TODAY, context, fold, given

QUEUE = queue_aggregate(DEMO)


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


#: Nobody answered for the first listing in time.
SILENT = (*ASKED, unanswered("ann"), unanswered("cem"), over("orders_exhausted", 3))
NEXT = queue_listing(listing_id="lst_2")


def asked_for_the_next(history: tuple[Any, ...]) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    """Which orders the next listing asks, and which it passes, by the reason."""
    looks = [
        e for e in given(QUEUE, *history).when(NEXT, context()).events if isinstance(e, OrdersConsidered)
    ]
    passed_by = {each.code: each.order_ids for look in looks for each in look.passed}
    return [ask.order_id for look in looks for ask in look.asked], passed_by


def test_an_account_that_was_silent_rests_until_it_answers() -> None:
    """The next listing waits for none that let the last one wait in vain; who has answered since is asked again, too late as it was."""
    asks, passed_by = asked_for_the_next(SILENT)
    assert "sto_ann" not in asks
    assert "sto_cem" not in asks
    assert passed_by["account_silent"] == ("sto_ann", "sto_cem")
    asks, passed_by = asked_for_the_next((*SILENT, late("cem")))
    assert "sto_cem" in asks
    assert passed_by["account_silent"] == ("sto_ann",)


def test_whom_a_full_listing_did_not_wait_for_is_not_silent() -> None:
    """His time to answer was not over."""
    full = (
        *ASKED,
        unanswered("ann", "listing_full"),
        unanswered("cem", "listing_full"),
        over("listing_full", 3),
    )
    asks, passed_by = asked_for_the_next(full)
    assert {"sto_ann", "sto_cem"} <= {*asks}
    assert "account_silent" not in passed_by
