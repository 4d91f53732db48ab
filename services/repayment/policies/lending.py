"""From collected funds to a loan, from money that moved to payments on it, from offers to its claims, and the end of the day.

A payment that the loan does not take is declined by event (PaymentReturned) or refused with `about`; giving the money back
is bidding's step, because the account is there.
"""

from datetime import timedelta

from libs.events.bidding import (
    FundsCollected,
    InstallmentDebited,
    InstallmentDebitFailed,
    LoanPaymentDebited,
    LoanPaymentReturned,
)
from libs.events.claims import ClaimReserved, ClaimTransferred, ReservationReleased
from libs.events.market import (
    OfferClosed,
    OfferExpired,
    OfferRefused,
    OfferReopened,
    OfferRequested,
    OfferTaken,
    OfferWithdrawn,
)
from libs.events.records import RecordedEvent
from libs.events.recovery_costs import RecoveryCostPaid
from libs.events.repayment import (
    BusinessDayClosed,
    BusinessDayCloseStarted,
    DebitFailureRecorded,
    DebitRequested,
    InstallmentDue,
    LoanOpened,
    PaymentReceived,
    PaymentReturned,
)
from libs.events.sagas import Saga, Send, Step
from libs.events.system import CommandRefused, PhaseDone
from services.repayment.commands import (
    OpenLoan,
    RecordDebit,
    RecordDebitFailure,
    RecordPayment,
    RecordPhaseDone,
    ReleaseClaim,
    ReserveClaim,
    TransferClaim,
)

#: The calendar's one stream, and the last phase of a day that somebody waits for (design.md 2.7).
CALENDAR_STREAM = "calendar"
LAST_AWAITED_PHASE = 4


def on_bidding(event: RecordedEvent) -> list[Send]:
    """Collected funds become a loan; money that left an account for a loan is recorded on it; what is offered for sale is reserved."""
    match event.data:
        case FundsCollected():
            return [_open_loan(event.data)]
        case InstallmentDebited():
            return [_record_debit(event.data)]
        case InstallmentDebitFailed():
            return [_record_debit_failure(event.data)]
        case LoanPaymentDebited():
            return [_record_payment(event.data)]
        case OfferRequested():
            return [_reserve(event.data)]
        case OfferTaken():
            return [_transfer(event.data)]
        case OfferExpired() as ended:
            return [_release(ended.loan_id, ended.offer_id, "offer_expired")]
        case OfferWithdrawn() as ended:
            return [_release(ended.loan_id, ended.offer_id, "offer_withdrawn")]
        case OfferClosed() as ended:
            return [_release(ended.loan_id, ended.offer_id, "offer_closed")]
        case _:
            return []


def on_repayment(event: RecordedEvent) -> list[Send]:
    """A partition that finished the last awaited phase tells the calendar."""
    match event.data:
        case PhaseDone(phase=phase) if phase == LAST_AWAITED_PHASE:
            done = event.data
            command = RecordPhaseDone(
                business_date=done.business_date, partition=done.partition, partitions=done.partitions
            )
            return [Send("phase-done", CALENDAR_STREAM, command)]
        case _:
            return []


def _open_loan(funds: FundsCollected) -> Send:
    command = OpenLoan(
        loan_id=funds.loan_id,
        listing_id=funds.listing_id,
        borrower=funds.borrower,
        borrower_account=funds.borrower_account,
        principal_fen=funds.amount_fen,
        annual_rate=funds.annual_rate,
        tenor_months=funds.tenor_months,
        grade=funds.grade,
        interest_fee_permille=funds.interest_fee_permille,
        funded_on=funds.funded_on,
        claims=funds.claims,
        product=funds.product,
        region=funds.region,
        repayment=funds.repayment,
        guarantor=funds.guarantor,
    )
    return Send("open-loan", funds.loan_id, command)


def _record_debit(debit: InstallmentDebited) -> Send:
    command = RecordDebit(
        debit_id=debit.debit_id,
        account_id=debit.account_id,
        debited_fen=debit.debited_fen,
        value_date=debit.value_date,
    )
    about = _about(debit.loan_id, debit.debit_id, debit.account_id, debit.debited_fen)
    return Send("record-debit", debit.loan_id, command, about)


def _record_debit_failure(debit: InstallmentDebitFailed) -> Send:
    command = RecordDebitFailure(
        debit_id=debit.debit_id, requested_fen=debit.requested_fen, value_date=debit.value_date
    )
    return Send("record-debit-failure", debit.loan_id, command)


def _record_payment(payment: LoanPaymentDebited) -> Send:
    command = RecordPayment(
        payment_id=payment.payment_id,
        account_id=payment.account_id,
        payer=payment.owner,
        amount_fen=payment.amount_fen,
        value_date=payment.value_date,
        settle=payment.settle,
        prepay=payment.prepay,
        replaces=payment.replaces,
    )
    about = _about(payment.loan_id, payment.payment_id, payment.account_id, payment.amount_fen)
    return Send("record-payment", payment.loan_id, command, about)


def _about(loan_id: str, payment_id: str, account_id: str, amount_fen: int) -> dict[str, str]:
    """What bidding needs to give the money back when the loan refuses to know it."""
    return {
        "loan_id": loan_id,
        "payment_id": payment_id,
        "account_id": account_id,
        "amount_fen": str(amount_fen),
    }


