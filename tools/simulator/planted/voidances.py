"""Bugs of contracts that are void after their money moved: interest that stays interest, claims that stay for sale, papers that say nothing."""

from dataclasses import replace
from typing import Any

import services.repayment.domain.loan_state as loan_state
import services.repayment.domain.measure as measure
import services.repayment.domain.voidance as voidance
from services.bidding.commands.papers import VoidContract
from services.bidding.policies import POLICIES as BIDDING
from tools.simulator.planted.plant import LATE, Plant, forgetting, instead, policy


def _charges_on(real: Any) -> Any:
    return lambda state, event: replace(real(state, event), book=state.book)


PLANTS = (
    Plant(
        "void-contract-keeps-its-interest",
        "What was paid as interest on a void contract stays interest, and the lenders keep it beside their principal.",
        instead(voidance, "_kept_fen", lambda _real: lambda _got: 0),
        ("is void, owed and given back are",),
        config=LATE,
    ),
    Plant(
        "void-contract-still-for-sale",
        "A claim of a contract that is found to be void stays for sale.",
        instead(voidance, "release_all", lambda _real: lambda _state, _code: ()),
        ("of a void contract is for sale",),
        seeds=range(24),
    ),
    Plant(
        "void-contract-charges-penalty",
        "What is left of a void contract's principal bears penalty when it is late.",
        instead(loan_state, "voided", _charges_on),
        ("PenaltyCharged of",),
        config=LATE,
        seeds=range(24),
    ),
    Plant(
        "void-papers-say-nothing",
        "The contract of a void loan is not marked.",
        policy(BIDDING, "repayment", forgetting(VoidContract)),
        ("is void and does not say so", "never ends"),
        config=LATE,
    ),
    Plant(
        "party-voids-its-contract",
        "Whoever owes or is owed signs that the contract is void.",
        instead(measure, "require_no_part", lambda _real: lambda *_who, **_parts: None),
        ("that he is a party of", "signs about himself"),
        seeds=range(24),
    ),
)
