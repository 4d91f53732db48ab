"""The replay's bank: its files are whole to the platform's reader, and tell of what it booked, whatever we did."""

from datetime import date, timedelta

from services.bidding.bank_file import BankFile, lines_of
from tools.replay.bank_side import BankSide

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
