"""Plays a plan on the running platform: the day's actions as requests, then the close of the day, until the last date.

Within a step all actions are under way together; a day is closed when its actions are done and the
next one begins when the log says that it is closed. What is brought for tomorrow comes meanwhile: a platform takes money
while it closes a day. Nothing is asked twice that an answer or the log tells.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median
from typing import Any, Final, assert_never

from libs.events.bidding import BidPlaced, ListingFilled, LoanFunded, LoanProceedsCredited
from tools.replay import applying, collecting
from tools.replay.actions import (
    Action,
    Apply,
    Assess,
    AwaitFunded,
    Bid,
    CallIn,
    Dun,
    Join,
    Pay,
    TopUp,
    Withdraw,
)
from tools.replay.bank_side import COMPARED_DAYS, BankSide
from tools.replay.gateway import ReplayFailed
from tools.replay.plan import Day, Plan
from tools.replay.scene import Asks, Scene, Tells
from tools.replay.staff import OPERATOR

_LOOK_S: Final = 0.05
_LOOK_LIMIT_S: Final = 120.0


@dataclass(slots=True)
class Driven:
    """How far a replay is. The platform's ids: `users` by the plan's names, `loan_ids` by the book's numbers; what the bank
    has booked; times in wall milliseconds."""

    days: int = 0
    funded: int = 0
    quiet_ms: list[float] = field(default_factory=list)
    users: dict[str, str] = field(default_factory=dict)
    loan_ids: dict[str, str] = field(default_factory=dict)
    bank: BankSide = field(default_factory=BankSide)

    @property
    def empty_day_ms(self) -> float | None:
        """Median from the request to close a day without any work to the day being closed; None without such a day."""
        return round(median(self.quiet_ms), 1) if self.quiet_ms else None


class Driver:
    """Plays one plan."""

    def __init__(self, plan: Plan, gateway: Asks, log: Tells) -> None:
        self._plan = plan
        self._gateway = gateway
        self._log = log
        self._scene = Scene(gateway, log, plan.staff)
        self.driven = Driven(users=self._scene.users)

    async def play(self, on_progress: Callable[[Driven], None]) -> Driven:
        """From the first date to the last. Raises ReplayFailed."""
        if self._log.business_date is None:
            await self._gateway.post(OPERATOR, "/repayment/calendar", "open", _on(self._plan.first_date))
        for day in self._plan.days():
            for step in day.steps:
                await self._together([self._do(action, day.business_date) for action in step])
            tomorrow = day.business_date + timedelta(days=1)
            evening = [self._do(action, tomorrow) for action in day.ahead]
            if (self._plan.last_date - day.business_date).days < COMPARED_DAYS:
                # what comes in the evening is there before midnight, so that the files of two dates differ by it
                await self._together(evening)
                evening = []
            await self._together([self._close(day), *evening])
            if day.business_date == self._plan.first_date:
                await self._appoint()
            self.driven.days += 1
            on_progress(self.driven)
        return self.driven

    async def _appoint(self) -> None:
        """The staff takes its posts. Posts and desks are looked up in views, so this once they are waited for."""
        staff = self._plan.staff
        await self._together(
            [
                self._post(staff.admin, f"/onboarding/staff/{who}/appointments", "appoint", {"roles": [role]})
                for who, role in staff.appointments()
            ]
        )
        everybody = {who for who, _ in staff.appointments()}
        await self._until(
            "/onboarding/staff?limit=200",
            staff.admin,
            lambda seen: everybody <= {item["staff_id"] for item in seen["items"]},
        )
        for who in staff.reviewers():
            await self._until("/bidding/reviews", who, bool)
        writer, supervisor = staff.of("writer"), staff.of("supervisor")
        for who in (writer, staff.of("caller")):
            await self._until(f"/collections/collectors/{who}", supervisor, bool)
        path = f"/collections/collectors/{writer}"
        await self._post(supervisor, f"{path}/desk", "desk", collecting.WRITERS_DESK)
        await self._until(path, supervisor, lambda seen: "late" in seen["stages"])

    async def _post(self, user: str, path: str, key: str, body: Mapping[str, Any]) -> None:
        await self._gateway.post(user, path, key, body)

    async def _together(self, works: Sequence[Coroutine[Any, Any, None]]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for work in works:
                    group.create_task(work)
        except ExceptionGroup as failures:
            refused, others = failures.split(ReplayFailed)
            if refused is None or others is not None:
                raise
            raise refused.exceptions[0] from None  # `except*` once put a group around it again

    async def _close(self, day: Day) -> None:
        started = time.perf_counter()
        await self._gateway.post(
            OPERATOR, "/repayment/calendar/close", f"close-{day.business_date}", _on(day.business_date)
        )
        await self._log.closed(day.business_date)
        if day.quiet:
            self.driven.quiet_ms.append((time.perf_counter() - started) * 1000)

    # --- actions ---------------------------------------------------------------------------------------------------

    async def _do(self, action: Action, on: date) -> None:
        match action:
            case Join() | Assess() | Apply():
                await self._log.dated("onboarding", on)
                await self._onboard(action, on)
            case CallIn():
                await self._log.dated("collections", on)
                await collecting.answer_call(self._scene, action)
            case Dun():
                await self._log.dated("collections", on)
                await collecting.write(self._scene, action)
            case TopUp():
                await self._money(action, "top-ups", on)
            case Bid():
                await self._bid(action)
            case AwaitFunded():
                await self._funded(action.loan)
            case Withdraw():
                await self._log.told((LoanProceedsCredited, self._scene.loan(action.loan)))
                await self._money(action, "withdrawals", on)
            case Pay():
                body = {
                    "loan_id": self._scene.loan(action.loan),
                    "amount_fen": action.amount_fen,
                    "settle": action.settle,
                }
                await self._own(action.user, "loan-payments", action.key, body)
            case _:
                assert_never(action)

    async def _onboard(self, action: Join | Assess | Apply, on: date) -> None:
        match action:
            case Join():
                await applying.join(self._scene, action)
            case Assess():
                await applying.assess(self._scene, action, on)
            case Apply():
                await applying.apply(self._scene, action, on)
                self.driven.loan_ids[action.loan] = self._scene.loan(action.loan)
            case _:
                assert_never(action)

    async def _own(self, user: str, what: str, key: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Somebody's wish about his own account."""
        path = f"/bidding/accounts/{self._scene.account(user)}/{what}"
        return await self._gateway.post(self._scene.users[user], path, key, body)

    async def _money(self, action: TopUp | Withdraw, what: str, on: date) -> None:
        """Ask for money in or out, and let the bank confirm it under a reference of its own."""
        asked = await self._own(action.user, what, action.key, {"amount_fen": action.amount_fen})
        request: str = asked["id"]
        reference = f"B{on:%Y%m%d}-{request}"
        answer = {"bank_reference": reference, "amount_fen": action.amount_fen, "succeeded": True}
        account = self._scene.account(action.user)
        await self._gateway.bank(f"/bidding/bank/{what}/{account}/{request}", answer)
        moved_fen = action.amount_fen if what == "top-ups" else -action.amount_fen
        self.driven.bank.book(on, reference, account, moved_fen)

    async def _bid(self, action: Bid) -> None:
        listing = self._scene.listing(action.loan)
        if action.closing:
            await self._log.told((BidPlaced, f"{listing}/{action.amount_fen}"))
        await self._own(
            action.user, "bids", action.key, {"listing_id": listing, "amount_fen": action.amount_fen}
        )

    async def _funded(self, loan: str) -> None:
        """The last bid funds the loan, or two of finance do who look at it first."""
        listing = self._scene.listing(loan)
        in_review = (ListingFilled, f"{listing}/review")
        if await self._log.told((LoanFunded, listing), in_review) == in_review:
            for who in self._plan.staff.reviewers():
                await self._post(
                    who, f"/bidding/listings/{listing}/reviews", "review", {"verdict": "approve"}
                )
            await self._log.told((LoanFunded, listing))
        self.driven.funded += 1

    async def _until(self, path: str, user: str, holds: Callable[[dict[str, Any]], bool]) -> None:
        """Look at a view until it shows what was to come. Raises ReplayFailed when it does not."""
        give_up_at = time.monotonic() + _LOOK_LIMIT_S
        while True:
            seen = await self._gateway.read(user, path)
            if seen is not None and holds(seen):
                return
            if time.monotonic() > give_up_at:
                raise ReplayFailed(f"{path} did not come as far as planned in {_LOOK_LIMIT_S:.0f} s: {seen}.")
            await asyncio.sleep(_LOOK_S)


def _on(business_date: date) -> dict[str, str]:
    return {"business_date": business_date.isoformat()}
