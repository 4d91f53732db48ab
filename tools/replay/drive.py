"""Plays a plan on the running platform: the day's actions as requests, then the close of the day, until the last date.

Within a step all actions are under way together; a day is closed when its actions are done and the
next one begins when the log says that it is closed.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from statistics import median
from typing import Any, Final, Protocol, assert_never

from tools.replay.actions import Action, AwaitFunded, Bid, OpenAccount, OpenListing, Pay, TopUp, Withdraw
from tools.replay.gateway import OPERATOR, ReplayFailed
from tools.replay.plan import Day, Plan

_LOOK_S: Final = 0.01
_LOOK_MAX_S: Final = 0.25
_SAGA_LIMIT_S: Final = 120.0


class Asks(Protocol):
    """The calls of Gateway that playing needs."""

    async def post(self, user: str, path: str, key: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """See Gateway."""

    async def bank(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """See Gateway."""

    async def read(self, user: str, path: str) -> dict[str, Any] | None:
        """See Gateway."""


class Calendar(Protocol):
    """What playing needs of CalendarTail."""

    business_date: date | None

    async def closed(self, business_date: date) -> None:
        """See CalendarTail."""


@dataclass(slots=True)
class Driven:
    """How far a replay is. `loan_ids` are the platform's ids by the book's numbers; times in wall milliseconds."""

    days: int = 0
    funded: int = 0
    quiet_ms: list[float] = field(default_factory=list)
    loan_ids: dict[str, str] = field(default_factory=dict)

    @property
    def empty_day_ms(self) -> float | None:
        """Median from the request to close a day without any work to the day being closed; None without such a day."""
        return round(median(self.quiet_ms), 1) if self.quiet_ms else None


class Driver:
    """Plays one plan."""

    def __init__(self, plan: Plan, gateway: Asks, calendar: Calendar) -> None:
        self._plan = plan
        self._gateway = gateway
        self._calendar = calendar
        self._listings: dict[str, str] = {}
        self.driven = Driven()

    async def play(self, on_progress: Callable[[Driven], None]) -> Driven:
        """From the first date to the last. Raises ReplayFailed."""
        if self._calendar.business_date is None:
            await self._gateway.post(OPERATOR, "/repayment/calendar", "open", _on(self._plan.first_date))
        for day in self._plan.days():
            for step in day.steps:
                await self._together([self._do(action, day.business_date) for action in step])
            await self._close(day)
            self.driven.days += 1
            on_progress(self.driven)
        return self.driven

    async def _together(self, works: Sequence[Coroutine[Any, Any, None]]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for work in works:
                    group.create_task(work)
        except* ReplayFailed as failures:
            raise failures.exceptions[0] from None

    async def _close(self, day: Day) -> None:
        started = time.perf_counter()
        await self._gateway.post(
            OPERATOR, "/repayment/calendar/close", f"close-{day.business_date}", _on(day.business_date)
        )
        await self._calendar.closed(day.business_date)
        if day.quiet:
            self.driven.quiet_ms.append((time.perf_counter() - started) * 1000)

    # --- actions ---------------------------------------------------------------------------------------------------

    async def _do(self, action: Action, on: date) -> None:
        match action:
            case OpenAccount():
                await self._gateway.post(action.user, "/bidding/accounts", action.key, {})
            case TopUp():
                await self._money(action, "top-ups", on)
            case OpenListing():
                await self._open_listing(action)
            case Bid():
                await self._bid(action)
            case AwaitFunded():
                await self._until(
                    self._listing_path(action.loan), OPERATOR, lambda seen: seen["state"] == "funded"
                )
                self.driven.funded += 1
            case Withdraw():
                is_there = f"/bidding/accounts/{_account(action.user)}"
                await self._until(
                    is_there, action.user, lambda seen: seen["available_fen"] >= action.amount_fen
                )
                await self._money(action, "withdrawals", on)
            case Pay():
                body = {
                    "loan_id": self.driven.loan_ids[action.loan],
                    "amount_fen": action.amount_fen,
                    "settle": action.settle,
                }
                path = f"/bidding/accounts/{_account(action.user)}/loan-payments"
                await self._gateway.post(action.user, path, action.key, body)
            case _:
                assert_never(action)

    async def _money(self, action: TopUp | Withdraw, what: str, on: date) -> None:
        """Ask for money in or out, and let the bank confirm it under a reference of its own."""
        account = _account(action.user)
        asked = await self._gateway.post(
            action.user, f"/bidding/accounts/{account}/{what}", action.key, {"amount_fen": action.amount_fen}
        )
        request: str = asked["id"]
        answer = {
            "bank_reference": f"B{on:%Y%m%d}-{request}",
            "amount_fen": action.amount_fen,
            "succeeded": True,
        }
        await self._gateway.bank(f"/bidding/bank/{what}/{account}/{request}", answer)

    async def _open_listing(self, action: OpenListing) -> None:
        body = {
            "borrower": action.borrower,
            "amount_fen": action.amount_fen,
            "annual_rate": f"{action.annual_rate.normalize():f}",
            "tenor_months": action.tenor_months,
            "grade": action.grade,
            "origination_fee_fen": action.origination_fee_fen,
            "interest_fee_permille": action.interest_fee_permille,
        }
        opened = await self._gateway.post(OPERATOR, "/bidding/listings", action.key, body)
        self._listings[action.loan] = opened["id"]
        self.driven.loan_ids[action.loan] = opened["loan_id"]

    async def _bid(self, action: Bid) -> None:
        if action.closing:
            path = self._listing_path(action.loan)
            await self._until(path, OPERATOR, lambda seen: seen["remaining_fen"] == action.amount_fen)
        body = {"listing_id": self._listings[action.loan], "amount_fen": action.amount_fen}
        await self._gateway.post(
            action.user, f"/bidding/accounts/{_account(action.user)}/bids", action.key, body
        )

    async def _until(self, path: str, user: str, holds: Callable[[dict[str, Any]], bool]) -> None:
        """Look at a view until it shows what a saga was to bring about. Raises ReplayFailed when it does not."""
        give_up_at = time.monotonic() + _SAGA_LIMIT_S
        pause_s = _LOOK_S
        while True:
            seen = await self._gateway.read(user, path)
            if seen is not None and holds(seen):
                return
            if time.monotonic() > give_up_at:
                raise ReplayFailed(
                    f"{path} did not come as far as planned in {_SAGA_LIMIT_S:.0f} seconds: {seen}."
                )
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LOOK_MAX_S)

    def _listing_path(self, loan: str) -> str:
        return f"/bidding/listings/{self._listings[loan]}"


def _account(user: str) -> str:
    return f"acc_{user.removeprefix('usr_')}"


def _on(business_date: date) -> dict[str, str]:
    return {"business_date": business_date.isoformat()}
