"""Of a pair of replicas both may act for a while: asked at each take-over, because a fault that no seed injects proves nothing."""

from collections.abc import Iterable

from tools.simulator.deciding import DeciderActor
from tools.simulator.policing import PolicyActor


def another_decides(successor: DeciderActor, actors: Iterable[object]) -> bool:
    """Whether somebody else decides the partition that this one has taken over."""
    return any(
        isinstance(actor, DeciderActor)
        and actor is not successor
        and actor.events == successor.events
        and actor.role.decides
        for actor in actors
    )


def another_sends(successor: PolicyActor, partition: int, actors: Iterable[object]) -> bool:
    """Whether somebody else sends for the source partition that this one has taken over."""
    return any(
        isinstance(actor, PolicyActor)
        and actor is not successor
        and actor.group == successor.group
        and actor.sends(partition)
        for actor in actors
    )
