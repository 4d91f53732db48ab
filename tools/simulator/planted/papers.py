"""Bugs of a loan's papers: contracts that are missing, or say something else than was lent."""

from dataclasses import replace
from typing import Any

import services.bidding.domain.contract as contract
from services.bidding.commands.papers import IssueContract
from services.bidding.policies import POLICIES as BIDDING
from tools.simulator.planted.plant import Plant, changing, forgetting, instead, policy


def _one_lender_for_all(real: Any) -> Any:
    """Every certificate names the lender of the first claim."""

    def certified(command: Any, claim: Any, *others: Any) -> Any:
        first = command.claims[0]
        return real(command, replace(claim, account_id=first.account_id, investor=first.investor), *others)

    return certified


PLANTS = (
    Plant(
        "contract-forgotten",
        "A loan is paid out without a contract.",
        policy(BIDDING, "bidding", forgetting(IssueContract)),
        ("has no contract", "never ends"),
    ),
    Plant(
        "certificate-of-another",
        "A claim's certificate names another lender.",
        instead(contract, "_certified", _one_lender_for_all),
        ("the contract of loan_",),
    ),
    Plant(
        "contract-without-the-fee",
        "The contract does not say what fee was taken.",
        policy(BIDDING, "bidding", changing(IssueContract, origination_fee_fen=lambda _command: 0)),
        ("the contract of loan_",),
    ),
)
