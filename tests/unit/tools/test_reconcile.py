"""What the command `loanstream reconcile` says: a day on one page, and a person's mistake in one sentence."""

from io import StringIO

import pytest
from rich.console import Console

from libs.runtime.cli_bank import reconcile
from libs.runtime.errors import OperatorError
from services.bidding.projections.bank_days import DAYS
from tests.unit.bidding import bank_day_story as story
from tests.unit.documents import documents, history
from tools.bank.reconcile import told, yuan


def test_a_day_is_told_on_one_page() -> None:
    """The bank's file beside the ledger and the accounts, what they differ by, and what finance has to look at."""
    shown = documents(DAYS, history("bankdays", *story.RECONCILED))[str(story.MONDAY)]
    page = StringIO()
    Console(file=page, width=120).print(told(shown))
    for words in (
        "2024-03-11",
        "bank's file",
        "700.00",
        "ledger",
        "550.00",
        "150.00",
        "2 opened",
        "2 open of all",
    ):
        assert words in page.getvalue()
    assert "register of claims" not in page.getvalue()
    claims = {"claims_fen": 900_00, "lent_fen": 900_00}
    Console(file=page, width=120).print(told(shown | claims))
    assert "register of claims" in page.getvalue()
    waits = {"unlisted": 3, "unlisted_fen": -70_00, "unclosed": 2}
    Console(file=page, width=200).print(told(shown | waits))
    said = " ".join(page.getvalue().split())
    assert "3 wait until there is room on the work list, by which the bank has -70.00 more" in said
    assert "2 wait to be closed" in said
    apart = {"claims_apart_fen": 4_00, "loans_apart": ["loan_1", "loan_2"]}
    Console(file=page, width=200).print(told(shown | claims | apart))
    assert "among them loan_1, loan_2" in page.getvalue()
    assert (yuan(-5), yuan(1_234_567_89)) == ("-0.05", "1,234,567.89")


def test_a_date_that_is_none_is_said() -> None:
    """Before anything is asked of anybody."""
    with pytest.raises(OperatorError, match="YYYY-MM-DD"):
        reconcile("11.03.2024")
