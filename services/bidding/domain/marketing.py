"""The platform's marketing account: its own money in, vouchers 红包 out, never more than there is.

A voucher's money is reserved when it is granted, so whoever has one is paid. Money comes from the bank only and never back from a
customer. One stream: what is reserved and what is there are one number's two sides.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Literal, assert_never, get_args

from libs.events.bidding import ClaimTerms
from libs.events.codec import record
from libs.events.deciding import Aggregate, Context, Refused, Wake, WakeOn
from libs.events.money import MAX_INTEGER, Count, PositiveFen
from libs.events.vouchers import (
    MarketingFunded,
    VoucherExpired,
    VoucherGranted,
    VoucherPaid,
    VoucherRedeemed,
    VoucherReturned,
)
from services.bidding.commands.vouchers import (
    MARKETING_ACCOUNT,
    MARKETING_STREAM,
    FundMarketing,
    GrantVoucher,
    RedeemVoucher,
    ReturnVouchers,
    SettleVouchers,
)
from services.bidding.domain.booking import BANK, postings
from services.bidding.domain.ids import account_of, reference_of, require_staff

#: The posting name of the platform's money for vouchers.
MARKETING = "marketing:platform"

#: Open vouchers at the same time, so that all of them may end in one event record (chosen).
VOUCHERS_MAX = 2_000

#: How long after its last day a redeemed voucher waits for a loan that was funded in time (chosen): captures take moments, and
#: what was redeemed for a loan that had ended before is over after it.
SETTLING = timedelta(days=10)

#: The phase of a day in which vouchers expire (design.md 2.7): the one that ends the day here.
EXPIRY_PHASE = 1


@record
class Voucher:
    """An open voucher; `loan_id` is what it was redeemed for, None while it is not."""

    investor: str
    amount_fen: PositiveFen
    bid_min_fen: PositiveFen
    valid_to: date
    loan_id: str | None
    tenor_min_months: int | None = None

    @property
    def ends_on(self) -> date:
        """The day that ends it unasked."""
        return self.valid_to if self.loan_id is None else self.valid_to + SETTLING


@record
class Account:
    """All there is: the money, the bank's bookings by reference, and the open vouchers by id.

    One that has ended is forgotten: its id follows from the command that granted it, which the log never takes twice.
    """

    kind: Literal["account"] = "account"
    balance_fen: Count
    booked: dict[str, PositiveFen]
    vouchers: dict[str, Voucher]

    @property
    def reserved_fen(self) -> int:
        """What open vouchers will take out."""
        return sum(voucher.amount_fen for voucher in self.vouchers.values())


MarketingCommand = FundMarketing | GrantVoucher | RedeemVoucher | SettleVouchers | ReturnVouchers
MarketingEvent = (
    MarketingFunded | VoucherGranted | VoucherRedeemed | VoucherReturned | VoucherPaid | VoucherExpired
)


def decide(command: MarketingCommand | Wake, state: Account, context: Context) -> Sequence[MarketingEvent]:
    """What a command does to the marketing account. Refusals stand on the commands."""
    match command:
        case FundMarketing():
            return _fund(command, state)
        case GrantVoucher():
            return _grant(command, state, context)
        case RedeemVoucher():
            return _redeem(command, state, context)
        case SettleVouchers():
            return _settle(command, state, context)
        case ReturnVouchers():
            return _give_back(_redeemed_for(state, command.loan_id), state, command.code, context)
        case Wake():
            return _expire(command, state)
        case _:
            assert_never(command)


def _fund(command: FundMarketing, state: Account) -> Sequence[MarketingFunded]:
    reference = reference_of(command.booking_id)
    if reference in state.booked:
        if state.booked[reference] != command.amount_fen:
            raise Refused("amount_differs")
        return []
    balance_after = state.balance_fen + command.amount_fen
    if balance_after > MAX_INTEGER:
        raise Refused("amount_too_large")
    return [
        MarketingFunded(
            account_id=MARKETING_ACCOUNT,
            bank_reference=reference,
            amount_fen=command.amount_fen,
            balance_after_fen=balance_after,
            postings=postings((BANK, -command.amount_fen), (MARKETING, command.amount_fen)),
        )
    ]


def _grant(command: GrantVoucher, state: Account, context: Context) -> Sequence[VoucherGranted]:
    require_staff(context.principal)
    _require_another(command)
    account_of(command.investor)
    known = state.vouchers.get(command.voucher_id)
    if known is not None:
        if replace(known, loan_id=None) != _asked_for(command):
            raise Refused("voucher_exists")
        return []
    if command.valid_to < context.business_date:
        raise Refused("invalid_validity")
    if len(state.vouchers) >= VOUCHERS_MAX:
        raise Refused("too_many_vouchers")
    reserved_after = state.reserved_fen + command.amount_fen
    if reserved_after > state.balance_fen:
        raise Refused("marketing_exhausted")
    return [
        VoucherGranted(
            voucher_id=command.voucher_id,
            investor=command.investor,
            amount_fen=command.amount_fen,
            bid_min_fen=command.bid_min_fen,
            valid_to=command.valid_to,
            granted_by=context.principal,
            reserved_after_fen=reserved_after,
            tenor_min_months=command.tenor_min_months,
        )
    ]


def _asked_for(terms: GrantVoucher | VoucherGranted) -> Voucher:
    return Voucher(
        investor=terms.investor,
        amount_fen=terms.amount_fen,
        bid_min_fen=terms.bid_min_fen,
        valid_to=terms.valid_to,
        loan_id=None,
        tenor_min_months=terms.tenor_min_months,
    )


def _require_another(command: GrantVoucher) -> None:
    """The platform's money goes to nobody by his own hand."""
    if command.himself == command.investor:
        raise Refused("forbidden_holder")


