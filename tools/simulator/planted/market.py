"""Bugs of the secondary market: claims that are sold twice, too cheap or at the wrong time, money that stays on its way."""

from dataclasses import replace
from typing import Any

import services.bidding.domain.offer as offer
import services.repayment.domain.loan as loan
import services.repayment.domain.loan_day as loan_day
import services.repayment.domain.loan_state as loan_state
import services.repayment.domain.trading as trading
from services.bidding.commands.market import CreditSale, ReleasePurchase
from services.bidding.policies import POLICIES as BIDDING
from tools.simulator.planted.plant import DUES, LATE, Plant, forgetting, instead, policy

#: People go on trading while the first instalments fall due.
TRADES = replace(LATE, plan=replace(LATE.plan, actions_on_quiet_days=14))


def _to_the_seller(real: Any) -> Any:
    """The claim changes hands, and what is paid on it goes on to the account of before."""

    def transferred(state: Any, event: Any) -> Any:
        return real(state, replace(event, claim=replace(event.claim, account_id=event.seller_account)))

    return transferred


def _not_reserved(real: Any) -> Any:
    def reserve(rules: Any, command: Any, state: Any) -> Any:
        others = tuple(each for each in state.reservations if each.claim_id != command.claim_id)
        return real(rules, command, replace(state, reservations=others))

    return reserve


PLANTS = (
    Plant(
        "seller-not-paid",
        "The buyer of a claim pays, and its seller never gets the money.",
        policy(BIDDING, "bidding", forgetting(CreditSale)),
        ("clearing:offer:", "never credited", "is not settled", "transferred and not settled", "never ends"),
    ),
    Plant(
        "second-buyers-money-kept",
        "Whoever comes too late for an offer does not get his money back.",
        policy(BIDDING, "bidding", forgetting(ReleasePurchase)),
        ("never answered", "never ends"),
    ),
    Plant(
        "anybody-may-buy",
        "An offer is taken by its seller, by the borrower's relations, or with too little money.",
        instead(offer, "_why_not", lambda _real: lambda *_arguments: None),
        (" buys of ", "is taken with", "is taken after"),
        config=TRADES,
    ),
    Plant(
        "claim-for-sale-twice",
        "A claim is reserved for a second offer while the first one stands.",
        instead(loan, "reserve", _not_reserved),
        ("is for sale twice",),
    ),
    Plant(
        "interest-left-out",
        "The seller of a claim does not get the interest that had accrued.",
        instead(trading, "accrued_interest_fen", lambda _real: lambda *_arguments: 0),
        ("the contract says",),
        seeds=range(12),
    ),
    Plant(
        "distribution-to-the-seller",
        "What is paid on a claim that was sold goes on to its seller.",
        instead(loan_state, "_transferred", _to_the_seller),
        ("is acc_", "is another's"),
        config=DUES,
        seeds=range(12),
    ),
    Plant(
        "late-loan-for-sale",
        "An instalment is missed, and the loan's claims stay in the order book.",
        instead(loan_day, "release_all", lambda _real: lambda _state, _code: []),
        ("its claim is reserved", "is for sale"),
        config=TRADES,
        seeds=range(12),
    ),
)
