"""Money in and out of the custody account: requests that only the bank's answer completes.

An answer that comes again (same request, reference, amount and outcome) has no effect; any other second answer is
refused, and one bank reference never answers two requests of an account, as far as it remembers (requests.py). That two accounts are
told of one booking, or one of an old booking again, is the bank's mistake, which reconciliation finds: no account's stream can see
it. Money without a request is `unrequested`'s.
"""

import re
from collections.abc import Sequence

from libs.events.bidding import (
    FundsDeposited,
    FundsWithdrawn,
    TopUpFailed,
    TopUpRequested,
    WithdrawalFailed,
    WithdrawalRequested,
)
from libs.events.card import CardRef
from libs.events.deciding import Refused
from libs.events.money import MAX_INTEGER
from services.bidding.commands import ConfirmTopUp, ConfirmWithdrawal, RequestTopUp, RequestWithdrawal
from services.bidding.domain.account_state import Open
from services.bidding.domain.booking import BANK, book
from services.bidding.domain.profile import Profile
from services.bidding.domain.requests import Answer, Requests

#: A bank's reference is a short code: free text never enters the log.
_REFERENCE = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


def request_top_up(command: RequestTopUp, state: Open, profile: Profile) -> Sequence[TopUpRequested]:
    """Ask for a deposit. Refused: `amount_too_large` where its confirmation could not be booked."""
    if state.top_ups.is_known(command.top_up_id):
        return []
    card_ref = _own_card(state, profile)
    _require_room(state.top_ups)
    promised = state.available_fen + state.held_fen + sum(state.top_ups.pending.values())
    if promised + command.amount_fen > MAX_INTEGER:
        raise Refused("amount_too_large")
    return [
        TopUpRequested(
            account_id=state.account_id,
            owner=state.owner,
            top_up_id=command.top_up_id,
            amount_fen=command.amount_fen,
            card_ref=card_ref,
        )
    ]


def confirm_top_up(command: ConfirmTopUp, state: Open) -> Sequence[FundsDeposited | TopUpFailed]:
    """Book the bank's answer to a deposit."""
    if _is_repeated(_said(command, command.top_up_id), state.top_ups, state, "top_up"):
        return []
    if not command.succeeded:
        return [
            TopUpFailed(
                account_id=state.account_id,
                owner=state.owner,
                top_up_id=command.top_up_id,
                bank_reference=command.bank_reference,
                code=command.code,
            )
        ]
    return [
        FundsDeposited(
            top_up_id=command.top_up_id,
            bank_reference=command.bank_reference,
            amount_fen=command.amount_fen,
            **book(state, available_fen=command.amount_fen, against=BANK),
        )
    ]


def request_withdrawal(
    command: RequestWithdrawal, state: Open, profile: Profile
) -> Sequence[WithdrawalRequested]:
    """Hold the amount until the bank has answered."""
    if state.withdrawals.is_known(command.withdrawal_id):
        return []
    _require_room(state.withdrawals)
    return [
        WithdrawalRequested(
            withdrawal_id=command.withdrawal_id,
            amount_fen=command.amount_fen,
            card_ref=_own_card(state, profile),
            **book(state, available_fen=-command.amount_fen, held_fen=command.amount_fen),
        )
    ]


def confirm_withdrawal(
    command: ConfirmWithdrawal, state: Open
) -> Sequence[FundsWithdrawn | WithdrawalFailed]:
    """Book the bank's answer to a pay-out: the held money leaves, or is available again."""
    if _is_repeated(_said(command, command.withdrawal_id), state.withdrawals, state, "withdrawal"):
        return []
    if not command.succeeded:
        return [
            WithdrawalFailed(
                withdrawal_id=command.withdrawal_id,
                bank_reference=command.bank_reference,
                amount_fen=command.amount_fen,
                code=command.code,
                **book(state, available_fen=command.amount_fen, held_fen=-command.amount_fen),
            )
        ]
    return [
        FundsWithdrawn(
            withdrawal_id=command.withdrawal_id,
            bank_reference=command.bank_reference,
            amount_fen=command.amount_fen,
            **book(state, held_fen=-command.amount_fen, against=BANK),
        )
    ]


def _own_card(state: Open, profile: Profile) -> CardRef | None:
    """The card that the order to the bank names. Refused: `card_required`."""
    if profile.own_card_required and state.card_ref is None:
        raise Refused("card_required")
    return state.card_ref


def _require_room(requests: Requests) -> None:
    """Refused: `too_many_requests`."""
    if requests.is_full():
        raise Refused("too_many_requests")


def _said(command: ConfirmTopUp | ConfirmWithdrawal, request_id: str) -> Answer:
    return Answer(
        request_id=request_id,
        bank_reference=command.bank_reference,
        amount_fen=command.amount_fen,
        succeeded=command.succeeded,
    )


def _is_repeated(answer: Answer, requests: Requests, state: Open, noun: str) -> bool:
    """Whether the bank said exactly this before; False where it is the first answer to a pending request."""
    earlier = requests.answer_to(answer.request_id)
    if earlier == answer:
        return True
    if earlier is not None:
        raise Refused(f"{noun}_already_answered")
    asked_fen = requests.pending.get(answer.request_id)
    if asked_fen is None:
        raise Refused(f"unknown_{noun}")
    if asked_fen != answer.amount_fen:
        raise Refused("amount_differs")
    if _REFERENCE.fullmatch(answer.bank_reference) is None:
        raise Refused("invalid_bank_reference")
    used = (*state.top_ups.answered, *state.withdrawals.answered)
    if any(other.bank_reference == answer.bank_reference for other in used):
        raise Refused("bank_reference_used")
    return False