def _redeem(command: RedeemVoucher, state: Account, context: Context) -> Sequence[VoucherRedeemed]:
    voucher = state.vouchers.get(command.voucher_id)
    # Other people's vouchers do not exist for anybody, whatever an API forgot to check.
    if voucher is None or context.principal != voucher.investor:
        raise Refused("unknown_voucher")
    if voucher.loan_id == command.loan_id:
        return []
    if context.business_date > voucher.valid_to:
        raise Refused("voucher_expired")
    if _too_short(voucher, command.tenor_months):
        raise Refused("term_too_short")
    return [
        VoucherRedeemed(voucher_id=command.voucher_id, investor=voucher.investor, loan_id=command.loan_id)
    ]


# --- the loan's end of it ------------------------------------------------------------------------------------------


def _redeemed_for(state: Account, loan_id: str) -> list[str]:
    """The vouchers of a loan, the one for the largest bid first: it takes no part that would do for another, and none is left
    that a part would have done for."""
    of_loan = [(name, voucher) for name, voucher in state.vouchers.items() if voucher.loan_id == loan_id]
    return [name for name, voucher in sorted(of_loan, key=lambda each: (-each[1].bid_min_fen, each[0]))]


def _settle(
    command: SettleVouchers, state: Account, context: Context
) -> Sequence[VoucherPaid | VoucherReturned | VoucherExpired]:
    events: list[VoucherPaid | VoucherReturned | VoucherExpired] = []
    claims = list(command.claims)
    balance_fen, reserved_fen = state.balance_fen, state.reserved_fen
    for voucher_id in _redeemed_for(state, command.loan_id):
        voucher = state.vouchers[voucher_id]
        code = _why_not(voucher, command)
        claim = None if code else next((each for each in claims if _fits(voucher, each)), None)
        if claim is None:
            back = _back(voucher_id, voucher, code or "bid_too_small", context, reserved_fen)
            reserved_fen = back.reserved_after_fen if isinstance(back, VoucherExpired) else reserved_fen
            events.append(back)
            continue
        claims.remove(claim)
        balance_fen -= voucher.amount_fen
        reserved_fen -= voucher.amount_fen
        events.append(
            VoucherPaid(
                account_id=MARKETING_ACCOUNT,
                voucher_id=voucher_id,
                investor=voucher.investor,
                paid_to=claim.account_id,
                loan_id=command.loan_id,
                claim_id=claim.claim_id,
                amount_fen=voucher.amount_fen,
                balance_after_fen=balance_fen,
                reserved_after_fen=reserved_fen,
                postings=postings(
                    (MARKETING, -voucher.amount_fen), (clearing_of_voucher(voucher_id), voucher.amount_fen)
                ),
            )
        )
    return events


def _why_not(voucher: Voucher, command: SettleVouchers) -> str | None:
    """Why the loan does not pay it, whatever the claims are: funded after its last day, however late that is told, or too short."""
    if command.funded_on is not None and command.funded_on > voucher.valid_to:
        return "voucher_expired"
    return "term_too_short" if _too_short(voucher, command.tenor_months) else None


