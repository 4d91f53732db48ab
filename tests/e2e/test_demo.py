"""The demo on a small book: people apply, invest, fall late, promise and pay, and the verdict holds with every new figure."""

import json
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.local.parts import Parts
from deploy.local.stack import Stack
from libs.runtime.identity import ensure_identity
from libs.runtime.settings import load_settings
from tests.unit.tools.books import write_book
from tools.replay import run
from tools.replay.book import read_book

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


@pytest.mark.slow
def test_a_small_book_is_told_from_registration_to_the_last_promise(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Everything holds: loans end as the book says, cases and promises are those planned, nothing is open or unbalanced; the
    new keys stand in demo.json and the new tables on the screen."""
    monkeypatch.setattr(run, "JSON_FILE", tmp_path / "out" / "demo.json")
    monkeypatch.setenv("COLUMNS", "200")
    book = read_book(write_book(tmp_path / "book.csv", *(SHORT | row for row in BOOK)))
    name = uuid4().hex[:12]
    settings = load_settings(
        tmp_path / "stack", topic_prefix=f"d{name}.", mongo_database=f"demo_{name}", partitions=2, flush=False
    )
    with Stack(ensure_identity(settings), parts=parts) as stack:
        code = run.replay_loans(stack.settings, "five short loans", book)
    shown = capsys.readouterr().out
    assert code == 0, shown
    found = json.loads(run.JSON_FILE.read_text())
    assert (found["loans"], found["cases"], found["promises_kept"], found["trial_balance"]) == (5, 3, 1, 0)
    assert found["users"] > 5
    for words in (
        "as the log tells it",
        "registers",
        "promise kept",
        "Funnel",
        "Head of the collection queue",
    ):
        assert words in shown
