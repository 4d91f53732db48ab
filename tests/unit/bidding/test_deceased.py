"""Nothing is taken from the account of who has died, for whichever of his loans, until the last of them says that it was another."""

from dataclasses import replace

import pytest

from libs.events.bidding import OwnerDeathRecorded, OwnerDeathWithdrawn
from services.bidding.commands import RecordDeathFlag
from services.bidding.domain.account import aggregate
from services.bidding.domain.profile import DEMO
from tests.unit.bidding import standing_story as standing
from tests.unit.bidding import test_assets, test_compensation
from tests.unit.bidding.account_story import (
    CAPTURE,
    CAPTURED,
    GIVE_BACK,
    GIVEN_BACK,
    HELD_FUNDS,
    NOTHING_TO_DEBIT,
    PAID,
    SHARED,
    debit,
    debited,
    pay,
    rich,
    share,
)
from tests.unit.bidding.specs import ANN, ANNS, OPENED, Spec, on


def told(loan_id: str, said: int, *, stands: bool = True) -> RecordDeathFlag:
    """A loan says whether Ann has died."""
    return RecordDeathFlag(loan_id=loan_id, said=said, stands=stands)


def dead(loan_id: str = "loan_2", said: int = 4) -> OwnerDeathRecorded:
    """The account knows."""
    return OwnerDeathRecorded(account_id=ANNS, owner=ANN, loan_id=loan_id, said=said)


def alive(loan_id: str = "loan_2", said: int = 9) -> OwnerDeathWithdrawn:
    """It was another, as far as this loan says."""
    return OwnerDeathWithdrawn(account_id=ANNS, owner=ANN, loan_id=loan_id, said=said)


LEFT_ALONE = replace(NOTHING_TO_DEBIT, code="owner_deceased")
NOT_BID = standing.nothing_held("owner_deceased")
SPECS = [
    Spec("a loan says that he has died", (OPENED,), told("loan_2", 4), (dead(),), on()),
    Spec("once", (OPENED, dead()), told("loan_2", 4), (), on()),
    Spec("each loan for itself", (OPENED, dead()), told("loan_3", 2), (dead("loan_3", 2),), on()),
    Spec("it was another", (OPENED, dead()), told("loan_2", 9, stands=False), (alive(),), on()),
    Spec("which it has said since", (OPENED, alive()), told("loan_2", 4), (), on()),
    Spec("and may say again", (OPENED, alive()), told("loan_2", 12), (dead(said=12),), on()),
    Spec("nobody dies without an account", (), told("loan_2", 4), "unknown_account", on()),
    Spec("his other loans are paid no more", (*rich(), dead()), debit(), (LEFT_ALONE,), on()),
    Spec("that is an answer too", (*rich(), dead(), LEFT_ALONE), debit(), (), on()),
    Spec("until it was another", (*rich(), dead(), alive()), debit(), (debited(88_85, 411_15),), on()),
    Spec(
        "as far as all of them say",
        (*rich(), dead(), dead("loan_3", 2), alive()),
        debit(),
        (LEFT_ALONE,),
        on(),
    ),
    Spec("in his name it is paid", (*rich(), dead()), pay(), (PAID,)),
    Spec("and comes back", (*rich(), PAID, dead()), GIVE_BACK, (GIVEN_BACK,), on()),
    Spec("what was held before is lent", (*rich(), HELD_FUNDS, dead()), CAPTURE, (CAPTURED,), on()),
    Spec("and comes back as to anybody", (OPENED, dead()), share(23_40, 3_00, 30), (SHARED,), on()),
    Spec(
        "he guarantees nothing out of it",
        (*rich(), dead()),
        test_compensation.DEBIT,
        (replace(test_compensation.DECLINED, code="owner_deceased"),),
        on(),
    ),
    Spec(
        "he buys nothing",
        (*rich(), dead()),
        test_assets.DEBIT,
        (replace(test_assets.DECLINED, code="owner_deceased"),),
        on(),
    ),
    Spec("his orders do not bid", (*rich(), dead()), standing.HOLD, (NOT_BID,), on()),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.says)
def test_the_account_of_who_has_died_is_left_alone(spec: Spec) -> None:
    """What it declines it declines by name; what comes, and what is asked in his name, goes its way."""
    spec.check(aggregate(DEMO))