def _too_short(voucher: Voucher, tenor_months: int | None) -> bool:
    """Whether a loan is known to be shorter than the voucher asks for."""
    if voucher.tenor_min_months is None or tenor_months is None:
        return False
    return tenor_months < voucher.tenor_min_months


def _fits(voucher: Voucher, claim: ClaimTerms) -> bool:
    return claim.investor == voucher.investor and claim.principal_fen >= voucher.bid_min_fen


def clearing_of_voucher(voucher_id: str) -> str:
    """The posting name of a voucher's money on its way to the investor; never a stream."""
    return f"clearing:voucher:{voucher_id}"


def _give_back(
    names: Sequence[str], state: Account, code: str, context: Context
) -> list[VoucherReturned | VoucherExpired]:
    events: list[VoucherReturned | VoucherExpired] = []
    reserved_fen = state.reserved_fen
    for name in names:
        back = _back(name, state.vouchers[name], code, context, reserved_fen)
        reserved_fen = back.reserved_after_fen if isinstance(back, VoucherExpired) else reserved_fen
        events.append(back)
    return events


def _back(
    voucher_id: str, voucher: Voucher, code: str, context: Context, reserved_fen: int
) -> VoucherReturned | VoucherExpired:
    """It may be redeemed again, or is over: its last day has passed while it waited for its loan."""
    if context.business_date > voucher.valid_to:
        return _expired(voucher_id, voucher, reserved_fen)
    assert voucher.loan_id is not None, "only what was redeemed comes back"
    return VoucherReturned(
        voucher_id=voucher_id, investor=voucher.investor, loan_id=voucher.loan_id, code=code
    )


def _expired(voucher_id: str, voucher: Voucher, reserved_fen: int) -> VoucherExpired:
    """Of what is reserved, its money is so no longer."""
    return VoucherExpired(
        voucher_id=voucher_id,
        investor=voucher.investor,
        amount_fen=voucher.amount_fen,
        reserved_after_fen=reserved_fen - voucher.amount_fen,
    )


# --- time ----------------------------------------------------------------------------------------------------------


def _expire(wake: Wake, state: Account) -> Sequence[VoucherExpired]:
    events: list[VoucherExpired] = []
    reserved_fen = state.reserved_fen
    for voucher_id in sorted(state.vouchers):
        voucher = state.vouchers[voucher_id]
        if (wake.business_date, wake.phase) < (voucher.ends_on, EXPIRY_PHASE):
            continue
        events.append(_expired(voucher_id, voucher, reserved_fen))
        reserved_fen = events[-1].reserved_after_fen
    return events


def wake_on(state: Account) -> WakeOn:
    """The day of the voucher that ends first. A redeemed one waits for the word of its loan, which may have been funded in time."""
    if not state.vouchers:
        return None
    return min(voucher.ends_on for voucher in state.vouchers.values()), EXPIRY_PHASE


def evolve(state: Account, event: MarketingEvent) -> Account:
    """Fold one event. Never refuses: what happened, happened."""
    match event:
        case MarketingFunded():
            booked = state.booked | {event.bank_reference: event.amount_fen}
            return replace(state, balance_fen=event.balance_after_fen, booked=booked)
        case VoucherGranted():
            return replace(state, vouchers=state.vouchers | {event.voucher_id: _asked_for(event)})
        case VoucherRedeemed():
            return _redeemed(state, event.voucher_id, event.loan_id)
        case VoucherReturned():
            return _redeemed(state, event.voucher_id, None)
        case VoucherPaid():
            return replace(_ended(state, event.voucher_id), balance_fen=event.balance_after_fen)
        case VoucherExpired():
            return _ended(state, event.voucher_id)
        case _:
            assert_never(event)


def _redeemed(state: Account, voucher_id: str, loan_id: str | None) -> Account:
    voucher = replace(state.vouchers[voucher_id], loan_id=loan_id)
    return replace(state, vouchers=state.vouchers | {voucher_id: voucher})


def _ended(state: Account, voucher_id: str) -> Account:
    left = {name: voucher for name, voucher in state.vouchers.items() if name != voucher_id}
    return replace(state, vouchers=left)


AGGREGATE = Aggregate(
    name="marketing",
    prefix=MARKETING_STREAM,
    commands=get_args(MarketingCommand),
    events=get_args(MarketingEvent),
    state=Account,
    initial=Account(balance_fen=0, booked={}, vouchers={}),
    decide=decide,
    evolve=evolve,
    wake_on=wake_on,
)
