"""The load's clock: a stall of the server is everybody's latency who was due in it."""

import asyncio
import time
from itertools import pairwise

import pytest

from tools.load import open_loop as loop
from tools.load.open_loop import Overrun, Sample, open_loop, quantile


async def test_who_was_due_while_the_server_stood_still_has_waited_all_the_time() -> None:
    """The client asks on, and the latency counts from when the request was due, not from when somebody had time for it."""
    gate = asyncio.Event()
    asked: list[int] = []

    async def send(number: int) -> str:
        asked.append(number)
        if number == 9:
            gate.set()  # the server stood still until the last one was due
        await gate.wait()
        return "ok"

    samples = await open_loop(send, rate_per_s=100, seconds=0.1)
    assert asked == list(range(10))
    assert [sample.outcome for sample in samples] == ["ok"] * 10
    latencies = [sample.latency_s for sample in samples]
    assert latencies == sorted(latencies, reverse=True)
    assert latencies[0] >= 0.09


async def test_a_rate_far_beyond_what_is_sustained_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client does not collect requests without a bound and call that a measurement."""
    monkeypatch.setattr(loop, "IN_FLIGHT_MAX", 5)

    async def send(_number: int) -> str:
        await asyncio.Event().wait()
        return "never"

    with pytest.raises(ExceptionGroup) as raised:
        await open_loop(send, rate_per_s=10_000, seconds=1)
    assert raised.group_contains(Overrun)


def test_the_latency_counts_from_when_it_was_due() -> None:
    """A request that could not be sent in time has waited before it was sent."""
    assert Sample(due_s=1.0, sent_s=3.0, ended_s=3.5, outcome="ok").latency_s == 2.5


async def test_a_sample_keeps_when_it_was_due_and_when_it_was_sent() -> None:
    """A client that comes late to its own schedule says so: the due times stand a fixed step apart whatever happens."""

    async def send(number: int) -> str:
        if number == 0:
            time.sleep(0.05)  # noqa: ASYNC251 - the client itself stands still
        return "ok"

    samples = await open_loop(send, rate_per_s=100, seconds=0.05)
    steps = [later.due_s - one.due_s for one, later in pairwise(samples)]
    assert steps == pytest.approx([0.01] * 4)
    late = samples[1]
    assert late.sent_s - late.due_s >= 0.03
    assert late.latency_s >= 0.03
    assert samples[0].latency_s >= 0.05


def test_a_quantile_of_few_values_rounds_up_its_rank() -> None:
    """The 99th percentile of fifty is the slowest: 49 of 50 are no 99 %."""
    values = [float(value) for value in range(1, 51)]
    assert [quantile(values, share) for share in (0.5, 0.9, 0.97, 0.98, 0.99)] == [25, 45, 49, 49, 50]
    assert quantile([1.0, 2.0, 3.0], 0.5) == 2.0


def test_a_quantile_is_one_of_the_values() -> None:
    """The nearest rank: nothing is interpolated between a fast and a slow answer."""
    values = [float(value) for value in range(1, 101)]
    assert [quantile(values, share) for share in (0.0, 0.5, 0.99, 1.0)] == [1.0, 50.0, 99.0, 100.0]
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)
