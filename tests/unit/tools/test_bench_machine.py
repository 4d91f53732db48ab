"""Sharing out the cores: what the bench does to its own process ends with the block in which it does it."""

import os
import threading

import pytest

from tools.bench.machine import SUPPORT_CORE, TESTED_CORE, aside, can_pin


def test_our_own_process_gets_its_cores_back_however_the_block_ends() -> None:
    """Who runs after a measurement in this process has all the cores, also after one that failed."""
    before = os.sched_getaffinity(0)
    with aside(SUPPORT_CORE):
        assert os.sched_getaffinity(0) == ({SUPPORT_CORE} if can_pin() else before)
    assert os.sched_getaffinity(0) == before
    with pytest.raises(ZeroDivisionError), aside(TESTED_CORE):
        raise ZeroDivisionError
    assert os.sched_getaffinity(0) == before


def test_a_thread_that_began_in_the_block_is_let_go_with_it() -> None:
    """A pool of threads that grew meanwhile would else stay on one core for ever."""
    before = os.sched_getaffinity(0)
    done = threading.Event()
    with aside():
        thread = threading.Thread(target=done.wait)
        thread.start()
    assert thread.native_id is not None
    assert os.sched_getaffinity(thread.native_id) == before
    done.set()
    thread.join()


def test_a_process_that_was_pinned_may_still_pin_others() -> None:
    """Its own one core says nothing about the machine: else the system under test would share the generator's core."""
    may = can_pin()
    with aside():
        assert can_pin() is may