def _reserve(asked: OfferRequested) -> Send:
    command = ReserveClaim(
        offer_id=asked.offer_id,
        claim_id=asked.claim_id,
        seller=asked.seller,
        principal_fen=asked.principal_fen,
        value_date=asked.requested_on,
        may_wait=asked.redemption_id is not None,
        until=asked.until or asked.requested_on + timedelta(days=asked.window_days),
    )
    return Send("reserve-claim", asked.loan_id, command, {"offer_id": asked.offer_id})


def _transfer(taken: OfferTaken) -> Send:
    command = TransferClaim(
        offer_id=taken.offer_id,
        hold_id=taken.hold_id,
        buyer=taken.buyer,
        buyer_account=taken.buyer_account,
        price_permille=taken.price_permille,
        fee_permille=taken.fee_permille,
        held_fen=taken.held_fen,
        value_date=taken.taken_on,
        investor_cap_fen=taken.investor_cap_fen,
    )
    about = {"offer_id": taken.offer_id, "hold_id": taken.hold_id}
    return Send("transfer-claim", taken.loan_id, command, about)


def _release(loan_id: str, offer_id: str, code: str) -> Send:
    return Send("release-claim", loan_id, ReleaseClaim(offer_id=offer_id, code=code))


SAGAS = (
    Saga(
        name="open-loan",
        why="Once all holds of a funded listing are captured, the loan lives with its schedule and claims.",
        opened_by={FundsCollected: lambda event: str(event.loan_id)},
        closed_by={LoanOpened: lambda event: str(event.loan_id)},
        steps=(Step(on=FundsCollected, send=OpenLoan),),
    ),
    Saga(
        name="debit",
        why="Every debit that a loan asks for is answered on the loan: with money, or that there was none.",
        opened_by={
            InstallmentDue: lambda event: str(event.debit_id) if event.asked else (),
            DebitRequested: lambda event: str(event.debit_id),
        },
        closed_by={
            PaymentReceived: lambda event: str(event.payment_id),
            RecoveryCostPaid: lambda event: str(event.payment_id),
            DebitFailureRecorded: lambda event: str(event.debit_id),
            LoanPaymentReturned: lambda event: str(event.payment_id),
        },
        steps=(
            Step(on=InstallmentDebited, send=RecordDebit, declined_by=(PaymentReturned,)),
            Step(on=InstallmentDebitFailed, send=RecordDebitFailure),
        ),
        expected_refusals=(RecordDebit,),
    ),
    Saga(
        name="payment",
        why="Money that a payer sends to a loan is taken by it or comes back to his account.",
        opened_by={LoanPaymentDebited: lambda event: str(event.payment_id)},
        closed_by={
            PaymentReceived: lambda event: str(event.payment_id),
            RecoveryCostPaid: lambda event: str(event.payment_id),
            LoanPaymentReturned: lambda event: str(event.payment_id),
        },
        steps=(Step(on=LoanPaymentDebited, send=RecordPayment, declined_by=(PaymentReturned,)),),
        expected_refusals=(RecordPayment,),
    ),
    Saga(
        name="close-day",
        why="A business day is closed when every repayment partition has finished the last awaited phase.",
        opened_by={BusinessDayCloseStarted: lambda event: event.business_date.isoformat()},
        closed_by={BusinessDayClosed: lambda event: event.business_date.isoformat()},
        steps=(Step(on=PhaseDone, send=RecordPhaseDone),),
    ),
    Saga(
        name="reserve",
        why="A claim is offered only while its loan keeps it for that one offer, or the offer is refused.",
        opened_by={OfferRequested: lambda event: str(event.offer_id)},
        closed_by={
            ClaimReserved: lambda event: str(event.offer_id),
            OfferRefused: lambda event: str(event.offer_id),
        },
        steps=(Step(on=OfferRequested, send=ReserveClaim, declined_by=(CommandRefused,)),),
        expected_refusals=(ReserveClaim,),
    ),
    Saga(
        name="transfer",
        why="A claim that was taken is its buyer's, at amounts that the loan fixes, or the offer is open for others or closed.",
        opened_by={OfferTaken: lambda event: str(event.hold_id)},
        closed_by={
            ClaimTransferred: lambda event: str(event.hold_id),
            OfferReopened: lambda event: str(event.hold_id),
            OfferClosed: lambda event: (event.hold_id,) if event.hold_id else (),
        },
        steps=(Step(on=OfferTaken, send=TransferClaim, declined_by=(CommandRefused,)),),
        expected_refusals=(TransferClaim,),
    ),
    Saga(
        name="free claim",
        why="What an offer had reserved is its holder's to offer again once the offer has ended unsold.",
        opened_by={
            OfferExpired: lambda event: str(event.offer_id),
            OfferWithdrawn: lambda event: str(event.offer_id),
            OfferClosed: lambda event: str(event.offer_id),
        },
        closed_by={ReservationReleased: lambda event: str(event.offer_id)},
        steps=(
            Step(on=OfferExpired, send=ReleaseClaim),
            Step(on=OfferWithdrawn, send=ReleaseClaim),
            Step(on=OfferClosed, send=ReleaseClaim),
        ),
    ),
)
