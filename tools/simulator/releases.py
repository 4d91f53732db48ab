"""Releases that live side by side: one refuses what the other takes, one keeps its states in another shape.

They decide under other `rules` numbers where their decisions differ, as whoever changes deciding has to see to.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

from libs.events.codec import record
from libs.events.deciding import Aggregate, Context, Refused
from libs.runtime import store
from libs.runtime.service import Service
from tools.simulator import fault_names as names
from tools.simulator.config import Config


class Releases:
    """Which releases of the services follow each other in a run."""

    def __init__(self, config: Config, services: Mapping[str, Service], happened: Counter[str]) -> None:
        self._config = config
        self._happened = happened
        self._made: dict[tuple[str, bool, bool], Service] = {}
        self._services = services
        self._schemas: dict[int, tuple[tuple[Aggregate, ...], str]] = {}
        """By identity: an aggregate's first state may be one that has no hash."""

    def after(self, service: Service, rng: Random) -> Service:
        """What a successor runs: now and then another release."""
        rules, other_states = (
            service.rules,
            service.aggregates[0].state is _kept(self._services[service.name].aggregates[0].state),
        )
        if self._config.new_release:
            self._happened[names.NEWER_RULES] += 1
            rules += 1
        if self._config.other_states:
            other_states ^= rng.random() < 0.5
        base = self._services[service.name]
        return replace(self._release(base, rules % 2 != base.rules % 2, other_states), rules=rules)

    def schema(self, service: Service) -> str:
        """The name of its stores, as the platform makes it; others are dropped."""
        if not self._config.other_states:
            return ""
        aggregates = service.aggregates
        known, name = self._schemas.get(id(aggregates), (None, ""))
        if known is None:
            name = store.schema_name(aggregates)
            self._schemas[id(aggregates)] = aggregates, name
        return name

    def _release(self, base: Service, refuses: bool, other_states: bool) -> Service:
        key = base.name, refuses, other_states
        if key not in self._made:
            made = refusing(base, self._happened) if refuses else base
            self._made[key] = with_other_states(made) if other_states else made
        return self._made[key]


#: Of a thousand commands of people, how many the refusing release refuses: those sent in these milliseconds of a second.
_REFUSED_MS = range(40)


def refusing(service: Service, happened: Counter[str]) -> Service:
    """The service as a release that refuses some of people's commands, always the same ones."""

    def refused(decide: Callable[[Any, Any, Context], Any]) -> Callable[[Any, Any, Context], Any]:
        def decide_or_refuse(command: Any, state: Any, context: Context) -> Any:
            if context.principal.startswith("usr_") and context.at.microsecond // 1000 in _REFUSED_MS:
                happened[names.OTHER_DECISIONS] += 1
                raise Refused("closed_in_this_release")
            return decide(command, state, context)

        return decide_or_refuse

    return replace(
        service,
        aggregates=tuple(replace(one, decide=refused(one.decide)) for one in service.aggregates),
    )


def with_other_states(service: Service) -> Service:
    """The service as a release whose states have another shape: it cannot read the other's store, nor the other its own."""
    return replace(service, aggregates=tuple(map(_reshaped, service.aggregates)))


def _reshaped(aggregate: Aggregate) -> Aggregate:
    kept = _kept(aggregate.state)
    return replace(
        aggregate,
        state=kept,
        initial=kept(kept=aggregate.initial),
        decide=lambda command, state, context: aggregate.decide(command, state.kept, context),
        evolve=lambda state, event: kept(kept=aggregate.evolve(state.kept, event)),
        wake_on=lambda state: aggregate.wake_on(state.kept),
    )


@cache
def _kept(state: Any) -> Any:
    """A state of another shape: the usual one in a field."""
    return record(type("Kept", (), {"__annotations__": {"kept": state}, "__doc__": "A state."}))
