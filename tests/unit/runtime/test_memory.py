"""The decider's memory: what is kept, in which order it is found, and that a batch belongs to its head."""

from datetime import date

import pytest

from libs.events.chain import Checkpoint
from libs.events.deciding import WakeOn
from libs.runtime.memory import DeciderMemory, KeptState, Known, SourceKey, SourceMark, StreamChange
from libs.runtime.store import MemoryStore
from tests.unit.runtime.jars import content

DAY = date(2024, 1, 31)
HEAD = Checkpoint(offset=7, position=5, hash=bytes(range(32)))
KEY = SourceKey("bidding-reads-repayment", "repayment.events", 3)


def change(stream: str, wake: WakeOn = None, *, sequence: int = 1) -> StreamChange:
    """A stream's new state."""
    return StreamChange(stream, None, sequence, wake, b'{"text":"a|b|c"}')


def flushed(memory: DeciderMemory) -> DeciderMemory:
    """The memory after a flush."""
    memory.flush()
    return memory


@pytest.mark.parametrize("flush", [False, True])
def test_what_is_kept_is_found_before_and_after_a_flush(flush: bool) -> None:
    """State with its sequence, a person's answer and the head, whatever separators stand in the values."""
    store = MemoryStore()
    memory = DeciderMemory(store)
    known = Known("cmd-1", 5, "f0", b'{"text":"a|b"}')
    memory.keep_state(change("acc_1", sequence=12))
    memory.keep_known(known)
    memory.keep_head(HEAD)
    if flush:
        memory = DeciderMemory(flushed(memory)._store)
    assert memory.state("acc_1") == KeptState(12, b"", b'{"text":"a|b|c"}')
    assert memory.known("cmd-1") == known
    assert memory.state("acc_2") is None
    assert memory.known("cmd-2") is None
    assert memory.checkpoint() == (HEAD if flush else None)


def test_nothing_is_written_before_the_flush_and_all_of_it_then() -> None:
    """One atomic batch: what a crash leaves is the state at some head."""
    store = MemoryStore()
    memory = DeciderMemory(store)
    memory.keep_state(change("acc_1", (DAY, 2)))
    memory.keep_source(SourceMark(KEY, 4, "c4", 4))
    memory.keep_head(HEAD)
    assert content(store) == {}
    memory.flush()
    assert sorted(content(store)) == [
        b"b/bidding-reads-repayment|repayment.events|3",
        b"q/bidding-reads-repayment|repayment.events|3/c4",
        b"s/acc_1",
        b"t",
        b"w/2024-01-31/2/acc_1",
    ]


def test_due_streams_come_in_the_order_of_date_phase_and_name() -> None:
    """Entries at or before (date, phase), never later ones; across months and years by the calendar, not by digits."""
    memory = DeciderMemory(MemoryStore())
    wakes: dict[str, WakeOn] = {
        "loan_b": (DAY, 2),
        "loan_a": (DAY, 2),
        "loan_a_": (DAY, 2),
        "loan_later": (DAY, 4),
        "loan_early": (DAY, 1),
        "loan_old": (date(2023, 12, 31), 4),
        "loan_next": (date(2024, 2, 1), 1),
        "loan_never": None,
    }
    for stream, wake in wakes.items():
        memory.keep_state(change(stream, wake))
    memory.flush()
    assert list(memory.due(DAY, 2)) == ["loan_old", "loan_early", "loan_a", "loan_a_", "loan_b"]
    assert list(memory.due(DAY, 1)) == ["loan_old", "loan_early"]
    assert list(memory.due(date(2023, 12, 30), 4)) == []


def test_a_stream_has_one_entry_in_the_index() -> None:
    """A new wake replaces the old one, in one batch or over several; none takes it out."""
    memory = DeciderMemory(MemoryStore())
    memory.keep_state(change("loan_1", (DAY, 1)))
    memory.keep_state(change("loan_1", (DAY, 2)))
    assert list(flushed(memory).due(DAY, 4)) == ["loan_1"]
    memory.keep_state(change("loan_1", (DAY, 4)))
    assert list(flushed(memory).due(DAY, 3)) == []
    memory.keep_state(change("loan_1"))
    assert list(flushed(memory).due(DAY, 4)) == []


def test_the_last_key_may_be_said_instead_of_read() -> None:
    """What keeping a state answers is what the next one says: the same index as by reading."""
    reads, says = MemoryStore(), MemoryStore()
    read, said = DeciderMemory(reads), DeciderMemory(says)
    wakes: list[WakeOn] = [(DAY, 1), (DAY, 1), (DAY, 4), None, (DAY, 2)]
    key: bytes | None = None
    for wake in wakes:
        read.keep_state(change("loan_1", wake))
        key = said.keep_state(change("loan_1", wake), key)
        flushed(read), flushed(said)
        assert content(says) == content(reads)
    assert key == b"2024-01-31/2"


def test_a_raised_line_forgets_what_lies_below_it() -> None:
    """Ids at or above the line stay, in memory and in the store; a lower line changes nothing."""
    memory = DeciderMemory(MemoryStore())
    for position in (2, 5, 6):
        memory.keep_source(SourceMark(KEY, position, f"c{position}", 2))
    memory.keep_source(SourceMark(KEY, 7, "c7", 6))
    memory.keep_source(SourceMark(KEY, 8, "c8", 3))
    memory.keep_source(SourceMark(KEY, 4, "late", 2))
    memory.flush()
    for alive in (memory, DeciderMemory(memory._store)):
        assert alive.stored_below(KEY) == 6
        seen = [name for name in ("c2", "c5", "c6", "c7", "c8", "late") if alive.seen(KEY, name)]
        assert seen == ["c6", "c7", "c8"]


def test_sources_are_kept_apart() -> None:
    """Another partition of the same topic has its own line and its own ids."""
    memory = DeciderMemory(MemoryStore())
    other = KEY._replace(partition=4)
    memory.keep_source(SourceMark(KEY, 9, "c", 9))
    assert (memory.stored_below(other), memory.seen(other, "c")) == (0, False)
