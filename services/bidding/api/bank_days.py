"""Routes of finance about the bank's daily files: which days were compared, what differs, and what becomes of it.

A file comes from the bank itself, or by `loanstream reconcile`: it is too long for a request, and nobody's body is worth the bank's.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Query
from pydantic import BaseModel

from libs.events import bank_days as events
from libs.runtime.http import Answer, Order, Shape, ThisPage, ViewReader, id_path, scopes, view_reader
from libs.runtime.http.posts import post
from services.bidding.api.router import router
from services.bidding.api.worklists import Himself
from services.bidding.commands import bank_days as commands

Days = Annotated[ViewReader, Depends(view_reader("bidding.bank-days"))]
Breaks = Annotated[ViewReader, Depends(view_reader("bidding.bank-breaks"))]
Bookings = Annotated[ViewReader, Depends(view_reader("bidding.bank-bookings"))]

#: Who sees to top-ups and withdrawals (processes.md 1.Q).
Finance = Annotated[None, Depends(post("bidding", "cashier", "accountant", "finance_supervisor"))]

State = Literal["open", "explained", "resolved", "closed"]
BreakId = Annotated[str, id_path("brk")]
#: Whose date the age of a difference is counted from.
_TODAY: Final = "partition:~p0"


class ExplanationIn(Shape):
    """Where a difference comes from."""

    code: events.Explanation


class ResolutionIn(Shape):
    """How it was settled."""

    code: events.Resolution


class MatchIn(Shape):
    """By what differences of two days are matched."""

    by: events.MatchedBy


class BreakDone(Answer):
    """A difference, or all that were matched, and where it stands now."""

    status: Literal["explained", "resolved"]

    @staticmethod
    def explained(event: events.BankBreakExplained) -> "BreakDone":
        """Another person may resolve it."""
        return BreakDone(id=event.break_id, status="explained")

    @staticmethod
    def resolved(event: events.BankBreakResolved) -> "BreakDone":
        """It is settled."""
        return BreakDone(id=event.break_id, status="resolved")

    @staticmethod
    def matched(event: events.BankBreaksMatched) -> "BreakDone":
        """The first of the pairs; the work list shows the others."""
        return BreakDone(id=event.here, status="resolved")


class BankDayOut(BaseModel):
    """A date: the bank's file beside the ledger, the accounts and, where they could be compared, the claims. Amounts in fen.
    `unlisted`: differences that wait until the work list has room for them, by which the bank has `unlisted_fen` more; `unclosed`: told
    ones that the file shows no more and that wait to be closed. `claims_apart_fen`: by so much claims that were paid for and their
    register differ, loan by loan; `loans_apart` are the first of these loans."""

    business_date: date
    revision: int
    bank_bookings: int
    bank_in_fen: int
    bank_out_fen: int
    bank_fen: int
    ledger_bookings: int
    ledger_in_fen: int
    ledger_out_fen: int
    ledger_fen: int
    accounts_fen: int
    lent_fen: int | None
    claims_fen: int | None
    claims_apart_fen: int
    loans_apart: list[str]
    opened: int
    closed: int
    unlisted: int
    unlisted_fen: int
    unclosed: int

    @staticmethod
    def of(document: Mapping[str, Any]) -> "BankDayOut":
        """From a document of bidding.bank-days."""
        return BankDayOut(**{name: document[name] for name in BankDayOut.model_fields})


class BankDaysOut(BaseModel):
    """A page of dates; `next` is the cursor of the next page, null after the last."""

    items: list[BankDayOut]
    next: str | None


class BreakOut(BaseModel):
    """A difference: of which kind, on which date, how much more the bank has than we; `age_days` until the open business date."""

    break_id: str
    business_date: date
    age_days: int
    kind: events.BreakKind
    reference: str
    account_id: str
    bank_fen: int
    ledger_fen: int
    difference_fen: int
    state: State
    code: str | None
    counterpart: str | None
    explained_by: str | None
    resolved_by: str | None

    @staticmethod
    def of(document: Mapping[str, Any], today: date) -> "BreakOut":
        """From a document of bidding.bank-breaks. One that is over has the age that it reached."""
        end = date.fromisoformat(document["ended_on"]) if document["ended_on"] else today
        age = (end - date.fromisoformat(document["business_date"])).days
        fields = {name: document[name] for name in BreakOut.model_fields if name != "age_days"}
        return BreakOut(age_days=age, **fields)


class WaitingOut(BaseModel):
    """Differences of a date that wait until the work list has room for them, and by how much the bank has more by them."""

    business_date: date
    breaks: int
    differs_fen: int


class BreaksOut(BaseModel):
    """A page of differences; `next` is the cursor of the next page, null after the last. `waiting`: by date, what does not
    stand on the list yet."""

    items: list[BreakOut]
    waiting: list[WaitingOut]
    next: str | None


@router.read("/bank-days", scopes("finance"), answer=BankDaysOut)
async def read_bank_days(days: Days, page: ThisPage, _: Finance) -> BankDaysOut:
    """The dates whose files were compared, the oldest first."""
    found, following = await days.page(page, where={})
    return BankDaysOut(items=[BankDayOut.of(document) for document in found], next=following)


@router.read("/bank-breaks", scopes("finance"), answer=BreaksOut)
async def read_bank_breaks(  # each is a part of the request
    breaks: Breaks,
    days: Days,
    bookings: Bookings,
    page: ThisPage,
    _: Finance,
    state: Annotated[State, Query(description="Where the differences stand.")] = "open",
    kind: Annotated[events.BreakKind | None, Query(description="Only differences of this kind.")] = None,
) -> BreaksOut:
    """Finance's work list: what differs between the bank's files and our books."""
    partition = await bookings.find(_TODAY)
    today = date.fromisoformat(partition["lives_on"]) if partition else date.min
    where = {"state": state} | ({"kind": kind} if kind else {})
    found, following = await breaks.page(page, where=where)
    return BreaksOut(
        items=[BreakOut.of(document, today) for document in found],
        waiting=await _waiting(days),
        next=following,
    )


async def _waiting(days: ViewReader) -> list[WaitingOut]:
    """What has no room on the work list, by date."""
    return [
        WaitingOut(
            business_date=document["business_date"],
            breaks=document["unlisted"],
            differs_fen=document["unlisted_fen"],
        )
        async for document in days.all({"waits": True})
        if document["unlisted"]
    ]


@router.command(
    "/bank-breaks/{bank_break}/explanation",
    scopes("finance"),
    answer=BreakDone,
    answers={events.BankBreakExplained: BreakDone.explained},
)
async def explain_break(bank_break: BreakId, body: ExplanationIn, himself: Himself, _: Finance) -> Order:
    """Say where a difference comes from. Who it is, the token says."""
    return Order(
        commands.BANK_DAYS, commands.ExplainBreak(break_id=bank_break, code=body.code, himself=himself)
    )


@router.command(
    "/bank-breaks/{bank_break}/resolution",
    scopes("finance"),
    answer=BreakDone,
    answers={events.BankBreakResolved: BreakDone.resolved},
)
async def resolve_break(bank_break: BreakId, body: ResolutionIn, himself: Himself, _: Finance) -> Order:
    """Find an explanation right and the difference settled: another person than who explained it."""
    return Order(
        commands.BANK_DAYS, commands.ResolveBreak(break_id=bank_break, code=body.code, himself=himself)
    )


@router.command(
    "/bank-matches",
    scopes("finance"),
    answer=BreakDone,
    answers={
        events.BankBreaksMatched: BreakDone.matched,
        events.BankBreakExplained: BreakDone.explained,
    },
)
async def match_breaks(body: MatchIn, himself: Himself, _: Finance) -> Order:
    """Match in one go what the bank booked on one day with what we booked on another: by reference, or by amount."""
    return Order(commands.BANK_DAYS, commands.MatchBreaks(by=body.by, himself=himself))
