"""A loan book becomes loans exactly, or says which line is wrong; samples show what the book shows."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.tools.books import write_book
from tools.replay.book import BookError, BookLoan, Completed, Current, Defaulted, Outcome, Status, read_book
from tools.replay.generated import generated_book
from tools.replay.sampling import TRAITS, sample, traits_of


def _only(tmp_path: Path, **row: str) -> BookLoan:
    (loan,) = read_book(write_book(tmp_path / "book.csv", row))
    return loan


def test_a_row_becomes_a_loan_in_cents_and_decimals(tmp_path: Path) -> None:
    """Amounts are whole cents, the rate is a decimal, and the platform's share is what the rate is above the yield."""
    assert _only(tmp_path) == BookLoan(
        number="19141",
        status=Status.EARLY,
        amount_fen=942_500,
        annual_rate=Decimal("0.158"),
        interest_fee_permille=127,
        tenor_months=36,
        grade="C",
        originated_on=date(2007, 9, 12),
        monthly_payment_fen=33_043,
        investors=258,
        outcome=Completed(date(2009, 8, 14), early=True),
    )


@pytest.mark.parametrize(
    ("row", "status", "outcome"),
    [
        ({"ClosedDate": "2010-09-11"}, Status.EARLY, Completed(date(2010, 9, 11), early=True)),
        ({"ClosedDate": "2010-09-12"}, Status.COMPLETED, Completed(date(2010, 9, 12), early=False)),
        ({"ClosedDate": "2010-10-02"}, Status.COMPLETED, Completed(date(2010, 10, 2), early=False)),
        (
            {"LoanStatus": "Cancelled", "ClosedDate": "2007-10-12"},
            Status.EARLY,
            Completed(date(2007, 10, 12), early=True),
        ),
        (
            {"LoanStatus": "FinalPaymentInProgress", "LoanMonthsSinceOrigination": "10"},
            Status.EARLY,
            Completed(date(2008, 7, 12), early=True),
        ),
        (
            {"LoanStatus": "Chargedoff", "LoanFirstDefaultedCycleNumber": "8"},
            Status.CHARGED_OFF,
            Defaulted(8),
        ),
        ({"LoanStatus": "Defaulted", "LoanFirstDefaultedCycleNumber": "0"}, Status.DEFAULTED, Defaulted(1)),
        ({"LoanStatus": "Defaulted", "LoanFirstDefaultedCycleNumber": "39"}, Status.DEFAULTED, Defaulted(36)),
        ({"LoanStatus": "Defaulted", "ClosedDate": "2008-02-01"}, Status.DEFAULTED, Defaulted(5)),
        ({"LoanStatus": "Current", "LoanMonthsSinceOrigination": "7"}, Status.CURRENT, Current(7, 0)),
        ({"LoanStatus": "Current", "LoanMonthsSinceOrigination": "36"}, Status.CURRENT, Current(35, 0)),
        (
            {
                "LoanStatus": "Past Due (16-30 days)",
                "LoanMonthsSinceOrigination": "8",
                "LoanCurrentDaysDelinquent": "19",
            },
            Status.PAST_DUE,
            Current(8, 19),
        ),
    ],
)
def test_each_status_of_the_book_has_one_meaning(
    tmp_path: Path, row: dict[str, str], status: Status, outcome: Outcome
) -> None:
    """Every LoanStatus maps to a status and an outcome; what lies outside the loan's instalments is brought inside."""
    loan = _only(tmp_path, **row)
    assert (loan.status, loan.outcome) == (status, outcome)


def test_a_payment_of_zero_is_no_payment(tmp_path: Path) -> None:
    """Where the book billed 0 there is nothing to compare an instalment with."""
    assert _only(tmp_path, MonthlyLoanPayment=".000000").monthly_payment_fen is None


