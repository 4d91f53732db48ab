"""Any number can be followed down to its events, on the running platform: figures to rows to events, commands to their tree."""

import asyncio
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
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

LOANSTREAM = Path(sys.executable).with_name("loanstream")


def loanstream(town: Town, *argv: str) -> subprocess.CompletedProcess[str]:
    """The command line, as an operator of this town types it."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("LOANSTREAM_")},
        "LOANSTREAM_DATA_DIR": str(town.stack.settings.data_dir),
        "COLUMNS": "200",
    }
    return subprocess.run(
        [str(LOANSTREAM), *argv], env=environment, capture_output=True, text=True, timeout=120, check=False
    )


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
    assert loanstream(town, "explain", address).stdout == tree
    unknown = loanstream(town, "explain", str(uuid4()))
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "No view knows a command" in unknown.stderr


@pytest.mark.slow
def test_every_figure_is_the_sum_of_its_rows_down_to_their_events(life: Life) -> None:
    """Each registered figure, of parts for every part there is: value = Σ rows, and each row's events stand in the log."""
    town = life.town
    services = list(load_services(town.stack.settings.profile).values())
    analyst = town.person("stf_ann", "analyst")
    names = [name for figure in figures_of(services) for name in names_of(figure, analyst)]
    assert {figure.name for figure in figures_of(services)} == {name.split(":")[0] for name in names}
    nonzero = set()
    for name in names:
        value, rows = eventually(lambda name=name: sums_up(analyst, name))  # type: ignore[misc]
        assert bool(rows) or value == 0, name
        assert all(row["events"] for row in rows.values()), name
        events_are_there(town, services, name, {row["id"] for row in rows.values()})
        if value:
            nonzero.add(name.split(":")[0])
    # nothing is in clearing or held at rest, and nobody paid for vouchers; everything else has something to show in this town
    at_rest = {"in_clearing", "held", "held_of_account", "marketing_money"}
    at_rest |= {
        "loan_paid_fee",
        "loan_paid_penalty",
        "loan_charged_penalty",
    }  # perhaps none of the loans asked for
    assert nonzero >= {figure.name for figure in figures_of(services)} - at_rest

    told = loanstream(town, "explain", "m1_principal")
    assert told.returncode == 0, told.stderr
    assert "Outstanding principal of loans 1 to 30 days past due" in told.stdout
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


def events_are_there(town: Town, services: list[Service], name: str, known: set[str]) -> None:
    """What the command line shows: some of the rows, each with events read from the log."""
    explained = asyncio.run(explain_figure(town.stack.settings, services, name))
    assert len(explained.rows) == min(10, len(known)), name
    for row in explained.rows:
        assert row.row["_id"] in known
        assert row.events, name
        assert all(event.type.endswith(".v1") for _, event in row.events)


def test_the_trial_balance_is_zero_whenever_it_is_looked_at(town: Town) -> None:
    """While money moves: each look is one moment of the log."""
    analyst, people = (
        town.person("stf_ann", "analyst"),
        [town.customer(f"gus{number}") for number in range(4)],
    )

    def move(person: Person) -> None:
        for _ in range(10):
            town.deposit(person, 1_000)

    looks = 0
    with ThreadPoolExecutor(max_workers=len(people)) as clicks:
        moving = [clicks.submit(move, person) for person in people]
        while not all(each.done() for each in moving):
            books = analyst.read("/reporting/trial-balance")
            balances = [account["balance_fen"] for account in books["accounts"]]
            assert (books["total_fen"], sum(balances)) == (0, 0), books
            looks += 1
        for each in moving:
            each.result()
    assert looks > 10


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
