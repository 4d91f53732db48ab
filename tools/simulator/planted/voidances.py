"""Bugs of contracts that are void after their money moved: interest that stays interest, penalty that runs on, papers that say nothing."""

from dataclasses import replace
from typing import Any

import services.repayment.domain.loan_state as loan_state
import services.repayment.domain.voidance as voidance
import services.repayment.domain.voidance_shares as voidance_shares
from services.bidding.commands.contract_stock import VoidSignedBlank
from services.bidding.commands.papers import VoidContract
from services.bidding.policies import POLICIES as BIDDING
from tools.simulator.planted.plant import LATE, WHOLE, Plant, forgetting, instead, policy


def _charges_on(real: Any) -> Any:
    return lambda state, event: replace(real(state, event), book=state.book)


PLANTS = (
    Plant(
        "void-contract-keeps-its-interest",
        "What was paid as interest on a void contract stays interest, and the lenders keep it beside their principal.",
        instead(voidance_shares, "kept_fen", lambda _real: lambda _got: 0),
        ("is void, owed and given back are",),
        config=LATE,
        seeds=range(5, 24),
    ),
    Plant(
        "void-contract-charges-penalty",
        "What is left of a void contract's principal bears penalty when it is late.",
        instead(loan_state, "voided", _charges_on),
        ("PenaltyCharged of", "the contract says 0"),
        config=LATE,
        seeds=range(4, 24),
    ),
    Plant(
        "void-contract-stays-paused",
        "A pause outlives the contract that it was of: what is left is not asked for on its day.",
        instead(voidance, "pause_ended", lambda _real: lambda *_arguments: ()),
        ("is left alone on",),
        config=WHOLE,
        seeds=range(54, 57),
    ),
    Plant(
        "void-papers-say-nothing",
        "The contract of a void loan is not marked.",
        policy(BIDDING, "repayment", forgetting(VoidContract)),
        ("is void and does not say so", "never ends"),
        config=LATE,
        seeds=range(1, 8),
    ),
    Plant(
        "who-knew-is-protected",
        "Who knew of an illegal purpose has his share of what others give back, like everybody.",
        instead(voidance, "shares_of", lambda real: lambda live, paid, knew=(): real(live, paid, knew[:0])),
        ("knew, and get",),
        config=LATE,
        seeds=range(24),
    ),
    Plant(
        "void-blank-stays",
        "The paper of the stock that a void contract was signed on is not marked.",
        policy(BIDDING, "bidding", forgetting(VoidSignedBlank)),
        ("are not void", "never ends"),
        config=LATE,
        seeds=range(24),
    ),
)
