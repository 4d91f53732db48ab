"""One replay from a book to an exit code: choose loans, plan, play, wait until all is still, read the books, prove them."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final, Self

from rich.console import Console

from libs.events.topics import DECIDING_SERVICES, commands_topic
from libs.runtime.kafka import LogReader, Place
from libs.runtime.mongo import Database
from libs.runtime.projecting import Projection
from libs.runtime.rebuild import rebuild_views
from libs.runtime.service import load_services
from libs.runtime.settings import Settings
from libs.runtime.system_views import all_views
from libs.runtime.verify import verify
from libs.runtime.views import Views
from tools.replay.bank_side import reconcile_the_end
from tools.replay.book import BookLoan, read_book
from tools.replay.chronicle import read_chronicle
from tools.replay.drive import Driven, Driver
from tools.replay.figures import read_buckets, read_custody, read_lenders, read_loans, read_parked
from tools.replay.gateway import Gateway, ReplayFailed
from tools.replay.generated import generated_book
from tools.replay.log_tail import LogTail
from tools.replay.plan import Plan, make_plan
from tools.replay.report import Proof, Result, day_bar, show, step_bar, write_json
from tools.replay.sampling import LOANS_DEFAULT, sample
from tools.replay.work import read_funnel, read_queue, read_work

ROOT: Final = Path(__file__).resolve().parents[2]
#: The real book lies beside the project, never in it.
REAL_BOOK: Final = ROOT.parent / "shared" / "data" / "prosper_loans.csv"
JSON_FILE: Final = ROOT / "out" / "demo.json"

#: First business date of a platform whose calendar is not open: the applications of its first ten days are funded from the
#: first day of a leap year on.
FIRST_DATE: Final = date(2011, 12, 22)

_LENDERS_SHOWN: Final = 5
_QUEUE_SHOWN: Final = 5
_STILL_S: Final = 0.5
_STILL_LIMIT_S: Final = 300.0


def run_replay(settings: Settings, book: Path | None, loans: int | None) -> int:
    """Replay `loans` loans (100) of a book (the real one beside the project if it is there, else a generated one) on the
    running stack. Returns and raises as `replay_loans`, and OperatorError for a book that does not fit.
    """
    return replay_loans(settings, *choose_loans(book, loans))


def replay_loans(settings: Settings, title: str, chosen: tuple[BookLoan, ...]) -> int:
    """Replay loans on the running stack, show the books and write out/demo.json.

    Returns 0, or 1 when the log does not prove itself, a rebuilt view differs, custody differs or loans are missing.
    Raises OperatorError for a platform that does not answer.
    """
    started = time.perf_counter()
    console = Console(stderr=True)
    console.print(f"replaying {title}", style="dim", highlight=False)
    result = asyncio.run(_replay(settings, title, chosen, console, started))
    write_json(result, JSON_FILE)
    Console().print(show(result))
    return 1 if result.faults else 0


def choose_loans(book: Path | None, loans: int | None) -> tuple[str, tuple[BookLoan, ...]]:
    """What is replayed, and how it is called. Raises OperatorError for a book that cannot be read or is too small."""
    number = loans or LOANS_DEFAULT
    path = book or (REAL_BOOK if REAL_BOOK.is_file() else None)
    if path is None:
        return f"{number:,} loans of a generated book", generated_book(number)
    whole = read_book(path)
    return f"{number:,} of {len(whole):,} loans of {path.name}", sample(whole, number)


async def _replay(
    settings: Settings, title: str, chosen: tuple[BookLoan, ...], console: Console, started: float
) -> Result:
    async with LogTail(settings) as tail, LogEnds(settings) as log:
        plan = make_plan(chosen, tail.business_date or FIRST_DATE)
        async with Gateway(settings, staff=plan.staff.scopes()) as gateway:
            driver = Driver(plan, gateway, tail)
            before = await log.commands()
            began = time.perf_counter()
            driven = await _drive(driver, plan, log, before, console)
            driving_s = time.perf_counter() - began
            commands_driven = await log.commands() - before
            books = await _books(settings, gateway, log, plan, driven, console)
    proof = await _prove(settings, console)
    return Result(
        title=title,
        planned=len(plan.stories),
        driven=driven,
        **books,
        proof=proof,
        seconds=time.perf_counter() - started,
        driving_s=driving_s,
        commands_driven=commands_driven,
    )


async def _books(
    settings: Settings, gateway: Gateway, log: "LogEnds", plan: Plan, driven: Driven, console: Console
) -> dict[str, Any]:
    """What the views and the log say when all is still, as fields of Result."""
    told = plan.told
    async with closing_database(settings) as views:
        with step_bar(console, "waiting until all is still"):
            await _until_still(settings, log, views)
        return {
            "loans": await read_loans(gateway, plan.stories, driven.loan_ids),
            "custody": await read_custody(views),
            "lenders": await read_lenders(views, plan.investors, driven.users, _LENDERS_SHOWN),
            "buckets": await read_buckets(gateway),
            "parked": await read_parked(views),
            "work": await read_work(gateway, views, plan, driven),
            "queue": await read_queue(gateway, plan, _QUEUE_SHOWN),
            "funnel": await read_funnel(gateway),
            "reconciled": await reconcile_the_end(
                settings, gateway, driven.bank, plan.last_date, plan.staff.of("accountant")
            ),
            "chronicle": await read_chronicle(
                settings, driven.users[told.borrower], driven.loan_ids[told.loan.number]
            ),
        }


@asynccontextmanager
async def closing_database(settings: Settings) -> AsyncIterator[Views]:
    """The views, as long as they are needed."""
    database = Database.connect(settings)
    try:
        yield Views(database)
    finally:
        await database.close()


class LogEnds:
    """How many commands stand in the log. An async context manager."""

    def __init__(self, settings: Settings) -> None:
        self._reader = LogReader(settings.require_kafka(), client_id="loanstream-replay-ends")
        self._places = {
            (service, partition): Place(commands_topic(service, settings.topic_prefix), partition)
            for service in DECIDING_SERVICES
            for partition in range(settings.partitions)
        }

    async def __aenter__(self) -> Self:
        await self._reader.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._reader.stop()

    async def ends(self) -> dict[tuple[str, int], int]:
        """The number of commands per (service, partition)."""
        found = await self._reader.ends(list(self._places.values()))
        return {key: found[place] for key, place in self._places.items()}

    async def commands(self) -> int:
        """The number of commands of all services."""
        return sum((await self.ends()).values())


async def _drive(driver: Driver, plan: Plan, log: LogEnds, before: int, console: Console) -> Driven:
    """Play the plan; a second task counts the log's commands once a second for the bar."""
    written = before

    async def count() -> None:
        nonlocal written
        while True:
            written = await log.commands()
            await asyncio.sleep(1)

    with day_bar(console, plan.business_days, len(plan.stories)) as bar:
        counting = asyncio.create_task(count())
        try:
            return await driver.play(lambda driven: bar(driven, written - before))
        finally:
            counting.cancel()
            await asyncio.gather(counting, return_exceptions=True)


