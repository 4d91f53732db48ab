"""The reconciler finds our side of a date in the views, asks once for what a file says, and waits for what is not over."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec import structs

from libs.events.bank_days import Claims, Side
from libs.events.bidding import UnrequestedMoneyReceived
from libs.events.system import BusinessDateSet
from libs.runtime.observability import BANK_UNBALANCED_FEN
from services.bidding.account_proof import drift_fen
from services.bidding.bank_file import BankFileRefused
from services.bidding.bank_files import HttpBankFiles, tell_breaks
from services.bidding.claims_proof import claims_at_rest
from services.bidding.commands.bank_days import ListBankBreaks, ReconcileBankDay
from services.bidding.custodian import BankRefused, BankUnavailable
from services.bidding.domain.bank_days import AGGREGATE
from services.bidding.projections.account_proof import VIEW as PROOF
from services.bidding.projections.bank_bookings import VIEW as BOOKINGS
from services.bidding.projections.bank_days import BREAKS, DAYS
from services.bidding.reconciler import (
    Dates,
    DayNotOver,
    Reconciler,
    dates_over,
    days_to_do,
    is_unbalanced,
    order_of,
    reconciliation,
)
from services.bidding.waiting_breaks import USUAL
from tests.unit.bidding import bank_day_story as story
from tests.unit.bidding.bank_day_story import MONDAY, TUESDAY
from tests.unit.bidding.specs import OPENED, asked, deposited, on
from tests.unit.bidding.test_bank import BOOKED
from tests.unit.documents import documents, history, nested
from tests.unit.given import given
from tests.unit.runtime.edge_world import MemoryViews

HEAD, END = "H|loanstream-bank-file|2|{}|{}|{}\n", "T|{}|{}|{}|{}\n"


def file_of(day: date, *lines: str, before_fen: int = 0, in_fen: int = 0) -> list[bytes]:
    """The bank's file of a date on which only came in."""
    body = [
        HEAD.format(day, len(lines), before_fen),
        *lines,
        END.format(len(lines), in_fen, 0, before_fen + in_fen),
    ]
    return [line.encode() for line in body]


def left_in(place: Path) -> list[Path]:
    """What lies in a directory."""
    return [*place.iterdir()]


def line_of(reference: str, amount_fen: int, account: str = "acc_ann") -> str:
    """Money that came in."""
    return f"B|{reference}|top_1|{account}|in|{amount_fen}|2024-03-11T08:00:00Z\n"


