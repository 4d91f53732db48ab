"""A machine that runs out of memory while it decides: the process dies, and nothing of that is ever told as a refusal."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from libs.runtime.service import Service

_Decide = Callable[[Any, Any, Any], Any]


def starving(service: Service, rng: Random, chance: Callable[[], float]) -> Service:
    """The service on such a machine; `chance()` is per decision of an aggregate."""

    def starved(decide: _Decide) -> _Decide:
        def decide_or_die(command: Any, state: Any, context: Any) -> Any:
            if rng.random() < chance():
                raise MemoryError
            return decide(command, state, context)

        return decide_or_die

    aggregates = tuple(
        replace(aggregate, decide=starved(aggregate.decide)) for aggregate in service.aggregates
    )
    return replace(service, aggregates=aggregates)
