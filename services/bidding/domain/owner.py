"""What an account knows of its owner: that he came, his risk level, who is related to him, his card, and that he left."""

from collections.abc import Sequence
from typing import assert_never

from libs.events.bidding import (
    AccountClosed,
    AccountClosureDeclined,
    AccountOpened,
    CardRecorded,
    RelationRecorded,
    SuitabilityRecorded,
)
from libs.events.deciding import Context, Refused
from services.bidding.commands import (
    CloseAccount,
    OpenAccount,
    RecordCard,
    RecordRelation,
    RecordSuitability,
)
from services.bidding.domain.account_state import AccountState, FeeAccount, NotOpened, Open, Suitability
from services.bidding.domain.ids import account_of
from services.bidding.domain.profile import Profile


def open_account(
    command: OpenAccount, state: AccountState, context: Context, profile: Profile
) -> Sequence[AccountOpened]:
    """An empty account. Where the law knows customers, only their verification opens it: nobody does by himself."""
    by_himself = context.principal == command.owner
    if by_himself and profile.verification_required and isinstance(state, NotOpened):
        raise Refused("verification_required")
    return _open(command, state)


def _open(command: OpenAccount, state: AccountState) -> Sequence[AccountOpened]:
    account_id = account_of(command.owner)
    match state:
        case NotOpened():
            return [AccountOpened(account_id=account_id, owner=command.owner)]
        case Open() if state.owner == command.owner:
            return []
        case Open() | FeeAccount():
            raise Refused("account_exists")
        case _:
            assert_never(state)


def close(
    command: CloseAccount, state: AccountState, context: Context
) -> Sequence[AccountOpened | AccountClosed | AccountClosureDeclined]:
    """The owner leaves. What declines it stands on CloseAccount."""
    opened = _open(OpenAccount(owner=command.owner), state)
    account_id = account_of(command.owner)
    if isinstance(state, Open):
        if state.is_closed:
            return []
        if code := _why_not_empty(state):
            return [AccountClosureDeclined(account_id=account_id, owner=command.owner, code=code)]
    closed = AccountClosed(account_id=account_id, owner=command.owner, closed_on=context.business_date)
    return [*opened, closed]


def _why_not_empty(state: Open) -> str | None:
    """The code of what still is the owner's here, None when nothing is: his money, what the bank owes an answer for, claims."""
    if state.available_fen or state.held_fen:
        return "has_money"
    if state.top_ups.pending or state.withdrawals.pending:
        return "bank_request_open"
    return "has_claims" if state.invested_fen > 0 else None


def assess(command: RecordSuitability, state: Open) -> Sequence[SuitabilityRecorded]:
    """Onboarding's last word on his risk level."""
    if state.suitability == Suitability(level=command.level, valid_to=command.valid_to):
        return []
    return [
        SuitabilityRecorded(
            account_id=state.account_id, owner=state.owner, level=command.level, valid_to=command.valid_to
        )
    ]


def relate(command: RecordRelation, state: Open) -> Sequence[RelationRecorded]:
    """One more user whose loans he does not fund, and who does not fund his."""
    if command.related in state.related:
        return []
    return [RelationRecorded(account_id=state.account_id, owner=state.owner, related=command.related)]


def record_card(command: RecordCard, state: AccountState) -> Sequence[AccountOpened | CardRecorded]:
    """Onboarding's last word on the card that is his own."""
    opened = _open(OpenAccount(owner=command.owner), state)
    if isinstance(state, Open) and state.card_ref == command.card_ref:
        return []
    account_id = account_of(command.owner)
    return [*opened, CardRecorded(account_id=account_id, owner=command.owner, card_ref=command.card_ref)]
