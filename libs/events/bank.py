"""Events of `bidding` between a customer's account and the custodian bank: money asked for, paid in, paid out.

They stand beside the others because one file of all would be too long to read; `libs.events.bidding` gives them on.
"""

from datetime import date
from typing import Annotated

from pydantic import Field

from libs.events.card import CardRef
from libs.events.codec import event, record
from libs.events.money import Count, Fen, PositiveFen

BankCode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""Why the bank refused, by its own word for it (`not_own_name`); never free text."""


@record
class Posting:
    """One leg of a double entry: what the named account gains (positive) or loses (negative), in fen."""

    account: str
    amount_fen: Fen


@event("bidding.TopUpRequested.v1")
class TopUpRequested:
    """The owner asked to pay in from his card, None where no profile asks for one; the bank's call-back decides."""

    account_id: str
    owner: str
    top_up_id: str
    amount_fen: PositiveFen
    card_ref: CardRef | None = None


@event("bidding.FundsDeposited.v1")
class FundsDeposited:
    """The bank confirmed a top-up under its reference."""

    account_id: str
    owner: str
    top_up_id: str
    bank_reference: str
    amount_fen: PositiveFen
    available_after_fen: Count
    held_after_fen: Count
    postings: tuple[Posting, ...]


@event("bidding.TopUpFailed.v1")
class TopUpFailed:
    """The bank refused a top-up (`code`, where it says why); no money moved."""

    account_id: str
    owner: str
    top_up_id: str
    bank_reference: str
    code: BankCode | None = None


@event("bidding.WithdrawalRequested.v1")
class WithdrawalRequested:
    """The owner asked to be paid out to his card (see TopUpRequested); the amount is held until the bank answers."""

    account_id: str
    owner: str
    withdrawal_id: str
    amount_fen: PositiveFen
    available_after_fen: Count
    held_after_fen: Count
    postings: tuple[Posting, ...]
    card_ref: CardRef | None = None


@event("bidding.FundsWithdrawn.v1")
class FundsWithdrawn:
    """The bank paid a withdrawal out under its reference."""

    account_id: str
    owner: str
    withdrawal_id: str
    bank_reference: str
    amount_fen: PositiveFen
    available_after_fen: Count
    held_after_fen: Count
    postings: tuple[Posting, ...]


@event("bidding.WithdrawalFailed.v1")
class WithdrawalFailed:
    """The bank refused a withdrawal (`code`, where it says why); the held amount is available again."""

    account_id: str
    owner: str
    withdrawal_id: str
    bank_reference: str
    amount_fen: PositiveFen
    available_after_fen: Count
    held_after_fen: Count
    postings: tuple[Posting, ...]
    code: BankCode | None = None


@event("bidding.UnrequestedMoneyReceived.v1")
class UnrequestedMoneyReceived:
    """The bank received money that answers no request: it is booked under its reference and is nobody's yet."""

    booking_id: str
    bank_reference: str
    amount_fen: PositiveFen
    received_on: date
    postings: tuple[Posting, ...]
