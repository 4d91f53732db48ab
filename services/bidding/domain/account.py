"""The custody account: a customer's money at the bank, never overdrawn, and the platform's fee account beside it.

Each money event balances by itself: its postings say where the money came from and where it went.
"""

from collections.abc import Sequence
from functools import partial
from typing import assert_never, get_args

from libs.events.bidding import (
    FeeCredited,
    InvestorCredited,
)
from libs.events.deciding import Aggregate, Context, Refused, WakeOn
from libs.events.money import MAX_INTEGER
from libs.events.platform import PLATFORM_ACCOUNTS
from libs.events.recovery_costs import payee_of
from libs.events.vouchers import VoucherCredited
from services.bidding.commands import (
    FEE_ACCOUNT,
    CaptureHold,
    CloseAccount,
    ConfirmPayee,
    ConfirmTopUp,
    ConfirmWithdrawal,
    CreditFee,
    CreditInvestor,
    CreditProceeds,
    DebitInstallment,
    OpenAccount,
    PayLoan,
    PlaceBid,
    RecordCard,
    RecordDeathFlag,
    RecordRelation,
    RecordSuitability,
    ReduceHold,
    ReleaseHold,
    RequestTopUp,
    RequestWithdrawal,
    ReturnPayment,
)
from services.bidding.commands.adjustments import BookAdjustment, CreditAdjustment
from services.bidding.commands.assets import CreditAssetProceeds, DebitAssetSale
from services.bidding.commands.compensation import DebitCompensation, RecordSubrogation
from services.bidding.commands.market import CapturePurchase, CreditSale, ReleasePurchase, TakeOffer
from services.bidding.commands.standing import HoldForOrder
from services.bidding.commands.vouchers import CreditVoucher
from services.bidding.domain import assets, bank, compensating, holds, loans, owner, purchases
from services.bidding.domain.account_state import (
    AccountEvent,
    AccountState,
    FeeAccount,
    NotOpened,
    Open,
    evolve,
)
from services.bidding.domain.booking import FEES, book, postings
from services.bidding.domain.ids import clearing_of, clearing_of_offer
from services.bidding.domain.marketing import clearing_of_voucher
from services.bidding.domain.owed import adjust_fees, book_adjustment, credit_adjustment, swept
from services.bidding.domain.profile import Profile

_OwnersCommand = RequestTopUp | RequestWithdrawal | PlaceBid | PayLoan | TakeOffer
_BanksCommand = ConfirmTopUp | ConfirmWithdrawal
_SagasCommand = (
    RecordSuitability
    | RecordRelation
    | RecordDeathFlag
    | ConfirmPayee
    | HoldForOrder
    | ReleaseHold
    | ReduceHold
    | CaptureHold
    | CreditProceeds
    | DebitInstallment
    | ReturnPayment
    | CreditInvestor
    | CreditVoucher
    | DebitCompensation
    | RecordSubrogation
    | DebitAssetSale
    | CreditAssetProceeds
)
_MarketsCommand = ReleasePurchase | CapturePurchase | CreditSale
AccountCommand = (
    OpenAccount
    | CloseAccount
    | RecordCard
    | CreditFee
    | _OwnersCommand
    | _BanksCommand
    | _SagasCommand
    | _MarketsCommand
    | BookAdjustment
    | CreditAdjustment
)


def decide(
    command: AccountCommand, state: AccountState, context: Context, *, profile: Profile
) -> Sequence[AccountEvent]:
    """What a command does to an account, and what of the money it brings is owed for corrections. Refusals stand on the commands."""
    events = _decided(command, state, context, profile)
    owes = isinstance(state, Open | FeeAccount) and state.owed
    return [*events, *swept(state, events)] if owes or isinstance(command, BookAdjustment) else events


def _decided(
    command: AccountCommand, state: AccountState, context: Context, profile: Profile
) -> Sequence[AccountEvent]:
    match command:
        case OpenAccount():
            return owner.open_account(command, state, context, profile)
        case CloseAccount():
            return owner.close(command, state, context)
        case RecordCard():
            return owner.record_card(command, state)
        case CreditFee():
            return _credit_fee(command, state)
        case BookAdjustment() | CreditAdjustment():
            return _adjust(command, state)
        case ConfirmPayee() if isinstance(state, FeeAccount) or payee_of(command.terms) in PLATFORM_ACCOUNTS:
            raise Refused("forbidden_payee")
        case RecordRelation() if isinstance(state, NotOpened):
            return []
        case _:
            if not isinstance(state, Open):
                raise Refused("unknown_account")
            return _decide_open(command, state, context, profile)


def _decide_open(
    command: _OwnersCommand | _BanksCommand | _SagasCommand | _MarketsCommand,
    state: Open,
    context: Context,
    profile: Profile,
) -> Sequence[AccountEvent]:
    match command:
        case RequestTopUp() | RequestWithdrawal() | PlaceBid() | PayLoan() | TakeOffer():
            # Other people's accounts do not exist for anybody, whatever an API forgot to check.
            if context.principal != state.owner:
                raise Refused("unknown_account")
            # A payment that comes back may come after his leaving, because no account knows what a loan has taken: it is his.
            if state.is_closed and not isinstance(command, RequestWithdrawal):
                raise Refused("account_closed")
            return _decide_for_owner(command, state, context, profile)
        case ConfirmTopUp():
            return bank.confirm_top_up(command, state)
        case ConfirmWithdrawal():
            return bank.confirm_withdrawal(command, state)
        case ReleasePurchase():
            return purchases.release(command, state)
        case CapturePurchase():
            return purchases.capture(command, state)
        case CreditSale():
            return purchases.credit_sale(command, state)
        case _:
            return _decide_for_saga(command, state, context)


