"""What a service gives the runtime: its aggregates, policies, sagas, views and routes, all declared, nothing running."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from libs.events.deciding import Aggregate
from libs.events.records import RecordedEvent
from libs.events.sagas import Saga, Send
from libs.events.views import Figure, View

if TYPE_CHECKING:
    from libs.runtime.http import ServiceRouter
    from libs.runtime.process import Role
    from libs.runtime.settings import Settings

Policy = Callable[[RecordedEvent], Sequence[Send]]


@dataclass(frozen=True, slots=True)
class Service:
    """One service. `policies` has one entry per source service whose events it reads (itself included).

    `rules` is raised by hand whenever deciding changes, so a replica with older rules can be told (design.md 2.4).
    `router` builds its HTTP routes; it is a function so that processes without the api role never import the web room. `courier`
    makes, likewise, the role that takes its requests to somebody outside, where it has such a one.
    """

    name: str
    rules: int = 1
    aggregates: tuple[Aggregate, ...] = ()
    policies: Mapping[str, Policy] = field(default_factory=dict)
    sagas: tuple[Saga, ...] = ()
    views: tuple[View, ...] = ()
    figures: tuple[Figure, ...] = ()
    router: "Callable[[], ServiceRouter] | None" = None
    courier: "Callable[[Settings], Role] | None" = None


def load_services(profile: str) -> dict[str, Service]:
    """Every installed service, built for a rule profile, by name: found by entry point, so libs import no service."""
    points = sorted(entry_points(group="loanstream.services"), key=lambda point: point.name)
    return {point.name: point.load()(profile) for point in points}
