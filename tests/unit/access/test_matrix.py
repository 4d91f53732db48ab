"""API1 and API5 (quality.md section 6): the matrix route x role x own/other has no leak, and no route is without a scope."""

import sys
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.unit.access.matrix import matrix
from tests.unit.access.platform import running_platform
from tests.unit.access.settlers import Settlement, settle

#: One platform for the module: settling it takes longer than asking.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settlement]:
    """The platform after a month in which everything has happened once to each of two customers."""
    async with running_platform(tmp_path_factory.mktemp("town")) as platform:
        yield await settle(platform)


async def test_nobody_sees_or_moves_what_is_not_his(town: Settlement) -> None:
    """Every route, asked by every role about own and other people's things: leaks 0, routes without scope 0."""
    report = await matrix(town, town.platform.apps)
    sys.stdout.write(report.summary() + "\n")
    assert not report.missing, "\n".join(report.missing)
    assert not report.unscoped
    assert not report.leaks, "\n".join(map(str, report.leaks))
