"""The papers of Bea's loan in the specs: her contract with Ann and Cem, and the deal pack of Ann's claim, step by step."""

from dataclasses import replace
from datetime import date
from typing import Any

from libs.events.bidding import (
    Certificate,
    ContractIssued,
)
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
    Seal,
)
from libs.events.void_papers import ContractVoided, DealPackVoided, SignedBlankRecorded
from libs.events.voidance import LoanVoided
from services.bidding.commands.papers import (
    IssueContract,
    OpenDealPack,
    RecordSignedBlank,
    VoidContract,
    VoidDealPack,
)
from services.bidding.domain.contract_text import rows_of
from tests.unit.bidding import listing_story as listing
from tests.unit.bidding.stock_story import BLANK, VOIDED

#: What a release once issued stands: these are the hashes of version 3's texts, and no later release may change them.
CONTRACT_HASH = "04239d3ec4bae37a414fff04f37976f85d031c6e9720430ed2feb2ece0ae5f09"
ANNS_HASH = "cc6d82bda9041ef610644cb0b0f177e010ba18b167506b05682cc751036cdf5a"
CEMS_HASH = "1fa48c07965c1425906f7d19e2e92a9154fc057ff1f899b7132061ae6d589989"
#: Likewise of version 2, whose contracts do not say who may pay.
SECOND_HASH = "f0b6aee5e91fcdc9022645cadbfcd3f299f7ee9f99d102cc35fb1a532cf42486"
ANNS_SECOND_HASH = "a15fb3c6e6e247c745fc862f9f821e641faf3d954f22ee4405c8288afc8248b2"
#: Likewise of version 1, whose contracts have no schedule.
OLD_HASH = "ed2dc2b641cbc1f85f1ad4b8b965ccd8095c7e176b20b8b9aafdd9edb93e3a1f"
ANNS_OLD_HASH = "86124d7d178c79bcec22f07507f4a4cd0b4b1dc2d68bcb1e04fb785b0520d11a"

TERMS = listing.TERMS


def issue(**changed: Any) -> IssueContract:
    """The money of Bea's loan is collected: her contract is to be written."""
    return IssueContract(**(TERMS | {"funded_on": listing.FUNDED_ON, "claims": listing.CLAIMS} | changed))


def issued(**changed: Any) -> ContractIssued:
    """It is, with a certificate each for Ann and Cem."""
    certificates = tuple(
        Certificate(
            order=claim.order,
            claim_id=claim.claim_id,
            account_id=claim.account_id,
            investor=claim.investor,
            principal_fen=claim.principal_fen,
            certificate_hash=text_hash,
        )
        for claim, text_hash in zip(listing.CLAIMS, (ANNS_HASH, CEMS_HASH), strict=True)
    )
    written = {
        "contract_id": "ctr_1",
        "funded_on": listing.FUNDED_ON,
        "method": "equal_instalments",
        "guarantor": None,
        "template": "loan_contract",
        "version": 3,
        "content_hash": CONTRACT_HASH,
        "claims": certificates,
        "packs_due_on": None,
    }
    made = ContractIssued(**(TERMS | written | changed))
    return made if made.rows else replace(made, rows=rows_of(made))


ISSUE = issue()
ISSUED = issued()


# --- Ann's deal pack -----------------------------------------------------------------------------------------------

DUE = date(2024, 3, 21)
LAWFUL = issued(packs_due_on=DUE)
PACK: dict[str, Any] = {"pack_id": "pack_1_1", "loan_id": "loan_1", "claim_id": "clm_1_1"}


def open_pack(order: int = 1, **changed: Any) -> OpenDealPack:
    """The papers of a claim are to be made."""
    claim = ISSUED.claims[order - 1]
    asked: dict[str, Any] = {
        "contract_id": "ctr_1",
        "loan_id": "loan_1",
        "claim_id": claim.claim_id,
        "account_id": claim.account_id,
        "investor": claim.investor,
        "principal_fen": claim.principal_fen,
        "certificate_hash": claim.certificate_hash,
        "guarantor": None,
        "due_on": DUE,
        "borrower": "usr_bea",
    }
    return OpenDealPack(**(asked | changed))