def _decide_for_owner(
    command: _OwnersCommand, state: Open, context: Context, profile: Profile
) -> Sequence[AccountEvent]:
    match command:
        case RequestTopUp():
            return bank.request_top_up(command, state, profile)
        case RequestWithdrawal():
            return bank.request_withdrawal(command, state, profile)
        case PlaceBid():
            return holds.hold(command, state)
        case PayLoan():
            return loans.pay(command, state, context)
        case TakeOffer():
            return purchases.hold(command, state)
        case _:
            assert_never(command)


def _decide_for_saga(command: _SagasCommand, state: Open, context: Context) -> Sequence[AccountEvent]:
    match command:
        case RecordSuitability() | RecordRelation() | RecordDeathFlag() | ConfirmPayee():
            return _decide_of_owner(command, state)
        case HoldForOrder():
            return holds.hold_for_order(command, state)
        case ReleaseHold():
            return holds.release(command, state)
        case ReduceHold():
            return holds.reduce(command, state)
        case CaptureHold():
            return holds.capture(command, state)
        case CreditProceeds():
            return loans.credit_proceeds(command, state)
        case DebitInstallment():
            return loans.debit(command, state, context)
        case ReturnPayment():
            return loans.give_back(command, state)
        case CreditInvestor():
            return _credit_investor(command, state)
        case CreditVoucher():
            return _credit_voucher(command, state)
        case DebitCompensation() | RecordSubrogation() | DebitAssetSale() | CreditAssetProceeds():
            return _decide_for_claims(command, state)
        case _:
            assert_never(command)


def _decide_of_owner(
    command: RecordSuitability | RecordRelation | RecordDeathFlag | ConfirmPayee, state: Open
) -> Sequence[AccountEvent]:
    match command:
        case RecordSuitability():
            return owner.assess(command, state)
        case RecordRelation():
            return owner.relate(command, state)
        case RecordDeathFlag():
            return owner.record_death(command, state)
        case ConfirmPayee():
            return owner.confirm_payee(command, state)
        case _:
            assert_never(command)


def _decide_for_claims(
    command: DebitCompensation | RecordSubrogation | DebitAssetSale | CreditAssetProceeds, state: Open
) -> Sequence[AccountEvent]:
    match command:
        case DebitCompensation():
            return compensating.debit(command, state)
        case RecordSubrogation():
            return compensating.subrogate(command, state)
        case DebitAssetSale():
            return assets.debit(command, state)
        case CreditAssetProceeds():
            return assets.credit(command, state)
        case _:
            assert_never(command)


def _adjust(command: BookAdjustment | CreditAdjustment, state: AccountState) -> Sequence[AccountEvent]:
    if isinstance(state, Open):
        return (
            book_adjustment(command, state)
            if isinstance(command, BookAdjustment)
            else credit_adjustment(command, state)
        )
    account_id = command.line.account_id if isinstance(command, BookAdjustment) else command.account_id
    if account_id != FEE_ACCOUNT:
        raise Refused("unknown_account")
    return adjust_fees(command, state)


def _credit_fee(command: CreditFee, state: AccountState) -> Sequence[AccountEvent]:
    match state:
        case NotOpened():
            balance_after = command.amount_fen
        case FeeAccount():
            balance_after = state.balance_fen + command.amount_fen
        case Open():
            raise Refused("not_fee_account")
        case _:
            assert_never(state)
    if balance_after > MAX_INTEGER:
        raise Refused("amount_too_large")
    return [
        FeeCredited(
            account_id=FEE_ACCOUNT,
            loan_id=command.loan_id,
            fee_id=command.fee_id,
            amount_fen=command.amount_fen,
            balance_after_fen=balance_after,
            offer_id=command.offer_id,
            postings=postings((_clearing(command), -command.amount_fen), (FEES, command.amount_fen)),
        )
    ]


def _clearing(command: CreditFee) -> str:
    return clearing_of_offer(command.offer_id) if command.offer_id else clearing_of(command.loan_id)


# --- claims and vouchers ---------------------------------------------------------------------------------------------


def _credit_investor(command: CreditInvestor, state: Open) -> Sequence[AccountEvent]:
    amount_fen = command.principal_fen + command.interest_fen + command.penalty_fen - command.fee_fen
    if amount_fen < 0:
        raise Refused("invalid_fee")
    if amount_fen == 0:
        return []
    return [
        InvestorCredited(
            loan_id=command.loan_id,
            claim_id=command.claim_id,
            distribution_id=command.distribution_id,
            principal_fen=command.principal_fen,
            interest_fen=command.interest_fen,
            fee_fen=command.fee_fen,
            penalty_fen=command.penalty_fen,
            amount_fen=amount_fen,
            **book(state, available_fen=amount_fen, against=clearing_of(command.loan_id)),
        )
    ]


def _credit_voucher(command: CreditVoucher, state: Open) -> Sequence[AccountEvent]:
    return [
        VoucherCredited(
            voucher_id=command.voucher_id,
            loan_id=command.loan_id,
            amount_fen=command.amount_fen,
            **book(state, available_fen=command.amount_fen, against=clearing_of_voucher(command.voucher_id)),
        )
    ]


def wake_on(_state: AccountState) -> WakeOn:
    """Time does nothing to an account."""
    return None


def aggregate(profile: Profile) -> Aggregate:
    """The account aggregate under a profile, which says whether an account needs a verified owner and a card of his."""
    return Aggregate(
        name="account",
        prefix="acc",
        commands=get_args(AccountCommand),
        events=get_args(AccountEvent),
        state=AccountState,
        initial=NotOpened(),
        decide=partial(decide, profile=profile),
        evolve=evolve,
        wake_on=wake_on,
    )
