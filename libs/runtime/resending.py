"""`loanstream resend`: what an earlier release's policies made no command of is asked for now, from the log.

A policy group reads each event once, so a step that a later release adds never hears of what happened before it. An operator names the
command, and the events that its group has done with are asked once more what they make. Ids derive from events as the policy's own do, so
whatever was ever decided, also refused, is not sent: asked twice it is decided once.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass

from libs.events.codec import name_of
from libs.events.records import RecordedEvent, recorded_events
from libs.runtime.decision import source_from
from libs.runtime.errors import OperatorError
from libs.runtime.following import Follower
from libs.runtime.policing import envelope_of, group_name, sends_of
from libs.runtime.retrying import Order, Progress, Retried, order_again, send_orders
from libs.runtime.service import Policy, Service
from libs.runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class _Decided:
    """What a service's log says of its policies' commands: the ids that were decided, and below which position each source partition
    is done with. `followers` of its partitions have read that far."""

    ids: Mapping[bytes, None]
    below: Mapping[tuple[str, int], int]
    followers: Mapping[int, Follower]


async def resend(
    settings: Settings,
    services: Sequence[Service],
    name: str,
    command_type: str,
    progress: Progress = lambda *_: None,
) -> list[Retried]:
    """Send each command of a type (`bidding.RecordDeathFlag`) that a service's policies make of the log's events, where it was never
    decided.

    Nothing where all of them were, or no event asks for one. Raises OperatorError for a service without policies, for a command that none of
    them sends, and where a policy raises; LogUnavailable.
    """
    service = next((each for each in services if each.name == name and each.policies), None)
    if service is None:
        raise OperatorError(f"{name} has no policies: see docs/sagas.md.")
    sendable = sendable_of(service)
    if command_type not in sendable:
        raise OperatorError(
            f"No policy of {name} sends {command_type}. They send " + ", ".join(sendable) + "."
        )
    progress(0, 2, f"reading what {name} has decided")
    decided = await _decided(settings, name)
    progress(1, 2, "reading the events of " + ", ".join(sorted(service.policies)))
    orders: list[Order] = []
    for source, policy in sorted(service.policies.items()):
        group = group_name(name, source)
        for partition in range(settings.partitions):
            async for event in _events(settings, source, partition, decided.below.get((group, partition), 0)):
                orders += [
                    order
                    for order in _orders(group, policy, event)
                    if order.envelope.type == command_type and not _is_decided(order, decided)
                ]
    return await send_orders(settings, name, orders, progress, decided.followers)


def sendable_of(service: Service) -> tuple[str, ...]:
    """What a service's policies may send, as its sagas' tables say, in the order of the names."""
    kinds = {kind for saga in service.sagas for step in saga.steps for kind in (step.send, step.compensation)}
    return tuple(sorted(name_of(kind) for kind in kinds if kind is not None))


def _orders(group: str, policy: Policy, event: RecordedEvent) -> list[Order]:
    try:
        sends = sends_of(policy, event)
    except (MemoryError, RecursionError, OSError):
        raise
    except Exception as error:
        raise OperatorError(
            f"The policy {group} raises {type(error).__name__} on {event.address}: see `loanstream parked list`."
        ) from error
    return [order_again(envelope_of(group, event, send)) for send in sends]


def _is_decided(order: Order, decided: _Decided) -> bool:
    ids = (order.envelope.command_id, order.replaces)
    return any(each.encode() in decided.ids for each in ids)


async def _decided(settings: Settings, name: str) -> _Decided:
    ids: dict[bytes, None] = {}
    below: dict[tuple[str, int], int] = {}
    followers = {partition: Follower(settings, name, partition) for partition in range(settings.partitions)}
    for follower in followers.values():
        async for raw in follower.accepted():
            ids[raw.headers.get("command-id", b"")] = None
            mark = source_from(raw.headers)
            if mark is not None:
                key = (mark.key.group, mark.key.partition)
                below[key] = max(below.get(key, 0), mark.below)
    return _Decided(ids, below, followers)


async def _events(
    settings: Settings, source: str, partition: int, below: int
) -> AsyncGenerator[RecordedEvent]:
    """The events of a source partition that its group has done with. What it has in hand it sends itself."""
    follower = Follower(settings, source, partition)
    async for raw in follower.accepted():
        position = follower.chain.head.position
        if position >= below:
            continue
        events, undecodable = recorded_events(raw, service=source, partition=partition, position=position)
        for event in events:
            if event.index in undecodable:
                raise OperatorError(
                    f"This release cannot read the event {event.address} ({undecodable[event.index]})."
                )
            yield event
