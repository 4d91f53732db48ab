"""What leaves the log as CloudEvents: every accepted event once, in order, under its address."""

import json
from pathlib import Path
from typing import Any

import pytest

from libs.runtime import export as exporting
from libs.runtime.cloud_events import CloudEvent
from libs.runtime.errors import OperatorError
from libs.runtime.handing_out import new_file
from libs.runtime.settings import Settings
from tests.conftest import MakeSettings
from tests.unit.runtime.sealed import LOG_ID, SealedLog


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    """Settings of one partition, with an address that nobody asks."""
    return make_settings(kafka="127.0.0.1:1", log_id=LOG_ID, partitions=1)


@pytest.fixture
def held(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> SealedLog:
    """A log of five decided commands."""
    log = SealedLog(settings)
    for number in range(5):
        log.decide(f"c{number}".encode())
    log.serve(monkeypatch, exporting)
    return log


async def exported(
    settings: Settings, service: str | None = "bidding", **options: Any
) -> list[dict[str, Any]]:
    """The lines that an export writes."""
    lines: list[bytes] = []
    report = await exporting.export(settings, service, lines.append, **options)
    assert report.events == len(lines)
    return [json.loads(line) for line in lines]


async def test_every_event_is_a_cloud_event_under_its_address(settings: Settings, held: SealedLog) -> None:
    """The required attributes are there, extensions have names that CloudEvents allows, nothing is null."""
    events = await exported(settings)
    assert [event["id"] for event in events] == [f"bidding/0/{number}/0" for number in range(5)]
    for event in events:
        assert CloudEvent.model_validate(event).specversion == "1.0"
        assert (event["type"], event["source"]) == ("system.CommandHadNoEffect.v1", "/loanstream/bidding")
        assert event["time"] == "2024-03-15T10:30:00+00:00"
        assert event["commandid"].startswith("id-")
        assert all(name.isalnum() and name.islower() for name in event)
        assert None not in event.values()
    assert "subject" not in events[0]


async def test_positions_are_chosen_with_both_ends(settings: Settings, held: SealedLog) -> None:
    """--from 1 --to 3 gives the positions 1, 2 and 3."""
    assert [event["id"] for event in await exported(settings, first=1, last=3)] == [
        "bidding/0/1/0",
        "bidding/0/2/0",
        "bidding/0/3/0",
    ]


async def test_what_the_chain_does_not_accept_is_not_exported(settings: Settings, held: SealedLog) -> None:
    """A repeated and a foreign record are passed over and counted."""
    held.seal_again(4, b"another answer")  # the position is taken
    held.seal_again(1, b"late")
    report = await exporting.export(settings, None, lambda _line: None)
    assert (report.events, report.decisions, report.passed_over) == (5, 5, 2)


async def test_progress_ends_at_the_end(settings: Settings, held: SealedLog) -> None:
    """The bar is full when the last partition was read."""
    told: list[tuple[int, int, str]] = []
    await exported(settings, progress=lambda *step: told.append(step))
    assert told[-1] == (5, 5, "bidding/0")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"service": "reporting"}, "reporting owns no topics: choose from"),
        ({"first": 3, "last": 2}, "No position lies from 3 to 2"),
    ],
)
async def test_a_wrong_choice_is_a_sentence(settings: Settings, options: dict[str, Any], says: str) -> None:
    """A service without a log and a range without positions are refused before anything is written."""
    with pytest.raises(OperatorError, match=says):
        await exported(settings, **options)


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """What ends in the middle leaves nothing behind, and nobody's file is overwritten."""
    path = tmp_path / "out.jsonl"

    def half() -> None:
        with new_file(path) as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert list(tmp_path.iterdir()) == []
    with new_file(path) as file:
        file.write(b"all")
    assert path.read_bytes() == b"all"
    with pytest.raises(OperatorError, match="exists already"), new_file(path):
        raise AssertionError("never entered")
