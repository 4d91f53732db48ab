"""Bank days, kept once more: the files that the bank really gave against our bookings as the log holds them, line by line.

At every reconciliation the work list is what the two do not share, but for so many as it is said that wait; a difference ends by a file
that has it no more, by its other half, or by two people. At rest nothing waits that there is room for. The balances are the accountant's.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from tools.simulator.books import Books
from tools.simulator.loan_books import require
from tools.simulator.played_bank import WORK_LIST, BankEntry, GivenFile

_BANK = "bank:custody"
#: How long files of a date are looked at; what was settled of an older one is not asked about again.
_LOOKED_AT = timedelta(days=60)
#: A difference: reference, account, what the bank says, what we say.
Difference = tuple[str, str, int, int]


@dataclass(slots=True)
class BreakBook:
    """One difference of a date, and who explained it."""

    day: date
    kind: str
    what: Difference
    explained_by: str | None = None
    other: str = ""
    """The other half of what was in flight: it stands by itself only when this one is shown no more."""
    counterpart: str = ""
    """What it was settled together with by people, in the same way."""


@dataclass(slots=True)
class BankBooks:
    """Our bookings by date, the work list, what was settled, and the date's last file."""

    books: Books
    files: Mapping[tuple[date, str], GivenFile] | None = None
    """What the bank gave, by date and digest: the one thing here that stands in no log. None where nobody knows it: then the days
    are not judged."""
    bookings: dict[date, list[BankEntry]] = field(default_factory=dict)
    breaks: dict[str, BreakBook] = field(default_factory=dict)
    settled: dict[str, BreakBook] = field(default_factory=dict)
    days: dict[date, GivenFile] = field(default_factory=dict)
    waiting: dict[date, Any] = field(default_factory=dict)
    """What was last said of what waits, by date."""
    begun: tuple[date, int, Any] | None = None
    """A day whose differences come in parts, and how many are in."""
    landed: dict[str, None] = field(default_factory=dict)
    """Halves whose other half is shown no more."""

    def record(self, where: str, business_date: str | None, event: Any) -> None:
        """Fold one event. Raises WrongBooks."""
        if self.files is None:
            return
        data = event["data"]
        for posting in data.get("postings", ()):
            if posting["account"] == _BANK:
                assert business_date is not None, "money moves on a date"
                booked = BankEntry(data["bank_reference"], data.get("account_id", ""), -posting["amount_fen"])
                self.bookings.setdefault(date.fromisoformat(business_date), []).append(booked)
        handler = _HANDLERS.get(event["type"])
        if handler is not None:
            handler(self, where, data)

    def at_rest(self, last_over: date | None) -> None:
        """Every date that is over has a whole file, and no difference is told that is none, or kept back that is one."""
        if self.files is None:
            return
        for day in self.bookings:
            over = last_over is not None and day <= last_over
            require(day in self.days or not over, f"{day} was never reconciled with the bank")
        for day in self.days:
            self._as_the_bank_says("at rest", day)
            said = self.waiting[day]
            is_served = len(self.breaks) >= WORK_LIST or not (said["unlisted"] or said["unclosed"])
            require(is_served, f"differences of {day} wait, and there is room on the work list")

    # --- days -----------------------------------------------------------------------------------------------------

    def _reconciled(self, where: str, data: Any) -> None:
        assert self.files is not None, "nobody is judged without them"
        day = date.fromisoformat(data["business_date"])
        given = self.files.get((day, data["lines_hash"]))
        require(given is not None, f"{where}: {day} is reconciled with a file that the bank never gave")
        assert given is not None
        earlier = self.days.get(day)
        if earlier is not None:
            begins = given.entries[: len(earlier.entries)] == earlier.entries
            require(begins, f"{where}: the file of {day} does not go on from its last one")
        self.days[day] = given
        ours = self.bookings.get(day, [])
        _side(where, "bank", data["bank"], given.entries, given.closing_fen)
        balance_fen = sum(each.moved_fen for on, sums in self.bookings.items() if on <= day for each in sums)
        _side(where, "ledger", data["ledger"], ours, balance_fen)
        require(
            data["accounts_fen"] == balance_fen, f"{where}: accounts have {data['accounts_fen']} on {day}"
        )
        require(data["open_after"] == len(self.breaks), f"{where}: {len(self.breaks)} breaks are open")
        for name in [each for each, book in self.settled.items() if book.kind in data["corrected"]]:
            del self.settled[name]
        self._over(where, data["gone"])
        self.waiting[day] = data
        if data["told"] is not None:
            told = sum(each.day == day and bool(each.what[0]) for each in self._known())
            require(data["told"]["breaks"] == told, f"{where}: {told} differences of {day} were told")
        self._paired(where)
        if day == max(self.days):
            self._whole(where, day, data)
        self._as_the_bank_says(where, day)
        self._one_each(where, day)
        if self.begun is not None and self.begun[0] == day:
            self.begun = None

    def _as_the_bank_says(self, where: str, day: date) -> None:
        """The differences of a date are what the two sides do not share: nothing is missing and nothing is made up."""
        theirs = {each.reference: each for each in self.days[day].entries}
        expected: Counter[Difference] = Counter()
        for reference in {*theirs, *(each.reference for each in self.bookings.get(day, []))}:
            expected += _differences(
                theirs.get(reference), [x for x in self.bookings.get(day, []) if x.reference == reference]
            )
        told = Counter(each.what for each in self._known() if each.day == day and each.what[0])
        missing = sorted((expected - told).elements())
        said = self.waiting[day]
        waiting = len(missing), sum(each[2] - each[3] for each in missing)
        is_said = (said["unlisted"], said["unlisted_fen"]) == waiting
        require(is_said, f"{where}: {day} differs by {missing} and nobody says so")
        flying = [each for each in self.settled.values() if each.other]
        live = Counter(
            each.what for each in [*self.breaks.values(), *flying] if each.day == day and each.what[0]
        )
        made_up = sorted((live - expected).elements())
        require(len(made_up) <= said["unclosed"], f"{where}: {day} does not differ by {made_up}")

    def _one_each(self, where: str, day: date) -> None:
        """What the bank has on one date and we on the next is one difference, where just one on each side fits."""
        halves: dict[tuple[str, str, int], list[BreakBook]] = {}
        for name, each in self.breaks.items():
            if each.kind in ("missing_here", "missing_there") and name not in self.landed:
                halves.setdefault((*each.what[:2], each.what[2] or each.what[3]), []).append(each)
        for what, found in halves.items():
            days = sorted(each.day for each in found)
            two = len(found) == 2 and found[0].kind != found[1].kind and day in days
            require(not two or (days[1] - days[0]).days != 1, f"{where}: {what} is told twice, on {days}")

    def _paired(self, where: str) -> None:
        """Of two that settle each other neither is over without the other one, as long as files of its date are looked at."""
        first = max(self.days) - _LOOKED_AT
        for name, each in self.settled.items():
            rests = each.day <= first or self._rests(name, each)
            require(rests, f"{where}: {each.what} of {each.day} is over by what is not there")

    def _rests(self, name: str, book: BreakBook) -> bool:
        """Whether the other half, where it has one, stands or is settled, by this one."""
        half = book.other or book.counterpart
        other = self.breaks.get(half) or self.settled.get(half)
        return not half or (other is not None and name in (other.other, other.counterpart))

    def _whole(self, where: str, day: date, data: Any) -> None:
        """What no line explains of the balance is told once, to the fen."""
        lines = sum(each.moved_fen for on in self.days for each in self.days[on].entries)
        ours = sum(each.moved_fen for on in self.days for each in self.bookings.get(on, []))
        unexplained = data["bank"]["closing_fen"] - data["ledger"]["closing_fen"] - (lines - ours)
        told = sum(each.what[2] - each.what[3] for each in self._known() if each.kind == "balance_differs")
        open_ones = [name for name, each in self.breaks.items() if each.kind == "balance_differs"]
        require(unexplained or not open_ones, f"{where}: {open_ones} stand, and balances of {day} agree")
        require(told == unexplained, f"{where}: balances of {day} differ by {unexplained}, told is {told}")

    # --- breaks ---------------------------------------------------------------------------------------------------

    def _begun(self, _where: str, data: Any) -> None:
        self.begun = date.fromisoformat(data["business_date"]), 0, data

    def _listed(self, where: str, data: Any) -> None:
        assert self.begun is not None, "a part has a beginning"
        day, parts, said = self.begun
        require(data["part"] == parts, f"{where}: part {data['part']} of {day} comes after {parts}")
        known = all(name in self.breaks or name in self.settled for name in data["break_ids"])
        require(known, f"{where}: a part of {day} shows what nobody knows")
        self._over(where, data["gone"])
        self.begun = day, parts + 1, said

    def _in_flight(self, where: str, data: Any) -> None:
        first, name = self._open(where, data["break_id"]), data["counterpart"]
        other_date = date.fromisoformat(data["other_date"])
        reference, account, bank_fen, ledger_fen = first.what
        one = first.kind in ("missing_here", "missing_there") and abs((other_date - first.day).days) == 1
        require(one and name not in self.settled, f"{where}: {first.what} was not in flight")
        kind = "missing_there" if first.kind == "missing_here" else "missing_here"
        first.other, first.counterpart = name, ""
        self._settle(data["break_id"])
        what = reference, account, ledger_fen, bank_fen
        self.settled[name] = BreakBook(other_date, kind, what, other=data["break_id"])

    def _opened(self, where: str, data: Any) -> None:
        name = data["break_id"]
        half = self.settled.get(name)
        if half is not None and (half.other or half.counterpart):
            del self.settled[name]
            if self._rests(name, half):
                self.settled.pop(half.other or half.counterpart, None)
            self.landed[name] = None
        require(name not in self.breaks and name not in self.settled, f"{where}: {name} is opened again")
        what = data["reference"], data["account_id"], data["bank_fen"], data["ledger_fen"]
        book = BreakBook(date.fromisoformat(data["business_date"]), data["kind"], what)
        alone = {"missing_here": not data["ledger_fen"], "missing_there": not data["bank_fen"]}
        require(alone.get(book.kind, True), f"{where}: {name} is no {book.kind}")
        self.breaks[name] = book

    def _closed(self, where: str, data: Any) -> None:
        self._open(where, data["break_id"])
        del self.breaks[data["break_id"]]

    def _explained(self, where: str, data: Any) -> None:
        book = self._open(where, data["break_id"])
        book.explained_by, book.counterpart = data["explained_by"], data["counterpart"] or ""

    def _resolved(self, where: str, data: Any) -> None:
        book = self._open(where, data["break_id"])
        two = book.explained_by not in (None, data["resolved_by"])
        require(two, f"{where}: {data['break_id']} is resolved by {data['resolved_by']} alone")
        rests = self._rests(data["break_id"], book)
        require(rests, f"{where}: {book.what} is resolved by what is not there")
        self._settle(data["break_id"])

    def _matched(self, where: str, data: Any) -> None:
        here, there = self._open(where, data["here"]), self._open(where, data["there"])
        one = here.what[:2] == there.what[:2] and here.what[2] == there.what[3] and here.day != there.day
        require(
            one and here.what[3] == there.what[2] == 0, f"{where}: {here.what} is not settled by {there.what}"
        )
        here.counterpart, there.counterpart = data["there"], data["here"]
        self._settle(data["here"])
        self._settle(data["there"])

    def _open(self, where: str, name: str) -> BreakBook:
        require(name in self.breaks, f"{where}: {name} is not open")
        return self.breaks[name]

    def _known(self) -> list[BreakBook]:
        """What was told and is not closed, or over and shown no more."""
        return [*self.breaks.values(), *self.settled.values()]

    def _over(self, where: str, names: list[str]) -> None:
        """These are over, and their date's file shows them no more."""
        for name in names:
            require(name not in self.breaks, f"{where}: {name} is open, and said to be over")
            self.settled.pop(name, None)

    def _settle(self, name: str) -> None:
        self.settled[name] = self.breaks.pop(name)


