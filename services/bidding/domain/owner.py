"""What an account knows of its owner: that he came, his risk level, who is related to him, his card, that he has died, that he left."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import assert_never

from libs.events.bidding import (
    AccountClosed,
    AccountClosureDeclined,
    AccountOpened,
    CardRecorded,
    OwnerDeathRecorded,
    OwnerDeathWithdrawn,
    RelationRecorded,
    SuitabilityRecorded,
)
from libs.events.deciding import Context, Refused
from libs.events.recovery_costs import PayeeConfirmed
from services.bidding.commands import (
    CloseAccount,
    ConfirmPayee,
    OpenAccount,
    RecordCard,
    RecordDeathFlag,
    RecordRelation,
    RecordSuitability,
)
from services.bidding.domain.account_state import AccountState, FeeAccount, NotOpened, Open, Suitability
from services.bidding.domain.deceased import said_by
from services.bidding.domain.ids import account_of
from services.bidding.domain.profile import Profile

#: After so many days what came back of a payment is on its account.
_ANSWERED_AFTER = timedelta(days=3)


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
        if code := _why_not_empty(state, context.business_date):
            return [AccountClosureDeclined(account_id=account_id, owner=command.owner, code=code)]
    closed = AccountClosed(account_id=account_id, owner=command.owner, closed_on=context.business_date)
    return [*opened, closed]


def _why_not_empty(state: Open, on: date) -> str | None:
    """The code of what still is the owner's here, None when nothing is: his money, what the bank owes an answer for, what may come
    back of a payment for a loan, claims.

    A loan answers a payment of day p before phase 2 of p, a debit before phase 4 of p, and both answers are here before phase 3 of
    p + 1 (design.md 2.7): on day p + 3 they are.
    """
    if state.available_fen or state.held_fen:
        return "has_money"
    if state.top_ups.pending or state.withdrawals.pending:
        return "bank_request_open"
    if state.owed:
        return "owes_correction"
    paid = [dealings.paid_on for dealings in state.loans.values() if dealings.paid_on is not None]
    if paid and on < max(paid) + _ANSWERED_AFTER:
        return "payment_on_its_way"
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


def record_death(command: RecordDeathFlag, state: Open) -> Sequence[OwnerDeathRecorded | OwnerDeathWithdrawn]:
    """What a loan says of the owner's death, unless it has said something since."""
    if command.said <= said_by(state, command.loan_id):
        return []
    word = OwnerDeathRecorded if command.stands else OwnerDeathWithdrawn
    return [word(account_id=state.account_id, owner=state.owner, loan_id=command.loan_id, said=command.said)]


def confirm_payee(command: ConfirmPayee, state: Open) -> Sequence[PayeeConfirmed]:
    """Whoever has left takes nothing new."""
    if state.is_closed:
        raise Refused("account_closed")
    return [
        PayeeConfirmed(
            account_id=state.account_id,
            owner=state.owner,
            measure_id=command.measure_id,
            loan_id=command.loan_id,
            terms=command.terms,
            himself=command.himself,
        )
    ]


def record_card(command: RecordCard, state: AccountState) -> Sequence[AccountOpened | CardRecorded]:
    """Onboarding's last word on the card that is his own."""
    opened = _open(OpenAccount(owner=command.owner), state)
    if isinstance(state, Open) and state.card_ref == command.card_ref:
        return []
    account_id = account_of(command.owner)
    return [*opened, CardRecorded(account_id=account_id, owner=command.owner, card_ref=command.card_ref)]
