"""How fair the published order is over many listings: the figures that docs/decisions/0016 publishes, measured here."""

from datetime import timedelta
from random import Random

from libs.events.deciding import Wake
from libs.events.standing import OrderAnsweredLate, StandingOrderPaused
from services.bidding.commands.standing import QUEUE_STREAM
from services.bidding.domain.listing_state import Filled, Funded, Funding, Open
from tests.unit.bidding.order_market import YUAN, Market, jain, order_terms
from tests.unit.given import TODAY

LISTINGS, ORDERS = 500, 50
RICH = 10**9 * YUAN


def served(market: Market) -> None:
    """500 loans of 500 to 8,177 yuan come one after the other, odd amounts among them."""
    for number in range(1, LISTINGS + 1):
        yuan = market.rng.choice((500, 1_000, 3_000, 7_777)) + market.rng.randrange(5) * 100
        market.list_loan(number, yuan * YUAN + market.rng.choice((0, 0, 37)))


def test_equal_orders_are_served_equally() -> None:
    """Over 500 listings 50 equal orders spend equally often but for one turn. Their amounts differ by what a listing's last turn is
    short of: the largest is at most 1.2 of the smallest, and Jain's index is at least 0.999."""
    market = Market(Random(16))
    for number in range(ORDERS):
        market.investor(f"i{number}", RICH, order_terms(500 * YUAN))
    served(market)
    amounts, turns = list(market.taken.values()), list(market.turns.values())
    assert len(amounts) == ORDERS
    assert max(turns) - min(turns) <= 1
    assert max(amounts) / min(amounts) <= 1.2, max(amounts) / min(amounts)
    assert jain(amounts) >= 0.999, jain(amounts)
    full = [state for name, state in market.states.items() if name.startswith("lst_")]
    assert len(full) == LISTINGS
    assert all(isinstance(state, Filled | Funding | Funded) for state in full)


def test_a_larger_order_gets_no_more_turns() -> None:
    """Orders of 100 to 2,500 yuan a loan spend equally often but for one turn: who bids more puts in more, and is not asked more."""
    market = Market(Random(61))
    for number in range(ORDERS):
        market.investor(f"i{number}", RICH, order_terms((number % 5 * 600 + 100) * YUAN))
    served(market)
    turns = list(market.turns.values())
    assert len(turns) == ORDERS
    assert max(turns) - min(turns) <= 1
    small = [fen for order, fen in market.taken.items() if int(order.removeprefix("sto_i")) % 5 == 0]
    assert max(small) / min(small) <= 1.04  # one turn in about 30


def test_who_has_no_money_keeps_his_place_and_nobody_waits_for_him() -> None:
    """Half of the orders have money for three bids above what stays: they spend it, are then passed over, and never go below it."""
    market = Market(Random(7))
    keep_fen, bid_fen = 250 * YUAN, 500 * YUAN
    for number in range(10):
        has_fen = RICH if number % 2 else keep_fen + 3 * bid_fen
        market.investor(f"i{number}", has_fen, order_terms(bid_fen, keep_back_fen=keep_fen))
    for number in range(1, 31):
        market.list_loan(number, 5 * bid_fen)
    poor = [market.taken[f"sto_i{number}"] for number in range(0, 10, 2)]
    assert poor == [3 * bid_fen] * 5
    assert all(held.available_after_fen >= keep_fen for held in market.held_for_orders())
    assert not any(isinstance(state, Open) for name, state in market.states.items() if "lst_" in name)
    paused = [event.order_id for event in market.events if isinstance(event, StandingOrderPaused)]
    assert sorted(paused) == [f"sto_i{number}" for number in range(0, 10, 2)]
    first = next(look for look in market.looks() if look.listing_id == "lst_30")
    assert [each.code for each in first.passed] == ["order_paused"]


def test_a_front_without_money_is_passed_in_a_few_looks() -> None:
    """Two hundred orders without money before one that has some: looked at fifty at a time, not one by one."""
    market = Market(Random(3))
    for number in range(200):
        market.investor(f"p{number}", 100 * YUAN, order_terms(500 * YUAN, keep_back_fen=100 * YUAN))
    market.investor("rich", RICH, order_terms(500 * YUAN))
    market.list_loan(1, 500 * YUAN)
    assert market.taken == {"sto_rich": 500 * YUAN}
    assert len(market.looks()) == 5


def test_a_silent_account_costs_nobody_his_turn() -> None:
    """It is asked and says nothing: the others' bids go out when the next day ends, and what it holds later is released."""
    market = Market(Random(5))
    for name in ("silent", "other"):
        market.investor(name, RICH, order_terms(500 * YUAN))
    market.silent = "acc_silent"
    market.list_loan(1, 1_000 * YUAN)
    assert market.taken == {}
    market.ask(QUEUE_STREAM, Wake(business_date=TODAY + timedelta(days=1), phase=1))
    assert market.taken == {"sto_other": 500 * YUAN}
    market.speak()
    [late] = [event for event in market.events if isinstance(event, OrderAnsweredLate)]
    assert late.order_id == "sto_silent"
    assert market.states["acc_silent"].holds == {}
    assert market.states["acc_silent"].available_fen == RICH
