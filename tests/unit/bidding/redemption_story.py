"""Ann needs her money: her offer of claim clm_1_1 stayed unsold, four people look at her form, a fifth releases the sale, Dee buys."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from libs.events.market import (
    OfferClosed,
    OfferExpired,
    OfferOpened,
    OfferRefused,
    OfferRequested,
    OfferSettled,
    OfferTaken,
    OfferWithdrawn,
    Sale,
)
from libs.events.redemption import (
    Approval,
    RedemptionApproved,
    RedemptionAsked,
    RedemptionDeclined,
    RedemptionFormCompleted,
    RedemptionLapsed,
    RedemptionRefused,
    RedemptionReleased,
    RedemptionReleaseRefused,
    RedemptionSold,
    RedemptionStage,
    UnsoldConfirmed,
    UnsoldDeclined,
)
from libs.events.sagas import Send
from libs.events.system import CommandRefused
from services.bidding.commands.market import OpenOffer
from services.bidding.commands.redemption import (
    AskRedemption,
    CompleteForm,
    CompleteRedemption,
    ConfirmUnsold,
    DeclineRedemption,
    LapseRedemption,
    ReleaseRedemption,
    SignRedemption,
)
from services.bidding.domain.redemption_state import STEPS
from tests.unit.given import TODAY

#: 2024-03-15 is a Friday. Qingming frees April 4 and 5, April 7 is worked instead: the 15th working day is April 8.
DEADLINE = date(2024, 4, 8)
OPENED_ON, EXPIRED_ON = date(2024, 3, 11), date(2024, 3, 14)
SIGNERS: dict[str, str] = {
    "market_specialist": "stf_mia",
    "department_head": "stf_deng",
    "branch_general_manager": "stf_bo",
    "market_director": "stf_dora",
    "release": "stf_cas",
}

# --- the offer that failed -----------------------------------------------------------------------------------------

OFFER: dict[str, Any] = {
    "offer_id": "offer_1",
    "seller": "usr_ann",
    "account_id": "acc_ann",
    "claim_id": "clm_1_1",
    "loan_id": "loan_1",
}
SPAN: dict[str, Any] = {"principal_fen": 900_00, "opened_on": OPENED_ON, "expires_on": EXPIRED_ON}
WANTED = OfferRequested(
    principal_fen=None, price_permille=1000, window_days=3, requested_on=OPENED_ON, **OFFER
)
IN_THE_BOOK = OfferOpened(
    borrower="usr_bea",
    price_permille=1000,
    maximum_fen=910_00,
    fee_permille=5,
    fees_version=1,
    grade="B",
    annual_rate=Decimal("0.12"),
    matures_on=date(2025, 3, 1),
    **OFFER,
    **SPAN,
)
STANDS = (WANTED, IN_THE_BOOK)
EXPIRED = OfferExpired(expired_on=EXPIRED_ON, **OFFER, **SPAN)
WITHDRAWN = OfferWithdrawn(withdrawn_on=EXPIRED_ON, **OFFER, **SPAN)
CLOSED = OfferClosed(closed_on=EXPIRED_ON, code="overdue", **OFFER, **SPAN)
TAKEN = OfferTaken(
    offer_id="offer_1",
    loan_id="loan_1",
    claim_id="clm_1_1",
    hold_id="hold_1",
    buyer="usr_dee",
    buyer_account="acc_dee",
    price_permille=1000,
    fee_permille=5,
    held_fen=910_00,
    taken_on=EXPIRED_ON,
)
SALE = Sale(
    claim_id="clm_1_3",
    sold_claim_id="clm_1_1",
    principal_fen=900_00,
    price_fen=855_00,
    interest_fen=3_00,
    fee_fen=4_28,
    transferred_on=date(2024, 4, 8),
)


def settled(**changed: Any) -> OfferSettled:
    """Dee has Ann's claim."""
    fields: dict[str, Any] = {
        "buyer": "usr_dee",
        "buyer_account": "acc_dee",
        "borrower": "usr_bea",
        "price_permille": 950,
        "grade": "B",
        "annual_rate": Decimal("0.12"),
        "matures_on": date(2025, 3, 1),
        "sale": SALE,
        "template": "transfer",
        "version": 1,
        "certificate_hash": "0" * 64,
    }
    return OfferSettled(**(fields | OFFER | SPAN | changed))


def refused_sale(**changed: Any) -> OfferRefused:
    """The loan does not reserve the claim."""
    return OfferRefused(refused_on=TODAY, code="blocked_window", **(OFFER | changed))


CONFIRM = ConfirmUnsold(redemption_id="rdm_1", investor="usr_ann")
CONFIRMED = UnsoldConfirmed(
    offer_id="offer_1",
    redemption_id="rdm_1",
    seller="usr_ann",
    claim_id="clm_1_1",
    loan_id="loan_1",
    opened_on=OPENED_ON,
    ended_on=EXPIRED_ON,
)


def no_evidence(code: str) -> UnsoldDeclined:
    """The offer says why not."""
    return UnsoldDeclined(offer_id="offer_1", redemption_id="rdm_1", seller="usr_ann", code=code)


# --- the redemption ------------------------------------------------------------------------------------------------

WHO: dict[str, Any] = {"redemption_id": "rdm_1", "investor": "usr_ann"}
FORM: dict[str, Any] = {"reason": "illness", "price_permille": 950, "principal_fen": None}
ASK = AskRedemption(redemption_id="rdm_1", offer_id="offer_1", **FORM)
ASKED = RedemptionAsked(account_id="acc_ann", offer_id="offer_1", asked_on=TODAY, **WHO, **FORM)
COMPLETE = CompleteForm(claim_id="clm_1_1", loan_id="loan_1")
COMPLETED = RedemptionFormCompleted(
    account_id="acc_ann",
    offer_id="offer_1",
    claim_id="clm_1_1",
    loan_id="loan_1",
    completed_on=TODAY,
    deadline=DEADLINE,
    next_step="market_specialist",
    **WHO,
    **FORM,
)
DECLINE = DeclineRedemption(code="offer_open")
DECLINED = RedemptionDeclined(offer_id="offer_1", code="offer_open", declined_on=TODAY, **WHO)