@dataclass
class Desk:
    """A bank with files, the views that say what we have, and what was asked of the log."""

    views: MemoryViews = field(default_factory=MemoryViews)
    files: dict[date, list[bytes] | Exception] = field(default_factory=dict)
    asked: list[Any] = field(default_factory=list)
    revisions: list[int] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)
    attempts: list[int] = field(default_factory=list)
    refuses: str | None = None
    refuses_of: dict[date, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reconciler = Reconciler(self.views, self, self._hear, self._pause, partitions=2)

    def happened(self, on: date, *events: Any, stream: str = "acc_ann") -> None:
        """This is in our log on a date."""
        start = sum(event.stream == stream for event in self.events)
        for number, event in enumerate(history(stream, *events), start + 1):
            self.events.append(structs.replace(event, business_date=on, sequence=number, position=number))
        shown = documents(BOOKINGS, self.events)
        self.views.documents[BOOKINGS.name] = {doc: nested(doc, fields) for doc, fields in shown.items()}

    def lives_on(self, day: date, *partitions: int) -> None:
        """These partitions have come to a date."""
        for partition in partitions or (0, 1):
            self.happened(day, BusinessDateSet(business_date=day), stream=f"~p{partition}")

    @asynccontextmanager
    async def lines(self, day: date) -> AsyncIterator[Iterable[bytes]]:
        """See BankFiles."""
        found = self.files.get(day, BankRefused("file_not_ready"))
        if isinstance(found, Exception):
            raise found
        yield found

    async def _hear(
        self, command: ReconcileBankDay | ListBankBreaks, revision: int, attempt: int
    ) -> str | None:
        self.asked.append(command)
        self.revisions.append(revision)
        self.attempts.append(attempt)
        return self.refuses_of.get(command.business_date, self.refuses)

    async def _pause(self) -> None:
        pass


@pytest.fixture
def desk() -> Desk:
    """Monday: Ann's 500 yuan, and 30 that nobody asked for. Both partitions live on Tuesday."""
    made = Desk()
    made.lives_on(MONDAY)
    made.happened(MONDAY, OPENED, asked(), deposited())
    made.happened(MONDAY, BOOKED, stream="bankref_B7")
    made.lives_on(TUESDAY)
    return made


async def test_our_side_of_a_date_is_what_the_views_show_of_it(desk: Desk) -> None:
    """Bookings, balance and accounts of the date, and none of the next one; what differs is told with its account."""
    desk.happened(TUESDAY, deposited(1_00, 501_00, "top_2", "B8"))
    dates = await dates_over(desk.views, 2)
    lines = file_of(MONDAY, line_of("B1", 500_00), line_of("B9", 7_00), in_fen=507_00)
    found = await reconciliation(desk.views, MONDAY, lines, dates)
    command, revision = found.command, found.revision
    assert isinstance(BOOKED, UnrequestedMoneyReceived)
    amount_fen = BOOKED.amount_fen
    assert (command.ledger, command.accounts_fen, revision) == (
        Side(bookings=2, in_fen=500_00 + amount_fen, out_fen=0, closing_fen=500_00 + amount_fen),
        500_00 + amount_fen,
        0,
    )
    assert sorted(command.breaks, key=lambda each: each.kind) == [
        story.line("missing_here", "B9", 7_00, 0),
        story.line("missing_there", BOOKED.bank_reference, 0, amount_fen, ""),
    ]


async def test_a_date_is_over_when_every_partition_has_left_it(desk: Desk) -> None:
    """Until then our side may still change, so no file of it is looked at; nor one of before the books began."""
    desk.lives_on(TUESDAY + timedelta(days=1), 0)
    dates = await dates_over(desk.views, 2)
    for day in (TUESDAY, MONDAY - timedelta(days=1)):
        with pytest.raises(DayNotOver):
            await reconciliation(desk.views, day, file_of(day), dates)
    assert await dates_over(desk.views, 3) is None
    assert await dates_over(Desk().views, 2) is None


async def test_one_reference_on_two_dates_was_told_to_two_accounts(desk: Desk) -> None:
    """The later booking is the one that the bank never made."""
    desk.happened(
        TUESDAY, replace(deposited(5_00, 505_00, "top_9", "B1"), account_id="acc_cem"), stream="acc_cem"
    )
    desk.lives_on(TUESDAY + timedelta(days=1))
    dates = await dates_over(desk.views, 2)
    command = (await reconciliation(desk.views, TUESDAY, file_of(TUESDAY), dates)).command
    assert command.breaks == (story.line("reference_reused", "B1", 0, 5_00, "acc_cem"),)


async def test_a_round_asks_for_each_date_in_order_and_stops_at_the_first_that_has_no_file(
    desk: Desk,
) -> None:
    """Balances rest on earlier dates: a file that is broken or not ready holds up those after it, and nothing of it counts."""
    desk.lives_on(TUESDAY + timedelta(days=2))
    assert await desk.reconciler.once() == []
    desk.files[MONDAY] = file_of(MONDAY, line_of("B1", 500_00), in_fen=499_00)
    assert (await desk.reconciler.once(), desk.asked) == ([], [])
    desk.files[MONDAY] = file_of(MONDAY, line_of("B1", 500_00), in_fen=500_00)
    desk.files[TUESDAY + timedelta(days=1)] = file_of(TUESDAY + timedelta(days=1))
    assert await desk.reconciler.once() == [MONDAY]
    desk.files[TUESDAY] = BankUnavailable("away")
    with pytest.raises(BankUnavailable):
        await desk.reconciler.once()
    assert [command.business_date for command in desk.asked] == [MONDAY, MONDAY]
    first, second = (order_of(command, 0) for command in desk.asked)
    assert first[0].command_id(first[1].key) == second[0].command_id(second[1].key)
    assert first[0].command_id(order_of(desk.asked[0], 1)[1].key) != first[0].command_id(first[1].key)


async def test_a_grown_file_goes_on_from_the_last_one(desk: Desk) -> None:
    """The digest of as many bookings as the last file had is told, so that a changed one is found out."""
    shown = documents(DAYS, history("bankdays", *story.RECONCILED))
    desk.views.documents[DAYS.name] = {doc: nested(doc, fields) for doc, fields in shown.items()}
    two = (line_of("B1", 500_00), line_of("B2", 200_00))
    dates = await dates_over(desk.views, 2)
    file = file_of(MONDAY, *two, line_of("B3", 50_00), in_fen=750_00)
    found = await reconciliation(desk.views, MONDAY, file, dates)
    command, revision = found.command, found.revision
    only = file_of(MONDAY, *two, in_fen=700_00)
    before = (await reconciliation(desk.views, MONDAY, only, dates)).command
    assert (command.begins_at, command.begins_with, revision) == (2, before.lines_hash, 1)
    with pytest.raises(BankFileRefused, match="line 4"):
        await reconciliation(desk.views, MONDAY, file[:3], dates)


async def test_a_file_that_says_nothing_new_is_not_asked_about_again(desk: Desk) -> None:
    """Looked at every few minutes for a week, it costs the log nothing; what is out of balance is asked about again."""
    whole = 500_00 + BOOKED.amount_fen
    lines = (line_of("B1", 500_00), line_of(BOOKED.bank_reference, BOOKED.amount_fen, ""))
    desk.files[MONDAY] = file_of(MONDAY, *lines, in_fen=whole)
    await desk.reconciler.once()
    told = given(AGGREGATE).when(desk.asked[0], on()).events
    for events, asked_in_all in ((told, 1), (tuple(replace(each, accounts_fen=1) for each in told), 2)):
        shown = documents(DAYS, history("bankdays", *events))
        desk.views.documents[DAYS.name] = {doc: nested(doc, fields) for doc, fields in shown.items()}
        assert await desk.reconciler.once() == [MONDAY]
        assert len(desk.asked) == asked_in_all


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([(9, 9)], (9, 9)),
        ([(9, 7), (9, 9)], (9, 9)),
        ([(9, 7), (9, 7), (9, 7)], (9, 7)),
        ([(9, 7), (9, 6), (9, 5)], None),
    ],
)
async def test_claims_differ_when_nothing_is_on_its_way(
    seen: Sequence[tuple[int, int]], expected: tuple[int, int] | None
) -> None:
    """What was paid and what is registered are in two services: a difference that moves is on its way, one that stays is one."""
    views, left = MemoryViews(), [*seen]

    async def pause() -> None:
        if len(left) > 1:
            left.pop(0)
        show()

    def show() -> None:
        ledger, register = left[0]
        views.documents["bidding.lent"] = {"all": {"ledger_fen": ledger, "register_fen": register}}

    show()
    found = await claims_at_rest(views, pause, looks=3)
    assert found == (expected and Claims(ledger_fen=expected[0], register_fen=expected[1]))


