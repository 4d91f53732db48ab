"""What topics must be set to follows from the settings, and is a stated durability."""

from pathlib import Path
from typing import Any

import pytest

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
