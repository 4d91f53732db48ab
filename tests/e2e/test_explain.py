"""Any number can be followed down to its events, on the running platform: figures to rows to events, commands to their tree."""

import asyncio
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from libs.events.views import Figure
from libs.runtime.explain import explain_figure, figures_of
from libs.runtime.service import Service, load_services
from tests.e2e.life import Life
from tests.e2e.test_live import paged
from tests.e2e.town import Person, Town, eventually
from tests.figures import LISTS, asked
from tests.integration import warm_cli


def loanstream(town: Town, *argv: str) -> subprocess.CompletedProcess[str]:
    """The command line, as an operator of this town types it."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("LOANSTREAM_")},
        "LOANSTREAM_DATA_DIR": str(town.stack.settings.data_dir),
    }
    with TemporaryDirectory() as said:
        return warm_cli.loanstream(argv, environment, Path(said))


def test_a_command_is_explained_by_the_tree_of_what_came_of_it(town: Town) -> None:
    """A bid: the money held, the bid placed on the listing; the same by the command's id and by its address."""
    ada, bo = town.customer("ada", 50_000), town.customer("bo")
    bid = town.bid(ada, town.list_loan(bo, 1_000_000)["id"], 20_000)
    command_id = str(UUID(bid["id"].removeprefix("bid_")))
    shown = eventually(lambda: ada.read(f"/bidding/commands/{command_id}"))
    assert shown["status"] == "decided"

    def explained() -> str:
        told = loanstream(town, "explain", command_id)
        assert told.returncode == 0, told.stderr
        for line in ("bidding.PlaceBid", "FundsHeld", "bidding.RecordBid", "BidPlaced"):
            assert line in told.stdout, told.stdout
        return told.stdout

    tree = eventually(explained)
    address = next(word for word in tree.split() if word.startswith("bidding/"))
    eventually(lambda: _is_told_the_same(town, command_id, address))
    unknown = loanstream(town, "explain", str(uuid4()))
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "No view knows a command" in unknown.stderr


def _is_told_the_same(town: Town, command_id: str, address: str) -> None:
    """By its id and by its address, once nothing more comes of it."""
    assert loanstream(town, "explain", address).stdout == loanstream(town, "explain", command_id).stdout


@pytest.mark.slow
def test_every_figure_is_the_sum_of_its_rows_down_to_their_events(life: Life) -> None:
    """Each registered figure, of parts for every part there is: value = Σ rows, and each row's events stand in the log."""
    town = life.town
    services = list(load_services(town.stack.settings.profile).values())
    analyst = town.person("stf_ann", "analyst")
    names = [name for figure in figures_of(services) for name in names_of(figure, analyst)]
    assert {figure.name for figure in figures_of(services)} == {name.split(":")[0] for name in names}
    nonzero, known = set(), dict[str, set[str]]()
    for name in names:
        value, rows = eventually(lambda name=name: sums_up(analyst, name))  # type: ignore[misc]
        assert bool(rows) or value == 0, name
        assert all(row["events"] for row in rows.values()), name
        known[name] = {row["id"] for row in rows.values()}
        if value:
            nonzero.add(name.split(":")[0])
    asyncio.run(events_are_there(town, services, known))
    # nothing is in clearing or held at rest, nobody paid for vouchers, and no loan is lost; everything else has something to show in this town
    at_rest = {"in_clearing", "held", "held_of_account", "marketing_money", "written_off_principal"}
    at_rest |= {"losses_left", "losses_recovered"}
    at_rest |= {
        "loan_paid_fee",
        "loan_paid_penalty",
        "loan_charged_penalty",
    }  # perhaps none of the loans asked for
    assert nonzero >= {figure.name for figure in figures_of(services)} - at_rest

    told = loanstream(town, "explain", "bucket_principal:M1")
    assert told.returncode == 0, told.stderr
    assert "Outstanding principal of loans in one overdue bucket" in told.stdout
    assert "OverdueBucketChanged" in told.stdout
    partial = loanstream(town, "explain", "late_principal_of_region")
    assert (partial.returncode, "late_principal_of_region:<region>" in partial.stderr) == (2, True)
    unknown = loanstream(town, "explain", "bucket_principal:$ne")
    assert (unknown.returncode, "There is no bucket_principal:$ne" in unknown.stderr) == (2, True)


def names_of(figure: Figure, analyst: Person) -> list[str]:
    """The names under which a figure is asked for: of parts, all that the platform shows."""
    return asked(figure, analyst.read(LISTS[figure.view])) if figure.of else [figure.name]


def sums_up(analyst: Person, name: str) -> tuple[int, dict[str, Any]]:
    """A figure's value and all of its rows, once they agree: two views may be a moment apart."""
    path, query = f"/reporting/figures/{name}", {"limit": "200"}
    rows: dict[str, Any] = {}
    while True:
        page = analyst.read(path, **query)
        rows |= {row["id"]: row for row in page["rows"]}
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert page["value"] == sum(row["value"] for row in rows.values()), name
    return page["value"], rows


async def events_are_there(town: Town, services: list[Service], known: dict[str, set[str]]) -> None:
    """What the command line shows of each figure: some of the rows, each with events read from the log. Six at a time: each waits
    for the broker most of its time.
    """
    at_once = asyncio.Semaphore(6)

    async def look(name: str) -> None:
        async with at_once:
            explained = await explain_figure(town.stack.settings, services, name)
        assert len(explained.rows) == min(10, len(known[name])), name
        for row in explained.rows:
            assert row.row["_id"] in known[name]
            assert row.events, name
            assert all(event.type.endswith(".v1") for _, event in row.events)

    async with asyncio.TaskGroup() as looks:
        for name in known:
            looks.create_task(look(name))


def test_the_trial_balance_is_zero_whenever_it_is_looked_at(town: Town) -> None:
    """While money moves: each of a dozen looks is one moment of the log."""
    looked = Event()
    analyst, people = (
        town.person("stf_ann", "analyst"),
        [town.customer(f"gus{number}") for number in range(4)],
    )

    def move(person: Person) -> None:
        while not looked.is_set():
            town.deposit(person, 1_000)

    with ThreadPoolExecutor(max_workers=len(people)) as clicks:
        moving = [clicks.submit(move, person) for person in people]
        try:
            for _ in range(12):
                books = analyst.read("/reporting/trial-balance")
                balances = [account["balance_fen"] for account in books["accounts"]]
                assert (books["total_fen"], sum(balances)) == (0, 0), books
        finally:
            looked.set()
        for each in moving:
            each.result()


def test_the_books_are_read_by_their_pages(town: Town) -> None:
    """A statement by its cursors, and no clearing account that stays open."""
    ada = town.customer("ada")
    for amount_fen in (100, 200, 300):
        town.deposit(ada, amount_fen)
    eventually(lambda: _has(ada, 600))
    lines = eventually(lambda: _lines(ada, 3))
    assert [line["available_after_fen"] for line in lines.values()] == [600, 300, 100]
    assert eventually(lambda: _open_clearing(town.person("stf_ann", "analyst"))) == []


def _has(person: Person, amount_fen: int) -> None:
    assert person.balance()["available_fen"] == amount_fen


def _lines(person: Person, number: int) -> dict[str, Any]:
    lines = paged(person, "/reporting/statement", "1", "id")
    assert len(lines) == number
    return lines


def _open_clearing(analyst: Person) -> list[Any]:
    answer: httpx.Response = analyst.get("/reporting/clearing")
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["items"]
    assert found == []
    return found
