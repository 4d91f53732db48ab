"""What was begun and is not ended: listed oldest first, from the views that keep it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from libs.runtime.errors import OperatorError
from libs.runtime.open_sagas import OpenSaga, list_open, open_in
from libs.runtime.settings import load_settings
from libs.runtime.telling import age, open_ones
from libs.runtime.views import ViewMissing

NOW = datetime(2024, 3, 15, 12, tzinfo=UTC)


class Pages:
    """Views of sagas, two documents a page."""

    def __init__(self, **documents: list[dict[str, Any]]) -> None:
        self._documents = {f"{service}.sagas": found for service, found in documents.items()}

    async def page(
        self, view: str, *, where: Mapping[str, Any], after: str | None, limit: int
    ) -> tuple[list[dict[str, Any]], str | None]:
        """See Views: equality, where None also means absent."""
        if view not in self._documents:
            raise ViewMissing(view)
        fitting = [
            document
            for document in self._documents[view]
            if all(document.get(name) == value for name, value in where.items())
        ]
        start = int(after or 0)
        end = start + min(2, limit)
        return fitting[start:end], str(end) if len(fitting) > end else None


def saga(key: str, opened: dict[str, str] | None, closed: dict[str, str] | None = None) -> dict[str, Any]:
    """A document of the view."""
    document: dict[str, Any] = {"_id": f"funding/{key}", "saga": "funding", "key": key}
    if opened is not None:
        document["opened_at"] = opened
    return document | ({"closed_at": closed} if closed else {})


async def test_open_sagas_are_listed_oldest_first() -> None:
    """Closed ones and those that were never opened are none; without a time the age is unknown, and comes first."""
    views = Pages(
        bidding=[
            saga("lst_1", {"ListingFull": "2024-03-15T11:00:00+00:00"}),
            saga(
                "lst_2",
                {"ListingFull": "2024-03-14T00:00:00+00:00"},
                {"LoanFunded": "2024-03-14T00:00:01+00:00"},
            ),
            saga("lst_3", None, {"LoanFunded": "2024-03-14T00:00:00+00:00"}),
            saga("lst_4", {"B": "2024-03-15T09:00:00+00:00", "A": "2024-03-15T08:30:00+00:00"}),
            saga("lst_5", {"ListingFull": ""}),
        ],
        repayment=[saga("loan_1", {"LoanOpened": "2024-03-13"})],
    )
    listed = await open_in(views, ("bidding", "repayment"), NOW)
    at = {hours: NOW - timedelta(hours=hours) for hours in (1.0, 3.5, 60.0)}
    assert listed == [
        OpenSaga("bidding", "funding", "lst_5", "ListingFull", None, None),
        OpenSaga("repayment", "funding", "loan_1", "LoanOpened", at[60.0], timedelta(hours=60)),
        OpenSaga("bidding", "funding", "lst_4", "A", at[3.5], timedelta(hours=3.5)),
        OpenSaga("bidding", "funding", "lst_1", "ListingFull", at[1.0], timedelta(hours=1)),
    ]
    screen = StringIO()
    Console(width=160, file=screen).print(open_ones(listed))
    rows = [line for line in screen.getvalue().splitlines() if "funding" in line]
    assert [row.split("│")[1].strip() for row in rows] == ["unknown", "2 d 12 h", "3 h 30 min", "1 h 0 min"]


async def test_a_view_that_is_not_built_is_an_operators_error() -> None:
    """An empty list would say that all is well."""
    with pytest.raises(OperatorError, match=r"bidding\.sagas is not built yet: start the projector"):
        await open_in(Pages(), ("bidding",), NOW)


async def test_only_services_that_decide_have_sagas() -> None:
    """A misspelt service is named, before MongoDB is asked."""
    with pytest.raises(OperatorError, match="biding has no sagas: choose from"):
        await list_open(load_settings(), "biding")


@pytest.mark.parametrize(
    ("passed", "told"),
    [
        (timedelta(seconds=-5), "0 min 0 s"),
        (timedelta(seconds=61), "1 min 1 s"),
        (timedelta(hours=1), "1 h 0 min"),
        (timedelta(days=400, minutes=90), "400 d 1 h"),
        (None, "unknown"),
    ],
)
def test_an_age_is_told_in_its_largest_units(passed: timedelta | None, told: str) -> None:
    """As much as a person needs to see what hangs."""
    assert age(passed) == told
