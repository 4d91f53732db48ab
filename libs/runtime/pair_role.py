"""Whose turn it is in a pair of replicas: the part of a role that follows from the table, from who acted last, and from patience.

Deciding (`replica_role.py`) and sending (`sender_role.py`) differ in what they wait for and in what makes them step down;
who begins, who comes back, what a new table moves and how long a standby waits is the same. The clock is passed in.
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
        """Everybody who may ever act on it."""
        return (self.active,) if self.standby is None else (self.active, self.standby)


class PairRole:
    """One replica's turn in one partition."""

    def __init__(
        self,
        replica: str,
        assignment: Assignment,
        *,
        patience_s: float,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.replica = replica
        self.assignment = assignment
        self._patience_s = patience_s
        self._draw = draw
        self._active = False
        self._waits_at: int | None = None
        self._due_at = 0.0

    def assign(self, assignment: Assignment) -> None:
        """The table's next version. It moves the role only where it names another active replica than before."""
        if assignment.active != self.assignment.active:
            self._active = self.replica == assignment.active
        elif self.replica not in assignment.replicas:
            self._active = False
        self.assignment = assignment

    def _begin(self, last_by: str) -> None:
        """Who finds that his other replica acted last may have been replaced: he follows."""
        others = [replica for replica in self.assignment.replicas if replica != self.replica]
        self._active = self.replica == self.assignment.active and last_by not in others

    def _left_s(self, now_s: float, at: int, *, waits: bool) -> float | None:
        """Seconds until it should take over what waits `at` a place that has to move; None where nothing waits for it."""
        if not waits or self.replica not in self.assignment.replicas:
            self._waits_at = None
            return None
        if self._waits_at != at:
            self._waits_at = at
            self._due_at = now_s + self._patience_s * (1.0 + JITTER * self._draw())
        return max(0.0, self._due_at - now_s)
