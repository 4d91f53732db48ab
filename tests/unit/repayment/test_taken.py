"""What is done to a loan stands on its page with its day, for whoever holds a claim in it: lenders are informed there (processes.md 1.P)."""

from datetime import date
from typing import Any

import pytest

from services.repayment.api.page_shapes import HeldPageOut, LoanPageOut
from services.repayment.projections.loans import VIEW as LOANS
from tests.unit.documents import documents, history, nested
from tests.unit.repayment import asset_story as asset
from tests.unit.repayment.pause_story import ASKED_FOR, PAUSED, flagged
from tests.unit.repayment.stories import OPENED
from tests.unit.repayment.troubled_story import (
    CHARGED,
    EXTENDED,
    FINED,
    LOSS,
    LOST,
    LOST_ON,
    MARCH,
    PAID,
    waived,
)


def _page(*events: Any) -> HeldPageOut:
    loan = nested("loan_7", documents(LOANS, history("loan_7", *events))["loan_7"])
    return HeldPageOut.of(LoanPageOut.shown(loan, None, None))


@pytest.mark.parametrize(
    ("events", "kind", "on"),
    [
        ((*PAID, *EXTENDED), "extension", MARCH),
        ((*FINED, CHARGED, waived(500, 252)), "waiver", MARCH),
        ((*LOST, *LOSS), "write_off", LOST_ON),
        ((*asset.LATE, asset.SETTLED), "settlement_in_kind", asset.DAY),
        ((OPENED, *PAUSED), "pause", ASKED_FOR),
    ],
)
def test_a_holder_reads_what_was_done_and_when(events: tuple[Any, ...], kind: str, on: date) -> None:
    """By which measure; of one that stretches the loan also until when."""
    (taken,) = _page(*events).taken
    until = date.fromisoformat(EXTENDED[0].matures_on.isoformat()) if kind == "extension" else None
    assert (taken.kind, taken.on, taken.matures_on) == (kind, on, until)


def test_what_is_its_borrowers_own_stands_on_no_holders_page() -> None:
    """That he may have died, and which branch looks after him, is none of theirs."""
    assert _page(OPENED, flagged("death")).taken == []
