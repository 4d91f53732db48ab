"""Ann sells a claim of 400 yuan to Cem in the specs: her offer, his money, what the loan says, and how it may end otherwise."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from libs.events.bidding import AccountOpened, ClaimTerms, FeeCredited, Posting
from libs.events.claims import ClaimReserved, ClaimTransferred, ReservationReleased
from libs.events.market import (
    OfferClosed,
    OfferExpired,
    OfferOpened,
    OfferRefused,
    OfferReopened,
    OfferRequested,
    OfferSettled,
    OfferTaken,
    OfferWithdrawn,
    PurchaseCaptured,
    PurchaseHeld,
    PurchaseReleased,
    Sale,
    SaleCredited,
)
from libs.events.relations import ReservationConfirmed
from libs.events.system import CommandRefused
from services.bidding.commands import CreditFee
from services.bidding.commands.market import (
    CapturePurchase,
    CloseOffer,
    ConfirmReservation,
    CreditSale,
    OpenOffer,
    RecordReservation,
    RecordTake,
    RefuseOffer,
    ReleasePurchase,
    ReopenOffer,
    SettleOffer,
    TakeOffer,
    WithdrawOffer,
)
from services.bidding.domain.contract_text import hash_of
from services.bidding.domain.transfer_text import transfer_text
from tests.unit.bidding.specs import AVAILABLE, moved
from tests.unit.given import TODAY

EXPIRES = date(2024, 3, 25)
CLEARING = "clearing:offer:offer_1"
CEMS, CEMS_HELD = "available:acc_cem", "held:acc_cem"

_Event = TypeVar("_Event")

OFFER: dict[str, Any] = {
    "offer_id": "offer_1",
    "seller": "usr_ann",
    "account_id": "acc_ann",
    "claim_id": "clm_1_1",
    "loan_id": "loan_1",
}
STANDING: dict[str, Any] = OFFER | {"principal_fen": 400_00, "opened_on": TODAY, "expires_on": EXPIRES}

ASK = OpenOffer(
    offer_id="offer_1", seller="usr_ann", claim_id="clm_1_1", loan_id="loan_1", price_permille=990
)
REQUESTED = OfferRequested(
    principal_fen=None,
    price_permille=990,
    window_days=10,
    requested_on=TODAY,
    until=EXPIRES,
    **OFFER,
)
RESERVE = RecordReservation(
    borrower="usr_bea",
    principal_fen=400_00,
    interest_max_fen=4_08,
    grade="B",
    annual_rate=Decimal("0.12"),
    matures_on=date(2025, 3, 1),
)
#: The listing knew of a cousin.
RELATED = ("usr_cousin",)
CONFIRM = ConfirmReservation(
    offer_id="offer_1",
    loan_id="loan_1",
    borrower="usr_bea",
    principal_fen=400_00,
    interest_max_fen=4_08,
    grade="B",
    annual_rate=Decimal("0.12"),
    matures_on=date(2025, 3, 1),
)
CONFIRMED = ReservationConfirmed(
    listing_id="lst_1",
    offer_id="offer_1",
    loan_id="loan_1",
    borrower="usr_bea",
    principal_fen=400_00,
    interest_max_fen=4_08,
    grade="B",
    annual_rate=Decimal("0.12"),
    matures_on=date(2025, 3, 1),
)
OPENED = OfferOpened(
    borrower="usr_bea",
    price_permille=990,
    maximum_fen=400_08,
    fee_permille=0,
    fees_version=0,
    grade="B",
    annual_rate=Decimal("0.12"),
    matures_on=date(2025, 3, 1),
    **STANDING,
)
#: Under the law a sale costs its seller 5 per mille.
LAWFUL = replace(OPENED, fee_permille=5, fees_version=1)
GONE = OfferRefused(refused_on=TODAY, code="loan_repaid", **OFFER)
REFUSE = RefuseOffer(code="blocked_window")
REFUSED = OfferRefused(refused_on=TODAY, code="blocked_window", **OFFER)

TAKE = RecordTake(hold_id="hold_1", account_id="acc_cem", buyer="usr_cem", held_fen=400_08)
TAKEN = OfferTaken(
    offer_id="offer_1",
    loan_id="loan_1",
    claim_id="clm_1_1",
    hold_id="hold_1",
    buyer="usr_cem",
    buyer_account="acc_cem",
    price_permille=990,
    fee_permille=0,
    held_fen=400_08,
    taken_on=TODAY,
)
REOPEN = ReopenOffer(hold_id="hold_1", code="above_investor_cap")
REOPENED = OfferReopened(
    offer_id="offer_1",
    loan_id="loan_1",
    hold_id="hold_1",
    buyer="usr_cem",
    buyer_account="acc_cem",
    code="above_investor_cap",
)
CLOSE = CloseOffer(code="loan_repaid")
CLOSED = OfferClosed(closed_on=TODAY, code="loan_repaid", **STANDING)
CLOSED_ON_BUYER = replace(CLOSED, code="claim_not_reserved", hold_id="hold_1", buyer_account="acc_cem")
WITHDRAW = WithdrawOffer()
WITHDRAWN = OfferWithdrawn(withdrawn_on=TODAY, **STANDING)
EXPIRED = OfferExpired(expired_on=EXPIRES, **STANDING)

SALE = Sale(
    claim_id="clm_1_3",
    sold_claim_id="clm_1_1",
    principal_fen=400_00,
    price_fen=396_00,
    interest_fen=1_84,
    fee_fen=1_98,
    transferred_on=TODAY,
)
SETTLE = SettleOffer(sale=SALE)
_SOLD = OfferSettled(
    buyer="usr_cem",
    buyer_account="acc_cem",
    borrower="usr_bea",
    price_permille=990,
    grade="B",
    annual_rate=Decimal("0.12"),
    matures_on=date(2025, 3, 1),
    sale=SALE,
    template="transfer_certificate",
    version=1,
    certificate_hash="",
    **STANDING,
)
SETTLED = replace(_SOLD, certificate_hash=hash_of(transfer_text(_SOLD)))

# --- accounts ------------------------------------------------------------------------------------------------------


def cems(kind: Callable[..., _Event], legs: dict[str, int], after: tuple[int, int], **fields: Any) -> _Event:
    """A money event of Cem's account, as `specs.moved` makes Ann's."""
    return kind(
        account_id="acc_cem",
        owner="usr_cem",
        postings=tuple(Posting(account=account, amount_fen=amount) for account, amount in legs.items()),
        available_after_fen=after[0],
        held_after_fen=after[1],
        **fields,
    )


CEM = AccountOpened(account_id="acc_cem", owner="usr_cem")
PURCHASE: dict[str, Any] = {"hold_id": "hold_1", "offer_id": "offer_1"}
WANT = TakeOffer(maximum_fen=400_08, **PURCHASE)
HELD = cems(PurchaseHeld, {CEMS: -400_08, CEMS_HELD: 400_08}, (99_92, 400_08), amount_fen=400_08, **PURCHASE)
LET_GO = ReleasePurchase(hold_id="hold_1", reason="offer_taken")
RELEASED = cems(
    PurchaseReleased,
    {CEMS_HELD: -400_08, CEMS: 400_08},
    (500_00, 0),
    amount_fen=400_08,
    reason="offer_taken",
    **PURCHASE,
)
SOLD_BY: dict[str, Any] = {
    "loan_id": "loan_1",
    "seller": "usr_ann",
    "seller_account": "acc_ann",
    "sale": SALE,
}
CAPTURE = CapturePurchase(hold_id="hold_1", **SOLD_BY)
CAPTURED = cems(
    PurchaseCaptured,
    {CEMS_HELD: -400_08, CEMS: 2_24, CLEARING: 397_84},
    (102_16, 0),
    amount_fen=397_84,
    released_fen=2_24,
    **PURCHASE,
    **SOLD_BY,
)
CREDIT = CreditSale(offer_id="offer_1", loan_id="loan_1", sale=SALE)
CREDITED = moved(
    SaleCredited,
    {CLEARING: -395_86, AVAILABLE: 395_86},
    (395_86, 0),
    offer_id="offer_1",
    loan_id="loan_1",
    sale=SALE,
    amount_fen=395_86,
)
FEE = CreditFee(loan_id="loan_1", fee_id="transfer:offer_1", amount_fen=1_98, offer_id="offer_1")
FEE_CREDITED = FeeCredited(
    account_id="acc_fees",
    loan_id="loan_1",
    fee_id="transfer:offer_1",
    amount_fen=1_98,
    balance_after_fen=1_98,
    postings=(
        Posting(account=CLEARING, amount_fen=-1_98),
        Posting(account="fees:platform", amount_fen=1_98),
    ),
    offer_id="offer_1",
)

# --- what the loan says --------------------------------------------------------------------------------------------

RESERVED = ClaimReserved(
    loan_id="loan_1",
    offer_id="offer_1",
    claim_id="clm_1_1",
    account_id="acc_ann",
    investor="usr_ann",
    borrower="usr_bea",
    principal_fen=400_00,
    outstanding_fen=400_00,
    interest_max_fen=4_08,
    grade="B",
    annual_rate=Decimal("0.12"),
    matures_on=date(2025, 3, 1),
    reserved_on=TODAY,
)
TRANSFERRED = ClaimTransferred(
    loan_id="loan_1",
    offer_id="offer_1",
    hold_id="hold_1",
    borrower="usr_bea",
    sold_claim_id="clm_1_1",
    seller="usr_ann",
    seller_account="acc_ann",
    left_fen=0,
    claim=ClaimTerms(
        order=3, claim_id="clm_1_3", account_id="acc_cem", investor="usr_cem", principal_fen=400_00
    ),
    price_fen=396_00,
    interest_fen=1_84,
    fee_fen=1_98,
    value_date=TODAY,
)


def freed(code: str) -> ReservationReleased:
    """The claim is free again."""
    return ReservationReleased(
        loan_id="loan_1",
        offer_id="offer_1",
        claim_id="clm_1_1",
        account_id="acc_ann",
        investor="usr_ann",
        code=code,
    )


def refused(command: str, code: str, **about: str) -> CommandRefused:
    """Somebody refused a step of the sale."""
    return CommandRefused(command_type=command, code=code, stream_id="loan_1", about=about)


NOT_RESERVED = refused("repayment.ReserveClaim", "blocked_window", offer_id="offer_1")
NOT_TRANSFERRED = refused(
    "repayment.TransferClaim", "above_investor_cap", offer_id="offer_1", hold_id="hold_1"
)
NOT_TAKEN = refused("bidding.RecordTake", "offer_taken", hold_id="hold_1", account_id="acc_cem")
