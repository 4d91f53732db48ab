"""A program: one seed with all that decides, in which every decision is made twice, on its state and on that state reloaded.

It prints what a test compares between processes of other hash seeds: the log's digest, and who was asked how often.
"""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from libs.events.codec import decode, encode
from libs.events.deciding import Aggregate, Context, Refused
from libs.runtime.service import Service
from tools.simulator.config import Config
from tools.simulator.run import config_of, services, simulate
from tools.simulator.search import quiet


@dataclass(slots=True)
class Twice:
    """Makes aggregates decide twice and remembers where the two differed."""

    asked: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)

    def service(self, service: Service) -> Service:
        """The service, deciding twice."""
        return replace(
            service, aggregates=tuple(self._aggregate(service, each) for each in service.aggregates)
        )

    def _aggregate(self, service: Service, aggregate: Aggregate) -> Aggregate:
        def decide(command: Any, state: Any, context: Context) -> Sequence[Any]:
            stored = encode(aggregate.state, state)
            reloaded = decode(aggregate.state, stored)
            name = f"{service.name}.{aggregate.name}"
            self.asked[name] += 1
            first = self._answer(aggregate, command, state, context)
            second = self._answer(aggregate, command, reloaded, context)
            if encode(aggregate.state, reloaded) != stored or first != second:
                self.differences.append(f"{name}: {command} on {stored.decode()}")
            return aggregate.decide(command, state, context)

        return replace(aggregate, decide=decide)

    def _answer(self, aggregate: Aggregate, command: Any, state: Any, context: Context) -> list[bytes]:
        """What is decided, and each state that follows, as bytes."""
        try:
            events = aggregate.decide(command, state, context)
        except Refused as refused:
            return [refused.code.encode()]
        told: list[bytes] = []
        for event in events:
            state = aggregate.evolve(state, event)
            told += [encode(type(event), event), encode(aggregate.state, state)]
        return told


def lived_twice(seed: int, profile: str, config: Config) -> dict[str, Any]:
    """What the run of a seed shows; the same in every process."""
    twice = Twice()
    chosen = [twice.service(service) for service in services(thread_only=False, profile=profile)]
    report = simulate(seed, chosen, config)
    return {
        "digest": report.digest,
        "asked": dict(sorted(twice.asked.items())),
        "differences": twice.differences[:5],
    }


if __name__ == "__main__":
    quiet()
    number, name = int(sys.argv[1]), sys.argv[2]
    sys.stdout.write(json.dumps(lived_twice(number, name, config_of(number))) + "\n")
