"""The papers of Bea's loan in the specs: her contract with Ann and Cem, as it is asked for and as it is issued."""

from typing import Any

from libs.events.bidding import Certificate, ContractIssued
from services.bidding.commands.papers import IssueContract
from tests.unit.bidding import listing_story as listing

#: What a release once issued stands: these are the hashes of version 1's texts, and no later release may change them.
CONTRACT_HASH = "ed2dc2b641cbc1f85f1ad4b8b965ccd8095c7e176b20b8b9aafdd9edb93e3a1f"
ANNS_HASH = "86124d7d178c79bcec22f07507f4a4cd0b4b1dc2d68bcb1e04fb785b0520d11a"
CEMS_HASH = "ec883a8be6c11575ee078aa85daec444a69986b33cd4c6aa10b4b6030c8e5e57"

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
        "version": 1,
        "content_hash": CONTRACT_HASH,
        "claims": certificates,
    }
    return ContractIssued(**(TERMS | written | changed))


ISSUE = issue()
ISSUED = issued()
