"""Double entry for one account: what a movement leaves behind and the postings that say where the money came from."""

from typing import TypedDict

from libs.events.bidding import Posting
from libs.events.deciding import Refused
from libs.events.money import MAX_INTEGER
from services.bidding.domain.account_state import Open

#: The outside: what the custodian bank received for us (negative) and paid out (positive).
BANK = "bank:custody"

#: The platform's own money: fees, and nothing else.
FEES = "fees:platform"

#: What the bank received and nobody asked for.
UNREQUESTED = "unrequested:bank"


class Booking(TypedDict):
    """The fields that every money event of a customer's account shares."""

    account_id: str
    owner: str
    available_after_fen: int
    held_after_fen: int
    postings: tuple[Posting, ...]


def book(state: Open, *, available_fen: int = 0, held_fen: int = 0, against: str = "") -> Booking:
    """Move money of the account by these signed amounts; what does not stay in it comes from or goes to `against`.

    Refused: `insufficient_available` when available money would become negative, `amount_too_large` when the account
    would hold more than an event may say.
    """
    available_after = state.available_fen + available_fen
    held_after = state.held_fen + held_fen
    if available_after < 0:
        raise Refused("insufficient_available")
    if available_after + held_after > MAX_INTEGER:
        raise Refused("amount_too_large")
    moves = (
        (against, -(available_fen + held_fen)),
        (f"available:{state.account_id}", available_fen),
        (f"held:{state.account_id}", held_fen),
    )
    return Booking(
        account_id=state.account_id,
        owner=state.owner,
        available_after_fen=available_after,
        held_after_fen=held_after,
        postings=postings(*moves),
    )


def postings(*moves: tuple[str, int]) -> tuple[Posting, ...]:
    """The legs of an entry, the giving ones first, those of nothing left out."""
    given_first = sorted(moves, key=lambda move: move[1])
    return tuple(Posting(account=account, amount_fen=amount) for account, amount in given_first if amount)
