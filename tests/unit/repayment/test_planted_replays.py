"""The properties of corrections and pauses have teeth: bugs that a simulation's traffic seldom shows, planted one at a time, are found by the seeds named here."""

from typing import Any

import pytest

from services.repayment.domain import allocation, replay_run, replay_start, replaying
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
            room, "held_by", lambda last, _: frozenset(debit.debit_id for debit in last.unanswered)
        )


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


@pytest.mark.parametrize(
    ("plant", "property_", "seed"),
    [
        (_forgiven_at_will, measures.play, 426),
        (_late_answers_forgotten, lateness.play, 4),
        (_always_in_time, lateness.play, 11),
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
