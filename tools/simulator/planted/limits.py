"""Bugs of limits: small waivers that do not add up, people who sign about themselves, a guarantor who is not asked, proposals that wait for
ever or change while they wait, and what is owed again and counts nowhere.
"""

from datetime import timedelta
from typing import Any

import services.repayment.domain.guarantor as guarantor
import services.repayment.domain.loan as loan
import services.repayment.domain.measure as measure
import services.repayment.domain.restructuring as restructuring
import services.repayment.domain.troubled as troubled
from services.onboarding.commands import RestoreExposure
from services.onboarding.policies import POLICIES as ONBOARDING
from services.repayment.commands.guarantees import RestoreGuarantee
from services.repayment.domain.measure_state import Voting
from services.repayment.policies import POLICIES as REPAYMENT
from tools.simulator.planted.plant import LATE, WHOLE, Plant, forgetting, instead, policy


def _anybody(_real: Any) -> Any:
    return lambda *_arguments, **_fields: None


def _votes_alone(real: Any) -> Any:
    return lambda state: real(state) if isinstance(state, Voting) else None


PLANTS = (
    Plant(
        "waivers-do-not-add-up",
        "Each waiver is judged by its own amount, whatever the loan was forgiven before.",
        instead(troubled, "waived_before_fen", lambda _real: lambda *_arguments: 0),
        ("was forgiven",),
        config=LATE,
        seeds=range(24),
    ),
    Plant(
        "waives-what-the-guarantor-is-owed",
        "A waiver gives up the penalty of instalments that the guarantor has paid for.",
        instead(troubled, "waived_lines", lambda real: lambda book, fen, _guarantee: real(book, fen, None)),
        ("is forgiven what its guarantor is owed",),
        config=LATE,
        seeds=range(24),
    ),
    Plant(
        "signs-about-himself",
        "Whoever owes, answers for a loan or is owed signs what is done to it.",
        instead(measure, "require_no_part", _anybody),
        ("has a part in",),
        config=LATE,
        seeds=range(12),
    ),
    Plant(
        "proposes-about-himself",
        "A borrower who is of the staff proposes a measure for his own loan.",
        instead(loan, "require_no_part_in", _anybody),
        ("has a part in",),
        config=LATE,
        seeds=range(24),
    ),
    Plant(
        "guarantor-is-not-asked",
        "A loan is stretched without the consent of whoever answers for it.",
        instead(restructuring, "_require_consent", _anybody),
        ("was not asked",),
        config=LATE,
        seeds=range(24),
    ),
    Plant(
        "signed-for-ever",
        "Only a vote has a last day; what nobody signs waits on.",
        instead(measure, "wake_on", _votes_alone),
        ("waits beyond",),
        config=LATE,
        seeds=range(12),
    ),
    Plant(
        "moved-a-month-later",
        "What one branch releases another takes within a month.",
        instead(
            measure,
            "_sign_until",
            lambda _real: lambda rules, _terms, on: on + timedelta(days=rules.signing_days),
        ),
        ("is signed until",),
        config=WHOLE,
        seeds=range(12),
    ),
    Plant(
        "changed-while-it-waits",
        "A second proposal takes the place of a guarantor's first while that waits.",
        instead(guarantor, "_is_stale", lambda _real: lambda *_arguments: True),
        ("is changed meanwhile",),
        config=WHOLE,
    ),
    Plant(
        "owed-again-and-not-guaranteed",
        "What a correction makes owed again counts in no guarantor's register.",
        policy(REPAYMENT, "repayment", forgetting(RestoreGuarantee)),
        (" counts ",),
        config=WHOLE,
        seeds=range(24),
    ),
    Plant(
        "owed-again-and-not-exposed",
        "What a correction makes owed again does not count against its borrower's cap.",
        policy(ONBOARDING, "repayment", forgetting(RestoreExposure)),
        (" counts ",),
        config=WHOLE,
        seeds=range(12, 16),
    ),
)
