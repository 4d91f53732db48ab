"""What is away is given up in time and told in words."""

import socket
import time
from collections.abc import Awaitable, Callable

import pytest
from pymongo.errors import OperationFailure, ServerSelectionTimeoutError

from libs.runtime import kafka
from libs.runtime.errors import OperatorError, the_one_to_tell
from libs.runtime.generations import DatabaseUnavailable
from libs.runtime.kafka import LogReader, LogUnavailable, LogWriter, OffsetMissing, describe_topics
from libs.runtime.outages import sentence_of


@pytest.mark.parametrize("what", ["reader", "writer", "topics"])
async def test_a_silent_broker_is_given_up(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """One that takes the connection and says nothing costs the limit, not the client's own 40 seconds."""
    monkeypatch.setattr(kafka, "CONNECT_LIMIT_S", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        bootstrap = f"127.0.0.1:{silent.getsockname()[1]}"
        started = time.monotonic()
        connect: dict[str, Callable[[], Awaitable[object]]] = {
            "reader": LogReader(bootstrap, client_id="c").start,
            "writer": LogWriter(bootstrap, client_id="c").start,
            "topics": lambda: describe_topics(bootstrap, ["t"]),
        }
        with pytest.raises(LogUnavailable, match="says nothing"):
            await connect[what]()
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            OffsetMissing("partition 3 at 17"),
            "The log ends before what was read of it (partition 3 at 17): its tail",
        ),
        (
            LogUnavailable("KafkaConnectionError: Unable to bootstrap from [('h', 1)]"),
            "(KafkaConnectionError: Unable to bootstrap)",
        ),
        (
            ServerSelectionTimeoutError("h:1: refused (configured timeouts: 5 s)"),
            "MongoDB cannot be used (h:1: refused)",
        ),
        (OperationFailure("not authorized", 13, {"secret": 1}), "MongoDB cannot be used (not authorized)"),
        (DatabaseUnavailable(""), "MongoDB cannot be used (DatabaseUnavailable)"),
        (NotADirectoryError(20, "Not a directory", "/x/y"), "refuses /x/y (Not a directory)"),
        (
            ExceptionGroup("g", [ExceptionGroup("h", [LogUnavailable("gone")])]),
            "broker cannot be used (gone)",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_away_is_named(error: Exception, says: str) -> None:
    """Which part, why in the client's words without their tails, and what to do."""
    sentence = sentence_of(error)
    assert sentence is not None
    assert says in sentence
    assert "\n" not in sentence


def test_an_error_of_the_code_stays_one() -> None:
    """A bug is no outage: it keeps its traceback."""
    assert sentence_of(KeyError("x")) is None
    assert sentence_of(OperatorError("said already")) is None


def test_of_many_errors_the_operators_is_told() -> None:
    """Roles that fall together give one reason: the sentence for a person, else the first."""
    first, sentence = ValueError("a"), OperatorError("b")
    assert the_one_to_tell(ExceptionGroup("g", [first, ExceptionGroup("h", [sentence])])) is sentence
    assert the_one_to_tell(ExceptionGroup("g", [first, KeyError("c")])) is first
