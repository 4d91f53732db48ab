"""Which views stand on a timeline that the log has lost: found before they are fed, so that they are built anew."""

import asyncio
from collections.abc import Sequence

import structlog

from libs.events.topics import events_topic
from libs.runtime.checkpoint import is_held
from libs.runtime.generations import Pointer
from libs.runtime.kafka import Place
from libs.runtime.mongo import Database
from libs.runtime.settings import Settings

log = structlog.get_logger()


async def lost_views(settings: Settings, database: Database, pointers: Sequence[Pointer]) -> frozenset[str]:
    """The names of views with a triple that the log does not hold. Raises LogUnavailable, DatabaseError."""
    views = {pointer.key: pointer.view for pointer in pointers}
    positions = await database.positions(list(views))
    wanted = {
        (Place(events_topic(where.service, settings.topic_prefix), where.partition), triple)
        for triples in positions.values()
        for where, triple in triples.items()
        if triple.offset >= 0 and where.partition < settings.partitions
    }
    ordered = sorted(wanted, key=lambda each: (each[0], each[1].offset))
    held = await asyncio.gather(*(is_held(settings.require_kafka(), *each) for each in ordered))
    gone = {each for each, is_there in zip(ordered, held, strict=True) if not is_there}
    lost = frozenset(
        views[key]
        for key, triples in positions.items()
        for where, triple in triples.items()
        if (Place(events_topic(where.service, settings.topic_prefix), where.partition), triple) in gone
    )
    if lost:
        log.warning(
            "timeline_lost", views=sorted(lost), cause="the log was cut or replaced: they are built anew"
        )
    return lost
