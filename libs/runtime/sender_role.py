"""Does this replica send what a policy makes of one source partition, or only watch? A plain object: the clock is passed in.

The decider drops what two of them send (design.md 2.4), so this too is only about who takes the trouble. The active one
sends and commits; the standby watches the source's end and the commit, and takes over when events wait and the commit does
not move. Who sees the commit moved by another becomes passive (design.md 2.6). A commit says that everything below it is
stored, whoever made it, so going on from any of them, also from one that a zombie has set back, loses nothing.
"""

from libs.runtime.commits import Commit
from libs.runtime.pair_role import PairRole


class SenderRole(PairRole):
    """The role of one replica on one source partition. `sends` is the answer; everything else is news for it."""

    commit: Commit | None = None
    _end: int = 0

    # --- answers ------------------------------------------------------------------------------------------------

    @property
    def sends(self) -> bool:
        """Whether this replica sends now."""
        return self._active

    @property
    def is_paired(self) -> bool:
        """Whether another replica may send, too. Alone it is what the table says, and nobody's commits move it."""
        return self.assignment.standby is not None

    @property
    def signature(self) -> str | None:
        """The name that its commits carry."""
        return self.replica if self.is_paired else None

    def patience_left_s(self, now_s: float) -> float | None:
        """Seconds until it should take over; None while it sends, is alone, or no event waits behind the commit."""
        reached = 0 if self.commit is None else self.commit.read_to
        return self._left_s(now_s, reached, waits=self.is_paired and not self._active and self._end > reached)

    # --- news ---------------------------------------------------------------------------------------------------

    def start(self, commit: Commit | None) -> None:
        """Its process has started and found this commit. Who finds his other replica's may have been replaced: he watches."""
        self.commit = commit
        self._begin((commit and commit.by) or "")

    def looked(self, commit: Commit | None, end: int) -> None:
        """What the commit and the source's end are now. Who sees that another moved the commit is passive from then on.

        A commit that is gone was moved by nobody: a person has deleted it, or the broker has forgotten it.
        """
        moved = commit is not None and commit != self.commit and commit.by != self.replica
        if moved and self.is_paired:
            self._active = False
        self.commit, self._end = commit, end

    def committed(self, commit: Commit) -> None:
        """It has moved the commit itself."""
        self.commit = commit

    def take_over(self) -> None:
        """Patience is over: it goes on from the commit."""
        self._active = True
        self._waits_at = None
