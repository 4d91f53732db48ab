"""From a user to his account and from a listing to a paid-out loan: what follows on events of onboarding and our own."""

from libs.events.bidding import (
    BidDeclined,
    BidPlaced,
    FundsCollected,
    FundsHeld,
    HoldCaptured,
    HoldReduced,
    HoldReleased,
    ListingCancelled,
    ListingExpired,
    ListingFilled,
    ListingOpened,
    ListingPrepared,
    ListingRefused,
    LoanFunded,
    LoanProceedsCredited,
)
from libs.events.codec import name_of
from libs.events.onboarding import (
    ErasureRequested,
    ExposureConfirmed,
    ExposureRevoked,
    PrecedentsMet,
    RelationDeclared,
    SuitabilityAssessed,
    UserVerified,
)
from libs.events.records import RecordedEvent
from libs.events.sagas import Saga, Send, Step
from libs.events.system import CommandRefused
from services.bidding.commands import (
    CaptureHold,
    CloseAccount,
    ConfirmFunding,
    CreditProceeds,
    FundListing,
    OpenAccount,
    OpenListing,
    RecordBid,
    RecordCapture,
    RecordRelation,
    RecordSuitability,
    ReduceHold,
    RejectFunding,
    ReleaseHold,
)
from services.bidding.policies.repaying import fee_of


def on_bidding(event: RecordedEvent) -> list[Send]:
    """Listings, bids and funding: each step's next command."""
    match event.data:
        case ListingOpened() as opened:
            return [Send("account", opened.borrower_account, OpenAccount(owner=opened.borrower))]
        case FundsHeld(standing_order="") as held:
            return [_record_bid(held)]
        case BidPlaced() as placed if placed.excess_fen > 0:
            reduce = ReduceHold(hold_id=placed.bid.hold_id, keep_fen=placed.bid.amount_fen)
            return [Send("reduce", placed.bid.account_id, reduce)]
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
                    CaptureHold(hold_id=bid.hold_id, loan_id=funded.loan_id, amount_fen=bid.amount_fen),
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


def on_onboarding(event: RecordedEvent) -> list[Send]:
    """What is said of a user reaches his account; an application that is ready is listed, and funded while its caps are kept."""
    match event.data:
        case UserVerified() as verified:
            account_id = _account(verified.user_id)
            relations = [_relation(account_id, related) for related in verified.related]
            return [Send("account", account_id, OpenAccount(owner=verified.user_id)), *relations]
        case SuitabilityAssessed() as assessed:
            suitability = RecordSuitability(level=assessed.level, valid_to=assessed.valid_to)
            return [Send("suitability", _account(assessed.user_id), suitability)]
        case RelationDeclared() as declared:
            return [_relation(_account(declared.user_id), declared.related)]
        case ErasureRequested() as leaving:
            return [Send("close", _account(leaving.user_id), CloseAccount(owner=leaving.user_id))]
        case PrecedentsMet() as ready:
            return [_open_listing(ready)]
        case ExposureConfirmed(step="funding") as kept:
            confirm = ConfirmFunding(related_to_staff=kept.related_to_staff)
            return [Send("caps", _listing(kept.loan_id), confirm)]
        case ExposureRevoked(step="funding") as revoked:
            return [Send("caps", _listing(revoked.loan_id), RejectFunding(code=revoked.code))]
        case _:
            return []


def _account(user_id: str) -> str:
    return f"acc_{user_id.removeprefix('usr_')}"


def _relation(account_id: str, related: str) -> Send:
    return Send(f"relation:{related}", account_id, RecordRelation(related=related))


def _listing(loan_id: str) -> str:
    return f"lst_{loan_id.removeprefix('loan_')}"


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
        borrower_kind=ready.borrower_kind,
        purpose=ready.purpose,
        method=ready.method,
        owes_fen=ready.exposure_fen,
        prepared_by=ready.checked_by,
        related_to_staff=ready.related_to_staff,
        repayment=ready.repayment,
        guarantor=ready.guarantor,
    )
    about = {"loan_id": ready.loan_id, "application_id": ready.application_id}
    return Send("list", _listing(ready.loan_id), listing, about)


def _record_bid(held: FundsHeld) -> Send:
    bid = RecordBid(
        bid_id=held.bid_id,
        hold_id=held.hold_id,
        account_id=held.account_id,
        investor=held.owner,
        amount_fen=held.amount_fen,
        suitability_level=held.suitability_level,
        suitability_valid_to=held.suitability_valid_to,
        related=held.related,
        allow_partial=held.allow_partial,
        has_lent=held.has_lent,
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
        sends.append(fee_of(collected.loan_id, fee_id, fee_fen))
    return sends


def _is_refused_bid(refused: CommandRefused) -> bool:
    return refused.command_type == name_of(RecordBid) and "hold_id" in refused.about


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
        name="relation",
        why="A relation that is declared while a loan is listed counts for the next bid, so the investor's account knows it.",
        opened_by={},  # likewise
        closed_by={},
        steps=(Step(on=RelationDeclared, send=RecordRelation), Step(on=UserVerified, send=RecordRelation)),
    ),
    Saga(
        name="close account",
        why="Whoever wants to be forgotten has no money here and no claims; his account says so, and closes.",
        opened_by={},  # onboarding keeps the erasure open until the account has answered
        closed_by={},
        steps=(Step(on=ErasureRequested, send=CloseAccount),),
    ),
    Saga(
        name="list",
        why="An application whose conditions are met is listed or prepared for it, or onboarding hears that its exposure is free again.",
        opened_by={PrecedentsMet: lambda ready: ready.loan_id},
        closed_by={
            ListingOpened: lambda opened: opened.loan_id,
            ListingPrepared: lambda prepared: prepared.loan_id,
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
        name="partial bid",
        why="A listing that took a part of a bid leaves the rest of its money with the investor.",
        opened_by={BidPlaced: lambda placed: (placed.bid.hold_id,) if placed.excess_fen else ()},
        closed_by={
            HoldReduced: lambda reduced: reduced.hold_id,
            HoldReleased: lambda released: released.hold_id,
        },
        steps=(Step(on=BidPlaced, send=ReduceHold),),
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
        why="A listing that was taken back, or that its review or a cap rejected, gives every investor his money back.",
        opened_by={ListingCancelled: lambda cancelled: tuple(bid.hold_id for bid in cancelled.bids)},
        closed_by={HoldReleased: lambda released: released.hold_id},
        steps=(Step(on=ListingCancelled, send=ReleaseHold),),
    ),
    Saga(
        name="fund",
        why="A filled listing passes review, by itself or by two people and a third who pays it out, and while the caps are kept captures every hold.",
        opened_by={ListingFilled: lambda filled: filled.loan_id},
        closed_by={
            FundsCollected: lambda collected: collected.loan_id,
            ListingCancelled: lambda cancelled: cancelled.loan_id,
        },
        steps=(
            Step(on=ListingFilled, send=FundListing),
            Step(on=ExposureConfirmed, send=ConfirmFunding),
            Step(on=ExposureRevoked, send=RejectFunding),
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
)
