"""`loanstream sagas`: what was begun and is not ended, oldest first, from the views `<service>.sagas`.

A saga that stays open is money or a person that waits, although nothing failed: nobody else would say so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

from libs.events.topics import DECIDING_SERVICES
from libs.runtime.errors import OperatorError
from libs.runtime.mongo import Database
from libs.runtime.settings import Settings
from libs.runtime.views import ViewMissing, Views

_PAGE = 200


@dataclass(frozen=True, slots=True)
class OpenSaga:
    """One open saga. `opened_at` and `age` are None where the event that opened it carries no time."""

    service: str
    name: str
    key: str
    opened_by: str
    opened_at: datetime | None
    age: timedelta | None


class Pages(Protocol):
    """What is asked of the views."""

    async def page(
        self, view: str, *, where: dict[str, Any], after: str | None, limit: int
    ) -> tuple[list[dict[str, Any]], str | None]:
        """See Views."""


async def list_open(settings: Settings, service: str | None) -> list[OpenSaga]:
    """The open sagas of one service or of all. Raises OperatorError: unknown service, a view that is not built."""
    if service is not None and service not in DECIDING_SERVICES:
        raise OperatorError(f"{service} has no sagas: choose from {', '.join(DECIDING_SERVICES)}.")
    database = Database.connect(settings)
    try:
        return await open_in(Views(database), (service,) if service else DECIDING_SERVICES, datetime.now(UTC))
    finally:
        await database.close()


async def open_in(views: Pages, services: Sequence[str], now: datetime) -> list[OpenSaga]:
    """The open sagas of some services: those of unknown age first, then the oldest. Raises OperatorError."""
    found: list[OpenSaga] = []
    for service in services:
        after: str | None = None
        while True:
            try:
                page, after = await views.page(
                    f"{service}.sagas", where={"closed_at": None}, after=after, limit=_PAGE
                )
            except ViewMissing:
                raise OperatorError(
                    f"The view {service}.sagas is not built yet: start the projector "
                    "(`loanstream run all --roles projector`)."
                ) from None
            found += [_open(service, document, now) for document in page if document.get("opened_at")]
            if after is None:
                break
    return sorted(
        found, key=lambda saga: (saga.age is not None, -(saga.age or timedelta()), saga.service, saga.key)
    )


def _open(service: str, document: dict[str, Any], now: datetime) -> OpenSaga:
    """From a document: the first event that opened it counts."""
    times = {event: _moment(text) for event, text in document["opened_at"].items()}
    event = min(times, key=lambda name: (times[name] is None, times[name] or now, name))
    at = times[event]
    return OpenSaga(service, document["saga"], document["key"], event, at, None if at is None else now - at)


def _moment(text: str) -> datetime | None:
    """A time as the view keeps it: a moment, the beginning of a business date, or nothing."""
    if not text:
        return None
    if "T" in text:
        return datetime.fromisoformat(text)
    return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
