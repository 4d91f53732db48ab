"""What a process says of itself to a supervisor: it lives, and whether every role of it is of use."""

import httpx
import pytest
from fastapi import FastAPI

from libs.runtime.health import add_health


class Job:
    """A role that says what it is told to."""

    def __init__(self, reason: str = "", note: str = "") -> None:
        self.reason = reason
        self.note = note

    def ready(self) -> tuple[bool, str]:
        """See Role."""
        return not self.reason, self.reason or self.note


@pytest.fixture
def jobs() -> dict[str, Job]:
    """The roles of a process, all ready."""
    return {"policy": Job(), "decider": Job()}


async def get(jobs: dict[str, Job], path: str) -> httpx.Response:
    """A GET to the health of a process with these roles."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    add_health(app, jobs)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://health") as http:
        return await http.get(path)


async def test_a_process_is_ready_when_all_its_roles_are(jobs: dict[str, Job]) -> None:
    """The roles are named, so that a person sees what runs here."""
    answer = await get(jobs, "/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "roles": ["decider", "policy"]})


async def test_what_keeps_no_role_from_its_work_is_said_all_the_same(jobs: dict[str, Job]) -> None:
    """A role that is of use and waits for something names it, and the process is ready: starting it anew would not help."""
    jobs["policy"].note = "reconciler waits for 2024-03-11 file_not_ready"
    answer = await get(jobs, "/readyz")
    assert (answer.status_code, answer.json()["notes"]) == (200, {"policy": jobs["policy"].note})


async def test_not_ready_names_every_role_and_its_reason(jobs: dict[str, Job]) -> None:
    """One role that is not of use makes the process not_ready, 503, and says why; the process lives all the same."""
    jobs["policy"].reason = "bidding-reads-repayment is resuming"
    answer = await get(jobs, "/readyz")
    assert (answer.status_code, answer.json()) == (
        503,
        {
            "type": "urn:loanstream:problem:not_ready",
            "title": "Not ready",
            "status": 503,
            "errors": [{"pointer": "policy", "detail": "bidding-reads-repayment is resuming"}],
        },
    )
    assert (await get(jobs, "/healthz")).json() == {"status": "ok"}


async def test_the_alarms_are_among_the_metrics(jobs: dict[str, Job]) -> None:
    """What an alarm is set on is exported under its name."""
    text = (await get(jobs, "/metrics")).text
    names = (
        "partition_halted",
        "commands_lost",
        "parked_total",
        "policy_restarts_total",
        "policy_age_seconds",
    )
    assert [name for name in names if f"# HELP loanstream_{name} " not in text] == []
