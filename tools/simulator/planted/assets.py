"""Bugs of assets in settlement: one person sells alone, or what is his, the debtor's remainder is kept, an auction that never was, a fen astray."""

from dataclasses import replace
from typing import Any

import services.repayment.domain.asset as asset
import services.repayment.domain.asset_parties as asset_parties
from services.bidding.commands.assets import DebitAssetSale
from services.bidding.policies import POLICIES as BIDDING
from services.repayment.commands.assets import TakeAsset
from services.repayment.domain.guarantee import Guarantee
from services.repayment.policies import POLICIES as REPAYMENT
from tools.simulator.planted.plant import LATE, Plant, changing, forgetting, instead, policy


def _equally(real: Any) -> Any:
    """Every holder gets as much as every other."""

    def proceeds(kept: Any, disposal: Any) -> Any:
        alike = tuple(replace(share, amount_fen=1) for share in kept.shares)
        return real(replace(kept, shares=alike, remainder_to_debtor=False), disposal)

    return proceeds


PLANTS = (
    Plant(
        "asset-sold-by-one-person",
        "Whoever proposed the sale of an asset signs it too.",
        instead(asset, "_require_another", lambda _real: lambda *_arguments: None),
        ("a second time", "has a part in"),
        config=LATE,
        seeds=range(16),
    ),
    Plant(
        "asset-shared-by-heads",
        "What an asset brings is shared by heads, and the debtor's remainder with it.",
        instead(asset, "proceeds", _equally),
        ("the holders of", " gets "),
        config=LATE,
        seeds=range(16),
    ),
    Plant(
        "asset-nobody-keeps",
        "A debt is settled in kind and the thing is in no register.",
        policy(REPAYMENT, "repayment", forgetting(TakeAsset)),
        ("nobody keeps them", "never ends"),
        config=LATE,
        seeds=range(16),
    ),
    Plant(
        "asset-paid-a-fen-less",
        "Its buyer pays a fen less than was signed.",
        policy(
            BIDDING,
            "repayment",
            changing(DebitAssetSale, amount_fen=lambda command: max(1, command.amount_fen - 1)),
        ),
        ("is paid by",),
        config=LATE,
        seeds=range(16),
    ),
    Plant(
        "paid-for-selling",
        "Whoever proposes the sale of an asset, or signs it, is paid what it costs.",
        instead(asset_parties, "require_other_payee", lambda _real: lambda *_arguments: None),
        ("has a part in",),
        config=LATE,
        seeds=range(16),
    ),
    Plant(
        "a-holder-is-paid-twice",
        "What the sale of an asset costs is paid to its buyer, its debtor or a holder, however much it is.",
        instead(asset, "require_parties", lambda _real: lambda *_arguments: None),
        ("what the sale of", "goes back to its debtor", "costs"),
        config=LATE,
        seeds=range(16),
    ),
    Plant(
        "a-thing-before-the-guarantor",
        "A thing is taken for a loan whose guarantor was never asked.",
        instead(Guarantee, "is_asked_first", lambda _real: property(lambda _guarantee: False)),
        ("before its guarantor was asked",),
        config=LATE,
        seeds=range(16),
    ),
    Plant(
        "sells-his-own-asset",
        "Who gave an asset, or has a share in it, signs its sale.",
        instead(asset, "_require_no_part", lambda _real: lambda *_arguments: None),
        ("has a part in",),
        config=LATE,
        seeds=range(16),
    ),
)
