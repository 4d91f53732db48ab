"""From a holder's wish to sell to the money that changed hands: offers, buyers, and what their loan says.

The order of the money is the order of safety: held, then the claim is the buyer's, then captured, then the seller's. Whatever
is declined before the claim is his gives the money back; after it nothing can be declined.
"""

from libs.events.bidding import FeeCredited
from libs.events.claims import ClaimReserved, ClaimTransferred, ReservationReleased
from libs.events.codec import name_of
from libs.events.market import (
    OfferClosed,
    OfferOpened,
    OfferRefused,
    OfferReopened,
    OfferRequested,
    OfferSettled,
    OfferTaken,
    PurchaseCaptured,
    PurchaseHeld,
    PurchaseReleased,
    Sale,
    SaleCredited,
)
from libs.events.records import RecordedEvent
from libs.events.relations import ReservationConfirmed
from libs.events.sagas import Saga, Send, Step
from libs.events.system import CommandRefused
from services.bidding.commands import FEE_ACCOUNT, CreditFee
from services.bidding.commands.market import (
    CapturePurchase,
    CloseOffer,
    ConfirmReservation,
    CreditSale,
    RecordReservation,
    RecordTake,
    RefuseOffer,
    ReleasePurchase,
    ReopenOffer,
    SettleOffer,
)

#: Commands of repayment whose refusal brings an offer's id back.
_RESERVE, _TRANSFER = "repayment.ReserveClaim", "repayment.TransferClaim"


def on_bidding(event: RecordedEvent) -> list[Send]:
    """What follows on our own offers and accounts."""
    match event.data:
        case PurchaseHeld() as held:
            return [_record_take(held)]
        case CommandRefused() as refused if _is_refused_take(refused):
            return [_release(refused.about["account_id"], refused.about["hold_id"], refused.code)]
        case OfferReopened() as reopened:
            return [_release(reopened.buyer_account, reopened.hold_id, reopened.code)]
        case OfferClosed(hold_id=str() as hold_id, buyer_account=str() as account_id, code=code):
            return [_release(account_id, hold_id, code)]
        case PurchaseCaptured() as captured:
            return _pay_out(captured)
        case ReservationConfirmed() as confirmed:
            return [_record_reservation(confirmed)]
        case SaleCredited() as credited:
            return [Send("settle", credited.offer_id, SettleOffer(sale=credited.sale))]
        case _:
            return []


def on_repayment(event: RecordedEvent) -> list[Send]:
    """What a loan says about a claim that is for sale."""
    match event.data:
        case ClaimReserved() as reserved:
            return [_confirm_reservation(reserved)]
        case ClaimTransferred() as transferred:
            return [_capture(transferred)]
        case ReservationReleased() as released if not released.code.startswith("offer_"):
            # What an offer's own end released, it knows.
            return [Send("close-offer", released.offer_id, CloseOffer(code=released.code))]
        case CommandRefused(command_type=command) as refused if command == _RESERVE and refused.about:
            return [Send("refuse-offer", refused.about["offer_id"], RefuseOffer(code=refused.code))]
        case CommandRefused(command_type=command) as refused if command == _TRANSFER and refused.about:
            reopen = ReopenOffer(hold_id=refused.about["hold_id"], code=refused.code)
            return [Send("reopen-offer", refused.about["offer_id"], reopen)]
        case _:
            return []


def _record_take(held: PurchaseHeld) -> Send:
    take = RecordTake(
        hold_id=held.hold_id,
        account_id=held.account_id,
        buyer=held.owner,
        held_fen=held.amount_fen,
        suitability_level=held.suitability_level,
        suitability_valid_to=held.suitability_valid_to,
        related=held.related,
    )
    about = {"hold_id": held.hold_id, "account_id": held.account_id}
    return Send("take", held.offer_id, take, about)


def _is_refused_take(refused: CommandRefused) -> bool:
    return refused.command_type == name_of(RecordTake) and "hold_id" in refused.about


def _release(account_id: str, hold_id: str, reason: str) -> Send:
    return Send(f"release:{hold_id}", account_id, ReleasePurchase(hold_id=hold_id, reason=reason))


def _confirm_reservation(reserved: ClaimReserved) -> Send:
    confirm = ConfirmReservation(
        offer_id=reserved.offer_id,
        loan_id=reserved.loan_id,
        borrower=reserved.borrower,
        principal_fen=reserved.principal_fen,
        interest_max_fen=reserved.interest_max_fen,
        grade=reserved.grade,
        annual_rate=reserved.annual_rate,
        matures_on=reserved.matures_on,
        product=reserved.product,
        region=reserved.region,
        method=reserved.method,
    )
    return Send("reserved", f"lst_{reserved.loan_id.removeprefix('loan_')}", confirm)


