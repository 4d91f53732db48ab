"""A simulated platform has nothing to tell an operator."""

from collections.abc import Iterator

import pytest
import structlog

from tools.simulator.search import quiet


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    quiet()
    yield
    structlog.reset_defaults()
