"""Names and places on the log: which topics exist, which partition a stream lives in, how large a record may be.

The partition comes from our own function, never from a client library's hash, because it must not change for ever.
"""

from zlib import crc32

#: Services that decide, and so own `S.commands` and `S.events`. `reporting` reads and owns none.
DECIDING_SERVICES = ("onboarding", "bidding", "repayment", "collections")

COMMAND_BYTES_MAX = 256 * 1024
DECISION_BYTES_MAX = 4 * 1024 * 1024
TOPIC_MESSAGE_BYTES_MAX = 8 * 1024 * 1024


def commands_topic(service: str, prefix: str = "") -> str:
    """The topic of a service's commands; `prefix` separates test runs that share a broker."""
    return f"{prefix}{service}.commands"


def events_topic(service: str, prefix: str = "") -> str:
    """The topic of a service's decisions."""
    return f"{prefix}{service}.events"


def system_stream(partition: int) -> str:
    """The stream that keeps the business day of one partition."""
    return f"~p{partition}"


def partition_of(stream_id: str, partitions: int) -> int:
    """The partition of a stream: the number of a system stream `~pN`, else CRC-32 of the id modulo the count.

    Raises ValueError for a system stream that names no existing partition.
    """
    if stream_id.startswith("~p"):
        number = int(stream_id[2:])
        if not 0 <= number < partitions:
            raise ValueError(f"{stream_id} names a partition that does not exist")
        return number
    return crc32(stream_id.encode()) % partitions


def aggregate_of(stream_id: str) -> str:
    """The aggregate prefix of a stream id: `acc` for `acc_7f…`, the id itself where it has no underscore."""
    return stream_id.split("_", 1)[0]
