"""What was late while a debit had no answer stands in every view as it stands in the loan, from the evening on which it is judged."""

from dataclasses import replace
from datetime import date
from functools import reduce
from random import Random
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from libs.events.lateness import LatenessJudged
from libs.events.measures import WriteOff
from libs.events.money import money_context
from libs.events.repayment import PaymentMissed
from services.repayment.api.page_shapes import HistoryLineOut
from services.repayment.domain.allocation import lines_through
from services.repayment.domain.loan_state import Running
from services.repayment.domain.profile import WRITTEN_OFF, profile_named
from services.repayment.projections.off_balance import PARTS
from services.repayment.projections.off_balance import VIEW as LOSSES
from tests.unit.documents import documents, history
from tests.unit.repayment.late_story import Story
from tests.unit.repayment.stories import CONTRACTED, FIRST_DUE, LAST_DUE, LOAN, OPENED, days
from tests.unit.repayment.test_late_views import COST
from tests.unit.repayment.test_lateness import JUDGED, random_life
from tests.unit.repayment.test_loan_page import require_explained, told
from tests.unit.repayment.test_page_lives import agree
from tests.unit.repayment.troubled_story import done

RULES = profile_named("demo").on(CONTRACTED.funded_on)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32))
@example(9)
@example(46)
def test_after_lateness_is_judged_every_view_says_what_the_state_says(seed: int) -> None:
    """Debits are answered whenever they are, people pay meanwhile, some loans are written off: the page, its history, the buckets and the register
    of losses say on each morning after a judgement what the loan's state says, folded from its first event."""
    chance = Random(seed)
    finds, paid, told_on = random_life(chance)
    lost: dict[date, tuple[Any, ...]] = {}
    if chance.random() < 0.3:
        lost[days(FIRST_DUE, chance.randint(1, 70))] = (
            done(chance.choice((COST, WriteOff(ground="court")))),
        )
    with money_context():
        story = Story(CONTRACTED, finds, told_on, {**paid}, before=lost).live(days(LAST_DUE, 45))
        events: list[Any] = []
        is_judged = False
        for number, (day, said) in enumerate(story.decisions):
            events += said
            is_judged |= any(isinstance(event, LatenessJudged) for event in said)
            if is_judged and day not in [on for on, _ in story.decisions[number + 1 :]]:
                _require_equal(events, reduce(LOAN.evolve, events, LOAN.initial), days(day, 1))
                is_judged = False


def _require_equal(events: list[Any], state: Any, today: date) -> None:
    agree(events, state, today, RULES)
    log = history("loan_7", *events)
    loan, lines, _ = told(*events)
    require_explained(loan, lines, today, {event.address for event in log})
    missed = {event.number for event in events if isinstance(event, PaymentMissed)}
    assert {int(number) for number, row in loan["rows"].items() if row["missed"]} == missed
    judged = [event for event in events if isinstance(event, LatenessJudged) and event.penalty_fen]
    charged = [each for _, each in HistoryLineOut.all_of(lines, names_payment=True)]
    assert [(line.on, line.charged_penalty_fen) for line in charged if line.kind == "LatenessJudged"] == [
        (event.judged_on, event.penalty_fen) for event in judged
    ]
    if isinstance(state, Running) and state.bucket == WRITTEN_OFF:
        row = documents(LOSSES, log)["loan:loan_7"]
        owed = lines_through(state.book, len(state.book.rows))
        left = {f"left_{part}": sum(getattr(line, part) for line in owed) for part in PARTS}
        assert {name: row[name] for name in left} == left


def test_its_penalty_counts_on_the_evening_that_was_judged() -> None:
    """A wake of the next morning says it: the history dates it as it dates a charge, and not by the day of the record."""
    lines = told(OPENED, replace(JUDGED, judged_on=days(FIRST_DUE, 3)))[1]
    assert [(line["kind"], line["on"]) for line in lines][1:] == [
        ("LatenessJudged", days(FIRST_DUE, 3).isoformat())
    ]
