"""Bugs of corrections: money that is paid out before it is there, debts that nobody collects, a payer who gets too much back, and a borrower
who puts his own loan right.
"""

from dataclasses import replace
from typing import Any, Final

import services.bidding.domain.account as account
import services.bidding.domain.settling as settling
import services.repayment.domain.correcting as correcting
import services.repayment.domain.correction as correction
import services.repayment.domain.paying as paying
import services.repayment.domain.trouble_told as trouble_told
import services.repayment.projections.payments as payments
from libs.events.corrections import Share
from services.repayment.commands import RecordPayment
from services.repayment.commands.corrections import AdmitCorrection
from services.repayment.policies import POLICIES as REPAYMENT
from tools.simulator.planted.plant import LATE, Plant, changing, forgetting, instead, policy, together


def _all_at_once(_real: Any) -> Any:
    def paid(due: Any, _amount_fen: int) -> tuple[Share, ...]:
        return tuple(due)

    return paid


#: Payments are voided and entered again.
AGAIN: Final = replace(LATE, plan=replace(LATE.plan, enters_again=True))

PLANTS = (
    Plant(
        "paid-before-collected",
        "The first fen that a correction collects pays out all of it.",
        instead(settling, "_paid", _all_at_once),
        ("clearing:correction:", "clearing:prior_year:", "is to move"),
        config=LATE,
    ),
    Plant(
        "debts-of-corrections-forgotten",
        "What an account could not give back at once is never taken from its next money.",
        instead(account, "swept", lambda _real: lambda _state, _events: iter(())),
        (" owes ",),
        config=LATE,
    ),
    Plant(
        "measures-not-in-the-journal",
        "What a measure did to a loan is forgotten when the loan is decided again.",
        instead(trouble_told, "is_journaled", lambda _real: lambda _terms: False),
        ("decided again, does not give it",),
        config=LATE,
        seeds=range(8),
    ),
    Plant(
        "signs-his-own-correction",
        "A correction knows who has a part in its loan, and lets him sign.",
        instead(correction, "require_no_part", lambda _real: lambda *_arguments, **_fields: None),
        ("has a part in",),
        config=LATE,
        seeds=range(12),
    ),
    Plant(
        "corrects-his-own-loan",
        "A correction never hears who has a part in its loan, the borrower, who is of the staff, allows it, and the loan does not mind.",
        together(
            policy(REPAYMENT, "repayment", forgetting(AdmitCorrection)),
            instead(correcting, "require_no_part_in", lambda _real: lambda *_arguments: None),
        ),
        ("has a part in",),
        config=LATE,
        seeds=range(16),
    ),
    Plant(
        "entered-again-unmarked",
        "Which payment one replaces is lost between the account and the loan.",
        policy(REPAYMENT, "bidding", changing(RecordPayment, replaces=lambda _command: "")),
        ("it was to replace",),
        config=AGAIN,
    ),
    Plant(
        "entered-in-place-of-any",
        "A payment is entered in the place of one that counts, or was entered again.",
        instead(paying, "why_not_replaced", lambda _real: lambda *_arguments: ""),
        ("which was not voided", "has replaced"),
        config=AGAIN,
    ),
    Plant(
        "replacement-not-shown",
        "The page does not say what was entered in the place of a voided payment.",
        instead(payments, "_replaced", lambda _real: lambda _payment: ()),
        (" is marked ",),
        config=AGAIN,
    ),
)
