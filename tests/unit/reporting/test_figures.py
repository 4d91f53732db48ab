"""Every figure of the registry is asked for on a platform that has lived for a month: it is the sum of its rows."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

from libs.events.records import parse_decision
from services.reporting.figures import FIGURES
from tests.figures import LISTS, asked
from tests.unit.access.platform import Platform, running_platform
from tests.unit.access.settlers import Settlement, settle

#: One platform for the module: settling it takes longer than asking.
pytestmark = pytest.mark.asyncio(loop_scope="module")

#: What is zero in this town, where no saga is open.
ZERO = {"in_clearing", "written_off_principal", "losses_left", "losses_recovered"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settlement]:
    """Two customers with one of everything."""
    async with running_platform(tmp_path_factory.mktemp("town")) as platform:
        yield await settle(platform)


async def test_every_figure_is_the_sum_of_its_rows_down_to_their_events(town: Settlement) -> None:
    """Of parts, for every part there is; each row's events stand in the log."""
    addresses = _addresses(town.platform)
    values: dict[str, int] = {}
    for figure in FIGURES:
        names = [figure.name]
        if figure.of:
            names = asked(figure, await shown(town.platform, LISTS[figure.view]))
        for name in names:
            values[name], rows = await value_and_rows(town.platform, name)
            assert values[name] == sum(row["value"] for row in rows), name
            assert all(row["events"] and {*row["events"]} <= addresses for row in rows), name
    nonzero = {name.split(":")[0] for name, value in values.items() if value}
    assert nonzero == {figure.name for figure in FIGURES} - ZERO
    counted = {name: value for name, value in values.items() if name.startswith(("funnel", "pipeline"))}
    assert counted == {
        "funnel_registered": 4,
        "funnel_verified": 4,
        "funnel_assessed": 4,
        "funnel_topped_up": 3,
        "funnel_bid": 3,
        "funnel_funded": 3,
        **{
            f"pipeline:{stage}": 4
            for stage in (
                "submitted",
                "interviewed",
                "eligible",
                "investigated",
                "agreed",
                "approved",
                "accepted",
                "listable",
            )
        },
        **{f"pipeline:{end}": 0 for end in ("declined", "rejected", "terms_declined", "lapsed")},
    }


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("bucket_principal:$ne", "unknown_bucket"),
        ("bucket_principal:", "unknown_bucket"),
        ("bucket_principal:M99", "unknown_bucket"),
        ("late_principal_of_region:nowhere", "unknown_region"),
        ("late_principal_of_product:{product}", "unknown_product"),
        ("segment_principal:CN-31:credit:$gt", "unknown_segment"),
        ("available_of_account:acc_nobody", "unknown_account"),
        ("held_of_account:available", "unknown_account"),
        ("open_cases_of_stage:$where", "unknown_stage"),
        ("pipeline:$ne", "unknown_stage"),
        ("pipeline:approved.x", "unknown_stage"),
        ("pipeline:registered", "unknown_stage"),
        ("pipeline", "unknown_figure"),
        ("funnel_lucky", "unknown_figure"),
    ],
)
async def test_what_nothing_is_known_of_is_refused_by_its_name(
    town: Settlement, name: str, code: str
) -> None:
    """A part that the platform has never seen, and one that no part can look like, are the same: not there."""
    answer = await ask(town.platform, f"/reporting/figures/{quote(name)}")
    assert (answer.status_code, answer.json()["type"]) == (404, f"urn:loanstream:problem:{code}")


async def ask(platform: Platform, path: str) -> Any:
    """A GET of an analyst."""
    return await platform.ask("GET", path, "stf_ana", ("analyst",))


async def shown(platform: Platform, path: str) -> Any:
    """The JSON of a GET that must succeed."""
    answer = await ask(platform, path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def value_and_rows(platform: Platform, name: str) -> tuple[int, list[Any]]:
    """A figure with all of its rows."""
    rows: list[Any] = []
    path = query = f"/reporting/figures/{quote(name)}?limit=3"
    while True:
        page = await shown(platform, query)
        rows += page["rows"]
        if page["next"] is None:
            return page["value"], rows
        query = f"{path}&cursor={page['next']}"


def _addresses(platform: Platform) -> set[str]:
    """Where the log's events stand, under the names by which views know them."""
    return {
        f"{place.topic.split('.')[-2]}/{place.partition}/{raw.headers['position'].decode()}/{index}"
        for place, raw in platform.world.log.order
        if place.topic.endswith(".events")
        for index in range(len(parse_decision(raw.value).events))
    }
