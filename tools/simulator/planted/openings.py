"""Bugs of how listings open: to whom, when, and whether they say that their borrower is near to the staff."""

from typing import Any

import services.bidding.domain.listing as listing
import services.bidding.domain.opening as opening
from services.bidding.commands import ConfirmFunding, RecordBid
from services.bidding.domain.profile import Profile
from services.bidding.policies import POLICIES as BIDDING
from services.onboarding.commands import MeetPrecedents, RecordStaffTie
from services.onboarding.policies import POLICIES as ONBOARDING
from tools.simulator.planted.plant import (
    DUES,
    LAWFUL,
    WHOLE,
    Plant,
    changing,
    forgetting,
    instead,
    policy,
    together,
)


def _a_day_late(real: Any) -> Any:
    def opening_of(state: Any) -> Any:
        day, phase = real(state)
        return day, phase + 2

    return opening_of


PLANTS = (
    Plant(
        "old-hand-is-a-newcomer",
        "A bid forgets that its investor has lent before.",
        policy(BIDDING, "bidding", changing(RecordBid, has_lent=lambda _command: False)),
        ("is no newcomer to",),
        config=DUES,
        seeds=range(12),
    ),
    Plant(
        "newcomer-takes-it-all",
        "Nobody looks at how much one newcomer has in one listing.",
        instead(Profile, "newcomer_cap_fen", lambda _real: lambda *_arguments: None),
        ("than a newcomer may",),
        config=LAWFUL,
        seeds=range(1, 4),
    ),
    Plant(
        "opens-when-it-likes",
        "A listing that was scheduled by hand opens in another phase than its own, so on another day.",
        together(instead(listing, "opening_of", _a_day_late), instead(opening, "opening_of", _a_day_late)),
        ("opens on another day", "was to open on"),
        seeds=range(12),
    ),
    Plant(
        "staff-mark-forgotten",
        "Onboarding knows that a borrower is near to the staff, and does not tell.",
        policy(ONBOARDING, "onboarding", changing(MeetPrecedents, related_to_staff=lambda _command: False)),
        ("the mark of loan_",),
        config=WHOLE,
        seeds=range(16),
    ),
    Plant(
        "staff-mark-forgotten-at-funding",
        "Who comes near to the staff while his loan is listed is paid out without a mark.",
        policy(BIDDING, "onboarding", changing(ConfirmFunding, related_to_staff=lambda _command: False)),
        ("the mark of loan_",),
        config=WHOLE,
        seeds=range(8, 12),
    ),
    Plant(
        "staff-tie-not-told",
        "An appointment names a customer, and he never hears of it.",
        policy(ONBOARDING, "onboarding", forgetting(RecordStaffTie)),
        ("does not know that he is",),
        config=WHOLE,
        seeds=range(4),
    ),
)
