"""Topics are made before any process starts, by us, and checked at every start: a wrong one is refused, never mended.

Also mints the log id: 128 random bits that every chain begins with, kept in MongoDB and beside the secrets, so that a log
and the stores built on another one can never be mixed up.
"""

import secrets
from collections.abc import Sequence

from libs.events.topics import DECIDING_SERVICES, TOPIC_MESSAGE_BYTES_MAX, commands_topic, events_topic
from libs.runtime.errors import OperatorError
from libs.runtime.identity import keep_log_id
from libs.runtime.kafka import Place, create_topics, describe_topics, offsets
from libs.runtime.mongo import Database
from libs.runtime.settings import Settings

_CONFIG = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": str(TOPIC_MESSAGE_BYTES_MAX),
    "compression.type": "lz4",
}


def topic_names(settings: Settings) -> list[str]:
    """All topics of the platform."""
    return [
        name(service, settings.topic_prefix)
        for service in DECIDING_SERVICES
        for name in (commands_topic, events_topic)
    ]


def topic_configs(settings: Settings) -> dict[str, dict[str, str]]:
    """What each topic must be set to.

    On one node a command is flushed before it is acknowledged, unless the settings say that this log is thrown away; events
    can be decided again.
    """
    durable = (
        {"min.insync.replicas": "2", "unclean.leader.election.enable": "false"}
        if settings.replication > 1
        else {}
    )
    flushed = {"flush.messages": "1"} if settings.replication == 1 and settings.flush else {}
    return {
        name: _CONFIG | durable | (flushed if name.endswith(".commands") else {})
        for name in topic_names(settings)
    }


async def ensure_topics(settings: Settings) -> str:
    """Create what is missing, check what is there, and return the log id. Raises OperatorError, LogUnavailable."""
    bootstrap = settings.require_kafka()
    configs = topic_configs(settings)
    await create_topics(
        bootstrap,
        list(configs),
        partitions=settings.partitions,
        replication=settings.replication,
        configs=configs,
    )
    await check_topics(settings)
    database = Database.connect(settings)
    try:
        kept = await database.log_id()
        if kept is None:
            await _refuse_other_log(settings)
            kept = await database.keep_log_id(settings.log_id or secrets.token_hex(16))
    finally:
        await database.close()
    if settings.log_id is not None and settings.log_id != kept:
        raise OperatorError(
            f"The settings name the log {settings.log_id}, but this MongoDB belongs to the log {kept}: they are not of one "
            "installation. Point LOANSTREAM_MONGO or LOANSTREAM_DATA_DIR at the right one."
        )
    keep_log_id(settings, kept)
    return kept


async def _refuse_other_log(settings: Settings) -> None:
    """A MongoDB without a log id is new; a log that already holds records needs the id it was written with."""
    if settings.log_id is not None:
        return
    held = await offsets(settings.require_kafka(), _places(settings, topic_names(settings)))
    filled = [place for place, (_, end) in held.items() if end > 0]
    if filled:
        raise OperatorError(
            f"{filled[0].topic} already holds records, but neither the settings nor MongoDB know its log id. Set "
            "LOANSTREAM_LOG_ID to the id that `loanstream topics` printed for this log, or start with empty topics."
        )


async def check_topics(settings: Settings) -> None:
    """Compare every topic with what it must be. Raises OperatorError naming the topic, the setting and both values."""
    wanted = topic_configs(settings)
    found = await describe_topics(settings.require_kafka(), list(wanted))
    for name, configs in wanted.items():
        if name not in found:
            raise OperatorError(f"The topic {name} does not exist: run `loanstream topics` first.")
        topic = found[name]
        if topic.partitions != settings.partitions:
            raise OperatorError(
                f"{name} has {topic.partitions} partitions, the settings say {settings.partitions}: the count is constant for ever. "
                "Set LOANSTREAM_PARTITIONS to the topic's count."
            )
        if topic.replication != settings.replication:
            raise OperatorError(
                f"{name} has the replication factor {topic.replication}, the settings say {settings.replication}, from which "
                "follows how it must be made safe. Set LOANSTREAM_REPLICATION to the topic's, or reassign its partitions."
            )
        for key, value in configs.items():
            if topic.configs.get(key) != value:
                raise OperatorError(
                    f"{name} has {key}={topic.configs.get(key)}, but must have {value}: the log would not be safe. Change the "
                    "topic's configuration with the broker's tools, then start again."
                )
    await _check_beginnings(settings, list(wanted))


async def _check_beginnings(settings: Settings, names: Sequence[str]) -> None:
    held = await offsets(settings.require_kafka(), _places(settings, names))
    for place, (beginning, _) in held.items():
        if beginning != 0:
            raise OperatorError(
                f"{place.topic}/{place.partition} starts at offset {beginning}: its beginning was deleted, so nothing can be "
                "rebuilt from it. Restore the topic from a copy."
            )


def _places(settings: Settings, names: Sequence[str]) -> list[Place]:
    return [Place(name, partition) for name in names for partition in range(settings.partitions)]
