"""What every test may ask for: settings of its own, and a real broker and database started once per run.

No test skips for want of a broker. `parts` starts on first use only, so unit tests never pay for it.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import hypothesis
import pytest

from deploy.local.parts import Parts, make_parts
from libs.runtime.identity import ensure_identity
from libs.runtime.settings import Settings, load_settings
from tests.warm import warm

# The same examples on every machine, and no time limit per example: a slow build server is no failure of the code.
hypothesis.settings.register_profile("house", derandomize=True, deadline=None)
hypothesis.settings.load_profile("house")

MakeSettings = Callable[..., Settings]


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """Kafka and MongoDB for the whole run: those of LOANSTREAM_KAFKA / LOANSTREAM_MONGO, else started here.

    Whoever asks for them may start service processes, and gets them warm.
    """
    running = make_parts(load_settings(tmp_path_factory.mktemp("parts")))
    with warm(tmp_path_factory.mktemp("warm")):
        running.start()
        yield running
        running.check()
        running.stop()


@pytest.fixture
def make_settings(tmp_path: Path) -> MakeSettings:
    """A factory of settings that share nothing with another test: data directory, topics, database and secrets.

    `make_settings(kafka=parts.kafka, mongo=parts.mongo)` gives settings for the real parts. Two calls in one test give
    the same isolation, so that two processes of one test can meet; pass `topic_prefix` and `mongo_database` to differ.
    """
    name = uuid4().hex[:12]

    def make(**overrides: Any) -> Settings:
        isolated: dict[str, Any] = {"topic_prefix": f"t{name}.", "mongo_database": f"test_{name}"}
        return ensure_identity(load_settings(tmp_path / "data", **{**isolated, **overrides}))

    return make
