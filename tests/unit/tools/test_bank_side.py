"""The replay's bank: its files are whole to the platform's reader, and tell of what it booked, whatever we did."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import structs

from libs.events.codec import decode, decode_object
from libs.events.records import CommandEnvelope
from libs.events.system import BusinessDateSet
from libs.events.views import View
from libs.runtime.identity import ensure_identity
from libs.runtime.settings import load_settings
from services.bidding.bank_file import BankFile, lines_of
from services.bidding.commands.bank_days import MatchBreaks, ReconcileBankDay
from services.bidding.domain.bank_days import AGGREGATE
from services.bidding.projections.bank_bookings import VIEW as BOOKINGS
from services.bidding.projections.bank_days import BREAKS, DAYS
from tests.unit.bidding.specs import OPENED, asked, deposited
from tests.unit.documents import documents, history, nested
from tests.unit.given import context, given
from tests.unit.runtime.edge_world import MemoryViews
from tools.bank import reconcile
from tools.replay.bank_side import BankSide, Reconciled, reconcile_the_end

MONDAY = date(2024, 3, 11)


def test_a_file_tells_of_its_dates_bookings_after_those_before() -> None:
    """In and out, with the balance before and after; a date without bookings has an empty file."""
    bank = BankSide()
    bank.book(MONDAY, "B1", "acc_ann", 500_00)
    bank.book(MONDAY + timedelta(days=1), "B2", "acc_cem", 70_00)
    bank.book(MONDAY + timedelta(days=1), "B3", "acc_ann", -200_00)
    for days, moved, closing_fen in ((0, [500_00], 500_00), (1, [70_00, -200_00], 370_00), (2, [], 370_00)):
        on = MONDAY + timedelta(days=days)
        file = BankFile(lines_of([bank.file(on).encode()]), on)
        assert [each.moved_fen for each in file.read()] == moved
        assert file.side.closing_fen == closing_fen


def test_the_last_dates_begin_where_nothing_came_before_its_day() -> None:
    """From a date without bookings on, ten at most; the last one alone where every date has some."""
    bank, last = BankSide(), MONDAY + timedelta(days=20)
    for back in range(30):
        bank.book(last - timedelta(days=back), f"B{back}", "acc_ann", 1)
    assert bank.last_days(last) == [last]
    del bank.days[last - timedelta(days=3)]
    assert bank.last_days(last) == [last - timedelta(days=back) for back in (3, 2, 1, 0)]
    assert len(BankSide().last_days(last)) == 10


@dataclass
class Platform:
    """The stream of bank days with its views, and a day of bookings in them; the log and the database stand for each other."""

    views: MemoryViews = field(default_factory=MemoryViews)
    happened: list[Any] = field(default_factory=list)
    bookings: list[Any] = field(default_factory=list)

    def booked(self, on: date, *events: Any, stream: str = "acc_ann") -> None:
        """This happened on a date."""
        for event in history(stream, *events):
            place = len(self.bookings)
            self.bookings.append(structs.replace(event, business_date=on, sequence=place, position=place))
        self._show(BOOKINGS, self.bookings)

    def _show(self, view: View, events: list[Any]) -> None:
        shown = documents(view, events)
        self.views.documents[view.name] = {doc: nested(doc, fields) for doc, fields in shown.items()}

    def decides(self, command: Any, who: str) -> str:
        """What comes of a command, shown at once."""
        outcome = given(AGGREGATE, *self.happened).when(command, context(LAST + timedelta(days=1), who))
        assert outcome.refused is None, outcome.refused
        self.happened += outcome.events
        self._show(DAYS, history("bankdays", *self.happened))
        self._show(BREAKS, history("bankdays", *self.happened))
        return "decided" if outcome.events else "no_effect"

    async def append(self, stream_id: str, value: bytes) -> int:
        """See CommandLog."""
        assert stream_id == "bankdays"
        envelope = decode(CommandEnvelope, value)
        outcome = self.decides(decode_object(ReconcileBankDay, envelope.data), envelope.principal)
        pages = self.views.documents.setdefault("bidding.commands", {})
        pages[envelope.command_id] = {"outcome": outcome, "code": None}
        return 0

    async def close(self) -> None:
        """See CommandLog and Database."""

    async def post(self, user: str, _path: str, _key: str, _body: Any) -> dict[str, Any]:
        """See Gateway: an accountant matches."""
        self.decides(MatchBreaks(by="reference"), user)
        return {}

    async def read(self, _user: str, path: str) -> dict[str, Any]:
        """See Gateway: the dates, the work list, or what left it."""
        if "bank-days" in path:
            dates, _ = await self.views.page(DAYS.name, where={}, after=None, limit=200)
            return {"items": dates}
        state = "resolved" if "state=resolved" in path else "open"
        items, _ = await self.views.page(BREAKS.name, where={"state": state}, after=None, limit=200)
        return {"items": items}


LAST = MONDAY + timedelta(days=12)


async def test_the_end_of_a_replay_is_compared_three_ways(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Money that came the evening before is of two days, which is one difference; balances agree to the fen, claims as well; and a bank that has a fen more is found out."""
    platform, bank = Platform(), BankSide()
    monkeypatch.setattr(reconcile, "Database", SimpleNamespace(connect=lambda _settings: platform))
    monkeypatch.setattr(reconcile, "Views", lambda _database: platform.views)
    monkeypatch.setattr(reconcile, "CommandLog", lambda *_arguments, **_named: platform)
    settings = ensure_identity(load_settings(tmp_path, partitions=1))
    platform.booked(LAST - timedelta(days=1), OPENED, asked(), deposited())
    platform.booked(LAST, BusinessDateSet(business_date=LAST + timedelta(days=1)), stream="~p0")
    platform.views.documents["bidding.lent"] = {"all": {"ledger_fen": 70_00, "register_fen": 70_00}}
    bank.book(LAST, "B1", "acc_ann", 500_00)
    gateway: Any = platform
    monkeypatch.setattr("tools.replay.bank_side.COMPARED_DAYS", 2)
    done = await reconcile_the_end(settings, gateway, bank, LAST, "stf_acc")
    assert done == Reconciled(
        first=LAST - timedelta(days=1),
        last=LAST,
        bookings=1,
        matched=1,
        left=0,
        bank_fen=500_00,
        ledger_fen=500_00,
        accounts_fen=500_00,
        lent_fen=70_00,
        claims_fen=70_00,
        claims_apart_fen=0,
    )
    assert done.difference_fen == 0
    assert replace(done, claims_apart_fen=4).difference_fen == 4
    bank.book(LAST, "B2", "acc_ann", 1)
    assert (await reconcile_the_end(settings, gateway, bank, LAST, "stf_acc")).difference_fen == 1