def sign(step: Approval, **changed: Any) -> SignRedemption:
    """Whoever holds the post signs."""
    return SignRedemption(step=step, **changed)


def approved(step: Approval, on: date = TODAY, days_left: int = 15) -> RedemptionApproved:
    """He did."""
    return RedemptionApproved(
        step=step,
        signer=SIGNERS[step],
        approved_on=on,
        days_left=days_left,
        next_step=STEPS[STEPS.index(step) + 1],
        **WHO,
    )


APPROVALS = tuple(
    approved(step)
    for step in ("market_specialist", "department_head", "branch_general_manager", "market_director")
)
IN_WORK = (ASKED, COMPLETED)
APPROVED = (*IN_WORK, *APPROVALS)
REFUSED = RedemptionRefused(
    step="department_head", signer="stf_deng", code="not_proven", refused_on=TODAY, days_left=15, **WHO
)
RELEASE = ReleaseRedemption()
NOT_RELEASED = RedemptionReleaseRefused(
    signer="stf_cas", code="not_proven", refused_on=TODAY, days_left=15, **WHO
)
RELEASED = RedemptionReleased(
    signer="stf_cas",
    sale_offer_id="offer_89f9e5ff1e7bed40b6c49614e6213b9c",
    claim_id="clm_1_1",
    loan_id="loan_1",
    price_permille=950,
    principal_fen=None,
    released_on=TODAY,
    deadline=DEADLINE,
    days_left=15,
    **WHO,
)
FOR_SALE = (*APPROVED, RELEASED)
SELL = OpenOffer(
    offer_id="offer_89f9e5ff1e7bed40b6c49614e6213b9c",
    seller="usr_ann",
    claim_id="clm_1_1",
    loan_id="loan_1",
    price_permille=950,
    until=DEADLINE,
    redemption_id="rdm_1",
)
SOLD_TO_DEE = CompleteRedemption(
    buyer="usr_dee", principal_fen=900_00, amount_fen=853_72, sold_on=date(2024, 4, 8)
)
SOLD = RedemptionSold(
    sale_offer_id="offer_89f9e5ff1e7bed40b6c49614e6213b9c",
    buyer="usr_dee",
    principal_fen=900_00,
    amount_fen=853_72,
    sold_on=date(2024, 4, 8),
    days_used=15,
    **WHO,
)
UNSOLD = LapseRedemption(code="sale_expired")


def lapsed(stage: RedemptionStage, code: str, on: date = TODAY) -> RedemptionLapsed:
    """It came to nothing."""
    return RedemptionLapsed(stage=stage, code=code, lapsed_on=on, **WHO)


#: Declined, refused, unsold.
OTHER_ENDS: tuple[tuple[Any, ...], ...] = (
    (ASKED, DECLINED),
    (*IN_WORK, APPROVALS[0], REFUSED),
    (*FOR_SALE, lapsed("sale", "sale_expired")),
    (*APPROVED, NOT_RELEASED),
)


def refused(command: str, **about: str) -> CommandRefused:
    """A command of a saga was refused."""
    return CommandRefused(
        command_type=f"bidding.{command}", stream_id="offer_1", code="unknown_offer", about=about
    )


def _lapse(code: str) -> list[Send]:
    return [Send("redemption", "rdm_1", LapseRedemption(code=code))]


#: What is sent on each event.
ANSWERS: list[tuple[str, Any, list[Send]]] = [
    ("bidding", ASKED, [Send("unsold", "offer_1", CONFIRM, {"redemption_id": "rdm_1"})]),
    ("bidding", CONFIRMED, [Send("form", "rdm_1", COMPLETE)]),
    ("bidding", no_evidence("offer_open"), [Send("form", "rdm_1", DECLINE)]),
    ("bidding", COMPLETED, []),
    ("bidding", APPROVALS[3], []),
    (
        "bidding",
        RELEASED,
        [Send("sale", "offer_89f9e5ff1e7bed40b6c49614e6213b9c", SELL, {"redemption_id": "rdm_1"})],
    ),
    ("bidding", settled(redemption_id="rdm_1"), [Send("redemption", "rdm_1", SOLD_TO_DEE)]),
    ("bidding", settled(), []),
    ("bidding", replace(EXPIRED, redemption_id="rdm_1"), _lapse("sale_expired")),
    ("bidding", replace(WITHDRAWN, redemption_id="rdm_1"), _lapse("sale_withdrawn")),
    ("bidding", replace(CLOSED, redemption_id="rdm_1"), _lapse("sale_closed")),
    ("bidding", refused_sale(redemption_id="rdm_1"), _lapse("sale_refused")),
    ("bidding", EXPIRED, []),
    ("bidding", WITHDRAWN, []),
    ("bidding", refused_sale(), []),
    (
        "bidding",
        refused("ConfirmUnsold", redemption_id="rdm_1"),
        [Send("form", "rdm_1", DeclineRedemption(code="unknown_offer"))],
    ),
    ("bidding", refused("OpenOffer", redemption_id="rdm_1"), _lapse("unknown_offer")),
    ("bidding", refused("OpenOffer"), []),
    ("bidding", refused("CompleteForm", redemption_id="rdm_1"), []),
]