async def test_a_file_comes_from_the_bank_to_the_disk_and_is_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fetched whole before it is read; what the bank does not give, or gives as no file, is said by name."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    answers = {
        "/files/2024-03-11": httpx.Response(200, content=b"H|a\nT|"),
        "/files/2024-03-12": httpx.Response(503),
    }

    def answer(request: httpx.Request) -> httpx.Response:
        assert "Loanstream-Bank-Signature" in request.headers
        return answers.get(request.url.path, httpx.Response(404))

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://bank") as client:
        files = HttpBankFiles(client, b"0" * 32)
        async with files.lines(MONDAY) as lines:
            assert [*lines] == [b"H|a\n", b"T|"]
        with pytest.raises(BankUnavailable):
            await files.lines(TUESDAY).__aenter__()
        with pytest.raises(BankRefused, match="file_not_ready"):
            await files.lines(TUESDAY + timedelta(days=1)).__aenter__()
    assert left_in(tmp_path) == []


async def test_what_is_out_of_balance_is_an_alarm_and_what_lines_explain_is_work() -> None:
    """The metric is the sum of what no booking explains."""
    views = MemoryViews()
    whole = replace(story.opened(TUESDAY, story.LATE), kind="balance_differs", reference="", break_id="brk_w")
    shown = documents(BREAKS, history("bankdays", *story.TWO_DAYS, whole))
    views.documents[BREAKS.name] = {doc: nested(doc, fields) for doc, fields in shown.items()}
    await tell_breaks(views)
    assert BANK_UNBALANCED_FEN._value.get() == 200_00


async def test_a_day_that_the_log_refuses_ends_the_round_and_is_asked_again_as_another(desk: Desk) -> None:
    """Nobody believes it, later dates wait for it, and what stood in its way may be gone the next time."""
    desk.lives_on(TUESDAY + timedelta(days=1))
    for day in (MONDAY, TUESDAY):
        desk.files[day] = file_of(day)
    desk.refuses = "too_many_breaks"
    assert await desk.reconciler.once() == []
    assert await desk.reconciler.once() == []
    desk.refuses = None
    assert await desk.reconciler.once() == [MONDAY, TUESDAY]
    told = [
        (command.business_date, attempt) for command, attempt in zip(desk.asked, desk.attempts, strict=True)
    ]
    assert told == [(MONDAY, 0), (MONDAY, 1), (MONDAY, 2), (TUESDAY, 0)]
    first, again = (order_of(desk.asked[0], 0, attempt)[1].key for attempt in (0, 1))
    assert first != again


