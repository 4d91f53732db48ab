"""What a policy group keeps of one source partition: the triple, how far it has read behind it, and which replica says so.

Kafka's own offset is how far was read: records that the reader rule passed over stand behind the triple's. The metadata is
the triple, followed by the replica's name where there are two of them; without a name it is what earlier releases wrote, and
what they can read.
"""

from dataclasses import dataclass

from libs.events.chain import Checkpoint


@dataclass(frozen=True, slots=True)
class Commit:
    """Everything below `read_to` is done: its commands are stored. `by` is None where the replica has no other beside it."""

    head: Checkpoint
    read_to: int
    by: str | None = None

    def as_metadata(self) -> str:
        """What Kafka keeps beside the offset."""
        return self.head.as_text() if self.by is None else f"{self.head.as_text()}:{self.by}"

    @staticmethod
    def from_kafka(offset: int, metadata: str) -> "Commit":
        """Read what was kept, with a name or without. Raises ValueError."""
        if metadata.count(":") == 2:
            return Commit(Checkpoint.from_text(metadata), offset)
        triple, _, by = metadata.rpartition(":")
        return Commit(Checkpoint.from_text(triple), offset, by)
