"""Who would be paid what a recovery cost is asked before its loan is: an account that nobody has, or nobody has any more, takes no money."""

from dataclasses import replace

import pytest

from libs.events.measures import WriteOff
from libs.events.recovery_costs import PayeeConfirmed, payee_of
from services.bidding.commands import ConfirmPayee
from services.bidding.domain.account import aggregate
from services.bidding.domain.profile import DEMO
from tests.unit.bidding import account_story as account
from tests.unit.bidding.specs import ANN, ANNS, OPENED, Spec, on

TERMS = WriteOff(ground="court", cost_fen=30_00, cost_account=ANNS)
ASK = ConfirmPayee(measure_id="msr_1", loan_id="loan_1", terms=TERMS, himself="usr_9")
SAID = PayeeConfirmed(
    account_id=ANNS,
    owner=ANN,
    measure_id="msr_1",
    loan_id="loan_1",
    terms=TERMS,
    himself="usr_9",
)
OF_THE_PLATFORM = replace(ASK, terms=replace(TERMS, cost_account="acc_fees"))
SPECS = [
    Spec("whoever has an account could be paid", (OPENED,), ASK, (SAID,), on()),
    Spec("asked again he says so again", (OPENED, SAID), ASK, (SAID,), on()),
    Spec("nobody is paid without one", (), ASK, "unknown_account", on()),
    Spec("nor after he has left", (OPENED, account.CLOSED), ASK, "account_closed", on()),
    Spec("nor is the platform", (account.fee(1, 1),), OF_THE_PLATFORM, "forbidden_payee", on()),
    Spec("before its first fee either", (), OF_THE_PLATFORM, "forbidden_payee", on()),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.says)
def test_who_could_be_paid(spec: Spec) -> None:
    """The account answers, or says by name why not; no account of the platform has a part in a loss (red line 2)."""
    spec.check(aggregate(DEMO))


@pytest.mark.parametrize("name", ["", "usr_law", "acc_", "acc_a/b", "acc_" + "x" * 65])
def test_what_is_no_account_is_not_asked(name: str) -> None:
    """The loan refuses it by name."""
    assert payee_of(replace(TERMS, cost_account=name)) == ""
    assert payee_of(replace(TERMS, cost_fen=0)) == ""
