"""Does the log still hold what was signed? Compares the chain of a service with its signed heads."""

from dataclasses import dataclass, field

from libs.events.chain import Checkpoint
from libs.runtime.heads import Head, heads_file, is_signed_by, read, verifying_key
from libs.runtime.settings import Settings


@dataclass(slots=True)
class SignedHeads:
    """The signed heads of one service, by partition and position, and what is wrong with the file itself."""

    count: int = 0
    faults: list[str] = field(default_factory=list)
    missing: str | None = None
    """Why there is nothing to compare with; None where there is."""
    by_partition: dict[int, dict[int, list[Head]]] = field(default_factory=dict)

    def of(self, partition: int) -> "PartitionHeads":
        """Those of one partition."""
        return PartitionHeads(dict(self.by_partition.get(partition, {})))


class PartitionHeads:
    """Told of every decision of a partition in turn, says which signed heads it contradicts."""

    def __init__(self, heads: dict[int, list[Head]]) -> None:
        self._open = heads

    def decided(self, head: Checkpoint) -> list[str]:
        """Faults of the decision that the log holds at a signed position."""
        return [
            f"position {head.position}: history was rewritten: the head signed at {signed.at.isoformat()} is another decision "
            "than the one in the log"
            for signed in self._open.pop(head.position, ())
            if signed.hash != head.hash.hex()
        ]

    def end(self, last: Checkpoint) -> list[str]:
        """Faults of the end of the log: signed heads beyond it."""
        return [
            f"position {position}: the tail was cut: a head signed at {signed[0].at.isoformat()} stands there, and the chain ends "
            f"at position {last.position}"
            for position, signed in sorted(self._open.items())
        ]


def signed_heads(settings: Settings, service: str) -> SignedHeads:
    """Read the heads of one service and check every signature. Raises OperatorError for a missing key."""
    found = SignedHeads()
    path = heads_file(settings, service)
    if not path.exists():
        found.missing = f"{service}: {path} does not exist: nothing outside Kafka says where its chains ended"
        return found
    key = verifying_key(settings)
    for number, signed in read(path):
        where = f"{path.name} line {number}"
        if signed is None:
            found.faults.append(f"{where} is no signed head")
        elif not is_signed_by(key, signed):
            found.faults.append(
                f"{where}: bad signature on the head of {signed.head.service}/{signed.head.partition} at position "
                f"{signed.head.position}"
            )
        elif (signed.head.log_id, signed.head.service) != (settings.require_log_id(), service):
            found.faults.append(
                f"{where}: the head of {signed.head.service} in the log {signed.head.log_id}, not of this log"
            )
        elif signed.head.partition >= settings.partitions:
            found.faults.append(f"{where}: the head of a partition {signed.head.partition}, which is none")
        else:
            found.count += 1
            positions = found.by_partition.setdefault(signed.head.partition, {})
            positions.setdefault(signed.head.position, []).append(signed.head)
    return found