def _record_reservation(reserved: ReservationConfirmed) -> Send:
    reservation = RecordReservation(
        borrower=reserved.borrower,
        principal_fen=reserved.principal_fen,
        interest_max_fen=reserved.interest_max_fen,
        grade=reserved.grade,
        annual_rate=reserved.annual_rate,
        matures_on=reserved.matures_on,
        product=reserved.product,
        region=reserved.region,
        method=reserved.method,
        related=reserved.related,
    )
    return Send("reserved", reserved.offer_id, reservation)


def _capture(transferred: ClaimTransferred) -> Send:
    sale = Sale(
        claim_id=transferred.claim.claim_id,
        sold_claim_id=transferred.sold_claim_id,
        principal_fen=transferred.claim.principal_fen,
        price_fen=transferred.price_fen,
        interest_fen=transferred.interest_fen,
        fee_fen=transferred.fee_fen,
        transferred_on=transferred.value_date,
    )
    capture = CapturePurchase(
        hold_id=transferred.hold_id,
        loan_id=transferred.loan_id,
        seller=transferred.seller,
        seller_account=transferred.seller_account,
        sale=sale,
    )
    return Send("capture-purchase", transferred.claim.account_id, capture)


def _pay_out(captured: PurchaseCaptured) -> list[Send]:
    """The seller gets the price and the interest less the fee, the platform the fee."""
    credit = CreditSale(offer_id=captured.offer_id, loan_id=captured.loan_id, sale=captured.sale)
    sends = [Send("sale", captured.seller_account, credit)]
    if captured.sale.fee_fen:
        fee = CreditFee(
            loan_id=captured.loan_id,
            fee_id=_fee_id(captured.offer_id),
            amount_fen=captured.sale.fee_fen,
            offer_id=captured.offer_id,
        )
        sends.append(Send("fee", FEE_ACCOUNT, fee))
    return sends


def _fee_id(offer_id: str) -> str:
    return f"transfer:{offer_id}"


SAGAS = (
    Saga(
        name="offer",
        why="A claim stands in the order book only while its loan keeps it for that offer.",
        opened_by={OfferRequested: lambda asked: asked.offer_id},
        closed_by={
            OfferOpened: lambda opened: opened.offer_id,
            OfferRefused: lambda refused: refused.offer_id,
        },
        steps=(
            Step(on=ClaimReserved, send=ConfirmReservation),
            Step(on=ReservationConfirmed, send=RecordReservation),
            Step(on=CommandRefused, send=RefuseOffer),
        ),
    ),
    Saga(
        name="loan ends offer",
        why="What a missed instalment or the loan's end gave free is not for sale any more.",
        opened_by={},  # an offer that is taken, or ended by itself, says nothing, so nothing would close it
        closed_by={},
        steps=(Step(on=ReservationReleased, send=CloseOffer),),
    ),
    Saga(
        name="purchase",
        why="A buyer's money is held before the offer and its loan answer; he gets the claim, or all of it back.",
        opened_by={PurchaseHeld: lambda held: held.hold_id},
        closed_by={
            PurchaseReleased: lambda released: released.hold_id,
            PurchaseCaptured: lambda captured: captured.hold_id,
        },
        steps=(
            Step(
                on=PurchaseHeld,
                send=RecordTake,
                declined_by=(CommandRefused, OfferReopened, OfferClosed),
                compensation=ReleasePurchase,
            ),
        ),
        expected_refusals=(RecordTake,),
    ),
    Saga(
        name="taken offer",
        why="An offer that was taken is paid for when the claim is its buyer's, and open again or closed when it is not.",
        opened_by={OfferTaken: lambda taken: taken.hold_id},
        closed_by={
            PurchaseCaptured: lambda captured: captured.hold_id,
            OfferReopened: lambda reopened: reopened.hold_id,
            OfferClosed: lambda closed: (closed.hold_id,) if closed.hold_id else (),
        },
        steps=(
            Step(on=ClaimTransferred, send=CapturePurchase),
            Step(on=CommandRefused, send=ReopenOffer),
        ),
    ),
    Saga(
        name="sale",
        why="What the buyer of a claim paid goes to its seller, less the fee, and the sale is certified.",
        opened_by={PurchaseCaptured: lambda captured: captured.offer_id},
        closed_by={OfferSettled: lambda settled: settled.offer_id},
        steps=(
            Step(on=PurchaseCaptured, send=CreditSale),
            Step(on=SaleCredited, send=SettleOffer),
        ),
    ),
    Saga(
        name="transfer fee",
        why="The fee on a sale, borne by the seller, reaches the platform's fee account.",
        opened_by={
            PurchaseCaptured: lambda captured: (_fee_id(captured.offer_id),) if captured.sale.fee_fen else ()
        },
        closed_by={FeeCredited: lambda credited: (credited.fee_id,) if credited.offer_id else ()},
        steps=(Step(on=PurchaseCaptured, send=CreditFee),),
    ),
)
