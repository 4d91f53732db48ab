"""A bank's file of any length and our side of it, made line by line: what the matching of a million lines is measured with."""

from collections.abc import Iterator
from datetime import date

from services.bidding.bank_file import BankFile, lines_of
from services.bidding.matching import Matcher, OurBooking


def match(lines: int) -> int:
    """How many differences are found: a booking that we have not, one that the bank has not, and one of another amount."""
    with Matcher.open() as matcher:
        matcher.take_bank(BankFile(lines_of(_file(lines)), date(2024, 3, 11)))
        matcher.take_ledger(_ours(lines))
        return len(matcher.breaks(600) or ())


def _file(lines: int) -> Iterator[bytes]:
    yield f"H|loanstream-bank-file|2|2024-03-11|{lines}|0\n".encode()
    for number in range(lines):
        owner = f"acc_{number % 1_000:032x}"
        yield f"B|B20240311-{number:08}|top_{number:032x}|{owner}|in|500|2024-03-11T08:00:00Z\n".encode()
    yield f"T|{lines}|{500 * lines}|0|{500 * lines}\n".encode()


def _ours(lines: int) -> Iterator[OurBooking]:
    """Backwards, because nobody promises an order."""
    for number in range(lines, 0, -1):
        yield OurBooking(f"B20240311-{number:08}", f"acc_{number % 1_000:032x}", 499 if number == 5 else 500)
