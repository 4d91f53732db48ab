"""Accepted bids as a listing's state keeps them: one text, a line for each bid in the order of the log.

A state is encoded whole after every decision on it, and a hot listing has a thousand bids: as records they took two hundred times
as long to encode as this text does. A line says all of a bid but its order, which is its place, and what its ids repeat.
"""

from collections.abc import Sequence

from libs.events.bidding import Bid

Lines = str
"""Accepted bids: `;<hold>,<bid>,<account>,<investor>,<fen>` for each, and `,<standing order>` where one made it; `=` stands for the
id that follows from its neighbour's."""

NONE: Lines = ""

_SAME = "="
#: What would end an id; no id that the platform mints has any of it.
_MARKS = (("%", "%25"), (";", "%3B"), (",", "%2C"), ("=", "%3D"))
_QUOTED = str.maketrans(dict(_MARKS))


def line_of(bid: Bid) -> Lines:
    """A bid's line."""
    bid_id = _SAME if bid.bid_id == _twin(bid.hold_id, "hold_", "bid_") else _quoted(bid.bid_id)
    account = _SAME if bid.account_id == _twin(bid.investor, "usr_", "acc_") else _quoted(bid.account_id)
    maker = f",{_quoted(bid.standing_order)}" if bid.standing_order else ""
    return f";{_quoted(bid.hold_id)},{bid_id},{account},{_quoted(bid.investor)},{bid.amount_fen}{maker}"


def number_of(lines: Lines) -> int:
    """How many there are."""
    return lines.count(";")


def bids_of(lines: Lines) -> tuple[Bid, ...]:
    """All bids, numbered from 1."""
    return tuple(_bid(order, line) for order, line in enumerate(lines.split(";")[1:], 1))


def bid_with(lines: Lines, hold_id: str) -> Bid | None:
    """The bid of a hold, None where there is none."""
    begins = lines.find(f";{_quoted(hold_id)},")
    if begins < 0:
        return None
    line = lines[begins + 1 :].split(";", 1)[0]
    return _bid(number_of(lines[:begins]) + 1, line)


def bids_by(lines: Lines, investor: str) -> Sequence[Bid]:
    """The bids of an investor. Only lines that have his name are read: whoever bids again is asked for all that he has."""
    name, found, at, order = f",{_quoted(investor)},", [], 0, 0
    while (hit := lines.find(name, at)) >= 0:
        begins, ends = lines.rfind(";", 0, hit), lines.find(";", hit)
        ends = ends if ends >= 0 else len(lines)
        order += lines.count(";", at, begins + 1)
        found.append(_bid(order, lines[begins + 1 : ends]))
        at = ends
    return tuple(bid for bid in found if bid.investor == investor)


def _bid(order: int, line: str) -> Bid:
    hold_id, bid_id, account_id, investor, amount_fen, *maker = line.split(",")
    hold_id, investor = _unquoted(hold_id), _unquoted(investor)
    return Bid(
        order=order,
        bid_id=_twin(hold_id, "hold_", "bid_") if bid_id == _SAME else _unquoted(bid_id),
        hold_id=hold_id,
        account_id=_twin(investor, "usr_", "acc_") if account_id == _SAME else _unquoted(account_id),
        investor=investor,
        amount_fen=int(amount_fen),
        standing_order=_unquoted(maker[0]) if maker else "",
    )


def _twin(name: str, prefix: str, other: str) -> str:
    """The id of another kind that shares a name's suffix."""
    return other + name.removeprefix(prefix)


def _quoted(name: str) -> str:
    return name.translate(_QUOTED)


def _unquoted(text: str) -> str:
    for mark, quoted in reversed(_MARKS):
        text = text.replace(quoted, mark)
    return text
