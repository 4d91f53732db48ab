"""Does this replica decide a partition, or only follow it? A plain object: the clock is passed in, the shells ask it.

The chain makes any answer safe, so this is about who takes the trouble. The active one decides; the standby folds, and
takes over when commands wait and the chain does not move. Who reads a decision by another becomes passive (design.md 2.4).
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

#: How much longer than its patience a standby may wait, so that two of them seldom take over at the same moment.
JITTER = 0.3


@dataclass(frozen=True, slots=True)
class Assignment:
    """What the table says of one partition: its replicas, and the rules below the log's that may decide all the same."""

    active: str
    standby: str | None = None
    rules_allowed: int | None = None

    @property
    def replicas(self) -> tuple[str, ...]:
        """Everybody who may ever decide it."""
        return (self.active,) if self.standby is None else (self.active, self.standby)


class ReplicaRole:
    """The role of one replica in one partition. `decides` is the answer; everything else is news for it."""

    def __init__(
        self,
        replica: str,
        rules: int,
        assignment: Assignment,
        *,
        patience_s: float,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.replica = replica
        self.assignment = assignment
        self.head_rules = 0
        self.held_back = False
        self._rules = rules
        self._patience_s = patience_s
        self._draw = draw
        self._active = False
        self._waits_at: int | None = None
        self._due_at = 0.0

    # --- answers ------------------------------------------------------------------------------------------------

    @property
    def decides(self) -> bool:
        """Whether this replica decides the partition now."""
        return self._active and not self.is_outdated

    @property
    def is_outdated(self) -> bool:
        """Whether the log was decided by newer rules than these, and nobody has allowed going back."""
        allowed = self.assignment.rules_allowed
        return self._rules < self.head_rules and (allowed is None or self._rules < allowed)

    def patience_left_s(self, now_s: float, position: int, *, waits: bool) -> float | None:
        """Seconds until it should take over; None while it decides, or no command waits at `position`, the chain's next."""
        if self.decides or not waits or self.replica not in self.assignment.replicas:
            self._waits_at = None
            return None
        if self._waits_at != position:
            self._waits_at = position
            self._due_at = now_s + self._patience_s * (1.0 + JITTER * self._draw())
        return max(0.0, self._due_at - now_s)

    # --- news ---------------------------------------------------------------------------------------------------

    def start(self, head_by: str, head_rules: int) -> None:
        """It has folded the log. Who finds that his other replica decided last may have been replaced: it follows."""
        others = [replica for replica in self.assignment.replicas if replica != self.replica]
        self.head_rules = head_rules
        self._active = self.replica == self.assignment.active and head_by not in others

    def assign(self, assignment: Assignment) -> None:
        """The table's next version. It moves the role only where it names another active replica than before."""
        if assignment.active != self.assignment.active:
            self._active = self.replica == assignment.active
        elif self.replica not in assignment.replicas:
            self._active = False
        self.assignment = assignment
        self.held_back = self.held_back and self.is_outdated

    def accepted(self, by: str, rules: int) -> None:
        """The chain moved. Who reads another's decision is passive from then on, whatever the table says."""
        self.head_rules = rules
        self.held_back = False
        if by != self.replica:
            self._active = False

    def take_over(self) -> bool:
        """Patience is over; False when newer rules hold this replica back, which is an alarm: nobody decides."""
        self.held_back = self.is_outdated
        self._active = self._active or not self.held_back
        self._waits_at = None
        return self.decides
