"""The deal pack of a claim: issued by accounting and risk, reviewed by legal, sealed, and delivered as its lender wishes.

Each step is signed by another person (processes.md 1.A rules 3 to 5, 1.G.6); which post a step belongs to, the API asks the staff.
"""

from collections.abc import Sequence
from typing import assert_never, get_args

from libs.events.deal_packs import (
    ClaimListIssued,
    DealPackDelivered,
    DealPackOpened,
    DealPackOverdue,
    DealPackReviewed,
    DealPackSealed,
    DealPackSentBack,
    DeliveryChosen,
    PackStep,
    ReceiptConfirmed,
)
from libs.events.deciding import Aggregate, Context, Refused, Wake, WakeOn
from libs.events.void_papers import DealPackVoided
from services.bidding.commands.papers import (
    ChooseDelivery,
    ConfirmReceipt,
    DeliverDealPack,
    IssueClaimList,
    OpenDealPack,
    ReviewDealPack,
    SealDealPack,
    VoidDealPack,
)
from services.bidding.domain.deal_pack_state import (
    SEAL_STEPS,
    STEPS,
    Delivered,
    InWork,
    NotOpened,
    PackEvent,
    PackState,
    Voided,
    evolve,
)
from services.bidding.domain.ids import pack_of, require_staff, user_of_guarantor

#: The phase of a day in which a pack becomes overdue (design.md 2.7): the one that ends the day here.
OVERDUE_PHASE = 1

_Step = ConfirmReceipt | IssueClaimList | ReviewDealPack | SealDealPack | DeliverDealPack
PackCommand = OpenDealPack | ChooseDelivery | VoidDealPack | _Step


def decide(command: PackCommand | Wake, state: PackState, context: Context) -> Sequence[PackEvent]:
    """What a command does to a pack. Refusals stand on the commands."""
    match command:
        case Wake():
            return _overdue(command, state)
        case OpenDealPack():
            return _open(command, state)
        case ChooseDelivery():
            return _choose(command, state, context)
        case VoidDealPack():
            return _void(command, state)
        case _:
            return _step(command, state, context)


def _open(command: OpenDealPack, state: PackState) -> Sequence[DealPackOpened]:
    if not isinstance(state, NotOpened):
        return []
    return [
        DealPackOpened(
            pack_id=pack_of(command.claim_id),
            contract_id=command.contract_id,
            loan_id=command.loan_id,
            claim_id=command.claim_id,
            account_id=command.account_id,
            investor=command.investor,
            principal_fen=command.principal_fen,
            certificate_hash=command.certificate_hash,
            guarantor=command.guarantor,
            due_on=command.due_on,
            next_step=STEPS[0],
            borrower=command.borrower,
        )
    ]


def _choose(command: ChooseDelivery, state: PackState, context: Context) -> Sequence[DeliveryChosen]:
    # Other people's packs do not exist for anybody, whatever an API forgot to check.
    if isinstance(state, NotOpened) or context.principal != state.investor:
        raise Refused("unknown_pack")
    if isinstance(state, Voided):
        raise Refused("pack_voided")
    if command.channel == state.channel:
        return []
    if isinstance(state, Delivered):
        raise Refused("pack_delivered")
    return [DeliveryChosen(pack_id=state.pack_id, investor=state.investor, channel=command.channel)]


def _void(command: VoidDealPack, state: PackState) -> Sequence[DealPackVoided]:
    """Delivered or not; where the certificate is all that a lender gets, there is no pack."""
    if isinstance(state, NotOpened | Voided):
        return []
    return [
        DealPackVoided(
            pack_id=pack_of(command.claim_id),
            loan_id=command.loan_id,
            claim_id=command.claim_id,
            investor=state.investor,
            measure_id=command.measure_id,
            voided_on=command.voided_on,
        )
    ]


# --- steps ---------------------------------------------------------------------------------------------------------


def _step(command: _Step, state: PackState, context: Context) -> Sequence[PackEvent]:
    require_staff(context.principal)
    step = _step_of(command)
    match state:
        case NotOpened():
            raise Refused("unknown_pack")
        case Voided():
            raise Refused("pack_voided")
        case Delivered():
            _require_needed(step, has_guarantor=state.has_guarantor)
            return _again(command)
        case InWork():
            _require_needed(step, has_guarantor=state.has_guarantor)
            if isinstance(command, ReviewDealPack) and command.sent_back == state.sent_back is not None:
                return []
            if STEPS.index(step) < STEPS.index(state.next_step):
                return _again(command)
            _require_no_party(state, command.himself)
            _require_another(state, step, context.principal)
            if step != state.next_step:
                raise Refused("step_out_of_order")
            return [_done(command, state, context)]
        case _:
            assert_never(state)


