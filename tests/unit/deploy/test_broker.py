"""What the local broker is told: nothing of ours expires."""

from pathlib import Path

from deploy.local import containers
from deploy.local.kafka import LocalKafka

#: The largest value that Kafka takes; 0 and -1 are refused.
LONGEST_MIN = str(2**31 - 1)


def test_neither_records_nor_commits_expire(tmp_path: Path) -> None:
    """A stack left down for weeks goes on where it was: Kafka's own default forgets a policy's commits after 7 days."""
    properties, _ = LocalKafka(tmp_path, tmp_path, 9092, 9093)._configure()
    lines = [line for line in properties.read_text().splitlines() if line and line[0] != "#"]
    told = dict(line.split("=", 1) for line in lines)
    assert len(told) == len(lines)
    assert (told["log.retention.ms"], told["log.retention.bytes"]) == ("-1", "-1")
    assert told["offsets.retention.minutes"] == LONGEST_MIN
    assert containers._BROKER["KAFKA_OFFSETS_RETENTION_MINUTES"] == LONGEST_MIN
