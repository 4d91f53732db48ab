"""The bank's daily file has one form, counts and sums itself, and belongs to a business date, whatever the clock says."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from libs.events.money import MAX_INTEGER
from services.bidding.bank_file import BankFile, lines_of
from tests.unit.tools.bank_town import BankTown, bank_town, order
from tools.bank.daily_file import file_of
from tools.bank.ledger import Declined, Ledger, Order


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[BankTown]:
    """A bank with two days: three bookings and a refused order on the first, one booking on the second."""
    async with bank_town(tmp_path) as made:
        bank = made.custodian
        await bank.collect(order())
        made.settle()
        await made.ask(
            "POST",
            "/control/receipts",
            {"amount_fen": 30_00, "business_date": "2024-03-15", "nonce": "n" * 8},
        )
        await bank.collect(order("top_2", 70_00, business_date="2024-03-16"))
        made.settle()
        await bank.pay_out(order("wdr_0", 9_999_00))
        await bank.pay_out(order("wdr_1", 200_00))
        made.settle()
        yield made


async def test_a_file_has_a_head_a_line_per_booking_and_an_end(town: BankTown) -> None:
    """Field by field, in the order of booking; what came late is at the end of the date that its order carries."""
    answer = await town.ask("GET", "/files/2024-03-15")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text == (
        "H|loanstream-bank-file|2|2024-03-15|3|0\n"
        "B|B20240315-00000001|top_1|acc_ann|in|50000|2027-01-15T08:00:00Z\n"
        "B|B20240315-00000002|||in|3000|2027-01-15T08:00:00Z\n"
        "B|B20240315-00000005|wdr_1|acc_ann|out|20000|2027-01-15T08:00:00Z\n"
        "T|3|53000|20000|33000\n"
    )


async def test_a_day_without_bookings_has_an_empty_file(town: BankTown) -> None:
    """A date before the last one that orders carry is known, also where nothing was booked on it."""
    assert (await town.ask("GET", "/files/2024-03-14")).text == (
        "H|loanstream-bank-file|2|2024-03-14|0|0\nT|0|0|0|0\n"
    )


async def test_a_future_date_has_no_file_and_a_broken_one_is_no_date(town: BankTown) -> None:
    """The bank knows no later day than its orders do; before the first order it knows none."""
    future = await town.ask("GET", "/files/2024-03-17")
    assert (future.status_code, future.json()) == (404, {"code": "file_not_ready"})
    for broken in ("2024-02-30", "15.03.2024", "tomorrow"):
        answer = await town.ask("GET", f"/files/{broken}")
        assert (answer.status_code, answer.json()) == (422, {"code": "invalid_request"})


async def test_a_bank_without_orders_has_no_files(tmp_path: Path) -> None:
    """No date is known before the first order."""
    async with bank_town(tmp_path) as town:
        assert (await town.ask("GET", "/files/2024-03-15")).json() == {"code": "file_not_ready"}


def test_a_large_file_comes_in_chunks_of_one_moment(town: BankTown) -> None:
    """What is booked while the file is read is not in it: head, lines and end tell of the same bookings."""
    with closing(sqlite3.connect(town.path)) as database, database:
        database.executemany(
            "INSERT INTO bookings (reference, account, direction, amount_fen, business_date, booked_at)"
            " VALUES (?, 'acc_ann', 'in', 1, '2024-03-16', 'x')",
            ((f"R{number}",) for number in range(6_000)),
        )
        database.execute("UPDATE days SET bookings = 6001, in_fen = 13000 WHERE business_date = '2024-03-16'")
    chunks = file_of(town.path, date(2024, 3, 16))
    first = [next(chunks), next(chunks)]
    town.ledger.receive(5, "2024-03-16", town.now_s)
    rest = [*chunks]
    lines = b"".join([*first, *rest]).decode().splitlines()
    assert len(rest) > 1
    assert (lines[0], lines[-1]) == ("H|loanstream-bank-file|2|2024-03-16|6001|33000", "T|6001|13000|0|46000")
    assert len(lines) == 6_003
    assert next(file_of(town.path, date(2024, 3, 16))).endswith(b"|6002|33000\n")


def test_the_platform_reads_what_the_bank_writes(town: BankTown) -> None:
    """The simulator's file is whole to the reconciler's reader, and so is the one that has grown: it begins with the first."""
    first = BankFile(lines_of(file_of(town.path, date(2024, 3, 15))), date(2024, 3, 15))
    assert [(each.account, each.moved_fen) for each in first.read()] == [
        ("acc_ann", 500_00),
        ("", 30_00),
        ("acc_ann", -200_00),
    ]
    assert (first.side.bookings, first.side.closing_fen) == (3, 330_00)
    town.ledger.receive(5, "2024-03-15", town.now_s)
    grown = BankFile(lines_of(file_of(town.path, date(2024, 3, 15))), date(2024, 3, 15), begins_at=3)
    assert len([*grown.read()]) == 4
    assert (grown.begins_with, grown.side.closing_fen) == (first.lines_hash, 330_05)
    next_day = BankFile(lines_of(file_of(town.path, date(2024, 3, 16))), date(2024, 3, 16))
    assert sum(each.moved_fen for each in next_day.read()) == next_day.side.closing_fen - 330_05


def _read(path: Path, day: date) -> BankFile:
    file = BankFile(lines_of(file_of(path, day)), day)
    for _ in file.read():
        pass
    return file


def test_the_platform_reads_whatever_the_bank_takes(tmp_path: Path) -> None:
    """The largest amount that an order may have, on its date and the next; more than a file could say is refused, with the reason."""
    ledger = Ledger(tmp_path / "bank.sqlite3")
    for number, amount_fen in enumerate((MAX_INTEGER - 1, 2, 1)):
        order = Order("collect", "acc_ann", "usr_ann", None, amount_fen, f"2024-03-{11 + number}")
        ledger.take(f"top_{number}", order, number)
        ledger.settle_due(number + 0.5)
    ledger.take("wdr_1", Order("pay_out", "acc_ann", "usr_ann", None, MAX_INTEGER, "2024-03-13"), 9.0)
    ledger.settle_due(9.5)
    first, second, third = (_read(ledger.path, date(2024, 3, day)).side for day in (11, 12, 13))
    assert (first.in_fen, first.closing_fen) == (MAX_INTEGER - 1, MAX_INTEGER - 1)
    assert (second.bookings, second.closing_fen) == (0, MAX_INTEGER - 1)
    assert (third.in_fen, third.out_fen, third.closing_fen) == (1, MAX_INTEGER, 0)
    assert ledger.standing("top_1")["answer"]["code"] == "too_much_money"
    with pytest.raises(Declined, match="too_much_money"):
        ledger.receive(1, "2024-03-13", 12.0)
    ledger.close()


def test_a_file_is_refused_before_its_first_byte(town: BankTown) -> None:
    """Nobody gets half a file and then an error."""
    with pytest.raises(Declined, match="file_not_ready"):
        next(file_of(town.path, date(2030, 1, 1)))