async def test_what_an_earlier_date_told_has_the_last_one_asked_again(desk: Desk) -> None:
    """The last date's own file says nothing new, and what it told of the balance may be explained now; asked on other books it is
    another command."""
    whole = 500_00 + BOOKED.amount_fen
    desk.lives_on(TUESDAY + timedelta(days=1))
    desk.files[MONDAY] = file_of(MONDAY, line_of("B1", 500_00), in_fen=500_00)
    desk.files[TUESDAY] = file_of(TUESDAY, before_fen=whole)
    assert await desk.reconciler.once() == [MONDAY, TUESDAY]
    events: tuple[Any, ...] = ()
    for command in desk.asked:
        events += given(AGGREGATE, *events).when(command, on()).events
    show_days(desk, events)
    before = len(desk.asked)
    lines = (line_of("B1", 500_00), line_of(BOOKED.bank_reference, BOOKED.amount_fen, ""))
    desk.files[MONDAY] = file_of(MONDAY, *lines, in_fen=whole)
    await desk.reconciler.once()
    assert [command.business_date for command in desk.asked[before:]] == [MONDAY, TUESDAY]
    assert desk.revisions[-1] > desk.revisions[before - 1]


def show_days(desk: Desk, events: Sequence[Any]) -> None:
    """The views after these events of bank days."""
    for view in (DAYS, BREAKS):
        shown = documents(view, history("bankdays", *events))
        desk.views.documents[view.name] = {doc: nested(doc, fields) for doc, fields in shown.items()}


async def test_while_a_balance_is_out_older_dates_are_looked_at_a_few_at_a_time(desk: Desk) -> None:
    """An order may come later than a week: every date that is kept has its turn, seven a round, and none where nothing is out."""
    first = TUESDAY + timedelta(days=30)
    known = {MONDAY + timedelta(days=number): {"revision": 1} for number in range(32)}
    dates = Dates(MONDAY, first)
    assert len(days_to_do(known, dates)) == 7
    rounds = [days_to_do(known, dates, number) for number in range(5)]
    assert all(len(days) <= 14 for days in rounds)
    assert {day for days in rounds[:4] for day in days} == {*known}
    assert rounds[4] == rounds[0]
    show_days(desk, (replace(story.opened(MONDAY, story.HERE), kind="balance_differs"),))
    assert await is_unbalanced(desk.views)
    show_days(desk, (story.opened(MONDAY, story.HERE),))
    assert not await is_unbalanced(desk.views)


async def test_a_long_day_is_told_in_parts(desk: Desk) -> None:
    """One command says what its parts come to, and then each part; they open what one command would."""
    dates = await dates_over(desk.views, 2)
    lines = file_of(MONDAY, line_of("B8", 5_00), line_of("B9", 7_00), in_fen=12_00)
    found = await reconciliation(desk.views, MONDAY, lines, dates, room=replace(USUAL, part=3))
    in_one = await reconciliation(desk.views, MONDAY, lines, dates)
    assert [len(part.breaks) for part in found.parts] == [3, 1]
    events: tuple[Any, ...] = ()
    for command in found.commands:
        events += given(AGGREGATE, *events).when(command, on()).events
    whole = given(AGGREGATE).when(in_one.command, on()).events
    *opened, done = whole
    assert [event for event in events if event in whole] == opened
    assert replace(events[-1], told=None) == done


async def test_a_wrong_balance_of_an_account_is_a_difference(desk: Desk) -> None:
    """Its postings add up and its balance does not follow from them: the accounts differ from the ledger by so much."""
    desk.happened(MONDAY, deposited(1_00, 502_00, "top_2", "B8"))
    shown = documents(PROOF, desk.events)
    desk.views.documents[PROOF.name] = {doc: nested(doc, fields) for doc, fields in shown.items()}
    assert await drift_fen(desk.views) == 1_00
    desk.files[MONDAY] = file_of(MONDAY)
    await desk.reconciler.once()
    [command] = desk.asked
    assert command.accounts_fen == command.ledger.closing_fen + 1_00
    kinds = [getattr(event, "kind", "") for event in given(AGGREGATE).when(command, on()).events]
    assert "accounts_differ" in kinds
