"""The auditor of what is parked: it is sent again by the end, and what only repeats a refusal mends nothing."""

from typing import Any

import pytest

from tools.simulator.loan_books import WrongBooks
from tools.simulator.parked_books import ParkedBooks

CAUSE = "repayment/0/7/1"
COMMAND = {"type": "bidding.DebitInstallment", "causation_id": CAUSE, "data": {"debit_id": "dbt_7"}}
REFUSED = {"type": "system.CommandRefused.v1", "data": {"code": "internal"}}
REPEATED = {"type": "system.CommandRepeated.v1", "data": {}}
FAILED = {"type": "bidding.InstallmentDebitFailed.v1", "data": {"debit_id": "dbt_7"}}
NOTED = {"type": "system.PolicyFailed.v1", "data": {"event_address": "bidding/0/9/0"}}


def books(*retries: Any) -> ParkedBooks:
    """A debit's command that is refused, and what its retries come to."""
    parked = ParkedBooks()
    parked.record("bidding/0/8", {"source": b"{}"}, COMMAND, [REFUSED])
    for number, event in enumerate(retries, start=9):
        parked.record(f"bidding/0/{number}", {"fingerprint": b"retry"}, COMMAND, [event])
    return parked


def test_what_is_decided_by_a_retry_is_mended() -> None:
    """Also by the retry of a retry."""
    for retries in ((FAILED,), (REFUSED, FAILED)):
        parked = books(*retries)
        parked.at_rest()
        assert parked.mended == {f"bidding/0/{number}" for number in range(8, 8 + len(retries))}
        assert parked.late == {"dbt_7"}


@pytest.mark.parametrize("retries", [(), (REFUSED,), (REFUSED, REPEATED), (REPEATED,)])
def test_what_is_still_parked_is_found(retries: Any) -> None:
    """Refused again, or told again that it is."""
    with pytest.raises(WrongBooks, match="1 internal refusals"):
        books(*retries).at_rest()


def test_a_policy_that_failed_is_found() -> None:
    """Its event is an answer that the loan has not heard."""
    parked = books(FAILED)
    parked.record("repayment/1/3", {"source": b"{}"}, {}, [NOTED])
    with pytest.raises(WrongBooks, match="PolicyFailed"):
        parked.at_rest()
    parked.stored({"type": "system.NotePolicyFailure", "data": {"event_address": "bidding/0/9/0"}})
    assert parked.late == {"dbt_7"}
