"""`loanstream repair`: a partition whose decided commands were lost can take commands again.

The decisions stand in `S.events` and hold everything that counts; only the bytes of the commands are gone. Two things must
not happen: a new command at an old position, which nobody would ever decide, and a command lost that came after the cut and was
acknowledged there. So the missing positions are filled with marked placeholders, and what came to stand at a decided position
is appended once more behind them. What stays is said by `verify`: so many positions repaired.
"""

from collections.abc import Callable

from libs.events.topics import commands_topic
from libs.runtime.errors import OperatorError
from libs.runtime.export import chosen_services
from libs.runtime.following import Follower
from libs.runtime.heads import signing_key
from libs.runtime.kafka import LogWriter, Place, offsets, read_range
from libs.runtime.repair_marks import Marks
from libs.runtime.repair_plan import Damage, Inspection, mending
from libs.runtime.settings import Settings

Progress = Callable[[int, int, str], None]


async def repair(
    settings: Settings, service: str | None, *, yes: bool, progress: Progress = lambda *_: None
) -> list[Damage]:
    """Look at every partition of one service, or of all; with `yes` repair what is damaged. Gives what was found damaged.

    No process of the service may run meanwhile. Raises OperatorError for damage that is no cut tail, LogUnavailable.
    """
    found: list[Damage] = []
    places = [
        (name, partition) for name in chosen_services(service) for partition in range(settings.partitions)
    ]
    for number, (name, partition) in enumerate(places):
        progress(number, len(places), f"{name}/{partition}")
        damage = await look(settings, name, partition)
        if not damage.is_whole:
            found.append(damage)
    if yes and found:
        writer = LogWriter(settings.require_kafka(), client_id="loanstream-repair")
        await writer.start()
        try:
            for number, damage in enumerate(found):
                progress(number, len(found), f"repairing {damage.service}/{damage.commands.partition}")
                await _mend(settings, writer, damage)
        finally:
            await writer.stop()
    return found


async def look(settings: Settings, service: str, partition: int) -> Damage:
    """Compare every decision of a partition with its command. Raises OperatorError for damage that is no cut tail."""
    bootstrap = settings.require_kafka()
    follower = Follower(settings, service, partition)
    decided: list[bytes] = []
    decided_ms: list[int] = []
    ids: set[bytes] = set()
    async for raw in follower.accepted():
        decided.append(raw.headers.get("command", b""))
        decided_ms.append(raw.timestamp_ms)
        ids.add(raw.headers.get("command-id", b""))
    place = Place(commands_topic(service, settings.topic_prefix), partition)
    end = (await offsets(bootstrap, [place]))[place][1]
    marks = Marks(signing_key(settings).public_key(), settings.require_log_id(), place)
    inspection = Inspection(
        Damage(service, place, follower.chain.next_position, end, decided, decided_ms), ids, marks
    )
    async for records in read_range(bootstrap, place, 0, end):
        for raw in records:
            inspection.add(raw)
    return inspection.found()


async def _mend(settings: Settings, writer: LogWriter, damage: Damage) -> None:
    """One acknowledged record after the other."""
    place = damage.commands
    for mend in mending(damage, signing_key(settings), settings.require_log_id()):
        stored = await writer.send(place, key=mend.key, value=mend.value, headers=mend.headers)
        _require_place(place, mend.offset, stored)


def _require_place(place: Place, expected: int, stored: int) -> None:
    if stored != expected:
        raise OperatorError(
            f"A record for offset {expected} of {place.topic}/{place.partition} came to stand at {stored}: somebody else writes "
            "there. Stop every process of the service and run `loanstream repair` again: what is repaired stays so."
        )
