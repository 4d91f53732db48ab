"""In every life of two loans the views of repayment say what the events say."""

from datetime import date
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events.records import RecordedEvent
from libs.events.repayment import (
    LoanClassified,
    LoanRepaid,
    OverdueBucketChanged,
)
from services.repayment.domain.allocation import overdue_fen
from services.repayment.projections.loans import VIEW as SCHEDULES
from services.repayment.projections.overdue_buckets import VIEW as BUCKETS
from tests.unit.documents import documents, history
from tests.unit.given import Outcome
from tests.unit.repayment.lives import live, random_terms
from tests.unit.repayment.stories import (
    LOAN,
)


@settings(deadline=None, max_examples=15)
@given(st.randoms(use_true_random=False), st.randoms(use_true_random=False))
def test_in_every_life_the_views_say_what_the_events_say(chance: Random, order: Random) -> None:
    """Two random lives, cut anywhere and interleaved anyhow: rows explain sums, payments explain what is outstanding."""
    lives = [
        _cut(order, history(f"loan_{name}", *live(chance, random_terms(chance, name)).events))
        for name in "78"
    ]
    shuffled = _interleaved(order, lives)
    for view in (SCHEDULES, BUCKETS):
        assert documents(view, shuffled) == documents(view, [*lives[0], *lives[1]])
    for loan in documents(SCHEDULES, shuffled).values():
        paid_fen = sum(value for name, value in loan.items() if name.endswith("paid_principal_fen"))
        assert loan["outstanding_fen"] == loan["principal_fen"] - paid_fen - loan["early.principal_fen"]
        charged_fen = sum(
            value
            for name, value in loan.items()
            if name.startswith("rows.") and name.endswith(".penalty_fen")
        )
        paid_penalty_fen = sum(value for name, value in loan.items() if name.endswith("paid_penalty_fen"))
        assert loan["penalty_fen"] == charged_fen - paid_penalty_fen >= 0
        of_payments = (
            name for name in loan if name.startswith("payments.") and name.endswith(".penalty_fen")
        )
        assert sum(loan[name] for name in of_payments) == paid_penalty_fen
    _rows_explain_sums(documents(BUCKETS, shuffled))


@settings(deadline=None, max_examples=15)
@given(st.randoms(use_true_random=False))
def test_in_every_life_what_the_views_call_overdue_is_overdue(chance: Random) -> None:
    """After every decision after which the day has nothing more to say: the loan's view, its row among the buckets and the
    loan's state name one amount, everything open of instalments that were missed."""
    said: list[Any] = []

    def watch(command: Any, outcome: Outcome, today: date) -> None:
        said.extend(outcome.events)
        wake = LOAN.wake_on(outcome.state)
        is_asked = outcome.state.kind == "running" and outcome.state.unanswered
        if is_asked or (wake is not None and wake <= (today, 4)):
            return
        events = history("loan_7", *said)
        shown = documents(SCHEDULES, events)["loan_7"]["overdue_fen"]
        if outcome.state.kind == "repaid":
            assert shown == 0
            assert "loan:loan_7" not in documents(BUCKETS, events)
        else:
            row = documents(BUCKETS, events)["loan:loan_7"]["overdue_fen"]
            assert shown == row == overdue_fen(outcome.state.book, outcome.state.next_missed), (
                command,
                today,
            )

    live(chance, random_terms(chance), watch)


def _cut(order: Random, events: list[RecordedEvent]) -> list[RecordedEvent]:
    """A prefix that ends with a payment's bucket change, as records do: never inside a decision."""
    ends = [
        index + 1
        for index, event in enumerate(events)
        if index + 1 == len(events)
        or not isinstance(events[index + 1].data, OverdueBucketChanged | LoanClassified | LoanRepaid)
    ]
    return events[: order.choice(ends)]


def _interleaved(order: Random, streams: list[list[RecordedEvent]]) -> list[RecordedEvent]:
    waiting = [list(stream) for stream in streams]
    merged = []
    while any(waiting):
        merged.append(order.choice([stream for stream in waiting if stream]).pop(0))
    return merged


def _rows_explain_sums(shown: dict[str, dict[str, Any]]) -> None:
    rows = [fields for fields in shown.values() if fields["kind"] == "loan"]
    for bucket in (fields for fields in shown.values() if fields["kind"] != "loan"):
        named = [name for name in ("bucket", "region", "product") if name in bucket]
        counted = [loan for loan in rows if all(loan[name] == bucket[name] for name in named)]
        assert bucket["loans"] == len(counted)
        assert bucket["principal_fen"] == sum(loan["principal_fen"] for loan in counted)
