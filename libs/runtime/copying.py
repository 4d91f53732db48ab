"""`loanstream backup` and `loanstream restore`: the whole log into an archive, and out of it into empty topics.

Positions are offsets, so a copy of the log is one only if every record comes to stand at the offset it had. A restore
appends one record after the other and asserts that; no mirror tool does. The log id goes with the log. Views are rebuilt from
it; personal data is in the vault, which is MongoDB's to back up.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from libs.events.topics import DECIDING_SERVICES, commands_topic, events_topic
from libs.runtime.archive import Archive, ArchiveWriter, Manifest
from libs.runtime.errors import OperatorError
from libs.runtime.handing_out import new_file
from libs.runtime.kafka import LogWriter, Place, describe_topics, offsets, read_range, stored_offset
from libs.runtime.settings import PREFIX, Settings
from libs.runtime.topics_admin import check_topics, ensure_topics, topic_names

Progress = Callable[[int, int, str], None]

#: Records sent and not yet acknowledged while restoring.
_IN_FLIGHT = 1_000
_STORED_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied."""

    log_id: str
    records: int


async def backup(settings: Settings, path: Path, progress: Progress = lambda *_: None) -> Copied:
    """Write every record of both topics of every service into a new file. May run while the platform does.

    All ends of events are taken before any of commands, so that every decision in the archive has its command there.
    Raises OperatorError, LogUnavailable, OSError.
    """
    await check_topics(settings)
    bootstrap, prefix = settings.require_kafka(), settings.topic_prefix
    ends: dict[str, tuple[int, ...]] = {}
    for name in (events_topic, commands_topic):
        places = [
            Place(name(service, prefix), partition)
            for service in DECIDING_SERVICES
            for partition in range(settings.partitions)
        ]
        found = await offsets(bootstrap, places)
        for topic in dict.fromkeys(place.topic for place in places):
            ends[topic] = tuple(found[Place(topic, number)][1] for number in range(settings.partitions))
    manifest = Manifest(
        log_id=settings.require_log_id(),
        topic_prefix=prefix,
        partitions=settings.partitions,
        made_at=datetime.now(UTC),
        ends=ends,
    )
    total, done = sum(manifest.places().values()), 0
    with new_file(path) as file:
        writer = ArchiveWriter(file, manifest)
        for place, end in manifest.places().items():
            expected = 0
            async for records in read_range(bootstrap, place, 0, end):
                _require_no_gap(place, expected, [raw.offset for raw in records])
                expected = records[-1].offset + 1
                await asyncio.to_thread(writer.add, place, records)
                done += len(records)
                progress(done, total, f"{place.topic}/{place.partition}")
        writer.finish()
    return Copied(manifest.log_id, done)


def _require_no_gap(place: Place, expected: int, found: list[int]) -> None:
    if found != list(range(expected, expected + len(found))):
        raise OperatorError(
            f"{place.topic}/{place.partition} has a gap after offset {expected - 1}: such a log cannot be restored record by "
            "record, so it is not copied. Look at the broker's log; compaction and transactions make gaps, and we use neither."
        )


async def restore(settings: Settings, path: Path, progress: Progress = lambda *_: None) -> Copied:
    """Append every record of an archive to empty topics, each at the offset it had, and take over the log id.

    The whole archive is checked first; what is refused has changed nothing. Raises OperatorError (BrokenArchive included),
    LogUnavailable, OSError.
    """
    archive = await asyncio.to_thread(_opened, path)
    manifest = archive.manifest
    _require_fits(settings, manifest, path)
    total, checked = sum(manifest.places().values()), 0
    for count in archive.check():
        checked += count
        progress(checked, total, "checking the archive")
        await asyncio.sleep(0)
    await _require_empty(settings)
    settings = settings.model_copy(update={"log_id": manifest.log_id})
    await ensure_topics(settings)
    writer = LogWriter(settings.require_kafka(), client_id="loanstream-restore", linger_ms=5)
    await writer.start()
    try:
        restored = await _append(writer, archive, lambda done: progress(done, total, "restoring"))
    finally:
        await writer.stop()
    return Copied(manifest.log_id, restored)


def _opened(path: Path) -> Archive:
    if not path.is_file():
        raise OperatorError(f"{path} is no file: give one that `loanstream backup` wrote.")
    return Archive(path)


def _require_fits(settings: Settings, manifest: Manifest, path: Path) -> None:
    if settings.log_id is not None and settings.log_id != manifest.log_id:
        raise OperatorError(
            f"{path} is of the log {manifest.log_id}, but this installation belongs to the log {settings.log_id}. Restore it "
            f"into an installation of its own: another {PREFIX}DATA_DIR, MongoDB and broker."
        )
    for name, here, there in (
        ("PARTITIONS", settings.partitions, manifest.partitions),
        ("TOPIC_PREFIX", settings.topic_prefix, manifest.topic_prefix),
    ):
        if here != there:
            raise OperatorError(
                f"{path} was made with {PREFIX}{name}={there!r}, the settings say {here!r}; both stand in every hash. Set it to "
                "the archive's."
            )
    if set(manifest.ends) != set(topic_names(settings)):
        raise OperatorError(
            f"{path} holds other topics than this release has: restore it with the release that made it."
        )


async def _require_empty(settings: Settings) -> None:
    bootstrap = settings.require_kafka()
    existing = await describe_topics(bootstrap, topic_names(settings))
    places = [Place(name, number) for name, topic in existing.items() for number in range(topic.partitions)]
    held = await offsets(bootstrap, places) if places else {}
    filled = [place for place, (_, end) in sorted(held.items()) if end > 0]
    if filled:
        raise OperatorError(
            f"{filled[0].topic}/{filled[0].partition} holds records already: a log is restored into empty topics only. Delete the "
            "topics with the broker's tools if they are to be replaced, or use another broker."
        )


async def _append(writer: LogWriter, archive: Archive, tell: Callable[[int], None]) -> int:
    waiting: deque[tuple[Place, int, asyncio.Future[object]]] = deque()
    done = 0

    async def settle(left: int) -> None:
        nonlocal done
        while len(waiting) > left:
            place, offset, future = waiting.popleft()
            stored = await stored_offset(future, _STORED_WITHIN_S)
            if stored != offset:
                raise OperatorError(
                    f"The record of offset {offset} came to stand at {stored} in {place.topic}/{place.partition}: somebody else "
                    "writes there. Stop every process of the platform, delete the topics and restore again."
                )
            done += 1

    for run in archive.runs():
        for raw in run.records:
            future = await writer.post(run.place, key=raw.key, value=raw.value, headers=raw.headers)
            waiting.append((run.place, raw.offset, future))
            if len(waiting) > _IN_FLIGHT:
                await settle(_IN_FLIGHT // 2)
        tell(done)
    await settle(0)
    tell(done)
    return done
