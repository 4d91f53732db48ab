"""Events of `bidding` about a custody account itself: opened, what is known of its owner, closed. None moves money.

They stand beside the others because one file of all would be too long to read; `libs.events.bidding` gives them on.
"""

from datetime import date
from typing import Literal

from libs.events.card import CardRef
from libs.events.codec import event
from libs.events.money import Count

RiskLevel = Literal["C1", "C2", "C3", "C4", "C5"]
"""How much risk an investor bears: C1 conservative … C5 aggressive (domain.md section 2)."""


@event("bidding.AccountOpened.v1")
class AccountOpened:
    """A custody account exists for its owner, empty."""

    account_id: str
    owner: str


@event("bidding.SuitabilityRecorded.v1")
class SuitabilityRecorded:
    """The account knows its owner's risk level, good until the end of `valid_to`; its bids carry both from here on."""

    account_id: str
    owner: str
    level: RiskLevel
    valid_to: date


@event("bidding.RelationRecorded.v1")
class RelationRecorded:
    """The account knows that its owner is related to another user; its bids name him from here on."""

    account_id: str
    owner: str
    related: str


@event("bidding.CardRecorded.v1")
class CardRecorded:
    """The account knows its owner's own-name card: what he asks of the bank names it from here on."""

    account_id: str
    owner: str
    card_ref: CardRef


@event("bidding.OwnerDeathRecorded.v1")
class OwnerDeathRecorded:
    """One of its owner's loans says that he has died, by the event `said` of its stream: nothing is taken from the account any more but
    what is asked for in his name, or is held already."""

    account_id: str
    owner: str
    loan_id: str
    said: Count


@event("bidding.OwnerDeathWithdrawn.v1")
class OwnerDeathWithdrawn:
    """That loan says so no more, by the event `said` of its stream. He is dead while another of his loans does."""

    account_id: str
    owner: str
    loan_id: str
    said: Count


@event("bidding.AccountClosed.v1")
class AccountClosed:
    """The owner leaves and has nothing here: he may do nothing more with the account.

    Money that a loan still gives back is booked all the same, so that nothing is ever lost.
    """

    account_id: str
    owner: str
    closed_on: date


@event("bidding.AccountClosureDeclined.v1")
class AccountClosureDeclined:
    """The owner wants to leave, and there is something of his (`code`)."""

    account_id: str
    owner: str
    code: str
