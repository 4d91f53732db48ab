"""The demo on a small book: people apply, invest, fall late, promise and pay, the verdict holds with every new figure, and
nobody's name or number stands anywhere but in the vault."""

import json
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.local.parts import Parts
from deploy.local.stack import Stack
from libs.runtime.identity import ensure_identity
from libs.runtime.mongo import Database
from libs.runtime.settings import Settings, load_settings
from libs.runtime.vault import Vault
from tests.e2e.searching import everything, search
from tests.unit.tools.books import write_book
from tools.replay import run
from tools.replay.book import read_book
from tools.replay.people import invent
from tools.replay.plan import Plan, make_plan

#: Loans of two months that begin in the first one, so that a hundred business dates show every ending.
BOOK = (
    {"LoanNumber": "1", "LoanStatus": "Completed", "ClosedDate": "2007-11-05"},
    {"LoanNumber": "2", "LoanStatus": "Completed", "ClosedDate": "2007-12-21"},
    {"LoanNumber": "3", "LoanStatus": "Chargedoff", "LoanFirstDefaultedCycleNumber": "1"},
    {
        "LoanNumber": "4",
        "LoanStatus": "Past Due (1-15 days)",
        "LoanMonthsSinceOrigination": "1",
        "LoanCurrentDaysDelinquent": "5",
    },
    {"LoanNumber": "5", "LoanStatus": "Current", "LoanMonthsSinceOrigination": "1"},
)
SHORT = {
    "LoanOriginalAmount": "1050.50",
    "LoanOriginationDate": "2007-10-12",
    "Term": "2",
    "MonthlyLoanPayment": "0",
    "Investors": "3",
}


@dataclass(frozen=True)
class Demo:
    """A replay that has ended on a stack that still runs: its exit code, its directory `out`, and what it showed."""

    settings: Settings
    plan: Plan
    code: int
    out: Path
    shown: str


@pytest.fixture(scope="module")
def demo(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The small book, replayed once. What was shown stands in `out` beside demo.json."""
    home = tmp_path_factory.mktemp("demo")
    book = read_book(write_book(home / "book.csv", *(SHORT | row for row in BOOK)))
    name = uuid4().hex[:12]
    settings = load_settings(
        home / "stack", topic_prefix=f"d{name}.", mongo_database=f"demo_{name}", partitions=2, flush=False
    )
    out, screen = home / "out", StringIO()
    with Stack(ensure_identity(settings), parts=parts) as stack:
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(screen), redirect_stderr(screen):
            patch.setattr(run, "JSON_FILE", out / "demo.json")
            patch.setenv("COLUMNS", "200")
            code = run.replay_loans(stack.settings, "five short loans", book)
        shown = screen.getvalue()
        (out / "screen.txt").write_text(shown)
        yield Demo(stack.settings, make_plan(book, run.FIRST_DATE), code, out, shown)


@pytest.mark.slow
def test_a_small_book_is_told_from_registration_to_the_last_promise(demo: Demo) -> None:
    """Everything holds: loans end as the book says, cases and promises are those planned, nothing is open or unbalanced; the
    new keys stand in demo.json and the new tables on the screen."""
    assert demo.code == 0, demo.shown
    found = json.loads((demo.out / "demo.json").read_text())
    assert (found["loans"], found["cases"], found["promises_kept"], found["trial_balance"]) == (5, 3, 1, 0)
    assert found["users"] > 5
    for words in (
        "as the log tells it",
        "registers",
        "promise kept",
        "Funnel",
        "Head of the collection queue",
        "Bank file against ledger against claims",
    ):
        assert words in demo.shown


@pytest.mark.slow
async def test_none_of_its_people_is_anywhere_but_in_the_vault(
    demo: Demo, parts: Parts, tmp_path: Path
) -> None:
    """The vault holds everybody whom the replay invents, and every byte of all else that the stack keeps or shows, and of
    what the replay wrote, is searched for their names and numbers: no hit. The search does look: an id that is no secret,
    and words of their own, are found where they stand."""
    people = [invent(demo.plan.staff.tag, index) for index in range(len(demo.plan.people))]
    secrets = {value for who in people for value in (who.name, who.phone, who.identity, who.card)}
    held = await vaulted(demo.settings)
    assert {value for person in held.values() for value in person.values()} - {"person"} == secrets
    known, controls = next(iter(held)), {"loanstream_http", "promise kept"}
    found = await search(everything(demo.settings, parts, demo.out), [*secrets, known, *controls], tmp_path)
    sys.stdout.write(f"{found.looked_at} texts, {found.bytes_read} bytes, {len(secrets)} secrets\n")
    assert [hit for hit in found.hits if hit[2] in secrets] == []
    assert found.kinds_with(known) >= {"topics", "mongo", "stores"}
    assert found.kinds_with("loanstream_http") == {"metrics"}
    assert found.kinds_with("promise kept") == {"logs"}
    assert found.looked_at["metrics"] == 6


async def vaulted(settings: Settings) -> dict[str, dict[str, str]]:
    """User -> what the vault holds of him."""
    database = Database.connect(settings)
    try:
        vault = Vault.of(database, settings.fingerprint_secret())
        users = [key["_id"] async for key in vault.keys.find({})]
        return {user: person for user in users if (person := await vault.read(user)) is not None}
    finally:
        await database.close()