def _differences(theirs: BankEntry | None, ours: list[BankEntry]) -> "Counter[Difference]":
    """What one reference differs by on one date, by the simplest rule: what both have alike is gone, the rest is named."""
    left = [*ours]
    if theirs is not None and theirs in left:
        left.remove(theirs)
        theirs = None
    elif theirs is not None and left:
        meant = next((each for each in left if each.account == theirs.account), min(left, key=_order))
        left.remove(meant)
        return Counter([(meant.reference, meant.account, theirs.moved_fen, meant.moved_fen), *_alone(left)])
    found = [(theirs.reference, theirs.account, theirs.moved_fen, 0)] if theirs else []
    return Counter([*found, *_alone(left)])


def _alone(ours: list[BankEntry]) -> list[Difference]:
    return [(each.reference, each.account, 0, each.moved_fen) for each in ours]


def _order(entry: BankEntry) -> tuple[str, int]:
    return entry.account, entry.moved_fen


def _side(where: str, name: str, said: Any, entries: Any, closing_fen: int) -> None:
    is_so = {
        "bookings": len(entries),
        "in_fen": sum(max(each.moved_fen, 0) for each in entries),
        "out_fen": sum(max(-each.moved_fen, 0) for each in entries),
        "closing_fen": closing_fen,
    }
    require(said == is_so, f"{where}: the {name}'s side is {is_so}, told is {said}")


_HANDLERS: dict[str, Callable[[BankBooks, str, Any], None]] = {
    "bidding.BankDayReconciled.v1": BankBooks._reconciled,
    "bidding.BankBreakOpened.v1": BankBooks._opened,
    "bidding.BankBreakClosed.v1": BankBooks._closed,
    "bidding.BankBreakExplained.v1": BankBooks._explained,
    "bidding.BankBreakResolved.v1": BankBooks._resolved,
    "bidding.BankBreaksMatched.v1": BankBooks._matched,
    "bidding.BankDayBegun.v1": BankBooks._begun,
    "bidding.BankBreaksListed.v1": BankBooks._listed,
    "bidding.BankBreakInFlight.v1": BankBooks._in_flight,
}
