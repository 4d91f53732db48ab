"""Bugs of pauses and flags: days that count all the same, accounts that are asked, the dead who are called, flags that nobody hears of."""

from typing import Any

import services.bidding.domain.loans as loans
import services.collections.domain.debtor_contacts as debtor_contacts
import services.repayment.domain.allocation as allocation
import services.repayment.domain.loan_day as loan_day
import services.repayment.domain.pausing_loan as pausing_loan
from services.bidding.commands import RecordDeathFlag
from services.bidding.policies import POLICIES as BIDDING
from services.collections.commands import RecordFlag
from services.collections.policies import POLICIES as COLLECTIONS
from tools.simulator.planted.plant import WHOLE, Plant, forgetting, instead, policy


def _plain_days(_real: Any) -> Any:
    return lambda _pauses, since, on: max(0, (on - since).days)


PLANTS = (
    Plant(
        "paused-days-count",
        "A pause stands in the loan's record, and its days are counted like others.",
        instead(allocation, "delinquent_days", _plain_days),
        ("days are", "the contract says", "is charged", "stops after", "in silence"),
        config=WHOLE,
        seeds=range(40),
    ),
    Plant(
        "asked-in-a-pause",
        "The account is asked on the due day, paused or not.",
        instead(loan_day, "is_paused", lambda _real: lambda *_arguments: False),
        ("is asked on",),
        config=WHOLE,
        seeds=range(40),
    ),
    Plant(
        "the-dead-are-debited",
        "Whoever has died is asked for his instalments as before.",
        instead(loan_day, "_may_ask", lambda _real: lambda _state: True),
        ("is asked on",),
        config=WHOLE,
        seeds=range(40),
    ),
    Plant(
        "the-dead-pay-their-other-loans",
        "The account of who has died is debited for the loans that are not flagged.",
        instead(loans, "has_died", lambda _real: lambda _state: False),
        ("is answered as if",),
        config=WHOLE,
        seeds=range(8),
    ),
    Plant(
        "death-never-told",
        "A borrower has died, and his account never hears of it.",
        policy(BIDDING, "repayment", forgetting(RecordDeathFlag)),
        ("accounts know of",),
        config=WHOLE,
        seeds=range(8),
    ),
    Plant(
        "the-dead-are-called",
        "The contact gate does not look at flags.",
        instead(debtor_contacts, "flags_on", lambda _real: lambda *_arguments: ()),
        ("against",),
        config=WHOLE,
        seeds=range(60),
    ),
    Plant(
        "flag-never-told",
        "A loan is flagged, and collections never hears of it.",
        policy(COLLECTIONS, "repayment", forgetting(RecordFlag)),
        ("collections knows", "never ends"),
        config=WHOLE,
        seeds=range(24),
    ),
    Plant(
        "paused-while-paused",
        "A second pause is given while the first stands.",
        instead(pausing_loan, "standing", lambda _real: lambda *_arguments: None),
        ("is paused while it is", "is paused on"),
        config=WHOLE,
        seeds=range(60),
    ),
)
