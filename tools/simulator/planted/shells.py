"""Bugs of the shells around the kernels: what is stored, committed and sent in which order, and what the views do with it."""

from typing import Any

from libs.events.views import Add
from libs.runtime import deciding
from libs.runtime.policing import OutgoingCommand
from libs.runtime.projecting import Projection
from libs.runtime.sender_role import SenderRole
from tools.simulator.log import Sender
from tools.simulator.planted.plant import DUES, LATE, PAIRS, STARVED, Plant, instead, together
from tools.simulator.policing import PolicyActor
from tools.simulator.projecting import ProjectorActor


def _forgetting_heads(real: Any) -> Any:
    def commit(self: ProjectorActor, projection: Any, fold: Any) -> None:
        heads = dict(self.database[projection.name].heads)
        real(self, projection, fold)
        self.database[projection.name].heads = heads

    return commit


def _heads_first(real: Any) -> Any:
    """The position of a batch reaches the database when its folding begins, the documents when it ends."""

    def step(self: ProjectorActor, rng: Any) -> bool:
        moved: bool = real(self, rng)
        for folded in self._folds:
            self.database[folded.projection.name].heads |= folded.fold.heads
        return moved

    return step


def _committing_first(real: Any) -> Any:
    """What a batch makes is committed when it is worked out, not when it is stored."""

    def next_wave(self: PolicyActor) -> None:
        real(self)
        self._commit()

    return next_wave


def _from_the_end(real: Any) -> Any:
    """Of one who has taken over: the records between the commit and the end are read, and nothing is sent for them."""

    def resume(self: PolicyActor, number: int, source: Any) -> None:
        real(self, number, source)
        if self.took_over == number and source.policy is not None:
            for raw in self._log.records(source.place, source.tail.offset, 10**9):
                source.policy.read(raw)
            source.tail.offset = self._log.end(source.place)

    return resume


def _markers_at_once(real: Any) -> Any:
    def next_wave(self: PolicyActor) -> None:
        real(self)
        self._to_send.extendleft(self._markers)
        self._markers = ()

    return next_wave


def _markers_by_another(real: Any) -> Any:
    others: dict[PolicyActor, Sender] = {}

    def post(self: PolicyActor, command: OutgoingCommand) -> None:
        usual = self._sender
        if b'"system.DayMarker"' in command.value:
            self._sender = others.setdefault(self, self._log.sender(usual.owner))
        real(self, command)
        self._sender = usual

    return post


def _never_subtracting(real: Any) -> Any:
    """A view that counts what comes and not what goes."""

    def ops(self: Projection, record: Any) -> Any:
        found, read = real(self, record)
        if self.name == "repayment.overdue-buckets":
            found = [op for op in found if not (isinstance(op, Add) and op.amount < 0)]
        return found, read

    return ops


PLANTS = (
    Plant(
        "view-applied-twice",
        "Documents without their position are added to again after a crash.",
        together(
            instead(ProjectorActor, "_commit", _forgetting_heads),
            instead(ProjectorActor, "_is_unmoved", lambda _real: lambda _self, _folded: True),
        ),
        ("bidding.balances", "live", "the view says", "the ledger's side is"),
    ),
    Plant(
        "view-position-first",
        "A view's position is stored before its documents, so a crash in between skips them.",
        instead(ProjectorActor, "step", _heads_first),
        ("live", "the view says", "not at rest"),
    ),
    Plant(
        "view-only-adds",
        "A loan that changes its bucket is counted in both.",
        instead(Projection, "ops", _never_subtracting),
        ("in buckets",),
        config=LATE,
    ),
    Plant(
        "commit-before-write",
        "A policy commits its position before its commands are stored.",
        instead(PolicyActor, "_next_wave", _committing_first),
        (
            "is held for nothing",
            "never ends",
            "clearing:loan:",
            "never credited",
            "not at rest",
            "phase",
            "repeats what was never",
        ),
    ),
    Plant(
        "commit-before-stored",
        "The active sender commits before its commands are stored, and its standby goes on from there.",
        instead(PolicyActor, "_next_wave", _committing_first),
        (
            "is held for nothing",
            "never ends",
            "clearing:loan:",
            "never credited",
            "not at rest",
            "phase",
            "repeats what was never",
        ),
        config=PAIRS,
    ),
    Plant(
        "standby-never-sends",
        "A standby of a policy watches for ever: whoever was replaced while he was away never sends again.",
        instead(SenderRole, "take_over", lambda _real: lambda _self: None),
        ("not at rest",),
        config=PAIRS,
        seeds=range(12, 14),
    ),
    Plant(
        "heir-skips-what-waits",
        "Who takes over sending goes on from the source's end instead of from the commit.",
        instead(PolicyActor, "_resume", _from_the_end),
        (
            "not at rest",
            "never ends",
            "is held for nothing",
            "never credited",
            "phase",
            "repeats what was never",
            "clearing:loan:",
        ),
        config=PAIRS,
    ),
    Plant(
        "marker-overtakes",
        "The end of a phase is told by another producer before what came earlier is stored.",
        together(
            instead(PolicyActor, "_next_wave", _markers_at_once),
            instead(PolicyActor, "_post", _markers_by_another),
        ),
        ("is judged", "in silence", "repeats what was never decided"),
        config=DUES,
    ),
    Plant(
        "memory-told-as-refusal",
        "A command at which the machine ran out of memory is refused `internal`.",
        instead(deciding, "NEVER_A_REFUSAL", lambda _real: ()),
        ("internal",),
        config=STARVED,
    ),
)
