"""A page of a loan's history costs its lines, not the whole schedule once for each line of the loan's life."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.repayment.api.page_shapes import HistoryLineOut
from services.repayment.domain import loan_account
from services.repayment.domain.loan_account import (
    COMPONENTS,
    FORMULAS,
    Account,
    accounts,
    parts_of,
    shares,
)
from tests.unit.repayment.test_corrected_pages import corrected_life
from tests.unit.repayment.test_loan_page import told

ROWS = 360


def _long_life() -> list[dict[str, Any]]:
    """A loan of 360 instalments and 720 payments."""
    blank = {f"paid_{each}_fen": 0 for each in COMPONENTS}
    opened = {"rows": {str(number): blank for number in range(1, ROWS + 1)}}
    paid = [{"rows": {str(1 + number % ROWS): {"paid_principal_fen": 1}}} for number in range(2 * ROWS)]
    return [
        {
            "_id": f"loan_7/{number:010}",
            "event": f"repayment/0/{number}/0",
            "kind": "PaymentReceived",
            "on": "2024-01-01",
            "business_date": "2024-01-01",
            "payment_id": f"pay_{number}",
            "told": {"state": "running"},
            "moved": moved,
        }
        for number, moved in enumerate((opened, *paid))
    ]


def test_a_page_adds_up_the_rows_of_its_own_lines_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two lines of the last payments look at the two rows that they name, before and after."""
    seen: list[int] = []

    def counted(account: Account) -> dict[str, int]:
        seen.append(len(account["rows"]))
        return parts_of(account)

    monkeypatch.setattr(loan_account, "parts_of", counted)
    lines = _long_life()
    wanted = [line["_id"] for line in lines[-2:]]
    shown = list(HistoryLineOut.all_of(lines, names_payment=True, wanted=wanted))
    assert [(name, line.paid_principal_fen) for name, line in shown] == [(name, 1) for name in wanted]
    assert seen == [1, 1, 1, 1]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_line_is_what_it_changed_of_the_sums_of_all_rows(seed: int) -> None:
    """In a random life with corrections and sales, of all lines and of any that are asked for."""
    _, lines, _ = told(*corrected_life(seed, sells=True).events)
    before, moved = dict.fromkeys(parts_of({}), 0), []
    for _, account in accounts(lines):
        after = parts_of(account)
        moved.append({name: fen - before[name] for name, fen in after.items()})
        before = after
    shown = list(HistoryLineOut.all_of(lines, names_payment=True))
    assert [line.model_dump(include=set(before)) for _, line in shown] == moved
    wanted = Random(seed).sample([name for name, _ in shown], min(3, len(shown)))
    some = HistoryLineOut.all_of(lines, names_payment=True, wanted=wanted)
    assert list(some) == [one for one in shown if one[0] in wanted]


def test_an_explanation_adds_up_the_rows_that_its_lines_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """All rows are added up where the loan opens, and after that two per payment: one before it, one after."""
    seen: list[int] = []

    def counted(account: Account) -> int:
        seen.append(len(account.get("rows", {})))
        return FORMULAS["totals.open_fen"].value(account, "")

    found = shares(_long_life(), counted)
    assert found[-1].after_fen == -2 * ROWS
    assert seen == [ROWS, *[1] * 4 * ROWS]
