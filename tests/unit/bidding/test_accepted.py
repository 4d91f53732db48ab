"""Bids come out of a listing's state as they went in, whatever their ids are."""

from hypothesis import example, given
from hypothesis import strategies as st

from libs.events.bidding import Bid
from services.bidding.domain.accepted import NONE, bid_with, bids_by, bids_of, line_of

ids = st.one_of(
    st.sampled_from(["hold_1", "bid_1", "usr_a", "acc_a", "usr_b", "hold_12", "", "=", "%3B", "a;b,c"]),
    st.text(max_size=6),
)
BIDS = st.lists(st.tuples(ids, ids, ids, ids, st.integers(1, 10**15), ids), max_size=6)


@given(BIDS)
@example(
    [
        ("hold_1", "bid_1", "acc_a", "usr_a", 1, "sto_1"),
        ("hold_12", "1", "a", "a", 2, ""),
        ("%3D;", "=", "%", ",", 3, ",;"),
    ]
)
def test_every_bid_comes_back_and_is_found(told: list[tuple[str, str, str, str, int, str]]) -> None:
    """All of them in their order, each by its hold (the first of it), an investor's by him, and none that is not there."""
    bids = tuple(
        Bid(
            order=order,
            hold_id=hold,
            bid_id=bid,
            account_id=account,
            investor=investor,
            amount_fen=fen,
            standing_order=maker,
        )
        for order, (hold, bid, account, investor, fen, maker) in enumerate(told, 1)
    )
    lines = NONE + "".join(map(line_of, bids))
    assert bids_of(lines) == bids
    for each in bids:
        assert bid_with(lines, each.hold_id) == next(one for one in bids if one.hold_id == each.hold_id)
        assert tuple(bids_by(lines, each.investor)) == tuple(
            one for one in bids if one.investor == each.investor
        )
    assert bid_with(lines, "hold_of nobody") is None
    assert bids_by(lines, "usr_of nobody") == ()


def test_what_the_platform_mints_is_said_once() -> None:
    """A bid and its hold share their suffix, and so do an account and its owner: half of the text."""
    bid = Bid(order=1, hold_id="hold_9", bid_id="bid_9", account_id="acc_7", investor="usr_7", amount_fen=100)
    assert line_of(bid) == ";hold_9,=,=,usr_7,100"
