"""Signed heads: what they prove of a log, and what becomes of the file when things go wrong."""

import asyncio
import json
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from libs.events.chain import Checkpoint
from libs.runtime import verify as verifying
from libs.runtime.errors import OperatorError
from libs.runtime.heads import Head, HeadsRole, append, heads_file, read, sign, signing_key
from libs.runtime.identity import ensure_identity
from libs.runtime.settings import Settings
from tests.conftest import MakeSettings
from tests.unit.runtime.sealed import LOG_ID, SealedLog

HEAD = Checkpoint(3, 3, b"\1" * 32)


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    """Settings with minted keys, one partition, and an address that nobody asks."""
    return make_settings(kafka="127.0.0.1:1", log_id=LOG_ID, partitions=1)


@pytest.fixture
def held(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> SealedLog:
    """A log of five decided commands that `verify` reads instead of a broker's."""
    log = SealedLog(settings)
    for number in range(5):
        log.decide(f"c{number}".encode())
    log.serve(monkeypatch, verifying)
    return log


async def signed(settings: Settings, *heads: Checkpoint) -> Path:
    """Let the role sign these heads of partition 0 and stop."""
    now: dict[int, Checkpoint] = {}
    role, stop = HeadsRole(settings, "bidding", lambda: now), asyncio.Event()
    stop.set()
    for head in heads:
        now[0] = head
        await role.run(stop)
    return heads_file(settings, "bidding")


async def lines(path: Path, count: int) -> None:
    """Wait until a file has so many lines."""
    while len(path.read_text().splitlines()) < count:  # noqa: ASYNC110, ASYNC240 - another thread writes it
        await asyncio.sleep(0.01)


async def faults_of(settings: Settings, **options: Any) -> list[str]:
    """Everything that `verify` finds wrong, with the partition's name before its own."""
    report = await verifying.verify(settings, "bidding", **options)
    told = [
        f"{each.service}/{each.partition}: {fault}" for each in report.partitions for fault in each.faults
    ]
    assert report.ok == (not told and not report.faults)
    return told + report.faults


async def test_a_whole_log_holds_its_signed_heads(settings: Settings, held: SealedLog) -> None:
    """Every signed head stands in the log: no fault, and they are counted."""
    await signed(settings, held.heads[1], held.heads[4])
    assert await faults_of(settings, require_heads=True) == []
    assert (await verifying.verify(settings, "bidding")).heads == 2


async def test_a_cut_tail_is_named(settings: Settings, held: SealedLog) -> None:
    """A log that ends before a signed head is a fault with service, partition and position."""
    await signed(settings, held.heads[4])
    held.cut_events(3)
    [fault] = await faults_of(settings)
    assert fault.startswith("bidding/0: position 4: the tail was cut")
    assert "ends at position 2" in fault


async def test_a_rewritten_history_is_named(settings: Settings, held: SealedLog) -> None:
    """A log that was written anew, with a chain that fits, is a fault at the first signed position."""
    await signed(settings, held.heads[2], held.heads[4])
    held.cut_events(1)
    for number in range(1, 5):
        held.seal_again(number, b"another answer")
    faults = await faults_of(settings)
    assert [fault.split(":")[1].strip() for fault in faults] == ["position 2", "position 4"]
    assert all("history was rewritten" in fault for fault in faults)


async def test_a_bad_signature_is_named(settings: Settings, held: SealedLog) -> None:
    """A head that somebody changed or made up is a fault of its own, and is compared with nothing."""
    path = await signed(settings, held.heads[1])
    line = json.loads(path.read_text())
    line["head"]["position"] = 4
    path.write_text(json.dumps(line) + "\nnonsense\n")
    assert await faults_of(settings) == [
        f"{path.name} line 1: bad signature on the head of bidding/0 at position 4",
        f"{path.name} line 2 is no signed head",
    ]


async def test_heads_of_another_log_are_named(
    settings: Settings, held: SealedLog, make_settings: MakeSettings
) -> None:
    """A file that was signed for another log proves nothing of this one."""
    await signed(settings.model_copy(update={"log_id": "f" * 32}), held.heads[1])
    [fault] = await faults_of(settings)
    assert fault.endswith(f"the head of bidding in the log {'f' * 32}, not of this log")


async def test_a_missing_file_is_said_and_a_fault_only_where_heads_are_required(
    settings: Settings, held: SealedLog
) -> None:
    """Without signed heads the log is proven as far as it proves itself, and the report says so."""
    report = await verifying.verify(settings, "bidding")
    assert (report.ok, len(report.notes)) == (True, 1)
    [fault] = await faults_of(settings, require_heads=True)
    assert fault.startswith("bidding: ")
    assert "does not exist" in fault


async def test_a_head_is_signed_once(settings: Settings) -> None:
    """A partition that stands still adds no line a minute."""
    path = await signed(settings, HEAD)
    now = {0: HEAD, 1: Checkpoint(-1, -1, b"")}
    role, stop = (
        HeadsRole(settings.model_copy(update={"heads_every_s": 0.01}), "bidding", lambda: now),
        asyncio.Event(),
    )
    task = asyncio.create_task(role.run(stop))
    async with asyncio.timeout(10):
        await lines(path, 2)
        now[0] = Checkpoint(4, 4, b"\2" * 32)
        await lines(path, 3)
    stop.set()
    await task
    assert [each.head.position for _, each in read(path) if each] == [3, 3, 4]


async def test_a_line_torn_by_a_crash_is_taken_away(settings: Settings) -> None:
    """Who reads passes over half a line, and the next head does not stand behind it."""
    path = await signed(settings, HEAD)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:40])
    assert len(list(read(path))) == 1
    await signed(settings, HEAD)
    assert path.read_bytes().startswith(whole)
    assert [each is not None for _, each in read(path)] == [True, True]