def test_a_number_that_stands_twice_becomes_two_loans(tmp_path: Path) -> None:
    """A repeated row is a loan of its own, so that no row of a book is left out."""
    loans = read_book(write_book(tmp_path / "book.csv", {}, {"LoanNumber": "7"}, {}))
    assert [loan.number for loan in loans] == ["19141", "7", "19141-2"]


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("LoanOriginalAmount", "12.345", "an amount with at most two decimal places"),
        ("LoanOriginalAmount", "0", "an amount above zero"),
        ("LoanOriginalAmount", "-5", "a number from 0"),
        ("LoanOriginalAmount", "1e99", "a number from 0"),
        ("LoanOriginalAmount", "NaN", "a number from 0"),
        ("LoanOriginalAmount", "ten", "a number from 0"),
        ("BorrowerRate", "0.123456789", "at most eight decimal places"),
        ("BorrowerRate", "-.1", "a number from 0"),
        ("BorrowerRate", "0", "a rate above zero"),
        ("Term", "36.5", "a whole number"),
        ("Term", "0", "a number from 1"),
        ("Investors", "0", "a number from 1"),
        ("LoanOriginationDate", "12/09/2007", "a date YYYY-MM-DD"),
        ("ClosedDate", "2007-09-11", "on or after the origination"),
        ("LoanStatus", "Lost", "a status that Prosper uses"),
        ("CreditGrade", "a grade", "a grade of at most eight"),
        ("LoanNumber", "../1", "at most 20 letters and digits"),
    ],
)
def test_a_row_that_does_not_fit_is_named_by_line_and_column(
    tmp_path: Path, column: str, value: str, says: str
) -> None:
    """The error names the file, the line and what should stand there."""
    path = write_book(tmp_path / "book.csv", {}, {column: value})
    with pytest.raises(BookError) as error:
        read_book(path)
    assert str(error.value).startswith("book.csv, line 3: ")
    assert says in str(error.value)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "LoanNumber\n1\n"])
def test_a_file_that_is_no_loan_book_is_refused(tmp_path: Path, text: str) -> None:
    """A missing column is named before any row is looked at."""
    path = tmp_path / "other.csv"
    path.write_text(text)
    with pytest.raises(BookError, match="lacks the column"):
        read_book(path)


def test_a_row_that_ends_early_is_refused(tmp_path: Path) -> None:
    """A cut row is not a loan with empty fields."""
    path = write_book(tmp_path / "book.csv", {})
    path.write_text(path.read_text() + "20,Current,1000\n")
    with pytest.raises(BookError, match=r"line 3: .*too short"):
        read_book(path)


def test_a_book_without_loans_or_file_is_refused(tmp_path: Path) -> None:
    """Nothing to replay is an error and says so."""
    with pytest.raises(BookError, match="holds no loan"):
        read_book(write_book(tmp_path / "empty.csv"))
    with pytest.raises(BookError, match="cannot be read"):
        read_book(tmp_path / "none.csv")


@pytest.mark.parametrize("number", [len(TRAITS), 40, 150, 400])
def test_a_sample_shows_everything_that_its_book_shows(number: int) -> None:
    """Each status and oddity of the book is in the sample, which has exactly the number asked for, in the book's order."""
    book = generated_book(400)
    chosen = sample(book, number)
    assert len(chosen) == number
    assert [loan for loan in book if loan in chosen] == list(chosen)
    assert set().union(*map(traits_of, chosen)) == set(TRAITS)


def test_a_sample_of_a_few_shows_the_most_telling() -> None:
    """Three loans are one repaid early, one that runs, one charged off."""
    chosen = sample(generated_book(400), 3)
    assert {loan.status for loan in chosen} == {Status.EARLY, Status.CURRENT, Status.CHARGED_OFF}


def test_a_sample_larger_than_its_book_is_refused() -> None:
    """Loans are never invented to make up a number."""
    with pytest.raises(Exception, match="holds 4 loans, fewer than 5"):
        sample(generated_book(4), 5)


def test_a_generated_book_follows_from_its_seed() -> None:
    """The same seed gives the same loans, another one others; forty of them show every status and oddity."""
    assert generated_book(40, seed=3) == generated_book(40, seed=3)
    assert generated_book(40, seed=3) != generated_book(40, seed=4)
    assert set().union(*map(traits_of, generated_book(40))) == set(TRAITS)