def _require_no_party(state: InWork, himself: str | None) -> None:
    """Nobody who is a party to the contract makes its papers."""
    if himself is None:
        return
    if himself == state.investor:
        raise Refused("forbidden_holder")
    if himself == state.borrower:
        raise Refused("forbidden_borrower")
    if state.guarantor and himself == user_of_guarantor(state.guarantor):
        raise Refused("forbidden_guarantor")


def _step_of(command: _Step) -> PackStep:
    match command:
        case ConfirmReceipt():
            return "receipt"
        case IssueClaimList():
            return "claim_list"
        case ReviewDealPack():
            return "review"
        case SealDealPack():
            return SEAL_STEPS[command.seal]
        case DeliverDealPack():
            return "delivery"
        case _:
            assert_never(command)


def _require_needed(step: PackStep, *, has_guarantor: bool) -> None:
    if step == "seal_guarantor" and not has_guarantor:
        raise Refused("seal_not_needed")


def _again(command: _Step) -> Sequence[PackEvent]:
    """The step is done, so there is nothing to do; but what was found right is not sent back any more."""
    if isinstance(command, ReviewDealPack) and command.sent_back is not None:
        raise Refused("pack_reviewed")
    return []


def _require_another(state: InWork, step: PackStep, signer: str) -> None:
    """Nobody signs two steps of one pack, not even of two rounds of it."""
    if any(given.signer == signer and given.step != step for given in state.signatures):
        raise Refused("forbidden_second_signature")


def _done(command: _Step, state: InWork, context: Context) -> PackEvent:
    pack_id, loan_id, claim_id, signer = state.pack_id, state.loan_id, state.claim_id, context.principal
    following = state.after(state.next_step)
    match command:
        case ConfirmReceipt():
            return ReceiptConfirmed(
                pack_id=pack_id,
                loan_id=loan_id,
                claim_id=claim_id,
                principal_fen=state.principal_fen,
                signer=signer,
                next_step=following,
            )
        case IssueClaimList():
            return ClaimListIssued(
                pack_id=pack_id, loan_id=loan_id, claim_id=claim_id, signer=signer, next_step=following
            )
        case ReviewDealPack(sent_back=None):
            return DealPackReviewed(
                pack_id=pack_id, loan_id=loan_id, claim_id=claim_id, signer=signer, next_step=following
            )
        case ReviewDealPack():
            assert command.sent_back is not None, "the case above"
            return DealPackSentBack(
                pack_id=pack_id,
                loan_id=loan_id,
                claim_id=claim_id,
                signer=signer,
                code=command.sent_back,
                next_step=STEPS[0],
            )
        case SealDealPack():
            return DealPackSealed(
                pack_id=pack_id,
                loan_id=loan_id,
                claim_id=claim_id,
                seal=command.seal,
                signer=signer,
                missing=state.steps.index("delivery") - state.steps.index(following),
                next_step=following,
            )
        case DeliverDealPack():
            return _delivered(state, context)
        case _:
            assert_never(command)


def _delivered(state: InWork, context: Context) -> DealPackDelivered:
    if state.channel is None:
        raise Refused("delivery_not_chosen")
    return DealPackDelivered(
        pack_id=state.pack_id,
        loan_id=state.loan_id,
        claim_id=state.claim_id,
        investor=state.investor,
        channel=state.channel,
        signer=context.principal,
        delivered_on=context.business_date,
    )


# --- time ----------------------------------------------------------------------------------------------------------


def _overdue(wake: Wake, state: PackState) -> Sequence[DealPackOverdue]:
    due = wake_on(state)
    if due is None or (wake.business_date, wake.phase) < due:
        return []
    assert isinstance(state, InWork), "only a pack in work is due"
    return [
        DealPackOverdue(
            pack_id=state.pack_id,
            loan_id=state.loan_id,
            claim_id=state.claim_id,
            investor=state.investor,
            due_on=state.due_on,
            next_step=state.next_step,
        )
    ]


def wake_on(state: PackState) -> WakeOn:
    """The end of the day on which it is due."""
    if isinstance(state, InWork) and not state.is_overdue:
        return state.due_on, OVERDUE_PHASE
    return None


AGGREGATE = Aggregate(
    name="deal pack",
    prefix="pack",
    commands=get_args(PackCommand),
    events=get_args(PackEvent),
    state=PackState,
    initial=NotOpened(),
    decide=decide,
    evolve=evolve,
    wake_on=wake_on,
)