async def test_a_disk_that_refuses_is_told_and_tried_again(settings: Settings) -> None:
    """Deciding goes on without signatures; the reason stands in /readyz, and the head is signed when the disk takes it."""
    settings.heads_path.write_text("no directory")
    role, stop = HeadsRole(settings, "bidding", lambda: {0: HEAD}), asyncio.Event()
    stop.set()
    await role.run(stop)
    ready, reason = role.ready()
    assert ready
    assert "cannot be written" in reason
    settings.heads_path.unlink()
    await role.run(stop)
    assert role.ready() == (True, "")
    assert len(list(read(heads_file(settings, "bidding")))) == 1


async def test_without_its_key_a_decider_does_not_start(settings: Settings) -> None:
    """The sentence names the file and who mints it."""
    settings.heads_private_path.unlink()
    with pytest.raises(OperatorError, match=r"heads-private\.pem .*`loanstream up` mints one"):
        await HeadsRole(settings, "bidding", dict).run(asyncio.Event())


def test_the_key_is_minted_once_and_private(settings: Settings) -> None:
    """Another start keeps the pair; the private half is its owner's alone."""
    before = settings.heads_public_path.read_bytes()
    ensure_identity(settings)
    assert settings.heads_public_path.read_bytes() == before
    assert stat.S_IMODE(settings.heads_private_path.stat().st_mode) == 0o600
    assert signing_key(settings).public_key().public_bytes_raw()


def test_two_writers_never_mix_their_lines(tmp_path: Path, settings: Settings) -> None:
    """Active and standby append to the same file: every line stays whole."""
    key, path = signing_key(settings), tmp_path / "heads" / "x.jsonl"

    def write(number: int) -> None:
        head = Head(
            log_id=LOG_ID,
            service="bidding",
            partition=0,
            offset=number,
            position=number,
            hash="ab",
            at=datetime.now(UTC),
        )
        append(path, [sign(key, head)] * 3)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(20)))
    assert len([each for _, each in read(path) if each is not None]) == 60
