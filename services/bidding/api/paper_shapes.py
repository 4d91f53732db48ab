"""Answers about a loan's papers. An answer is made from the contract's event, which the view keeps whole."""

from datetime import date

from pydantic import BaseModel, Field

from libs.events.bidding import Certificate, ContractIssued


class CertificateOut(BaseModel):
    """A claim's certificate: its document is `/certificates/{claim_id}.pdf`."""

    claim_id: str
    investor: str
    principal_fen: int
    certificate_hash: str = Field(description="SHA-256 of the certificate's text, in hex.")


class ContractOut(BaseModel):
    """A loan's contract: its text, of which `content_hash` is the SHA-256 in hex, and the caller's certificates."""

    contract_id: str
    loan_id: str
    borrower: str
    funded_on: date
    template: str
    version: int
    content_hash: str
    text: str
    certificates: list[CertificateOut]

    @staticmethod
    def of(issued: ContractIssued, text: str, certificates: list[Certificate]) -> "ContractOut":
        """From the event; the lenders of the others are in the contract, their certificates are their own."""
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
                )
                for each in certificates
            ],
        )
