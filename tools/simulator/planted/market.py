"""Bugs of the secondary market: claims that are sold twice, too cheap or at the wrong time, money that stays on its way."""

from dataclasses import replace
from typing import Any

import services.bidding.domain.listing as listing
import services.bidding.domain.offer as offer
import services.repayment.domain.claims_told as claims_told
import services.repayment.domain.loan as loan
import services.repayment.domain.loan_day as loan_day
import services.repayment.domain.trading as trading
from services.bidding.commands.market import CreditSale, ReleasePurchase
from services.bidding.policies import POLICIES as BIDDING
from services.repayment.domain.schedule import daily_interest_fen
from tools.simulator.planted.plant import DUES, LASTING, LATE, Plant, forgetting, instead, policy

#: People go on trading while the first instalments fall due.
TRADES = replace(LATE, plan=replace(LATE.plan, actions_on_quiet_days=14))


def _to_the_seller(real: Any) -> Any:
    """The claim changes hands, and what is paid on it goes on to the account of before."""

    def sold(claims: Any, event: Any) -> Any:
        return real(claims, replace(event, claim=replace(event.claim, account_id=event.seller_account)))

    return sold


def _not_reserved(real: Any) -> Any:
    def reserve(rules: Any, command: Any, state: Any) -> Any:
        others = tuple(each for each in state.reservations if each.claim_id != command.claim_id)
        return real(rules, command, replace(state, reservations=others))

    return reserve


def _evenly(_real: Any) -> Any:
    def accrued(rules: Any, lent: Any, part_fen: int, on: Any, **_named: Any) -> int:
        since = max([lent.funded_on, *(row.due_on for row in lent.rows if row.due_on <= on)])
        return daily_interest_fen(part_fen, lent.annual_rate, (on - since).days, 365, rules.rounding)

    return accrued


def _of_a_month(_real: Any) -> Any:
    def most(rules: Any, lent: Any, part_fen: int, _between: Any) -> int:
        return daily_interest_fen(part_fen, lent.annual_rate, 31, 365, rules.rounding)

    return most


def _whatever_his_level(real: Any) -> Any:
    def why_unfit(candidate: Any, **named: Any) -> str | None:
        code: str | None = real(candidate, **named)
        return None if code in ("unsuitable", "suitability_expired") else code

    return why_unfit


def _knows_nobody(real: Any) -> Any:
    def confirm(command: Any, state: Any) -> Any:
        return [replace(event, related=()) for event in real(command, state)]

    return confirm


PLANTS = (
    Plant(
        "seller-not-paid",
        "The buyer of a claim pays, and its seller never gets the money.",
        policy(BIDDING, "bidding", forgetting(CreditSale)),
        ("clearing:offer:", "never credited", "is not settled", "transferred and not settled", "never ends"),
        seeds=range(11, 15),
    ),
    Plant(
        "second-buyers-money-kept",
        "Whoever comes too late for an offer does not get his money back.",
        policy(BIDDING, "bidding", forgetting(ReleasePurchase)),
        ("never answered", "never ends"),
        seeds=range(29, 33),
    ),
    Plant(
        "anybody-may-buy",
        "An offer is taken by its seller, by the borrower's relations, or with too little money.",
        instead(offer, "_why_not", lambda _real: lambda *_arguments: None),
        (" buys of ", "is taken with", "is taken after"),
        config=TRADES,
    ),
    Plant(
        "unsuitable-may-buy",
        "Whoever may not bid on a loan buys a claim in it.",
        instead(offer, "why_unfit", _whatever_his_level),
        ("buys of ", "buys on an assessment", "and he buys"),
        config=LASTING,
        seeds=range(2, 6),
    ),
    Plant(
        "claim-for-sale-twice",
        "A claim is reserved for a second offer while the first one stands.",
        instead(loan, "reserve", _not_reserved),
        ("is for sale twice",),
        seeds=range(8, 16),
    ),
    Plant(
        "interest-left-out",
        "The seller of a claim does not get the interest that had accrued.",
        instead(trading, "accrued_interest_fen", lambda _real: lambda *_arguments, **_named: 0),
        ("the contract says",),
        config=TRADES,
        seeds=range(12),
    ),
    Plant(
        "even-interest-for-all",
        "The interest that a buyer pays runs by actual days since the last due date, whatever the contract says.",
        instead(trading, "accrued_interest_fen", _evenly),
        ("the contract says",),
        config=TRADES,
        seeds=range(12),
    ),
    Plant(
        "buyer-holds-a-month",
        "A buyer holds the interest of a month, also of a loan that asks for none until its end.",
        instead(trading, "interest_max_fen", _of_a_month),
        ("a buyer of ",),
    ),
    Plant(
        "listing-keeps-relations",
        "Whom only the listing knew as related to the borrower buys his claims.",
        instead(listing, "confirm_reservation", _knows_nobody),
        (" buys of ",),
        config=TRADES,
        seeds=range(12),
    ),
    Plant(
        "distribution-to-the-seller",
        "What is paid on a claim that was sold goes on to its seller.",
        instead(claims_told, "sold", _to_the_seller),
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
        seeds=range(4, 8),
    ),
)
