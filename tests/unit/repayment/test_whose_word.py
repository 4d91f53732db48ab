"""Whose word a measure needs: what the loan says when it is proposed, of the contract, and of each lender by what he is owed."""

from dataclasses import replace
from typing import Any

import pytest

from libs.events.measures import Waiver
from libs.events.schedules.clause import MandateClause
from libs.events.schedules.terms import RepaymentTerms
from services.repayment.commands.measures import ExamineMeasure
from tests.unit.bidding.specs import Spec
from tests.unit.repayment.measure_story import VOTERS
from tests.unit.repayment.stories import OPENED, check_applied, claim, on
from tests.unit.repayment.troubled_story import MARCH, PAID, TO, TWO_MONTHS, examined


def _agreed(*measures: Any, silence: bool = False) -> Any:
    clause = MandateClause(measures=measures, silence_consents=silence)
    return replace(OPENED, repayment=RepaymentTerms(method="equal_instalments", mandate=clause))


#: What each lender is owed once the first instalment is paid, all of one lender's claims together.
LEFT = tuple(
    replace(voter, principal_fen=fen) for voter, fen in zip(VOTERS, (33_499, 20_099, 13_400), strict=True)
)
SAME = tuple(replace(claim(order, fen), investor="usr_1") for order, fen in ((1, 70_000), (2, 30_000)))

EXAMINED = [
    Spec("lenders are asked by what they are owed", PAID, ExamineMeasure(measure_id="msr_1", terms=TWO_MONTHS), (examined("vote", LEFT),), on(MARCH)),
    Spec("once", (*PAID, examined("vote", LEFT)), ExamineMeasure(measure_id="msr_1", terms=TWO_MONTHS), (), on(MARCH)),
    Spec("each once", (replace(OPENED, claims=SAME),), ExamineMeasure(measure_id="msr_1", terms=TWO_MONTHS),
         (replace(examined("vote", (replace(VOTERS[0], principal_fen=100_000),)), holders=("usr_1",)),), on(MARCH)),
    Spec("not where the contract says it", (_agreed("extension"),), ExamineMeasure(measure_id="msr_1", terms=TWO_MONTHS), (examined("clause"),), on(MARCH)),
    Spec("but where it says another thing", (_agreed("write_off", silence=True),), ExamineMeasure(measure_id="msr_1", terms=TWO_MONTHS),
         (examined("vote", VOTERS, silence=True),), on(MARCH)),
    Spec("nor where no money of theirs is touched", PAID, ExamineMeasure(measure_id="msr_1", terms=TO["special_mention"]), (examined("not_needed"),), on(MARCH)),
    Spec("what it could not do is refused at once", PAID, ExamineMeasure(measure_id="msr_1", terms=Waiver(amount_fen=1)), "nothing_to_waive", on(MARCH)),
    Spec("no loan, no measure", (), ExamineMeasure(measure_id="msr_1", terms=TWO_MONTHS), "unknown_loan", on(MARCH)),
]  # fmt: skip


@pytest.mark.parametrize("spec", EXAMINED, ids=lambda spec: spec.says)
def test_whose_word_is_needed(spec: Spec) -> None:
    """What the loan says to a measure that is proposed, in a sentence."""
    check_applied(spec)