async def _until_still(settings: Settings, log: LogEnds, views: Views) -> None:
    """Wait until every command is decided and shown in every view, and no new one comes. Raises ReplayFailed."""
    services = load_services(settings.profile).values()
    names = [Projection(view).name for service in services for view in all_views(service)]
    give_up_at = time.monotonic() + _STILL_LIMIT_S
    last: dict[tuple[str, int], int] = {}
    while time.monotonic() < give_up_at:
        ends = await log.ends()
        applied = [await views.positions(name) for name in names]
        shown = all(
            position >= ends[place] - 1 for positions in applied for place, position in positions.items()
        )
        if shown and ends == last:
            return
        last = ends
        await asyncio.sleep(_STILL_S)
    raise ReplayFailed(
        f"The views did not reach the end of the log in {_STILL_LIMIT_S:.0f} seconds: see their log."
    )


async def _prove(settings: Settings, console: Console) -> Proof:
    services = tuple(load_services(settings.profile).values())
    with step_bar(console, "rebuilding all views") as progress:
        rebuilt = await rebuild_views(settings, services, [], True, progress)
    with step_bar(console, "walking the log") as progress:
        verified = await verify(settings, None, progress)
    return Proof(
        commands=verified.total("commands"),
        events=verified.total("events"),
        repeats=verified.total("repeats"),
        foreign=verified.total("foreign"),
        chain_ok=verified.ok and verified.total("undecided") == 0,
        rebuild_equal=all(view.equal for view in rebuilt),
        details=(verified, *rebuilt),
    )
