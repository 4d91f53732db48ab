"""The properties of corrections and pauses have teeth: bugs that a simulation's traffic seldom shows, planted one at a time, are found by the seeds named here."""

from dataclasses import replace
from typing import Any

import pytest

from services.repayment.domain import allocation, replay_run, replay_start, replaying, restatement
from tests.unit.repayment import test_correcting_measures as measures
from tests.unit.repayment import test_late_history as lateness
from tests.unit.repayment import test_pause_lives as pauses


def _forgiven_at_will(patched: pytest.MonkeyPatch) -> None:
    """A waiver that is decided again gives up what it finds, whoever signed it."""
    patched.setattr(replay_run, "require_within", lambda *_arguments: None)


def _late_answers_forgotten(patched: pytest.MonkeyPatch) -> None:
    """A replay judges a loan on days on which its debits had no answer."""
    for room in (replay_start, replaying):
        patched.setattr(
            room, "held_by", lambda last, _: {debit.debit_id: debit.asked_on for debit in last.unanswered}
        )


def _unasked_forgotten(patched: pytest.MonkeyPatch) -> None:
    """A replay knows of no debit that it has not asked for, though its answer comes."""
    patched.setattr(replay_run.Run, "_hold", lambda *_arguments: False)


def _always_in_time(patched: pytest.MonkeyPatch) -> None:
    """A replay wakes a loan on days that did not come to it."""
    real = replay_run.Run._next

    def awake(run: Any, state: Any) -> Any:
        run.gaps = ()
        return real(run, state)

    patched.setattr(replay_run.Run, "_next", awake)


def _cured_by_days(patched: pytest.MonkeyPatch) -> None:
    """Days that do not count make a loan as good as paid: its class gets better in a pause."""
    patched.setattr(allocation.Book, "is_behind", lambda book, on: allocation.days_past_due(book, on) > 0)


def _cost_not_paid(patched: pytest.MonkeyPatch) -> None:
    """A replay pays nothing of what a recovery cost: all of a payment is the debt's."""
    real = replay_run.Run._decided

    def decided(run: Any, payment: Any) -> Any:
        if run.state.kind == "running":
            run.state = replace(run.state, trouble=replace(run.state.trouble, cost=None))
        return real(run, payment)

    patched.setattr(replay_run.Run, "_decided", decided)


def _cost_forgotten(patched: pytest.MonkeyPatch) -> None:
    """A correction does not say what of a recovery's cost is open without the error."""
    patched.setattr(restatement, "_cost", lambda *_arguments: None)


def _cost_kept(patched: pytest.MonkeyPatch) -> None:
    """Whom a recovery's cost was paid to keeps it, whatever the payment was."""
    real = restatement._lines

    def lines(before: Any, after: Any) -> Any:
        return tuple(
            replace(line, amount_fen=line.amount_fen - line.cost_fen) for line in real(before, after)
        )

    patched.setattr(restatement, "_lines", lines)


@pytest.mark.parametrize(
    ("plant", "property_", "seed"),
    [
        (_forgiven_at_will, measures.play, 216),
        (_cost_not_paid, measures.play, 0),
        (_cost_forgotten, measures.play, 0),
        (_cost_kept, measures.play, 0),
        (_late_answers_forgotten, lateness.play, 2),
        (_unasked_forgotten, lateness.play, 200001),
        (_always_in_time, lateness.play, 6),
        (_cured_by_days, pauses.play, 56),
    ],
)
def test_a_bug_of_replays_is_found(
    plant: Any, property_: Any, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The life of the seed is right, and with the bug it is not."""
    property_(seed)
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        property_(seed)
