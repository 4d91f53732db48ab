"""Events of `bidding` about the deal pack of a claim: the papers that staff issue, review, seal and send to a lender.

Each step is another person's (`signer`); `next_step` is what the pack waits for after it. They stand in a file of
their own, and whoever needs them names it: `libs.events.bidding` is as long as a file may be.
"""

from datetime import date
from typing import Literal

from libs.events.codec import event
from libs.events.money import Count, PositiveFen
from libs.events.onboarding import Code, TextHash

PackStep = Literal[
    "receipt",
    "claim_list",
    "review",
    "seal_legal_representative",
    "seal_company",
    "seal_guarantor",
    "delivery",
]
"""What is done to a pack, in this order (processes.md 1.G.6); the guarantor seals only where the loan has one."""

Seal = Literal["legal_representative", "company", "guarantor"]
Channel = Literal["post", "email"]


@event("bidding.DealPackOpened.v1")
class DealPackOpened:
    """A claim of a funded loan is to have its papers by the end of `due_on`; its certificate is known by its hash."""

    pack_id: str
    contract_id: str
    loan_id: str
    claim_id: str
    account_id: str
    investor: str
    principal_fen: PositiveFen
    certificate_hash: TextHash
    guarantor: str | None
    due_on: date
    next_step: PackStep
    borrower: str = ""


@event("bidding.DeliveryChosen.v1")
class DeliveryChosen:
    """The investor said how he wants his papers."""

    pack_id: str
    investor: str
    channel: Channel


@event("bidding.ReceiptConfirmed.v1")
class ReceiptConfirmed:
    """Accounting found that the claim's money arrived: the receipt confirmation lies in the pack."""

    pack_id: str
    loan_id: str
    claim_id: str
    principal_fen: PositiveFen
    signer: str
    next_step: PackStep


@event("bidding.ClaimListIssued.v1")
class ClaimListIssued:
    """Risk wrote the list of claims: the pack is issued."""

    pack_id: str
    loan_id: str
    claim_id: str
    signer: str
    next_step: PackStep


@event("bidding.DealPackReviewed.v1")
class DealPackReviewed:
    """Legal found the pack right."""

    pack_id: str
    loan_id: str
    claim_id: str
    signer: str
    next_step: PackStep


@event("bidding.DealPackSentBack.v1")
class DealPackSentBack:
    """Legal found the pack wrong (`code`): it is issued again from its first step."""

    pack_id: str
    loan_id: str
    claim_id: str
    signer: str
    code: Code
    next_step: PackStep


@event("bidding.DealPackSealed.v1")
class DealPackSealed:
    """One seal is on the pack; `missing` are still to come."""

    pack_id: str
    loan_id: str
    claim_id: str
    seal: Seal
    signer: str
    missing: Count
    next_step: PackStep


@event("bidding.DealPackDelivered.v1")
class DealPackDelivered:
    """The pack was sent to the investor by the channel that he chose."""

    pack_id: str
    loan_id: str
    claim_id: str
    investor: str
    channel: Channel
    signer: str
    delivered_on: date


@event("bidding.DealPackOverdue.v1")
class DealPackOverdue:
    """The day on which the pack was due ended before it was delivered; said once."""

    pack_id: str
    loan_id: str
    claim_id: str
    investor: str
    due_on: date
    next_step: PackStep
