"""Does this replica decide a partition, or only follow it? A plain object: the clock is passed in, the shells ask it.

The chain makes any answer safe, so this is about who takes the trouble. The active one decides; the standby folds, and
takes over when commands wait and the chain does not move. Who reads a decision by another becomes passive (design.md 2.4).
"""

import random
from collections.abc import Callable

from libs.runtime.pair_role import Assignment, PairRole

__all__ = ["Assignment", "ReplicaRole"]


class ReplicaRole(PairRole):
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
        super().__init__(replica, assignment, patience_s=patience_s, draw=draw)
        self.head_rules = 0
        self.held_back = False
        self._rules = rules

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
        return self._left_s(now_s, position, waits=waits and not self.decides)

    # --- news ---------------------------------------------------------------------------------------------------

    def start(self, head_by: str, head_rules: int) -> None:
        """It has folded the log. Who finds that his other replica decided last may have been replaced: it follows."""
        self.head_rules = head_rules
        self._begin(head_by)

    def assign(self, assignment: Assignment) -> None:
        """The table's next version. It moves the role only where it names another active replica than before."""
        super().assign(assignment)
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
