"""The books at the end of a replay, read from the views and the API: what is counted and compared, nothing estimated."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, assert_never

from libs.events.topics import DECIDING_SERVICES
from libs.runtime.views import Views
from tools.replay.book import Completed, Current, Defaulted, Status
from tools.replay.gateway import Gateway
from tools.replay.staff import OPERATOR
from tools.replay.story import Story

_BALANCES, _CUSTODY = "bidding.balances", "bidding.custody"
_FEES: Final = "acc_fees"
_CLEARING: Final = "clearing:"
_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Custody:
    """The money at the bank against what the accounts say, in fen.

    `difference` compares two views that are summed from different fields: deposits − withdrawals (the bank's postings)
    and the balances of all accounts with what is in clearing. `clearing_open` counts loans whose clearing is not zero.
    """

    deposits_fen: int
    withdrawals_fen: int
    available_fen: int
    held_fen: int
    fees_fen: int
    clearing_fen: int
    unrequested_fen: int
    clearing_open: int
    accounts: int

    @property
    def difference_fen(self) -> int:
        """What the bank holds more than the accounts and clearing say; anything but 0 is an error."""
        balances = self.available_fen + self.held_fen + self.fees_fen + self.clearing_fen
        balances += self.unrequested_fen
        return self.deposits_fen - self.withdrawals_fen - balances


@dataclass(frozen=True, slots=True)
class Lender:
    """What one investor, by his name in the plan, has put in and got back, in fen."""

    user: str
    invested_fen: int
    principal_back_fen: int
    interest_fen: int
    fees_fen: int
    balance_fen: int


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of the book's loans of one status: how many the platform shows where, and how many as the book says."""

    status: Status
    loans: int
    found: Mapping[str, int]
    as_in_book: int


@dataclass(frozen=True, slots=True)
class LoanFigures:
    """All loans of the plan: how many exist, their instalments against the book's, and how they ended."""

    opened: int
    compared: int
    equal: int
    endings: tuple[Ending, ...]

    @property
    def otherwise(self) -> int:
        """Loans that did not end as in the book."""
        return sum(ending.loans - ending.as_in_book for ending in self.endings)


async def read_parked(views: Views) -> int:
    """How many refusals and failures that nobody expected are parked, in all services that decide."""
    parked = 0
    for service in DECIDING_SERVICES:
        async for _ in documents(views, f"{service}.parked"):
            parked += 1
    return parked


async def read_custody(views: Views) -> Custody:
    """Sums over all accounts and clearing positions of the platform."""
    bank = await views.get(_CUSTODY, "bank:custody") or {}
    accounts = available_fen = held_fen = fees_fen = 0
    async for account in documents(views, _BALANCES):
        if account["account_id"] == _FEES:
            fees_fen += account["available_fen"]
        else:
            accounts += 1
            available_fen += account["available_fen"]
            held_fen += account["held_fen"]
    clearing = await views.get(_CUSTODY, "clearing") or {}
    clearing_open = 0
    async for position in documents(views, _CUSTODY):
        clearing_open += position["_id"].startswith(_CLEARING) and position["balance_fen"] != 0
    return Custody(
        deposits_fen=bank.get("given_fen", 0),
        withdrawals_fen=bank.get("gained_fen", 0),
        available_fen=available_fen,
        held_fen=held_fen,
        fees_fen=fees_fen,
        clearing_fen=clearing.get("balance_fen", 0),
        unrequested_fen=(await views.get(_CUSTODY, "unrequested") or {}).get("balance_fen", 0),
        clearing_open=clearing_open,
        accounts=accounts,
    )


async def read_lenders(
    views: Views, investors: Sequence[str], users: Mapping[str, str], number: int
) -> tuple[Lender, ...]:
    """The investors with the most invested, the first by name among equals. `users` are the platform's ids by name."""
    names = {users[name]: name for name in investors if name in users}
    found = [
        _lender(account, names[account["owner"]])
        async for account in documents(views, _BALANCES)
        if account.get("owner") in names
    ]
    found.sort(key=lambda lender: (-lender.invested_fen, lender.user))
    return tuple(found[:number])


def _lender(account: Mapping[str, Any], name: str) -> Lender:
    return Lender(
        user=name,
        invested_fen=account["invested_fen"],
        principal_back_fen=account["principal_back_fen"],
        interest_fen=account["interest_fen"],
        fees_fen=account["fees_fen"],
        balance_fen=account["available_fen"] + account["held_fen"],
    )


async def read_loans(gateway: Gateway, stories: Sequence[Story], loan_ids: Mapping[str, str]) -> LoanFigures:
    """Ask for every loan of the plan and compare it with the book."""
    opened = compared = equal = 0
    found: Counter[tuple[Status, str]] = Counter()
    agreed: Counter[Status] = Counter()
    for start in range(0, len(stories), _PAGE):
        page = stories[start : start + _PAGE]
        shown = await asyncio.gather(*(_loan(gateway, loan_ids.get(story.loan.number)) for story in page))
        for story, document in zip(page, shown, strict=True):
            where = "missing" if document is None else _where(document)
            found[story.loan.status, where] += 1
            agreed[story.loan.status] += _is_as_in_book(story, where)
            if document is None:
                continue
            opened += 1
            if story.loan.monthly_payment_fen is not None:
                compared += 1
                equal += document["installment_fen"] == story.loan.monthly_payment_fen
    endings = tuple(
        Ending(status, sum(places.values()), places, agreed[status])
        for status in Status
        if (places := {where: count for (of, where), count in sorted(found.items()) if of is status})
    )
    return LoanFigures(opened, compared, equal, endings)


async def read_buckets(gateway: Gateway) -> list[dict[str, Any]]:
    """The platform's overdue buckets: name, loans, outstanding principal."""
    answer = await gateway.read(OPERATOR, "/repayment/overdue-buckets")
    return [] if answer is None else list(answer["items"])


async def _loan(gateway: Gateway, loan_id: str | None) -> dict[str, Any] | None:
    return None if loan_id is None else await gateway.read(OPERATOR, f"/repayment/loans/{loan_id}")


def _where(document: Mapping[str, Any]) -> str:
    return "repaid" if document["state"] == "repaid" else str(document["bucket"])


def _is_as_in_book(story: Story, where: str) -> bool:
    """Whether the loan is where its outcome says: repaid, late, or running on time."""
    match story.loan.outcome:
        case Completed():
            return where == "repaid"
        case Defaulted():
            return where not in ("repaid", "current", "missing")
        case Current(days_past_due=0):
            return where == "current"
        case Current():
            return where not in ("repaid", "current", "missing")
        case _:
            assert_never(story.loan.outcome)


async def documents(views: Views, view: str) -> AsyncIterator[dict[str, Any]]:
    """Every document of a view, page by page. Raises ViewMissing."""
    after: str | None = None
    while True:
        page, after = await views.page(view, where={}, after=after, limit=_PAGE)
        for document in page:
            yield document
        if after is None:
            return
