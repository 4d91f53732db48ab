"""Bugs of guarantors: one person for all, an instalment whose payment goes astray, a claim too large, a fen too little."""

from dataclasses import replace
from datetime import date
from typing import Any

import services.repayment.domain.claims_told as claims_told
import services.repayment.domain.compensating as compensating
import services.repayment.domain.guarantor as guarantor
import services.repayment.domain.paying as paying
from libs.events.compensation import ClaimsSubrogated
from services.bidding.commands.compensation import DebitCompensation
from services.bidding.policies import POLICIES as BIDDING
from services.repayment.domain.guarantee import Approved
from services.repayment.domain.loan_state import Running
from tools.simulator.planted.plant import LATE, WHOLE, Plant, changing, instead, policy


def _as_holders(real: Any) -> Any:
    """The guarantor's instalments are shared as all others are."""

    def shared(rules: Any, state: Running, paid: Any) -> Any:
        if state.guarantee is None:
            return real(rules, state, paid)
        return real(rules, replace(state, guarantee=replace(state.guarantee, subrogated=())), paid)

    return shared


def _one_for_all(real: Any) -> Any:
    """Whoever executes is taken for somebody else."""

    def execute(rules: Any, command: Any, state: Running, context: Any) -> Any:
        guarantee = state.guarantee
        under_way = guarantee.under_way if guarantee else None
        if guarantee is not None and isinstance(under_way, Approved):
            blind = replace(under_way, proposed_by="", approved_by="")
            state = replace(state, guarantee=replace(guarantee, under_way=blind))
        return real(rules, command, state, context)

    return execute


def _larger(real: Any) -> Any:
    """The guarantor's claim is of the interest, too."""

    def subrogated(*arguments: Any) -> Any:
        return [
            replace(event, claim=replace(event.claim, principal_fen=event.principal_fen + event.interest_fen))
            if isinstance(event, ClaimsSubrogated)
            else event
            for event in real(*arguments)
        ]

    return subrogated


def _never(_real: Any) -> Any:
    """What waits of a guarantor waits for ever."""
    return lambda _rules, _waiting: date.max


PLANTS = (
    Plant(
        "guarantor-terms-wait-for-ever",
        "Terms of a guarantor that nobody agrees to have no last day.",
        instead(guarantor, "_signs_until", _never),
        ("what is proposed has not expired",),
        config=WHOLE,
        seeds=range(12),
    ),
    Plant(
        "guarantor-shares-like-a-holder",
        "What is paid on an instalment that the guarantor paid for is shared among all.",
        instead(paying, "shares", _as_holders),
        ("of its instalments'",),
        config=LATE,
        seeds=range(16),
    ),
    Plant(
        "compensated-by-one-person",
        "Who proposed a compensation, or approved it, executes it too.",
        instead(compensating, "_execute", _one_for_all),
        ("a second time",),
        config=LATE,
        seeds=range(16),
    ),
    Plant(
        "guarantor-claims-the-interest",
        "The guarantor's claim is as large as what he paid in principal and interest.",
        instead(compensating, "_subrogated", _larger),
        ("is not what was paid for", "claims "),
        config=LATE,
        seeds=range(12),
    ),
    Plant(
        "guarantor-pays-a-fen-less",
        "A guarantor is debited a fen less than was asked for.",
        policy(
            BIDDING,
            "repayment",
            changing(DebitCompensation, amount_fen=lambda command: max(1, command.amount_fen - 1)),
        ),
        ("is paid by",),
        config=LATE,
        seeds=range(12),
    ),
    Plant(
        "guarantor-not-in-the-journal",
        "What a guarantor paid is forgotten when the loan is decided again.",
        instead(claims_told, "with_compensation", lambda _real: lambda state, _event: state.journal),
        ("decided again, does not give it",),
        config=LATE,
        seeds=range(1, 4),
    ),
)
