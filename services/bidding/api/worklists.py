"""What waits for people of finance and for the bank, oldest first: who may do the next step, and since when it waits.

Each list is a view's documents in one state, for the posts concerned; the lists of a listing's own steps stand beside the steps.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Query
from pydantic import BaseModel

from libs.events.searches import Sorting
from libs.events.views import OtherThan
from libs.runtime.http import ThisPage, ViewReader, scopes, view_reader
from libs.runtime.http.posts import himself, post
from services.bidding.api.router import router

#: Listings that wait for somebody, oldest first.
BY_AGE: Final = Sorting("waits_since")

Staff = Annotated[ViewReader, Depends(view_reader("bidding.staff"))]
Balances = Annotated[ViewReader, Depends(view_reader("bidding.balances"))]
BankRequests = Annotated[ViewReader, Depends(view_reader("bidding.bank-requests"))]

Himself = Annotated[str | None, Depends(himself("bidding"))]

#: Who looks after what the bank owes an answer to.
_Finance = Annotated[None, Depends(post("bidding", "cashier", "accountant"))]

_KINDS: Final = {"top_up": "collect", "withdrawal": "pay_out"}


class Signers:
    """Who holds some posts now, read once for a page: who of them may sign what follows from who has signed."""

    def __init__(self, holders: Mapping[str, str | None]) -> None:
        self._holders = dict(sorted(holders.items()))

    @classmethod
    async def of(cls, staff: ViewReader, *roles: str) -> "Signers":
        """The holders of any of these roles, and who each is as a customer."""
        found = [holder for role in roles async for holder in staff.all({"roles": role})]
        return cls({holder["staff_id"]: holder.get("user_id") for holder in found})

    def who_may(self, document: Mapping[str, Any]) -> list[str]:
        """Everybody but the borrower himself, his owner and whoever has signed before (services.bidding.domain.funding)."""
        barred = {document["owner"], *document.get("reviewers", {}).values()}
        return [
            holder
            for holder, himself in self._holders.items()
            if holder not in barred and (himself is None or himself != document["borrower"])
        ]


class BankRequestOut(BaseModel):
    """What a customer asked of the bank and it has not answered; `age_s` is how long it has waited, in seconds."""

    id: str
    kind: Literal["top_up", "withdrawal"]
    account_id: str
    owner: str
    amount_fen: int
    business_date: date
    since: datetime
    age_s: int

    @staticmethod
    def of(document: Mapping[str, Any]) -> "BankRequestOut":
        """From a document of bidding.bank-requests."""
        since = datetime.fromisoformat(document["asked_at"])
        age = datetime.now(UTC) - since
        return BankRequestOut(
            id=document["request_id"],
            kind="top_up" if document["kind"] == _KINDS["top_up"] else "withdrawal",
            account_id=document["account_id"],
            owner=document["owner"],
            amount_fen=document["amount_fen"],
            business_date=document["business_date"],
            since=since,
            age_s=max(0, int(age.total_seconds())),
        )


class BankRequestsOut(BaseModel):
    """A page of requests, oldest first; `next` is the cursor of the next page, null after the last."""

    items: list[BankRequestOut]
    next: str | None


class LeftAccountOut(BaseModel):
    """The account of somebody who has left, which something has come to since, or which owes for a correction. Amounts are in fen."""

    account_id: str
    owner: str
    available_fen: int
    held_fen: int
    owed_fen: int

    @staticmethod
    def of(document: Mapping[str, Any]) -> "LeftAccountOut":
        """From a document of bidding.balances."""
        return LeftAccountOut(**{name: document[name] for name in LeftAccountOut.model_fields})


class LeftAccountsOut(BaseModel):
    """A page of them; `next` is the cursor of the next page, null after the last."""

    items: list[LeftAccountOut]
    next: str | None


@router.read("/left-accounts", scopes("finance"), answer=LeftAccountsOut)
async def read_left_accounts(
    balances: Balances,
    page: ThisPage,
    _: _Finance,
    why: Annotated[
        Literal["has_money", "owes"], Query(description="Closed accounts that have money, or that owe some.")
    ] = "has_money",
) -> LeftAccountsOut:
    """Closed accounts to which a correction or a sale has brought money that nobody has taken out, or which a correction makes owe it: for a
    cashier or an accountant, because whoever has left, or is erased, may never look."""
    left = "available_fen" if why == "has_money" else "owed_fen"
    found, following = await balances.page(page, where={"state": "closed", left: OtherThan(0)})
    return LeftAccountsOut(items=[LeftAccountOut.of(document) for document in found], next=following)


@router.read("/bank-requests", scopes("finance"), answer=BankRequestsOut)
async def read_bank_requests(
    requests: BankRequests,
    page: ThisPage,
    _: _Finance,
    kind: Annotated[
        Literal["top_up", "withdrawal"] | None, Query(description="Only requests of this kind.")
    ] = None,
) -> BankRequestsOut:
    """Top-ups and withdrawals that wait for the bank's answer, oldest first, for a cashier or an accountant."""
    where = {} if kind is None else {"kind": _KINDS[kind]}
    found, following = await requests.page(page, where=where, order=Sorting("asked_at"))
    return BankRequestsOut(items=[BankRequestOut.of(document) for document in found], next=following)
