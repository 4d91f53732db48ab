"""A measure's holders are those of the day of its proposal, who may not sign and are asked; its money is the holders' of the day on which it is done."""

from dataclasses import replace
from typing import Any

import pytest

from libs.events.in_kind import DebtSettledInKind
from libs.events.measures import MeasureExamined, WriteOff
from libs.events.repayment import RepaymentDistributed
from services.repayment.commands.measures import ExamineMeasure
from tests.unit.repayment.asset_story import DAY, LORRY, carry_out
from tests.unit.repayment.inputs import Lived
from tests.unit.repayment.stories import SECOND_DUE, days, pays
from tests.unit.repayment.test_correcting_measures import go_on, unpaid
from tests.unit.repayment.test_trading import RESERVE, TRANSFER
from tests.unit.repayment.troubled_story import done

SALE_DAY = days(DAY, 1)
LATE_AGAIN = days(SECOND_DUE, 5)
IN_PART = replace(LORRY, agreed_fen=30_000)


def sold(part_fen: int | None, terms: Any) -> tuple[Lived, MeasureExamined]:
    """Late and examined, then paid, and the first claim sold to usr_9, whole or in part; then late again."""
    lived = unpaid(DAY)
    examined = lived.say(ExamineMeasure(measure_id="msr_1", terms=terms))[0]
    assert isinstance(examined, MeasureExamined)
    lived.say(pays(DAY, 40_000))
    go_on(lived, SALE_DAY)
    lived.say(replace(RESERVE, principal_fen=part_fen, value_date=SALE_DAY))
    lived.say(replace(TRANSFER, held_fen=10**6, value_date=SALE_DAY))
    assert "usr_9" in {claim.investor for claim in lived.state.claims}
    go_on(lived, LATE_AGAIN)
    return lived, examined


@pytest.mark.parametrize(("part_fen", "seller_has"), [(None, False), (15_000, True)])
def test_who_bought_a_claim_since_has_its_share_in_the_asset(part_fen: int | None, seller_has: bool) -> None:
    """A claim that is sold between proposal and settlement in kind: the share is its buyer's, and the seller's is what he kept."""
    lived, examined = sold(part_fen, IN_PART)
    assert "usr_9" not in examined.holders
    owed = {claim.claim_id: (claim.investor, claim.account_id) for claim in lived.state.claims}
    (settled,) = [one for one in lived.say(carry_out(IN_PART)) if isinstance(one, DebtSettledInKind)]
    assert {share.claim_id: (share.investor, share.account_id) for share in settled.shares} == owed
    assert ("usr_1" in {share.investor for share in settled.shares}) == seller_has
    assert sum(share.amount_fen for share in settled.shares) == settled.settled_fen == 30_000


@pytest.mark.parametrize("part_fen", [None, 15_000])
def test_what_is_recovered_is_the_holders_of_its_own_day(part_fen: int | None) -> None:
    """The measure was examined before the sale and done after it; what comes then is shared by who holds the claims then."""
    terms = WriteOff(ground="court")
    lived, _ = sold(part_fen, terms)
    lived.say(done(terms))
    owed = {claim.claim_id: claim.account_id for claim in lived.state.claims}
    paid = lived.say(pays(LATE_AGAIN, 30_000, payment_id="pay_2"))
    (shared,) = [event for event in paid if isinstance(event, RepaymentDistributed)]
    assert {line.claim_id: line.account_id for line in shared.lines} == owed
