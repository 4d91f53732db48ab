"""Bugs of a loan's papers: contracts that are missing or say something else than was lent, packs that one person makes alone,
vouchers without money.
"""

from dataclasses import replace
from typing import Any

import services.bidding.domain.contract as contract
import services.bidding.domain.deal_pack as deal_pack
import services.bidding.domain.funding as funding
import services.bidding.domain.marketing as marketing
import services.bidding.domain.opening as opening
from libs.events.deal_packs import DealPackSentBack
from services.bidding.commands.papers import IssueContract, OpenDealPack
from services.bidding.commands.vouchers import CreditVoucher
from services.bidding.policies import POLICIES as BIDDING
from tools.simulator.planted.plant import LAWFUL, Plant, changing, forgetting, instead, policy, together


def _one_lender_for_all(real: Any) -> Any:
    """Every certificate names the lender of the first claim."""

    def certified(command: Any, claim: Any, *others: Any) -> Any:
        first = command.claims[0]
        return real(command, replace(claim, account_id=first.account_id, investor=first.investor), *others)

    return certified


def _goes_on(real: Any) -> Any:
    def done(command: Any, state: Any, context: Any) -> Any:
        event = real(command, state, context)
        return (
            replace(event, next_step=state.after("review")) if isinstance(event, DealPackSentBack) else event
        )

    return done


def _as_if_it_were_rich(real: Any) -> Any:
    return lambda command, state, context: real(command, replace(state, balance_fen=10**14), context)


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
    Plant(
        "pack-forgotten",
        "A lender's deal pack is never opened.",
        policy(BIDDING, "bidding", forgetting(OpenDealPack)),
        ("was never opened", "never ends"),
        config=LAWFUL,
        seeds=range(4),
    ),
    Plant(
        "one-clerk-signs-all",
        "Whoever has signed a step of a pack signs another.",
        instead(deal_pack, "_require_another", lambda _real: lambda *_arguments: None),
        (" signs ",),
        config=LAWFUL,
        seeds=range(6),
    ),
    Plant(
        "staff-sign-for-themselves",
        "A member of staff who is a customer looks at his own loan, and pays it out.",
        together(
            *(
                instead(room, "require_not_himself", lambda _real: lambda *_arguments: None)
                for room in (funding, opening)
            )
        ),
        ("signs about himself",),
        config=LAWFUL,
        seeds=range(6),
    ),
    Plant(
        "pack-sealed-unreviewed",
        "Legal sends a pack back, and it goes on to its seals.",
        instead(deal_pack, "_done", _goes_on),
        (" waits for ", "told is"),
        config=LAWFUL,
        seeds=range(8),
    ),
    Plant(
        "late-pack-not-told",
        "The due day of a pack ends, and nobody says that it is late.",
        instead(deal_pack, "_overdue", lambda _real: lambda _wake, _state: []),
        ("is late and nobody says so", "WakeFailed"),
        config=LAWFUL,
        seeds=range(6),
    ),
    Plant(
        "voucher-not-credited",
        "The marketing account pays a voucher, and its investor never gets the money.",
        policy(BIDDING, "bidding", forgetting(CreditVoucher)),
        ("clearing:voucher:", "credited: False", "never ends"),
        config=LAWFUL,
        seeds=range(24),
    ),
    Plant(
        "vouchers-without-money",
        "A voucher is granted whatever the marketing account has promised already.",
        instead(marketing, "_grant", _as_if_it_were_rich),
        (" is promised, ",),
        config=LAWFUL,
        seeds=range(6),
    ),
    Plant(
        "voucher-for-any-term",
        "A voucher is paid for a loan that is too short for it.",
        instead(marketing, "_too_short", lambda _real: lambda _voucher, _tenor_months: False),
        ("that is too short",),
        config=LAWFUL,
        seeds=range(12),
    ),
    Plant(
        "voucher-for-himself",
        "A member of staff gives himself the platform's money.",
        instead(marketing, "_require_another", lambda _real: lambda _command: None),
        ("signs about himself",),
        config=LAWFUL,
        seeds=range(6),
    ),
    Plant(
        "voucher-for-any-claim",
        "A voucher is paid for a part that is another's, or too small.",
        instead(marketing, "_fits", lambda _real: lambda _voucher, _claim: True),
        ("not his, or too small",),
        config=LAWFUL,
        seeds=range(8),
    ),
)
