"""Answers about a loan's papers. An answer is made from the contract's event, which the view keeps whole."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import BaseModel, Field

from libs.events.bidding import Certificate, ContractIssued
from libs.events.voiding import VoidingCode


class CertificateOut(BaseModel):
    """A claim's certificate: its document is `/certificates/{claim_id}.pdf`."""

    claim_id: str
    investor: str
    principal_fen: int
    certificate_hash: str = Field(description="SHA-256 of the certificate's text, in hex.")
    is_void: bool = Field(
        description="The loan's contract is void, and so is this; its document stays what it was."
    )


class ContractOut(BaseModel):
    """A loan's contract: its text, of which `content_hash` is the SHA-256 in hex, and the caller's certificates; since when and for what
    it is void, null where it is not; and which lenders knew of its illegal purpose, to a lender only himself."""

    contract_id: str
    loan_id: str
    borrower: str
    funded_on: date
    template: str
    version: int
    content_hash: str
    text: str
    certificates: list[CertificateOut]
    voided_on: date | None
    void_for: VoidingCode | None
    knew: list[str]

    @staticmethod
    def of(
        issued: ContractIssued,
        text: str,
        certificates: list[Certificate],
        document: Mapping[str, Any],
        knew: list[str],
    ) -> "ContractOut":
        """From the event, and what its document says of it since; the lenders of the others are in the contract, their certificates are
        their own."""
        return ContractOut(
            contract_id=issued.contract_id,
            loan_id=issued.loan_id,
            borrower=issued.borrower,
            funded_on=issued.funded_on,
            template=issued.template,
            version=issued.version,
            content_hash=issued.content_hash,
            text=text,
            certificates=[
                CertificateOut(
                    claim_id=each.claim_id,
                    investor=each.investor,
                    principal_fen=each.principal_fen,
                    certificate_hash=each.certificate_hash,
                    is_void="voided_on" in document,
                )
                for each in certificates
            ],
            voided_on=document.get("voided_on"),
            void_for=document.get("void_for"),
            knew=knew,
        )
