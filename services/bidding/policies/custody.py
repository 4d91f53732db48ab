"""Between onboarding and the bank: whose card an account's money may come from and go to."""

from libs.events.onboarding import CardBound, UserVerified
from libs.events.records import RecordedEvent
from libs.events.sagas import Saga, Send, Step
from services.bidding.commands import RecordCard


def on_onboarding(event: RecordedEvent) -> list[Send]:
    """The card that a user was verified by reaches his account, and opens it."""
    match event.data:
        case UserVerified(card_ref=str() as card_ref, user_id=user_id):
            return [_record(user_id, card_ref)]
        case CardBound() as bound:
            return [_record(bound.user_id, bound.card_ref)]
        case _:
            return []


def _record(user_id: str, card_ref: str) -> Send:
    return Send("card", f"acc_{user_id.removeprefix('usr_')}", RecordCard(owner=user_id, card_ref=card_ref))


SAGAS = (
    Saga(
        name="own-name card",
        why="Customer money moves over its owner's own card only, so his account knows which it is.",
        opened_by={},  # a card that is known says nothing, so nothing would close it
        closed_by={},
        steps=(Step(on=UserVerified, send=RecordCard), Step(on=CardBound, send=RecordCard)),
    ),
)
