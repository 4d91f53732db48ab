"""Bugs that show only when something is lost from outside: the tail of a topic, a store, a transaction's end."""

from dataclasses import replace
from typing import Any

from libs.runtime import checkpoint, day, store
from libs.runtime.deciding import PartitionDecider
from libs.runtime.memory import SourceKey
from libs.runtime.repair_plan import Inspection
from tools.simulator.deciding import DeciderActor
from tools.simulator.disasters import Disasters
from tools.simulator.planted.plant import (
    COMMANDS_CUT,
    CUT,
    CUT_DUES,
    DUES,
    RESHAPED,
    TWINS,
    UNHEARD,
    Plant,
    instead,
)
from tools.simulator.projecting import Folded, ProjectorActor


def _by_what_is_unconfirmed(real: Any) -> Any:
    """A marker below its line is a repeat for as long as its id is among the unconfirmed ones."""

    def repeated(self: PartitionDecider, envelope: Any) -> Any:
        source = envelope.source
        pending = self._pending_sources.get(SourceKey(source.group, source.topic, source.partition), {})
        if envelope.command_id in pending:
            envelope = replace(envelope, source=replace(source, position=10**9))
        return real(self, envelope)

    return repeated


def _at_the_end(real: Any) -> Any:
    """A decider takes its store for the present and reads on from the log's end.

    Under one release that is harmless: what it does not fold it decides again, to the same bytes. Under another it is not.
    """

    def init(self: DeciderActor, log: Any, *arguments: Any, **named: Any) -> None:
        real(self, log, *arguments, **named)
        self._tail.offset = log.end(self.events)

    return init


def _without_displaced(real: Any) -> Any:
    def found(self: Inspection) -> Any:
        damage = real(self)
        damage.displaced = []
        return damage

    return found


def _carried_out_once_more(real: Any) -> Any:
    """A transaction of which nothing was heard is carried out again without looking."""

    def attempt(self: ProjectorActor, folded: Folded, rng: Any) -> None:
        real(self, folded, rng)
        if self.in_doubt:
            self.in_doubt = False
            self._commit(folded.projection, folded.fold)

    return attempt


def _without_the_third(real: Any) -> Any:
    """Misses are judged when the dues are asked for, not when the answers have arrived."""
    return tuple(
        replace(phase, after=("repayment", 2)) if (phase.service, phase.number) == ("repayment", 4) else phase
        for phase in real
    )


PLANTS = (
    Plant(
        "checkpoint-without-hash",
        "A checkpoint is trusted whatever stands at its offset.",
        instead(checkpoint, "stands", lambda _real: lambda _found, _checkpoint: True),
        ("not at rest", "has undecided commands", "live ", "was answered differently", "done 0 times"),
        config=CUT,
        seeds=range(16),
    ),
    Plant(
        "stale-store-accepted",
        "A store is taken for the present: what the log holds beyond its head is not folded.",
        instead(DeciderActor, "__init__", _at_the_end),
        ("not at rest", "has undecided commands", " jumps from ", "was answered differently"),
        config=TWINS,
    ),
    Plant(
        "lost-tail-decided-otherwise",
        "What a marker's repeat leads to depends on what is unconfirmed.",
        instead(PartitionDecider, "_repeated_by_policy", _by_what_is_unconfirmed),
        ("was lost and is decided otherwise", "was decided otherwise"),
        config=CUT_DUES,
        seeds=range(138, 142),
    ),
    Plant(
        "displaced-commands-forgotten",
        "A repair fills what is missing and forgets what came to stand at decided positions.",
        instead(Inspection, "found", _without_displaced),
        ("nothing says so", "that is no cut tail", "never asked again", "not at rest", "nobody answered"),
        config=COMMANDS_CUT,
    ),
    Plant(
        "commits-kept-after-lost-commands",
        "A policy group goes on from its commits although commands that it had stored are lost.",
        instead(Disasters, "_begin_policies_anew", lambda _real: lambda _self, _service: None),
        (
            "never asked again",
            "is held for nothing",
            "never ends",
            "not at rest",
            "never credited",
            "clearing:",
            "repeats what was never decided",
        ),
        config=COMMANDS_CUT,
        seeds=range(24),
    ),
    Plant(
        "positions-not-compared",
        "A zombie's transaction is carried out although the view has gone on.",
        instead(ProjectorActor, "_is_unmoved", lambda _real: lambda _self, _folded: True),
        ("live", "the view says", "in buckets", "the ledger's side is", "accounts have"),
        config=UNHEARD,
    ),
    Plant(
        "unknown-commit-repeated",
        "A transaction whose end is unknown is carried out once more.",
        instead(ProjectorActor, "_try_to_commit", _carried_out_once_more),
        ("live", "the view says", "in buckets", "the ledger's side is", "accounts have"),
        config=UNHEARD,
    ),
    Plant(
        "store-of-other-states",
        "A store is opened whatever shape its states have.",
        instead(store, "schema_name", lambda _real: lambda _aggregates: "any"),
        ("internal refusals", "Undecodable", "refuses a policy's", "has a history", "only an open listing"),
        config=RESHAPED,
        seeds=range(1, 8),
    ),
    Plant(
        "marker-phase-skipped",
        "Misses are judged before the phase in which the debits' answers arrive.",
        instead(day, "PHASES", _without_the_third),
        ("is judged", "in silence", "misses", "phase 3 done"),
        config=DUES,
    ),
)
