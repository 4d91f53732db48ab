"""Events of `bidding` about a contract that is void before its money moved: for fraud, duress or an illegal purpose (processes.md 1.N).

The listing's end is told as any other, by ListingCancelled with the same code: these say who was of which opinion before.
"""

from typing import Literal

from libs.events.codec import event

VoidingCode = Literal["fraud", "duress", "illegal_purpose"]
"""Why a contract is void."""

VoidingPost = Literal["legal", "finance"]
"""Who must agree, beside whoever of legal proposes it: another person of legal, and finance."""


@event("bidding.ListingVoidingProposed.v1")
class ListingVoidingProposed:
    """Legal finds that the loan's contract would be void."""

    listing_id: str
    loan_id: str
    borrower: str
    code: VoidingCode
    proposer: str


@event("bidding.ListingVoidingApproved.v1")
class ListingVoidingApproved:
    """Another person agrees for `post`; after the last of them the listing is cancelled by the same decision."""

    listing_id: str
    loan_id: str
    borrower: str
    code: VoidingCode
    post: VoidingPost
    approver: str
