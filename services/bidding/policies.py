"""What bidding does next about an event of its own, of repayment or of onboarding, and the table of its sagas.

Pure: an event carries all that the next step needs. A step that can be declined says who undoes it.
"""

from libs.events.bidding import (
    BidDeclined,
    BidPlaced,
    FeeCredited,
    FundsCollected,
    FundsHeld,
    HoldCaptured,
    HoldReleased,
    InstallmentDebited,
    InstallmentDebitFailed,
    InvestorCredited,
    ListingCancelled,
    ListingExpired,
    ListingFilled,
    ListingOpened,
    ListingRefused,
    LoanFunded,
    LoanPaymentReturned,
    LoanProceedsCredited,
)
from libs.events.codec import name_of
from libs.events.onboarding import PrecedentsMet, SuitabilityAssessed, UserVerified
from libs.events.records import RecordedEvent
from libs.events.repayment import (
    DebitRequested,
    InstallmentDue,
    OverpaymentReturned,
    PaymentReturned,
    RepaymentDistributed,
)
from libs.events.sagas import Saga, Send, Step
from libs.events.system import CommandRefused
from services.bidding.commands import (
    FEE_ACCOUNT,
    CaptureHold,
    CreditFee,
    CreditInvestor,
    CreditProceeds,
    DebitInstallment,
    FundListing,
    OpenAccount,
    OpenListing,
    RecordBid,
    RecordCapture,
    RecordSuitability,
    ReleaseHold,
    ReturnPayment,
)

#: Commands of repayment that carry money of an account of ours; a refusal brings the ids back to return it.
_CARRIES_MONEY = ("repayment.RecordPayment", "repayment.RecordDebit")


def on_bidding(event: RecordedEvent) -> list[Send]:
    """Listings, bids and funding: each step's next command."""
    match event.data:
        case ListingOpened() as opened:
            return [Send("account", opened.borrower_account, OpenAccount(owner=opened.borrower))]
        case FundsHeld() as held:
            return [_record_bid(held)]
        case BidDeclined() as declined:
            return [_release(declined.account_id, declined.hold_id, declined.code)]
        case CommandRefused() as refused if _is_refused_bid(refused):
            return [_release(refused.about["account_id"], refused.about["hold_id"], refused.code)]
        case ListingExpired() as expired:
            return [_release(bid.account_id, bid.hold_id, "listing_expired") for bid in expired.bids]
        case ListingCancelled() as cancelled:
            return [_release(bid.account_id, bid.hold_id, "listing_cancelled") for bid in cancelled.bids]
        case ListingFilled(reviews_needed=0) as filled:
            return [Send("fund", filled.listing_id, FundListing())]
        case LoanFunded() as funded:
            return [
                Send(
                    f"capture:{bid.hold_id}",
                    bid.account_id,
                    CaptureHold(hold_id=bid.hold_id, loan_id=funded.loan_id),
                )
                for bid in funded.bids
            ]
        case HoldCaptured() as captured:
            capture = RecordCapture(hold_id=captured.hold_id, amount_fen=captured.amount_fen)
            return [Send("captured", captured.listing_id, capture)]
        case FundsCollected() as collected:
            return _pay_out(collected)
        case _:
            return []


def on_repayment(event: RecordedEvent) -> list[Send]:
    """Debits, distributions and returns: money that repayment decides about moves in our accounts."""
    match event.data:
        case InstallmentDue() | DebitRequested() as asked:
            debit = DebitInstallment(
                loan_id=asked.loan_id,
                debit_id=asked.debit_id,
                requested_fen=asked.debit_fen,
                value_date=asked.value_date,
            )
            return [Send("debit", asked.borrower_account, debit)]
        case RepaymentDistributed() as distributed:
            return _distribute(distributed)
        case OverpaymentReturned() as over:
            return [_return(over.account_id, over.loan_id, over.payment_id, over.amount_fen, "overpayment")]
        case PaymentReturned() as returned:
            return [
                _return(
                    returned.account_id,
                    returned.loan_id,
                    returned.payment_id,
                    returned.amount_fen,
                    returned.code,
                )
            ]
        case CommandRefused() as refused if _is_refused_payment(refused):
            about = refused.about
            amount_fen = int(about["amount_fen"])
            return [
                _return(about["account_id"], about["loan_id"], about["payment_id"], amount_fen, refused.code)
            ]
        case _:
            return []


def on_onboarding(event: RecordedEvent) -> list[Send]:
    """A verified user has an account, his assessment reaches it, and an application that is ready is listed."""
    match event.data:
        case UserVerified() as verified:
            account_id = f"acc_{verified.user_id.removeprefix('usr_')}"
            return [Send("account", account_id, OpenAccount(owner=verified.user_id))]
        case SuitabilityAssessed() as assessed:
            account_id = f"acc_{assessed.user_id.removeprefix('usr_')}"
            suitability = RecordSuitability(level=assessed.level, valid_to=assessed.valid_to)
            return [Send("suitability", account_id, suitability)]
        case PrecedentsMet() as ready:
            return [_open_listing(ready)]
        case _:
            return []


