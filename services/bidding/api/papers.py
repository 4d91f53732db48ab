"""Routes of a loan's papers: the contract for its parties, a claim's certificate for its lender; to others they do not exist.

The text is written again for every download and its hash compared with the one that the log knows: a paper that is not the
one that was issued is never handed out.
"""

import base64
from collections.abc import Callable
from hashlib import sha256
from typing import Annotated

import structlog
from fastapi import Depends
from fastapi.responses import Response

from libs.events.bidding import Certificate, ContractIssued
from libs.events.codec import decode_object
from libs.events.market import OfferSettled
from libs.runtime.auth import Principal
from libs.runtime.http import Page, ThisPrincipal, ViewReader, id_path, not_found, scopes, view_reader
from libs.runtime.http.posts import holds
from libs.runtime.http.problems import Problem
from services.bidding.api.paper_shapes import ContractOut
from services.bidding.api.pdf import MEDIA_TYPE, pdf_of
from services.bidding.api.router import router
from services.bidding.domain.contract_text import (
    UnknownVersion,
    certificate_text,
    contract_text,
    hash_of,
)
from services.bidding.domain.transfer_text import transfer_text

log = structlog.get_logger()

LoanId = Annotated[str, id_path("loan")]
ClaimId = Annotated[str, id_path("clm")]
Contracts = Annotated[ViewReader, Depends(view_reader("bidding.contracts"))]
Transfers = Annotated[ViewReader, Depends(view_reader("bidding.transfers"))]
Staff = Annotated[ViewReader, Depends(view_reader("bidding.staff"))]

#: Whoever runs the platform reads every paper, and so does legal, by his post.
_READERS = ("operator", "papers")


async def _reads_all(principal: Principal, staff: ViewReader) -> bool:
    if principal.may("operator"):
        return True
    return principal.may("papers") and await holds(staff, principal.subject, "legal")


async def _contract(
    loan: LoanId, contracts: Contracts, transfers: Transfers, staff: Staff, principal: ThisPrincipal
) -> ContractIssued:
    """The loan's contract, if the caller is a party to it, from the first or by a claim that he bought, or reads all."""
    issued = await _issued(contracts, loan, "unknown_contract")
    parties = (issued.borrower, *(claim.investor for claim in issued.claims))
    if (
        principal.subject not in parties
        and not await _bought(transfers, loan, principal)
        and not await _reads_all(principal, staff)
    ):
        raise not_found("unknown_contract")
    return issued


async def _bought(transfers: ViewReader, loan: str, principal: Principal) -> bool:
    where = {"loan_id": loan, "buyer": principal.subject}
    found, _ = await transfers.page(Page(None, 1), where=where)
    return bool(found)


async def _issued(contracts: ViewReader, loan: str, missing: str) -> ContractIssued:
    document = await contracts.get(loan, missing=missing)
    if "contract" not in document:  # void before it was written
        raise not_found(missing)
    issued: ContractIssued = decode_object(ContractIssued, document["contract"])
    return issued


ThisContract = Annotated[ContractIssued, Depends(_contract)]


# The document first: to the router `loan_1.pdf` is an id like others.
@router.document("/contracts/{loan}.pdf", scopes("loan:own", "claim:own", *_READERS), media_type=MEDIA_TYPE)
async def download_contract(issued: ThisContract) -> Response:
    """A loan's contract as PDF, for its borrower and its lenders: the same bytes each time, the text's hash on every page."""
    return _pdf(_contract_text(issued), issued.content_hash, issued.contract_id)


@router.read("/contracts/{loan}", scopes("loan:own", "claim:own", *_READERS), answer=ContractOut)
async def read_contract(
    issued: ThisContract, contracts: Contracts, staff: Staff, principal: ThisPrincipal
) -> ContractOut:
    """A loan's contract as text, for its borrower and its lenders, which certificates the caller may download, and whether all are void."""
    reads_all = await _reads_all(principal, staff)
    own = [claim for claim in issued.claims if reads_all or claim.investor == principal.subject]
    document = await contracts.get(issued.loan_id, missing="unknown_contract")
    knew = [who for who in document.get("knew", ()) if reads_all or who == principal.subject]
    return ContractOut.of(issued, _contract_text(issued), own, document, knew)


@router.document("/certificates/{claim}.pdf", scopes("claim:own", *_READERS), media_type=MEDIA_TYPE)
async def download_certificate(
    claim: ClaimId, contracts: Contracts, transfers: Transfers, staff: Staff, principal: ThisPrincipal
) -> Response:
    """The certificate of a claim as PDF, for the investor whom it was issued to: by the loan's contract, or when he bought it."""
    bought = await transfers.find(claim)
    if bought is not None:
        sold: OfferSettled = decode_object(OfferSettled, bought["sold"])
        if sold.buyer != principal.subject and not await _reads_all(principal, staff):
            raise not_found("unknown_claim")
        text = _as_issued(lambda: transfer_text(sold), sold.certificate_hash, claim)
        return _pdf(text, sold.certificate_hash, claim)
    suffix = claim.removeprefix("clm_").rpartition("_")[0]
    issued = await _issued(contracts, f"loan_{suffix}", "unknown_claim")
    found = next((each for each in issued.claims if each.claim_id == claim), None)
    if found is None or not (found.investor == principal.subject or await _reads_all(principal, staff)):
        raise not_found("unknown_claim")
    return _pdf(_certificate_text(issued, found), found.certificate_hash, claim)


def _contract_text(issued: ContractIssued) -> str:
    return _as_issued(
        lambda: contract_text(issued, issued.contract_id, issued.version),
        issued.content_hash,
        issued.contract_id,
    )


def _certificate_text(issued: ContractIssued, claim: Certificate) -> str:
    return _as_issued(
        lambda: certificate_text(issued, claim, issued.contract_id, issued.content_hash, issued.version),
        claim.certificate_hash,
        claim.claim_id,
    )


def _as_issued(write: Callable[[], str], text_hash: str, paper: str) -> str:
    """The text, if it is the one that was issued. Raises Problem 500 `paper_differs`: an operator must look, nobody gets it."""
    try:
        text = write()
    except UnknownVersion:
        text = ""
    if hash_of(text) != text_hash:
        log.error("paper_differs", paper=paper)
        raise Problem(
            500, "paper_differs", "The text that was issued cannot be written again by this release."
        )
    return text


def _pdf(text: str, text_hash: str, name: str) -> Response:
    content = pdf_of(text, text_hash)
    digest = base64.b64encode(sha256(content).digest()).decode()
    headers = {
        # weak: another release may set the same text in other bytes
        "ETag": f'W/"{text_hash}"',
        "Repr-Digest": f"sha-256=:{digest}:",
        "Content-Disposition": f'inline; filename="{name}.pdf"',
    }
    return Response(content, media_type=MEDIA_TYPE, headers=headers)
