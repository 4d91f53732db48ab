"""Accepted bids as a listing's state keeps them: a line each, in the order of the log.

A state is encoded whole after every decision on it, and a hot listing has a thousand bids: as records they took a hundred times
as long to encode as their lines do. A line says all of a bid but its order, which is its place.
"""

import json
from collections.abc import Sequence

from libs.events.bidding import Bid

Lines = tuple[str, ...]


def line_of(bid: Bid) -> str:
    """A bid's line: its hold first, so that it is found without reading the line."""
    said = [bid.hold_id, bid.bid_id, bid.account_id, bid.investor, bid.amount_fen]
    return json.dumps(said, separators=(",", ":"))


def bids_of(lines: Lines) -> tuple[Bid, ...]:
    """All bids, numbered from 1."""
    return tuple(_bid(order, line) for order, line in enumerate(lines, 1))


def _bid(order: int, line: str) -> Bid:
    hold_id, bid_id, account_id, investor, amount_fen = json.loads(line)
    return Bid(
        order=order,
        bid_id=bid_id,
        hold_id=hold_id,
        account_id=account_id,
        investor=investor,
        amount_fen=amount_fen,
    )


def bid_with(lines: Lines, hold_id: str) -> Bid | None:
    """The bid of a hold, None where there is none."""
    beginning = f"[{json.dumps(hold_id)},"
    for order, line in enumerate(lines, 1):
        if line.startswith(beginning):
            return _bid(order, line)
    return None


def bids_by(lines: Lines, investor: str) -> Sequence[Bid]:
    """The bids of an investor."""
    named = f",{json.dumps(investor)},"
    found = [_bid(order, line) for order, line in enumerate(lines, 1) if named in line]
    return [bid for bid in found if bid.investor == investor]
