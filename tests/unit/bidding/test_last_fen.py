"""No fen is too small for a policy: a fee, a rest and a share of one fen move like any other."""

from dataclasses import replace
from typing import Any

import pytest

from libs.events.sagas import Send
from services.bidding.commands import CreditFee, CreditInvestor, CreditProceeds, ReduceHold
from services.bidding.policies import POLICIES
from tests.unit.bidding import listing_story as listing
from tests.unit.bidding.repaid_story import distributed, line
from tests.unit.documents import recorded

ONE_FEN_FEE = replace(listing.COLLECTED, origination_fee_fen=1)
ONE_FEN_REST = listing.in_part(2, listing.bid("c", 100_51), 100_50, 1_000_50)
PENALTY_ONLY = distributed(replace(line(1, "ann", 0, 0, 0), penalty_fen=1))
SHARE = CreditInvestor(
    loan_id="loan_1",
    claim_id="clm_1_1",
    distribution_id="dst_1",
    principal_fen=0,
    interest_fen=0,
    fee_fen=0,
    penalty_fen=1,
)


@pytest.mark.parametrize(
    ("source", "event", "send"),
    [
        (
            "bidding",
            ONE_FEN_FEE,
            Send("fee", "acc_fees", CreditFee(loan_id="loan_1", fee_id="origination:loan_1", amount_fen=1)),
        ),
        (
            "bidding",
            ONE_FEN_FEE,
            Send("proceeds", "acc_bea", CreditProceeds(loan_id="loan_1", amount_fen=1_000_49)),
        ),
        ("bidding", ONE_FEN_REST, Send("reduce", "acc_ann", ReduceHold(hold_id="hold_c", keep_fen=100_50))),
        ("repayment", PENALTY_ONLY, Send("credit:clm_1_1", "acc_ann", SHARE)),
    ],
    ids=["fee", "proceeds", "rest", "penalty"],
)
def test_one_fen_moves(source: str, event: Any, send: Send) -> None:
    """It is sent where a hundred yuan would be."""
    assert send in POLICIES[source](recorded(event, "lst_1"))


def test_a_listing_of_old_that_names_no_loan_returns_no_vouchers() -> None:
    """Its expiry releases the holds, and asks the marketing account nothing that it would refuse."""
    sends = POLICIES["bidding"](recorded(replace(listing.EXPIRED, loan_id=""), "lst_1"))
    assert [send.slot for send in sends] == ["release:hold_a", "service"]