def _open_listing(ready: PrecedentsMet) -> Send:
    listing = OpenListing(
        loan_id=ready.loan_id,
        borrower=ready.borrower,
        amount_fen=ready.amount_fen,
        annual_rate=ready.annual_rate,
        tenor_months=ready.tenor_months,
        grade=ready.grade,
        window_days=ready.window_days,
        origination_fee_fen=ready.origination_fee_fen,
        interest_fee_permille=ready.interest_fee_permille,
        product=ready.product,
        region=ready.region,
        owner=ready.owner,
        related=ready.related,
        application_id=ready.application_id,
    )
    about = {"loan_id": ready.loan_id, "application_id": ready.application_id}
    return Send("list", f"lst_{ready.loan_id.removeprefix('loan_')}", listing, about)


def _record_bid(held: FundsHeld) -> Send:
    bid = RecordBid(
        bid_id=held.bid_id,
        hold_id=held.hold_id,
        account_id=held.account_id,
        investor=held.owner,
        amount_fen=held.amount_fen,
        suitability_level=held.suitability_level,
        suitability_valid_to=held.suitability_valid_to,
    )
    about = {"hold_id": held.hold_id, "account_id": held.account_id}
    return Send("bid", held.listing_id, bid, about)


def _release(account_id: str, hold_id: str, reason: str) -> Send:
    return Send(f"release:{hold_id}", account_id, ReleaseHold(hold_id=hold_id, reason=reason))


def _pay_out(collected: FundsCollected) -> list[Send]:
    """The borrower gets the loan less the fee, which is always smaller than the loan."""
    fee_fen = collected.origination_fee_fen
    proceeds = CreditProceeds(loan_id=collected.loan_id, amount_fen=collected.amount_fen - fee_fen)
    sends = [Send("proceeds", collected.borrower_account, proceeds)]
    if fee_fen > 0:
        fee_id = f"origination:{collected.loan_id}"
        sends.append(_fee(collected.loan_id, fee_id, fee_fen))
    return sends


def _distribute(distributed: RepaymentDistributed) -> list[Send]:
    """Each holder his share, the platform its fees; a share that the fee eats up is not sent."""
    sends = [
        Send(
            f"credit:{line.claim_id}",
            line.account_id,
            CreditInvestor(
                loan_id=distributed.loan_id,
                claim_id=line.claim_id,
                distribution_id=distributed.distribution_id,
                principal_fen=line.principal_fen,
                interest_fen=line.interest_fen,
                fee_fen=line.fee_fen,
                penalty_fen=line.penalty_fen,
            ),
        )
        for line in distributed.lines
        if line.principal_fen + line.interest_fen + line.penalty_fen > line.fee_fen
    ]
    if distributed.fee_fen > 0:
        sends.append(_fee(distributed.loan_id, distributed.distribution_id, distributed.fee_fen))
    return sends


def _fee(loan_id: str, fee_id: str, amount_fen: int) -> Send:
    return Send("fee", FEE_ACCOUNT, CreditFee(loan_id=loan_id, fee_id=fee_id, amount_fen=amount_fen))


def _return(account_id: str, loan_id: str, payment_id: str, amount_fen: int, reason: str) -> Send:
    back = ReturnPayment(loan_id=loan_id, payment_id=payment_id, amount_fen=amount_fen, reason=reason)
    return Send("return", account_id, back)


def _is_refused_bid(refused: CommandRefused) -> bool:
    return refused.command_type == name_of(RecordBid) and "hold_id" in refused.about


def _is_refused_payment(refused: CommandRefused) -> bool:
    return refused.command_type in _CARRIES_MONEY and "payment_id" in refused.about


POLICIES = {"bidding": on_bidding, "repayment": on_repayment, "onboarding": on_onboarding}

