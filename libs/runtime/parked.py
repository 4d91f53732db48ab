"""`loanstream parked list|show`: refusals that nobody expected, and the bytes of the commands that met them.

The list is the view `<service>.parked`; the bytes are where they always were, in `S.commands` at the same position.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from libs.events.codec import Undecodable, parse_json
from libs.events.topics import DECIDING_SERVICES, commands_topic
from libs.runtime.errors import OperatorError
from libs.runtime.kafka import Place, record_at
from libs.runtime.mongo import Database
from libs.runtime.service import Service
from libs.runtime.settings import Settings
from libs.runtime.views import ViewMissing, Views

_PAGE = 200


@dataclass(frozen=True, slots=True)
class Parked:
    """One parked decision: its address (`service/partition/position/index`) and what the view says of it."""

    ref: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ParkedCommand:
    """The record in `S.commands` behind a parked decision. `text` is its JSON, indented, or None where it is none."""

    topic: str
    partition: int
    position: int
    value: bytes
    text: str | None


async def list_parked(settings: Settings, services: Sequence[Service]) -> list[Parked]:
    """Everything that is parked in some services, in the order of their addresses. Raises OperatorError."""
    database = Database.connect(settings)
    try:
        views = Views(database)
        names = [service.name for service in services if service.name in DECIDING_SERVICES]
        return [entry for name in names for entry in await _of_service(views, name)]
    finally:
        await database.close()


async def _of_service(views: Views, service: str) -> list[Parked]:
    found: list[Parked] = []
    after: str | None = None
    while True:
        try:
            page, after = await views.page(f"{service}.parked", where={}, after=after, limit=_PAGE)
        except ViewMissing:
            raise OperatorError(
                f"The view {service}.parked is not built yet: start the projector (`loanstream run all --roles projector`)."
            ) from None
        found += [Parked(document.pop("_id"), document) for document in page]
        if after is None:
            return found


async def show_parked(settings: Settings, ref: str) -> ParkedCommand:
    """The command behind an address. Raises OperatorError for what is no address, LogUnavailable."""
    place, position = where(settings, ref)
    raw = await record_at(settings.require_kafka(), place, position)
    if raw is None:
        raise OperatorError(
            f"{place.topic}/{place.partition} holds no record at {position}: take the address from `parked list`."
        )
    try:
        text = json.dumps(parse_json(raw.value), indent=2, ensure_ascii=False)
    except Undecodable:
        text = None
    return ParkedCommand(place.topic, place.partition, position, raw.value, text)


def where(settings: Settings, ref: str) -> tuple[Place, int]:
    """Read `service/partition/position`, with or without the index of an event."""
    parts = ref.split("/")
    numbers = parts[1:]
    if parts[0] in DECIDING_SERVICES and len(parts) in (3, 4) and all(map(str.isdecimal, numbers)):
        partition, position = int(numbers[0]), int(numbers[1])
        if partition < settings.partitions:
            return Place(commands_topic(parts[0], settings.topic_prefix), partition), position
    raise OperatorError(
        f"{ref} is no address: write service/partition/position as `loanstream parked list` shows it."
    )
