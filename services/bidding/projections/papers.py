"""Views of papers. `bidding.contracts`: each loan's contract as its event tells it, so that its texts can be written again.
`bidding.deal-packs`: each pack, what it waits for and who signed.

Every document is written by its own stream alone.
"""

from collections.abc import Sequence
from typing import Any

from libs.events.bidding import (
    ContractIssued,
)
from libs.events.codec import encode, parse_json
from libs.events.deal_packs import (
    ClaimListIssued,
    DealPackDelivered,
    DealPackOpened,
    DealPackOverdue,
    DealPackReviewed,
    DealPackSealed,
    DealPackSentBack,
    DeliveryChosen,
    ReceiptConfirmed,
)
from libs.events.records import RecordedEvent
from libs.events.views import Op, Set, View
from libs.events.void_papers import ContractVoided, DealPackVoided


def project_contract(event: RecordedEvent) -> Sequence[Op]:
    """The contract under its loan's id; `contract` is the event's data as JSON, and stays it when the contract is void."""
    if isinstance(event.data, ContractVoided):
        return [
            Set(event.data.loan_id, "voided_on", event.data.voided_on.isoformat()),
            Set(event.data.loan_id, "void_for", event.data.ground),
            Set(event.data.loan_id, "knew", list(event.data.knew)),
            Set(event.data.loan_id, f"src.{event.stream}", event.address),
        ]
    issued: ContractIssued = event.data
    loan_id = issued.loan_id
    return [
        Set(loan_id, "loan_id", loan_id),
        Set(loan_id, "borrower", issued.borrower),
        Set(loan_id, "contract", parse_json(encode(ContractIssued, issued))),
        Set(loan_id, f"src.{event.stream}", event.address),
    ]


CONTRACTS = View(
    name="bidding.contracts",
    version=3,
    reads=(ContractIssued, ContractVoided),
    project=project_contract,
    owner_field="borrower",
)


def project_pack(event: RecordedEvent) -> Sequence[Op]:
    """A pack's document after one of its events. Amounts in fen."""
    pack_id = event.data.pack_id
    changed = [Set(pack_id, field, value) for field, value in _pack_fields(event.data).items()]
    return [*changed, Set(pack_id, f"src.{event.stream}", event.address)]


def _pack_fields(data: Any) -> dict[str, Any]:
    match data:
        case DealPackOpened():
            return {
                "pack_id": data.pack_id,
                "loan_id": data.loan_id,
                "claim_id": data.claim_id,
                "investor": data.investor,
                "principal_fen": data.principal_fen,
                "certificate_hash": data.certificate_hash,
                "guarantor": data.guarantor,
                "due_on": data.due_on.isoformat(),
                "is_overdue": False,
                "next_step": data.next_step,
                "channel": None,
                "sent_back": None,
                "delivered_on": None,
                "voided_on": None,
            }
        case DeliveryChosen():
            return {"channel": data.channel}
        case ReceiptConfirmed():
            return _signed("receipt", data)
        case ClaimListIssued():
            return _signed("claim_list", data)
        case DealPackReviewed():
            return _signed("review", data)
        case DealPackSentBack():
            # who signed stands until the step is done anew
            return {"next_step": data.next_step, "sent_back": data.code}
        case DealPackSealed():
            return _signed(f"seal_{data.seal}", data)
        case DealPackDelivered():
            delivered_on = data.delivered_on.isoformat()
            return {"signers.delivery": data.signer, "next_step": None, "delivered_on": delivered_on}
        case DealPackOverdue():
            return {"is_overdue": True}
        case DealPackVoided():
            return {"next_step": None, "voided_on": data.voided_on.isoformat()}
        case _:
            raise TypeError(f"{type(data).__name__} is not read by this view")


def _signed(step: str, data: Any) -> dict[str, Any]:
    return {f"signers.{step}": data.signer, "next_step": data.next_step, "sent_back": None}


PACKS = View(
    name="bidding.deal-packs",
    version=2,
    reads=(
        DealPackOpened,
        DeliveryChosen,
        ReceiptConfirmed,
        ClaimListIssued,
        DealPackReviewed,
        DealPackSentBack,
        DealPackSealed,
        DealPackDelivered,
        DealPackOverdue,
        DealPackVoided,
    ),
    project=project_pack,
    owner_field="investor",
    indexes=("investor", "next_step"),
)
