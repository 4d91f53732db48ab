"""What a deal pack remembers: which step comes next, who has signed what, and how its events change that."""

from dataclasses import replace
from datetime import date
from typing import Literal, assert_never

from libs.events.codec import record
from libs.events.deal_packs import (
    Channel,
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
    Seal,
)
from libs.events.money import PositiveFen
from libs.events.onboarding import Code
from libs.events.void_papers import DealPackVoided

#: The seals in their order, by the steps that set them.
SEAL_STEPS: dict[Seal, PackStep] = {
    "legal_representative": "seal_legal_representative",
    "company": "seal_company",
    "guarantor": "seal_guarantor",
}
#: All steps in their order.
STEPS: tuple[PackStep, ...] = ("receipt", "claim_list", "review", *SEAL_STEPS.values(), "delivery")


@record
class Signature:
    """Who did a step."""

    step: PackStep
    signer: str


@record
class NotOpened:
    """No such pack."""

    kind: Literal["not_opened"] = "not_opened"


@record
class InWork:
    """Waits for `next_step`. `signatures` are all that were ever given, those before it was sent back included.

    `sent_back` is legal's code until the first step is done again; `channel` is None until the investor has chosen.
    """

    kind: Literal["in_work"] = "in_work"
    pack_id: str
    loan_id: str
    claim_id: str
    investor: str
    principal_fen: PositiveFen
    has_guarantor: bool
    due_on: date
    next_step: PackStep
    signatures: tuple[Signature, ...]
    sent_back: Code | None
    channel: Channel | None
    is_overdue: bool
    borrower: str = ""
    guarantor: str = ""

    @property
    def steps(self) -> tuple[PackStep, ...]:
        """What this pack needs, in order."""
        return tuple(step for step in STEPS if self.has_guarantor or step != "seal_guarantor")

    def after(self, step: PackStep) -> PackStep:
        """The step that follows; `delivery` is the last."""
        following = self.steps[self.steps.index(step) + 1 :]
        return following[0] if following else step


@record
class Delivered:
    """Sent: the end of it."""

    kind: Literal["delivered"] = "delivered"
    investor: str
    has_guarantor: bool
    channel: Channel


@record
class Voided:
    """Its loan's contract is void: nothing more is done."""

    kind: Literal["voided"] = "voided"
    investor: str


PackState = NotOpened | InWork | Delivered | Voided
_Signed = ReceiptConfirmed | ClaimListIssued | DealPackReviewed | DealPackSealed
PackEvent = (
    DealPackOpened
    | DeliveryChosen
    | _Signed
    | DealPackSentBack
    | DealPackDelivered
    | DealPackOverdue
    | DealPackVoided
)


def evolve(state: PackState, event: PackEvent) -> PackState:
    """Fold one event. Never refuses: what happened, happened."""
    if isinstance(event, DealPackOpened):
        return _opened(event)
    if isinstance(event, DealPackVoided):
        return Voided(investor=event.investor)
    assert isinstance(state, InWork), "only a pack in work has a history"
    match event:
        case DeliveryChosen():
            return replace(state, channel=event.channel)
        case ReceiptConfirmed() | ClaimListIssued() | DealPackReviewed() | DealPackSealed():
            return replace(_signed(state, event.signer), next_step=event.next_step, sent_back=None)
        case DealPackSentBack():
            return replace(_signed(state, event.signer), next_step=event.next_step, sent_back=event.code)
        case DealPackDelivered():
            return Delivered(
                investor=state.investor, has_guarantor=state.has_guarantor, channel=event.channel
            )
        case DealPackOverdue():
            return replace(state, is_overdue=True)
        case _:
            assert_never(event)


def _opened(event: DealPackOpened) -> InWork:
    return InWork(
        pack_id=event.pack_id,
        loan_id=event.loan_id,
        claim_id=event.claim_id,
        investor=event.investor,
        principal_fen=event.principal_fen,
        has_guarantor=event.guarantor is not None,
        due_on=event.due_on,
        next_step=event.next_step,
        signatures=(),
        sent_back=None,
        channel=None,
        is_overdue=False,
        borrower=event.borrower,
        guarantor=event.guarantor or "",
    )


def _signed(state: InWork, signer: str) -> InWork:
    """Whoever signed the step that the pack waited for; the same again, after it was sent back, is known already."""
    signature = Signature(step=state.next_step, signer=signer)
    if signature in state.signatures:
        return state
    return replace(state, signatures=(*state.signatures, signature))
