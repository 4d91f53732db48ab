"""Finance of a simulation: each date's file is reconciled by the real code on the real views; then the work list is worked off."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any, TypeVar

from pydantic_core import from_json

from libs.events.bank_days import Claims, Explanation, Resolution
from services.bidding.account_proof import drift_fen
from services.bidding.bank_file import BankFileRefused, lines_of
from services.bidding.claims_proof import claims_at_rest
from services.bidding.commands import RecordUnrequestedMoney
from services.bidding.commands.bank_days import BANK_DAYS, ExplainBreak, MatchBreaks, ResolveBreak
from services.bidding.reconciler import RECONCILER, DayNotOver, dates_over, reconciliation
from services.bidding.waiting_breaks import Room
from tools.simulator.people import Api, Call
from tools.simulator.played_bank import WORK_LIST, PlayedBank
from tools.simulator.projecting import Database

_T = TypeVar("_T")
_CODES: tuple[Explanation, ...] = ("timing", "booked_later", "bank_error", "our_error")
_ENDS: tuple[Resolution, ...] = ("timing", "booked_later", "bank_corrected", "our_correction")
_PEOPLE = ("stf_acc1", "stf_acc2")
#: Differences of one command, of one look and of the work list: so few that most days take several commands, and some days wait.
ROOM = Room(open=WORK_LIST, listed=5, part=2)
#: How often the machine dies between two parts.
_GIVES_UP = 0.1
#: How often people match by amount, and not by reference.
_BY_AMOUNT = 0.3
#: Views were behind: the next look begins where they are then.
_BEHIND = ("file_differs", "known_differs", "invalid_breaks")
#: Steps between two looks at views that are behind.
_PATIENCE = 25


@dataclass(slots=True)
class SeenViews:
    """What the database of the simulated projector holds, read as a service reads its views."""

    database: Callable[[], Database]

    async def get(self, view: str, doc: str) -> Mapping[str, Any] | None:
        """See ReadsViews."""
        return self.database()[view].documents.get(doc)

    async def page(
        self, view: str, *, where: Mapping[str, Any], after: str | None, limit: int
    ) -> tuple[list[Mapping[str, Any]], str | None]:
        """See ReadsViews."""
        documents = self.database()[view].documents
        names = [
            name
            for name in sorted(documents)
            if (after is None or name > after)
            and all(documents[name].get(field) == value for field, value in where.items())
        ]
        return [{"_id": name} | documents[name] for name in names[:limit]], names[limit - 1] if len(
            names
        ) > limit else None


def _settled(work: Coroutine[Any, Any, _T]) -> _T:
    """The result of what waits for nothing."""
    try:
        work.send(None)
    except StopIteration as done:
        result: _T = done.value
        return result
    raise AssertionError("the reconciler waits in a world without waiting")


async def _no_pause() -> None:
    pass


async def _at_once(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


@dataclass(slots=True)
class Finance:
    """Accountants, and the machine that reconciles for them. `due` are the dates whose files it has still to look at."""

    rng: Random
    api: Api
    bank: PlayedBank
    views: Any
    partitions: int
    following: date
    due: list[date] = field(default_factory=list)
    breaks: dict[str, str | None] = field(default_factory=dict)
    """Differences on the work list, with who explained them."""
    waiting: dict[date, None] = field(default_factory=dict)
    """Dates of which something waits until there is room."""
    refused_files: int = 0
    _call: Call | None = None
    _parts: list[Any] = field(default_factory=list)
    _last: date | None = None
    _final: date | None = None
    _pause: int = 0
    _numbers: int = 0

    def fold(self, kind: str, data: Any) -> None:
        """Take in one event."""
        name = kind.split(".")[1]
        if name == "BankBreakOpened":
            self.breaks[data["break_id"]] = None
        elif name == "BankBreakExplained":
            self.breaks[data["break_id"]] = data["explained_by"]
        elif name in ("BankBreakClosed", "BankBreakResolved", "BankBreakInFlight"):
            self.breaks.pop(data["break_id"], None)
        elif name == "BankBreaksMatched":
            self.breaks.pop(data["here"], None)
            self.breaks.pop(data["there"], None)
        elif name == "BankDayReconciled":
            day = date.fromisoformat(data["business_date"])
            self.waiting.pop(day, None)
            if data["unlisted"] or data["unclosed"]:
                self.waiting[day] = None

    # --- files ----------------------------------------------------------------------------------------------------

    def new_day(self, today: date) -> None:
        """The date before is over: its file is due, after one more look at the file before and at those of which something waits."""
        if self.following < today:
            self.due += [day for day in self.waiting if day not in self.due]
        while self.following < today:
            self.due += [day for day in (self._last, self.following) if day is not None]
            self._last = self._final = self.following
            self.following += timedelta(days=1)

    def reconcile(self) -> bool:
        """Look at the next file that is due, if the last answer is there."""
        if self._call is not None:
            if not self._call.answered:
                return False
            self._hear(self._call)
            if self._call is not None:
                return True
        self._pause -= 1
        if not self.due or self._pause > 0:
            return False
        self._pause = _PATIENCE
        day = self.due[0]
        dates = _settled(dates_over(self.views, self.partitions))
        if dates is None or not dates.first <= day <= dates.last:
            return False
        lines = lines_of([self.bank.file(day)])
        try:
            found = _settled(
                reconciliation(
                    self.views,
                    day,
                    lines,
                    dates,
                    claims=self._claims(),
                    accounts_drift_fen=_settled(drift_fen(self.views)),
                    in_thread=_at_once,
                    room=ROOM,
                )
            )
        except BankFileRefused:
            self.refused_files += 1
            return True
        except DayNotOver:
            return False
        self._ask_next(list(found.commands))
        return True

    def _ask_next(self, commands: list[Any]) -> None:
        """The day's command, and then its parts, each when the one before is answered."""
        first, *self._parts = commands
        self._call = self.api.ask("bidding", BANK_DAYS, first, principal=RECONCILER.subject)

    def finish(self) -> bool:
        """When everybody goes home, every date that is over has its whole file: the last one is looked at once more. What waits is
        asked for as long as there is room."""
        if not self.due and self._call is None:
            if self._final is not None:
                self.due, self._final = [self._final], None
            elif self._has_room:
                self.due = [*self.waiting]
        return self.reconcile()

    @property
    def is_done(self) -> bool:
        """Whether no file is left to look at."""
        return not self.due and self._call is None and self._final is None and not self._has_room

    @property
    def _has_room(self) -> bool:
        """Whether something waits that the work list has room for."""
        return bool(self.waiting) and len(self.breaks) < WORK_LIST

    def _hear(self, call: Call) -> None:
        first = from_json(call.answers[0])[0]
        self._call = None
        if first["type"] == "system.CommandRefused.v1":
            code = first["data"]["code"]
            if code not in _BEHIND:
                raise AssertionError(f"the reconciliation of {self.due[0]} is refused: {code}")
            return
        if self._parts and self.rng.random() < _GIVES_UP:
            self._parts = []  # it died in the middle of a listing, and begins anew with the file of that moment
        elif self._parts:
            self._ask_next(self._parts)
        else:
            self.due.pop(0)

    def _claims(self) -> Claims | None:
        """Compared where nothing is on its way; that they agree in the end, the judgement sees to."""
        found = _settled(claims_at_rest(self.views, _no_pause, looks=1))
        is_moving = found is None or found.apart_fen or found.ledger_fen != found.register_fen
        return None if is_moving else found

    # --- people ---------------------------------------------------------------------------------------------------

    def act(self, today: date) -> None:
        """One thing about a difference, or money that nobody asked for."""
        chance = self.rng.random()
        if chance < 0.1 or not self.breaks:
            self._stray_money(today)
        elif chance < 0.4:
            by_amount = self.rng.random() < _BY_AMOUNT
            self._ask(MatchBreaks(by="amount" if by_amount else "reference"), self.rng.choice(_PEOPLE))
        else:
            self._look_at(*self.rng.choice(list(self.breaks.items())))

    def _look_at(self, name: str, explained_by: str | None) -> None:
        who = self.rng.choice((*_PEOPLE, "usr_0") if self.rng.random() < 0.1 else _PEOPLE)
        if self.rng.random() < (0.9 if explained_by is None else 0.1):
            self._ask(ExplainBreak(break_id=name, code=self.rng.choice(_CODES)), who)
            return
        if who == explained_by and self.rng.random() < 0.8:
            who = next(other for other in _PEOPLE if other != who)
        self._ask(ResolveBreak(break_id=name, code=self.rng.choice(_ENDS)), who)

    def _stray_money(self, today: date) -> None:
        self._numbers += 1
        reference, amount_fen = f"stray_{self._numbers}", self.rng.randint(1, 9) * 1_000
        self.bank.book(today, reference, "", amount_fen)
        booking = f"bankref_{reference}"
        money = RecordUnrequestedMoney(booking_id=booking, amount_fen=amount_fen)
        self.api.ask("bidding", booking, money, principal="bank")

    def _ask(self, command: Any, who: str) -> None:
        self.api.ask("bidding", BANK_DAYS, command, principal=who)
