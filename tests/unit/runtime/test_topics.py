"""What topics must be set to follows from the settings, and is a stated durability."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from libs.runtime import topics_admin
from libs.runtime.errors import OperatorError
from libs.runtime.kafka import Place, TopicFound
from libs.runtime.settings import load_settings
from libs.runtime.topics_admin import topic_configs

FOR_EVER = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": str(8 * 1024 * 1024),
    "compression.type": "lz4",
}
REPLICATED = {"min.insync.replicas": "2", "unclean.leader.election.enable": "false"}


@pytest.mark.parametrize(
    ("settings", "commands", "events"),
    [
        ({}, {"flush.messages": "1"}, {}),
        ({"flush": False}, {}, {}),
        ({"replication": 3}, REPLICATED, REPLICATED),
        ({"replication": 3, "flush": False}, REPLICATED, REPLICATED),
    ],
)
def test_commands_are_safe_before_they_are_acknowledged(
    tmp_path: Path, settings: dict[str, Any], commands: dict[str, str], events: dict[str, str]
) -> None:
    """On one node by the disk, unless this log is to be thrown away; on several by two replicas. All is kept for ever."""
    configs = topic_configs(load_settings(tmp_path, **settings))
    assert configs["bidding.commands"] == FOR_EVER | commands
    assert configs["bidding.events"] == FOR_EVER | events
    assert len(configs) == 8


def _double(monkeypatch: pytest.MonkeyPatch, found: dict[str, TopicFound]) -> None:
    """A broker that has these topics, each from its beginning on."""

    async def described(_bootstrap: str, names: list[str]) -> dict[str, TopicFound]:
        return {name: found[name] for name in names if name in found}

    async def from_the_beginning(_bootstrap: str, places: list[Place]) -> dict[Place, tuple[int, int]]:
        return dict.fromkeys(places, (0, 5))

    monkeypatch.setattr(topics_admin, "describe_topics", described)
    monkeypatch.setattr(topics_admin, "offsets", from_the_beginning)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"partitions": 8}, r"repayment\.commands has 8 partitions, the settings say 4"),
        (
            {"replication": 1},
            r"repayment\.commands has the replication factor 1, the settings say 3.*LOANSTREAM_REPLICATION",
        ),
        ({"replication": 4}, r"repayment\.commands has the replication factor 4, the settings say 3"),
        ({"configs": {}}, r"repayment\.commands has cleanup\.policy=None, but must have delete"),
        (None, r"The topic repayment\.commands does not exist: run `loanstream topics` first"),
    ],
    ids=str,
)
async def test_a_topic_that_is_not_as_it_must_be_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any] | None, says: str
) -> None:
    """Count, replication factor and settings are compared at every start; the sentence names the topic and both values."""
    settings = load_settings(tmp_path, kafka="k:1", replication=3)
    good = {name: TopicFound(4, 3, configs) for name, configs in topic_configs(settings).items()}
    _double(monkeypatch, good)
    await topics_admin.check_topics(settings)
    name = "repayment.commands"
    wrong = {name: replace(good[name], **changed)} if changed is not None else {}
    _double(monkeypatch, {other: found for other, found in good.items() if other != name} | wrong)
    with pytest.raises(OperatorError, match=says):
        await topics_admin.check_topics(settings)
