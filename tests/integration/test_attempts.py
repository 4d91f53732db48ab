"""A position that kills its process: counted over lives, refused at the fourth, and a decision that hangs ends its process."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from libs.events.codec import COMMAND_TYPES, EVENT_TYPES
from libs.events.system import CommandRefused
from libs.runtime.attempts import Attempts
from libs.runtime.partition_loop import PartitionLoop
from libs.runtime.replica_role import Assignment
from libs.runtime.service import Service
from libs.runtime.settings import load_settings
from tests.unit.runtime import jars
from tests.unit.runtime.broker import Broker, Follower, Pen
from tests.unit.runtime.edge_world import until
from tests.unit.runtime.jars import JARS, Bench, CoinsPut, PutCoins, Shake, jars_are_known

__all__ = ["jars_are_known"]

ROOT = Path(__file__).resolve().parents[3]
DEADLY = 666


# --- the mark ------------------------------------------------------------------------------------------------------


def died(path: Path, *positions: int) -> Attempts:
    """The mark after a process died at each of these positions in turn."""
    for position in positions:
        attempts = Attempts(path)
        attempts.begin(position)
        attempts.close()
    return Attempts(path)


def test_three_deaths_at_one_position_doom_it(tmp_path: Path) -> None:
    """Two are an accident; the third makes the fourth life refuse the command, and every later one until it is passed."""
    assert died(tmp_path / "a", 7, 7).doomed is None
    assert died(tmp_path / "b", 7, 7, 7).doomed == 7
    assert Attempts(tmp_path / "b").doomed == 7


def test_deaths_elsewhere_begin_to_count_anew(tmp_path: Path) -> None:
    """Three deaths at three positions say nothing about any of them."""
    assert died(tmp_path / "a", 7, 7, 8, 7, 7).doomed is None
    assert died(tmp_path / "b", 8, 7, 7, 7).doomed == 7


def test_what_was_decided_is_no_death(tmp_path: Path) -> None:
    """A process that is killed between two decisions did not die of either."""
    attempts = Attempts(tmp_path / "a")
    for _ in range(5):
        attempts.begin(7)
        attempts.end()
        attempts.close()
        attempts = Attempts(tmp_path / "a")
    assert (attempts.deaths, attempts.doomed) == (0, None)


# --- a partition that is started again and again -------------------------------------------------------------------


def deadly(how: str, message: Any, jar: Any, context: Any) -> Sequence[Any]:
    """A jar that kills whoever puts a certain number of coins into it."""
    if isinstance(message, PutCoins) and message.coins == DEADLY:
        if how == "exit":
            os._exit(9)
        raise {"memory": MemoryError(), "recursion": RecursionError(), "disk": OSError("the disk is full")}[
            how
        ]
    return jars.decide(message, jar, context)


async def live(data_dir: Path, how: str) -> list[tuple[int, str]]:
    """One life of a partition whose second command is deadly: (position, what was decided) of all that it wrote."""
    jars_here = replace(JARS, decide=lambda *said: deadly(how, *said))
    bench, broker = Bench(), Broker()
    settings = load_settings(
        data_dir, use_run_file=False, kafka="127.0.0.1:1", log_id="0" * 32, partitions=1, replica="a"
    )
    loop = PartitionLoop(settings, Service(name="bidding", aggregates=(jars_here,)), 0, Assignment("a"))
    bench._jars = jars_here
    loop.decider = bench.caught_up(bench.store)
    loop.read_to = len(bench.events)
    loop.begin()
    commands = [bench.send(PutCoins(coins=coins)) for coins in (1, DEADLY, 3)]
    loop.take_commands(commands)
    links: Any = SimpleNamespace(events=Follower(broker), commands=Follower(broker), asking=Follower(broker))

    async def current() -> Pen:
        return Pen(broker)

    async def discard(_writer: Pen | None) -> None:
        """Nothing to close."""

    stop = asyncio.Event()
    writers: Any = SimpleNamespace(current=current, discard=discard)
    task = asyncio.create_task(loop.run(stop, links, writers))
    try:
        await until(lambda: task.done() or len(broker.posted) == 3)
        if task.done():
            task.result()
    finally:
        stop.set()
        await asyncio.gather(task, return_exceptions=True)
        loop.close()
    return [(commands[n].offset, value.decode()) for n, (_, value) in enumerate(broker.posted)]


@pytest.mark.usefixtures("jars_are_known")
@pytest.mark.parametrize(("how", "error"), [("memory", MemoryError), ("recursion", RecursionError)])
async def test_memory_and_recursion_errors_are_deaths_and_no_refusals(
    tmp_path: Path, how: str, error: type[BaseException]
) -> None:
    """They end the process three times; then the command is refused `internal` and the partition goes on."""
    for _ in range(3):
        with pytest.raises(error):
            await live(tmp_path, how)
    told = await live(tmp_path, how)
    assert [position for position, _ in told] == [1, 2, 3]
    assert '"code":"internal"' in told[1][1]
    assert '"coins":3' in told[2][1]


@pytest.mark.usefixtures("jars_are_known")
async def test_a_disk_that_is_full_is_no_death_of_a_command(tmp_path: Path) -> None:
    """Errors of the operating system end the process as often as they come; no command is refused for them."""
    for _ in range(5):
        with pytest.raises(OSError, match="disk is full"):
            await live(tmp_path, "disk")


def test_a_command_that_kills_its_process_is_refused_at_the_fourth_start(tmp_path: Path) -> None:
    """Three processes end without a word at one position; the fourth refuses it and decides what follows."""
    lives = [
        subprocess.run(
            [sys.executable, "-m", "tests.integration.test_attempts", str(tmp_path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
        for _ in range(4)
    ]
    assert [life.returncode for life in lives] == [9, 9, 9, 0], lives[-1].stderr
    assert '"code":"internal"' in lives[3].stdout
    assert '"coins":3' in lives[3].stdout


@pytest.mark.usefixtures("jars_are_known")
def test_a_doomed_command_keeps_its_name_and_its_first_answer() -> None:
    """Refused `internal` under its own command id, without touching its stream; a repeat of it is told the same."""
    bench = Bench()
    bench.decider.doomed = 1
    refused = bench.tell(Shake(how="memory"), command_id="c", fingerprint="f")
    assert refused == [
        CommandRefused(command_type="toy.Shake", code="internal", stream_id=bench.jar(), about={})
    ]
    assert bench.events[-1].headers["command-id"] == b"c"
    [repeated] = bench.tell(Shake(how="memory"), command_id="c", fingerprint="f")
    assert repeated.first_position == 1
    [put] = bench.tell(PutCoins(coins=1))
    assert isinstance(put, CoinsPut)


# --- a decision that hangs -----------------------------------------------------------------------------------------


def watched(how: str, limit_s: int = 1) -> "subprocess.Popen[str]":
    """A process that decides as told, under a watch."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.integration.hanging", how, str(limit_s)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(("how", "code"), [("loops", 1), ("holds", -signal.SIGPROF)])
def test_a_decision_that_hangs_ends_its_process_with_its_trace(how: str, code: int) -> None:
    """Whether it lets other threads run or not: the process ends by itself, and the log names the line."""
    process = watched(how)
    try:
        _, told = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == code
    assert f"in {how}" in told


def test_a_process_that_was_stopped_has_not_hung() -> None:
    """Frozen in the middle of a decision for longer than the limit, it goes on and ends well."""
    process = watched("short", limit_s=3)
    assert process.stdout is not None
    assert process.stdout.readline() == "deciding\n"
    process.send_signal(signal.SIGSTOP)
    time.sleep(4)
    process.send_signal(signal.SIGCONT)
    assert process.wait(60) == 0


if __name__ == "__main__":
    COMMAND_TYPES.update(jars._COMMANDS)
    EVENT_TYPES.update(jars._EVENTS)
    sys.stdout.write(str(asyncio.run(live(Path(sys.argv[1]), "exit"))))