SAGAS = (
    Saga(
        name="user account",
        why="Whoever was verified has a custody account.",
        opened_by={},  # an account that was opened before says nothing, so nothing would close it
        closed_by={},
        steps=(Step(on=UserVerified, send=OpenAccount),),
    ),
    Saga(
        name="suitability",
        why="An investor's bids are judged by his last assessment, so his account knows it.",
        opened_by={},  # likewise for an assessment that is known
        closed_by={},
        steps=(Step(on=SuitabilityAssessed, send=RecordSuitability),),
    ),
    Saga(
        name="list",
        why="An application whose conditions are met is listed, or onboarding hears that its exposure is free again.",
        opened_by={PrecedentsMet: lambda ready: ready.loan_id},
        closed_by={
            ListingOpened: lambda opened: opened.loan_id,
            ListingRefused: lambda refused: refused.loan_id,
        },
        steps=(Step(on=PrecedentsMet, send=OpenListing, declined_by=(ListingRefused,)),),
    ),
    Saga(
        name="borrower account",
        why="A funded loan is paid to an account, so the borrower has one before the first bid is placed.",
        opened_by={},
        closed_by={},
        steps=(Step(on=ListingOpened, send=OpenAccount),),
    ),
    Saga(
        name="bid",
        why="A bid's money is held before the listing answers; a bid that is not accepted gets it back.",
        opened_by={FundsHeld: lambda held: held.hold_id},
        closed_by={
            BidPlaced: lambda placed: placed.bid.hold_id,
            HoldReleased: lambda released: released.hold_id,
        },
        steps=(
            Step(
                on=FundsHeld,
                send=RecordBid,
                declined_by=(BidDeclined, CommandRefused),
                compensation=ReleaseHold,
            ),
        ),
        expected_refusals=(RecordBid,),
    ),
    Saga(
        name="expire",
        why="A listing that was not filled in its window gives every investor his money back.",
        opened_by={ListingExpired: lambda expired: tuple(bid.hold_id for bid in expired.bids)},
        closed_by={HoldReleased: lambda released: released.hold_id},
        steps=(Step(on=ListingExpired, send=ReleaseHold),),
    ),
    Saga(
        name="cancel",
        why="A listing that its review rejected gives every investor his money back.",
        opened_by={ListingCancelled: lambda cancelled: tuple(bid.hold_id for bid in cancelled.bids)},
        closed_by={HoldReleased: lambda released: released.hold_id},
        steps=(Step(on=ListingCancelled, send=ReleaseHold),),
    ),
    Saga(
        name="fund",
        why="A filled listing passes review, by itself or by two people, and captures every hold; none can be refused.",
        opened_by={ListingFilled: lambda filled: filled.loan_id},
        closed_by={
            FundsCollected: lambda collected: collected.loan_id,
            ListingCancelled: lambda cancelled: cancelled.loan_id,
        },
        steps=(
            Step(on=ListingFilled, send=FundListing),
            Step(on=LoanFunded, send=CaptureHold),
            Step(on=HoldCaptured, send=RecordCapture),
        ),
    ),
    Saga(
        name="pay out",
        why="The collected money goes to the borrower, less the fee: the platform never lends in between.",
        opened_by={FundsCollected: lambda collected: collected.loan_id},
        closed_by={LoanProceedsCredited: lambda credited: credited.loan_id},
        steps=(Step(on=FundsCollected, send=CreditProceeds),),
    ),
    Saga(
        name="debit",
        why="What a loan asks for is taken from the borrower's account, and the answer says how much there was.",
        opened_by={
            InstallmentDue: lambda due: due.debit_id,
            DebitRequested: lambda requested: requested.debit_id,
        },
        closed_by={
            InstallmentDebited: lambda debited: debited.debit_id,
            InstallmentDebitFailed: lambda failed: failed.debit_id,
        },
        steps=(
            Step(on=InstallmentDue, send=DebitInstallment),
            Step(on=DebitRequested, send=DebitInstallment),
        ),
    ),
    Saga(
        name="distribute",
        why="What the borrower paid is credited to the claim holders of that moment.",
        opened_by={RepaymentDistributed: lambda distributed: _credits(distributed)},
        closed_by={InvestorCredited: lambda credited: f"{credited.distribution_id}/{credited.claim_id}"},
        steps=(Step(on=RepaymentDistributed, send=CreditInvestor),),
    ),
    Saga(
        name="fee",
        why="The platform's fee of a loan or a distribution reaches its fee account.",
        opened_by={
            FundsCollected: lambda collected: (
                (f"origination:{collected.loan_id}",) if collected.origination_fee_fen else ()
            ),
            RepaymentDistributed: lambda distributed: (
                (distributed.distribution_id,) if distributed.fee_fen else ()
            ),
        },
        closed_by={FeeCredited: lambda credited: credited.fee_id},
        steps=(Step(on=FundsCollected, send=CreditFee), Step(on=RepaymentDistributed, send=CreditFee)),
    ),
    Saga(
        name="return",
        why="Money that a loan did not take, in part or at all, comes back to who paid it.",
        opened_by={
            PaymentReturned: lambda returned: returned.payment_id,
            OverpaymentReturned: lambda over: over.payment_id,
            CommandRefused: lambda refused: (
                (refused.about["payment_id"],) if _is_refused_payment(refused) else ()
            ),
        },
        closed_by={LoanPaymentReturned: lambda returned: returned.payment_id},
        steps=(
            Step(on=PaymentReturned, send=ReturnPayment),
            Step(on=OverpaymentReturned, send=ReturnPayment),
            Step(on=CommandRefused, send=ReturnPayment),
        ),
    ),
)


def _credits(distributed: RepaymentDistributed) -> tuple[str, ...]:
    return tuple(
        f"{distributed.distribution_id}/{send.command.claim_id}"
        for send in _distribute(distributed)
        if isinstance(send.command, CreditInvestor)
    )
