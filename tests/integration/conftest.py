"""A toy service on the real parts: its topics, a log written by hand, its views."""

from collections.abc import AsyncIterator

import pytest

from deploy.local.parts import Parts
from libs.runtime.kafka import LogWriter
from libs.runtime.mongo import Database
from libs.runtime.settings import Settings
from libs.runtime.views import Views
from tests.conftest import MakeSettings
from tests.integration.chained_log import LOG_ID, ChainedLog, make_topics


@pytest.fixture
async def toy_settings(parts: Parts, make_settings: MakeSettings) -> Settings:
    """Settings of this test on the real parts, with the toy service's topics."""
    made = make_settings(kafka=parts.kafka, mongo=parts.mongo, log_id=LOG_ID)
    await make_topics(made)
    return made


@pytest.fixture
async def toy_log(toy_settings: Settings) -> AsyncIterator[ChainedLog]:
    """A decision log to write by hand."""
    writer = LogWriter(toy_settings.require_kafka(), client_id="chained-log", linger_ms=2)
    await writer.start()
    yield ChainedLog(toy_settings, writer)
    await writer.stop()


@pytest.fixture
async def toy_database(toy_settings: Settings) -> AsyncIterator[Database]:
    """The test's database, for looking."""
    opened = Database.connect(toy_settings)
    yield opened
    await opened.close()


@pytest.fixture
async def toy_views(toy_database: Database) -> Views:
    """What the API would read."""
    return Views(toy_database)
