"""`repair`: lost commands leave their positions marked, what came after the cut is not lost, and nothing else is touched."""

from collections.abc import Mapping
from typing import Any

import pytest

from libs.events.chain import Checkpoint
from libs.events.codec import decode, encode
from libs.events.records import CommandEnvelope, RawRecord, Source, StoredBelow
from libs.runtime import following, recount, repairing, verify
from libs.runtime.errors import OperatorError
from libs.runtime.identity import ensure_identity
from libs.runtime.kafka import Place
from libs.runtime.recount import lost_commands
from libs.runtime.repair_plan import Damage
from libs.runtime.repairing import repair
from libs.runtime.settings import Settings
from libs.runtime.telling import told_again
from tests.conftest import MakeSettings
from tests.unit.runtime.sealed import AT, LOG_ID, SealedLog


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    """Settings with minted keys, one partition, and an address that nobody asks."""
    return make_settings(kafka="127.0.0.1:1", log_id=LOG_ID, partitions=1)


@pytest.fixture
def held(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> SealedLog:
    """A log of five decided commands, in place of the broker's."""
    log = SealedLog(settings)
    for number in range(5):
        log.decide(f"c{number}".encode())
    log.serve(monkeypatch, following, repairing, recount, verify)
    monkeypatch.setattr(repairing, "LogWriter", lambda *_where, **_named: Pen(log))
    return log


class Pen:
    """A writer that appends to the log in memory."""

    def __init__(self, log: SealedLog) -> None:
        self._log = log

    async def start(self) -> None:
        """See LogWriter."""

    async def stop(self) -> None:
        """See LogWriter."""

    async def send(self, place: Place, *, key: bytes, value: bytes, headers: Mapping[str, bytes]) -> int:
        """See LogWriter."""
        records = self._log.records[place]
        records.append(RawRecord(len(records), key, value, headers))
        return len(records) - 1


def sent(position: int, command_id: str, below: int | None = None) -> bytes:
    """A policy's command for a position of its source."""
    envelope = CommandEnvelope(
        command_id=command_id,
        type="bidding.Test",
        stream_id="acc_a",
        data={},
        at=AT,
        principal="g",
        correlation_id="c",
        source=Source(group="g", topic="t", partition=0, position=position),
        stored_below=StoredBelow(position=position if below is None else below, hash="00"),
    )
    return encode(CommandEnvelope, envelope)


async def halted(settings: Settings, held: SealedLog) -> str | None:
    """What the decider says of the partition when it starts."""
    head: Checkpoint = held.heads[-1]
    return await lost_commands(settings, held.commands, held.events, head)


async def proven(settings: Settings) -> tuple[list[str], int, int]:
    """Faults, repaired positions and undecided commands, as `verify` tells them."""
    [partition] = (await verify.verify(settings, "bidding")).partitions
    return partition.faults, partition.repaired, partition.undecided


async def mended(settings: Settings) -> list[Damage]:
    """Repair bidding."""
    return await repair(settings, "bidding", yes=True)


async def test_a_whole_log_is_left_alone(settings: Settings, held: SealedLog) -> None:
    """Where nothing is missing, nothing is written; undecided commands are none of it."""
    held.command(b"waits")
    before = list(held.records[held.commands])
    assert await mended(settings) == []
    assert held.records[held.commands] == before


async def test_without_yes_it_only_tells(settings: Settings, held: SealedLog) -> None:
    """The dry run says how many commands are missing where, and writes nothing."""
    held.cut_commands(3)
    [damage] = await repair(settings, None, yes=False)
    assert (damage.service, damage.end, damage.next_position, damage.missing) == ("bidding", 3, 5, 2)
    assert len(held.records[held.commands]) == 3


async def test_a_cut_tail_is_filled_and_the_partition_decides_again(
    settings: Settings, held: SealedLog
) -> None:
    """New commands come to stand behind the head; verify counts the positions as repaired, not as proven."""
    held.cut_commands(3)
    assert "commands were lost" in str(await halted(settings, held))
    await mended(settings)
    assert await halted(settings, held) is None
    assert await proven(settings) == ([], 2, 0)
    held.decide(b"the next one")
    assert await halted(settings, held) is None
    assert await proven(settings) == ([], 2, 0)
    assert await mended(settings) == []


async def test_what_came_after_the_cut_is_not_lost(settings: Settings, held: SealedLog) -> None:
    """Commands that were acknowledged at decided positions are appended once more, in their order, as they were."""
    held.cut_commands(2)
    late = [sent(7, "late-1"), sent(8, "late-2")]
    for value in late:
        held.command(value)
    [damage] = await mended(settings)
    assert (damage.missing, len(damage.displaced)) == (1, 2)
    assert [raw.value for raw in held.records[held.commands][5:]] == late
    assert await halted(settings, held) is None
    assert await proven(settings) == ([], 3, 2)
    assert await mended(settings) == []


async def test_a_displaced_command_is_not_dropped_for_its_age(settings: Settings, held: SealedLog) -> None:
    """Where one that waits says that everything before it was stored, the displaced one goes without its source."""
    held.cut_commands(4)
    held.command(sent(7, "displaced"))
    held.command(sent(9, "waits", below=9))
    [damage] = await mended(settings)
    assert (damage.missing, len(damage.displaced)) == (0, 1)
    again: Any = decode(CommandEnvelope, held.records[held.commands][-1].value)
    assert (again.source, again.stored_below, again.fingerprint) == (None, None, "retry")
    assert again.command_id != "displaced"
    assert await proven(settings) == ([], 1, 2)


async def test_a_resent_command_that_was_decided_keeps_its_source(
    settings: Settings, held: SealedLog
) -> None:
    """Its id was decided before the cut: under another id it would be done twice."""
    held.cut_commands(4)
    held.command(sent(7, "id-3"))
    held.command(sent(9, "waits", below=9))
    await mended(settings)
    again: Any = decode(CommandEnvelope, held.records[held.commands][-1].value)
    assert (again.command_id, again.source.position) == ("id-3", 7)


async def test_damage_that_is_no_cut_tail_is_refused(settings: Settings, held: SealedLog) -> None:
    """A command changed in the middle is no loss that a placeholder heals: nothing is written."""
    commands = held.records[held.commands]
    commands[1] = RawRecord(1, b"acc_a", b"changed", {})
    with pytest.raises(OperatorError, match=r"at offset 1 .* that is no cut tail"):
        await mended(settings)
    assert len(commands) == 5


async def test_a_lost_command_that_fell_where_it_was_is_no_other_damage(
    settings: Settings, held: SealedLog
) -> None:
    """Whoever sends the same again may hit the old offset (found by seed 6); that it is younger than its decision tells it apart."""
    commands = held.records[held.commands]
    lost = commands[4].value
    held.cut_commands(3)
    held.command(sent(7, "late"))
    commands.append(RawRecord(4, b"acc_a", lost, {}, held.records[held.events][4].timestamp_ms + 1))
    [damage] = await mended(settings)
    assert [displaced.position for displaced in damage.displaced] == [3]
    assert commands[5].value == sent(7, "late")
    assert await proven(settings) == ([], 1, 1)


async def test_only_the_holder_of_the_key_can_excuse_a_position(
    settings: Settings, held: SealedLog, make_settings: MakeSettings
) -> None:
    """A mark that somebody else signed, or that is moved to another position, excuses nothing."""
    held.cut_commands(3)
    settings.heads_private_path.unlink()
    settings.heads_public_path.unlink()
    ensure_identity(settings)
    await mended(settings)
    assert await proven(settings) == ([], 2, 0)
    commands = held.records[held.commands]
    commands[3], commands[4] = (
        RawRecord(3, b"", commands[4].value, commands[4].headers),
        RawRecord(4, b"", commands[3].value, commands[3].headers),
    )
    faults, repaired, _ = await proven(settings)
    assert (len(faults), repaired) == (2, 0)
    commands[3], commands[4] = (
        RawRecord(3, b"", commands[4].value, commands[4].headers),
        RawRecord(4, b"", commands[3].value, commands[3].headers),
    )
    settings.heads_public_path.unlink()
    settings.heads_private_path.unlink()
    ensure_identity(settings)
    faults, repaired, _ = await proven(settings)
    assert (len(faults), repaired) == (2, 0)
    assert all("decides another command than the one at position" in fault for fault in faults)
    assert "holds another command at offset 3" in str(await halted(settings, held))


async def test_somebody_who_writes_meanwhile_is_noticed(
    settings: Settings, held: SealedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence says to stop the service; running the repair again mends the rest."""
    held.cut_commands(3)

    class Disturbed(Pen):
        async def send(self, place: Place, **record: Any) -> int:
            if len(held.records[held.commands]) == 3:
                held.command(sent(7, "in-between"))
            return await super().send(place, **record)

    with monkeypatch.context() as patched:
        patched.setattr(repairing, "LogWriter", lambda *_where, **_named: Disturbed(held))
        with pytest.raises(OperatorError, match="came to stand at 4: somebody else writes there"):
            await mended(settings)
    [damage] = await mended(settings)
    assert len(damage.displaced) == 2
    assert held.records[held.commands][5].value == sent(7, "in-between")
    assert (await proven(settings))[:2] == ([], 2)


def test_the_operator_is_told_whose_commits_to_delete() -> None:
    """Policy groups have committed that their commands are stored: of each damaged service, once."""
    damaged = [
        Damage(service, Place(f"{service}.commands", number), 9, 7)
        for service, number in (("bidding", 0), ("bidding", 1), ("repayment", 0))
    ]
    assert told_again(damaged).endswith("consumer groups `bidding-reads-*`, `repayment-reads-*`")