def opened(**changed: Any) -> DealPackOpened:
    """They are, Ann's."""
    fields = {
        "contract_id": "ctr_1",
        "account_id": "acc_ann",
        "investor": "usr_ann",
        "principal_fen": 900_00,
        "certificate_hash": ANNS_HASH,
        "guarantor": None,
        "due_on": DUE,
        "next_step": "receipt",
        "borrower": "usr_bea",
    }
    return DealPackOpened(**(PACK | fields | changed))


def signed(kind: type, signer: str, next_step: str, **fields: Any) -> Any:
    """A step is done."""
    return kind(signer=signer, next_step=next_step, **PACK, **fields)


def sealed(seal: Seal, signer: str, missing: int, next_step: str) -> DealPackSealed:
    """One seal is on it."""
    done: DealPackSealed = signed(DealPackSealed, signer, next_step, seal=seal, missing=missing)
    return done


PACK_OPENED = opened()
RECEIPT = signed(ReceiptConfirmed, "stf_acc", "claim_list", principal_fen=900_00)
CLAIM_LIST = signed(ClaimListIssued, "stf_ria", "review")
REVIEWED = signed(DealPackReviewed, "stf_liz", "seal_legal_representative")
SENT_BACK = signed(DealPackSentBack, "stf_liz", "receipt", code="wrong_list")
FIRST_SEAL = sealed("legal_representative", "stf_gus", 1, "seal_company")
LAST_SEAL = sealed("company", "stf_abe", 0, "delivery")
BY_EMAIL = DeliveryChosen(pack_id="pack_1_1", investor="usr_ann", channel="email")
SENT = DealPackDelivered(
    investor="usr_ann", channel="email", signer="stf_cus", delivered_on=date(2024, 3, 20), **PACK
)
LATE = DealPackOverdue(investor="usr_ann", due_on=DUE, next_step="review", **PACK)

ISSUED_PACK = (PACK_OPENED, RECEIPT, CLAIM_LIST)
SEALED_PACK = (*ISSUED_PACK, REVIEWED, FIRST_SEAL, LAST_SEAL)
DELIVERED_PACK = (*SEALED_PACK, BY_EMAIL, SENT)


# --- the contract is void after its money moved --------------------------------------------------------------------

VOID_ON = date(2024, 4, 20)
#: What the loan says of it: of its two claims one was sold since, which makes no paper of it any other.
LOAN_VOIDED = LoanVoided(
    loan_id="loan_1",
    borrower="usr_bea",
    measure_id="msr_1",
    ground="fraud",
    voided_on=VOID_ON,
    counted_fen=1_000,
    returned_fen=0,
    platform_fen=100,
    principal_fen=90_000,
    due_on=date(2024, 4, 21),
    floor_class="special_mention",
    lent=("clm_1_1", "clm_1_2"),
    rows=(),
    was_repaid=False,
)
VOID_CONTRACT = VoidContract(
    loan_id="loan_1",
    borrower="usr_bea",
    measure_id="msr_1",
    ground="fraud",
    voided_on=VOID_ON,
    claims=("clm_1_1", "clm_1_2"),
)
CONTRACT_VOID = ContractVoided(
    contract_id="ctr_1",
    loan_id="loan_1",
    borrower="usr_bea",
    measure_id="msr_1",
    ground="fraud",
    voided_on=VOID_ON,
    claims=("clm_1_1", "clm_1_2"),
)

#: What its listing says of one that is void before any money moved.
VOID_UNFUNDED = VoidContract(
    loan_id="loan_1",
    borrower="usr_bea",
    measure_id="lst_1",
    ground="duress",
    voided_on=listing.FUNDED_ON,
)
RECORD_BLANK = RecordSignedBlank(loan_id="loan_1", blank=BLANK)
BLANK_RECORDED = SignedBlankRecorded(contract_id="ctr_1", loan_id="loan_1", blank=BLANK, voided=None)
LATE_BLANK = replace(BLANK_RECORDED, voided=VOIDED)


def void_pack(order: int = 1) -> VoidDealPack:
    """The pack of a claim as lent is void."""
    return VoidDealPack(loan_id="loan_1", claim_id=f"clm_1_{order}", measure_id="msr_1", voided_on=VOID_ON)


PACK_VOID = DealPackVoided(investor="usr_ann", measure_id="msr_1", voided_on=VOID_ON, **PACK)
