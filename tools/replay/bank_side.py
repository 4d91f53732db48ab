"""The custodian bank of a replay: what it has booked by its own account, its daily files, and what comes of comparing them.

It hears of no event: a line is what the bank itself confirmed, on the date for which it was asked. Money that comes the evening
before is booked by the platform a day earlier if it is there before midnight, so two days differ by it, which is one difference that timing
explains. Whether it is there before midnight is a race with the close, but for the dates that are compared line by line.
"""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from libs.runtime.settings import Settings
from services.bidding.projections.bank_days import MACHINE
from tools.bank.reconcile import reconcile_days
from tools.replay.gateway import Gateway

#: Dates at the end of a replay that are compared line by line, at most; balances are those of all dates.
COMPARED_DAYS: Final = 10
_LOOK_S: Final = 0.1
_PATIENCE_S: Final = 5.0


@dataclass(slots=True)
class BankSide:
    """Every booking of the bank: (reference, account, fen; what went out is negative), by date."""

    days: dict[date, list[tuple[str, str, int]]] = field(default_factory=dict)

    def book(self, on: date, reference: str, account: str, moved_fen: int) -> None:
        """The bank has moved money."""
        self.days.setdefault(on, []).append((reference, account, moved_fen))

    def file(self, on: date) -> str:
        """The date's file, as tools/bank/daily_file.py describes it."""
        entries = self.days.get(on, [])
        before_fen = sum(moved for day, lines in self.days.items() if day < on for *_, moved in lines)
        in_fen = sum(max(moved, 0) for *_, moved in entries)
        out_fen = sum(max(-moved, 0) for *_, moved in entries)
        lines = [
            f"B|{reference}||{account}|{'in' if moved > 0 else 'out'}|{abs(moved)}|{on}T12:00:00Z\n"
            for reference, account, moved in entries
        ]
        head = f"H|loanstream-bank-file|2|{on}|{len(entries)}|{before_fen}\n"
        end = f"T|{len(entries)}|{in_fen}|{out_fen}|{before_fen + in_fen - out_fen}\n"
        return "".join((head, *lines, end))

    def last_days(self, last: date) -> list[date]:
        """The last dates, from one on that the bank booked nothing on, so that none of their money came before the first."""
        days = [last - timedelta(days=back) for back in range(COMPARED_DAYS - 1, -1, -1)]
        quiet = [day for day in days if day not in self.days]
        return days[days.index(quiet[0]) :] if quiet else days[-1:]


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The bank against the ledger, the accounts and the claims at the end of the last date; `bookings` were compared line by line,
    `matched` of them were in flight at midnight, or matched by their reference, and `left` differ still."""

    first: date
    last: date
    bookings: int
    matched: int
    left: int
    bank_fen: int
    ledger_fen: int
    accounts_fen: int
    lent_fen: int
    claims_fen: int
    claims_apart_fen: int

    @property
    def difference_fen(self) -> int:
        """What the three sides differ by, added up without their signs; anything but 0 is an error."""
        return (
            abs(self.bank_fen - self.ledger_fen)
            + abs(self.ledger_fen - self.accounts_fen)
            + max(abs(self.lent_fen - self.claims_fen), self.claims_apart_fen)
        )


async def reconcile_the_end(
    settings: Settings, gateway: Gateway, bank: BankSide, last: date, accountant: str
) -> Reconciled:
    """Compare the last dates' files with the books, and have an accountant match what dates further apart differ by.

    Raises OperatorError.
    """
    days = bank.last_days(last)
    with TemporaryDirectory(prefix="bank-files-") as place:
        files: dict[date, Path | None] = {}
        for day in days:
            path = Path(place) / day.isoformat()
            await asyncio.to_thread(path.write_text, bank.file(day), encoding="ascii")
            files[day] = path
        end = await reconcile_days(settings, files)
    left = end["open_after"]
    if left:
        await gateway.post(accountant, "/bidding/bank-matches", "match", {"by": "reference"})
        left = await _left(gateway, accountant)
    matched = await _matched(gateway, accountant, left)
    return Reconciled(
        first=days[0],
        last=last,
        bookings=sum(len(bank.days.get(day, ())) for day in days),
        matched=matched,
        left=left,
        bank_fen=end["bank_fen"],
        ledger_fen=end["ledger_fen"],
        accounts_fen=end["accounts_fen"],
        lent_fen=end["lent_fen"] or 0,
        claims_fen=end["claims_fen"] or 0,
        claims_apart_fen=end["claims_apart_fen"],
    )


async def _matched(gateway: Gateway, accountant: str, left: int) -> int:
    """How many differences are settled, once the work list shows all that the dates have opened and not closed."""
    dates = await gateway.read(accountant, "/bidding/bank-days?limit=200")
    told = sum(day["opened"] - day["closed"] for day in dates["items"]) if dates else 0
    give_up_at = time.monotonic() + _PATIENCE_S
    while True:
        shown = await gateway.read(accountant, "/bidding/bank-breaks?state=resolved&limit=200")
        matched = len({_told_as(each) for each in shown["items"]}) if shown else 0
        if matched + left >= told or time.monotonic() > give_up_at:
            return matched
        await asyncio.sleep(_LOOK_S)


def _told_as(each: dict[str, str]) -> str:
    """What was in flight at midnight is two halves, of which one was told."""
    if each["explained_by"] == MACHINE:
        return min(each["break_id"], each["counterpart"])
    return each["break_id"]


async def _left(gateway: Gateway, accountant: str) -> int:
    """How many differences the work list shows, when it shows what was matched."""
    give_up_at = time.monotonic() + _PATIENCE_S
    while True:
        shown = await gateway.read(accountant, "/bidding/bank-breaks?limit=200")
        left = len(shown["items"]) if shown else 0
        if (shown and not left) or time.monotonic() > give_up_at:
            return left
        await asyncio.sleep(_LOOK_S)
