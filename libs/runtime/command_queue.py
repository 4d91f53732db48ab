"""The commands of a partition that were read ahead and are not decided yet, with a bound in records and in bytes."""

import time
from collections import deque
from collections.abc import Iterable

from libs.events.records import RawRecord

#: Commands read ahead per partition, and their bytes; fetching pauses above either and goes on below half of both.
QUEUED_MAX = 2_000
QUEUED_BYTES_MAX = 16 * 1024 * 1024


class CommandQueue:
    """In the order of the log. Falsy when empty."""

    def __init__(self) -> None:
        self._records: deque[RawRecord] = deque()
        self.waits_since = time.monotonic()
        """Since when there is something in it, by a clock that nobody sets."""

    def __len__(self) -> int:
        return len(self._records)

    @property
    def first(self) -> RawRecord:
        """The oldest one. Raises IndexError when empty."""
        return self._records[0]

    @property
    def waiting_since_ms(self) -> int | None:
        """Log time of the oldest one; None when none waits."""
        return self._records[0].timestamp_ms if self._records else None

    @property
    def is_full(self) -> bool:
        """Whether fetching should pause."""
        return len(self._records) >= QUEUED_MAX or self.bytes >= QUEUED_BYTES_MAX

    @property
    def has_room(self) -> bool:
        """Whether fetching may go on."""
        return len(self._records) < QUEUED_MAX // 2 and self.bytes < QUEUED_BYTES_MAX // 2

    def add(self, records: Iterable[RawRecord]) -> None:
        """Put what was read behind the rest."""
        if not self._records:
            self.waits_since = time.monotonic()
        self._records.extend(records)

    def drop_first(self) -> None:
        """The oldest one is decided."""
        self._records.popleft()

    def drop_below(self, position: int) -> None:
        """Everything below this position is decided, by whomever."""
        while self._records and self._records[0].offset < position:
            self._records.popleft()

    def clear(self) -> None:
        """It will be read again."""
        self._records.clear()

    @property
    def bytes(self) -> int:
        """Of all values."""
        return sum(len(raw.value) for raw in self._records)
