"""Making and describing topics: the administration's half of what names aiokafka."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from libs.runtime.errors import OperatorError
from libs.runtime.kafka import CONNECT_LIMIT_S, SILENT, LogUnavailable


async def create_topics(
    bootstrap: str,
    names: Sequence[str],
    *,
    partitions: int,
    replication: int,
    configs: Mapping[str, Mapping[str, str]],
) -> None:
    """Create the topics that do not exist yet and return when the broker shows them all.

    Raises OperatorError for a topic that the broker refuses, LogUnavailable.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="loanstream-topics")
    try:
        async with asyncio.timeout(CONNECT_LIMIT_S):
            await admin.start()
        existing = set(await admin.list_topics())
        missing = [name for name in names if name not in existing]
        if missing:
            answer = await admin.create_topics(
                [
                    NewTopic(name, partitions, replication, topic_configs=dict(configs[name]))
                    for name in missing
                ]
            )
            _raise_refused(answer.topic_errors)
            await _until_shown(admin, missing, partitions)
    except (KafkaError, OSError) as error:
        raise LogUnavailable(str(error) or SILENT) from error
    finally:
        await admin.close()


def _raise_refused(topic_errors: Iterable[tuple[Any, ...]]) -> None:
    """aiokafka brings the broker's refusals back and raises none of them. One that another process has made is made."""
    for name, code, *told in topic_errors:
        if code not in (0, TopicAlreadyExistsError.errno):
            why = next((text for text in told if text), None) or for_code(code).description
            raise OperatorError(f"The broker does not make the topic {name}: {why}")


async def _until_shown(admin: AIOKafkaAdminClient, names: Sequence[str], partitions: int) -> None:
    """A broker answers before it shows what it made: half a second later on a busy machine. Raises LogUnavailable."""
    limit = time.monotonic() + CONNECT_LIMIT_S
    while time.monotonic() < limit:
        shown = {
            entry["topic"]: len(entry["partitions"])
            for entry in await admin.describe_topics(list(names))
            if not entry["error_code"]
        }
        if all(shown.get(name) == partitions for name in names):
            return
        await asyncio.sleep(0.05)
    raise LogUnavailable(f"the broker has made {names[0]} and others and does not show them")


@dataclass(frozen=True, slots=True)
class TopicFound:
    """What a topic is. `replication` is that of the partition with the fewest replicas."""

    partitions: int
    replication: int
    configs: Mapping[str, str]


async def describe_topics(bootstrap: str, names: Sequence[str]) -> dict[str, TopicFound]:
    """Each topic that exists. Raises LogUnavailable."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="loanstream-topics")
    try:
        async with asyncio.timeout(CONNECT_LIMIT_S):
            await admin.start()
        existing = set(await admin.list_topics())
        wanted = [name for name in names if name in existing]
        if not wanted:
            return {}
        replicas = {
            entry["topic"]: [len(each["replicas"]) for each in entry["partitions"]]
            for entry in await admin.describe_topics(wanted)
        }
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in wanted]
        configs: dict[str, dict[str, str]] = {}
        for response in await admin.describe_configs(resources):
            for resource in response.resources:
                configs[resource[3]] = {entry[0]: entry[1] for entry in resource[4]}
    except (KafkaError, OSError) as error:
        raise LogUnavailable(str(error) or SILENT) from error
    finally:
        await admin.close()
    return {
        name: TopicFound(len(replicas[name]), min(replicas[name], default=0), configs.get(name, {}))
        for name in wanted
    }
