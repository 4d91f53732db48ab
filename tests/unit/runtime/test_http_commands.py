"""A person's POST: sent to the log, answered by the log, and answered the same for ever."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from structlog.testing import capture_logs

from libs.events.topics import commands_topic
from libs.runtime.kafka import Place
from libs.runtime.observability import REGISTRY
from services.bidding.app import build
from tests.unit.runtime.edge_world import World, running, until

DAY = date(2024, 3, 15)


@pytest.fixture
async def world(keys: Path) -> AsyncIterator[World]:
    """Bidding with an open day and ada's open account."""
    async with running(build("demo"), keys, decision_wait_s=0.2, stall_s=0.5) as running_world:
        running_world.open_day(DAY)
        opened = await post(running_world, "/bidding/accounts", key="open")
        assert opened.status_code == 201
        yield running_world


async def post(
    world: World, path: str, body: object = None, *, key: str = "k1", subject: str = "usr_ada", **headers: str
) -> httpx.Response:
    """A POST of a customer with a key."""
    token = world.token(subject, "account:own", "bid:own", "loan:own", "operator")
    return await world.http.post(
        path, json=body if body is not None else {}, headers=token | {"Idempotency-Key": key} | headers
    )


TOP_UPS = "/bidding/accounts/acc_ada/top-ups"


async def test_a_decision_is_the_answer(world: World) -> None:
    """What was decided in time comes back with 201, an id minted from the command, and where it stands in the log."""
    answer = await post(world, TOP_UPS, {"amount_fen": 5_000})
    command = world.commands()[-1]
    assert answer.status_code == 201
    assert answer.json() == {
        "id": f"top_{UUID(command['command_id']).hex}",
        "account_id": "acc_ada",
        "status": "requested",
        "amount_fen": 5_000,
    }
    assert answer.headers["Loanstream-Position"] in {"bidding/0=2", "bidding/1=2"}


async def test_the_command_says_who_and_what(world: World) -> None:
    """The envelope carries the principal of the token, a correlation, and the fingerprint of the body."""
    await post(world, TOP_UPS, {"amount_fen": 5_000})
    command = world.commands()[-1]
    assert (command["type"], command["stream_id"], command["principal"]) == (
        "bidding.RequestTopUp",
        "acc_ada",
        "usr_ada",
    )
    assert command["correlation_id"] == command["command_id"]
    assert len(command["fingerprint"]) == 64
    assert command["source"] is None


async def test_a_repeat_is_answered_with_the_same_bytes(world: World) -> None:
    """The same key and body give the same status and bytes, however often, from the log alone; one effect."""
    answers = [await post(world, TOP_UPS, {"amount_fen": 5_000}) for _ in range(3)]
    assert len({(answer.status_code, answer.content) for answer in answers}) == 1
    sent = world.commands()[1:]
    assert len(sent) == 3
    assert len({command["command_id"] for command in sent}) == 1


async def test_a_refusal_repeats_as_the_same_refusal(world: World) -> None:
    """A refused first answer is final for its key, even when the same wish would be granted now."""
    path, body = "/bidding/accounts/acc_ada/withdrawals", {"amount_fen": 100}
    first, second = await post(world, path, body), await post(world, path, body)
    assert first.status_code == second.status_code == 409
    assert first.content == second.content
    assert first.headers["content-type"] == "application/problem+json"
    assert first.json() == {
        "type": "urn:loanstream:problem:insufficient_available",
        "title": "Insufficient available",
        "status": 409,
    }


async def test_an_unchanged_wish_answers_unchanged(world: World) -> None:
    """A new key for what already holds is no second effect, and repeats as itself."""
    first = await post(world, "/bidding/accounts", key="again")
    second = await post(world, "/bidding/accounts", key="again")
    assert (first.status_code, first.json()) == (200, {"id": "acc_ada", "unchanged": True})
    assert first.content == second.content


async def test_a_key_with_another_body_is_refused(world: World) -> None:
    """The same key for another body is 422 and never gets the first body's answer; the first key's answer stays."""
    first = await post(world, TOP_UPS, {"amount_fen": 5_000})
    other = await post(world, TOP_UPS, {"amount_fen": 6_000})
    assert (other.status_code, other.json()["type"]) == (422, "urn:loanstream:problem:key_reused")
    assert (await post(world, TOP_UPS, {"amount_fen": 5_000})).content == first.content


async def test_a_key_counts_per_person_route_and_path(world: World) -> None:
    """The same key of another person, or at another address, is another command."""
    await post(world, "/bidding/accounts", subject="usr_bob", key="open")
    await post(world, TOP_UPS, {"amount_fen": 5_000})
    await post(world, "/bidding/accounts/acc_ada/withdrawals", {"amount_fen": 5_000})
    await post(world, "/bidding/accounts/acc_bob/top-ups", {"amount_fen": 5_000}, subject="usr_bob")
    assert len({command["command_id"] for command in world.commands()}) == 5


async def test_two_at_once_with_one_key_get_one_answer(world: World) -> None:
    """A double click: both are answered, with the same bytes, and one request exists."""
    answers = await asyncio.gather(*(post(world, TOP_UPS, {"amount_fen": 5_000}) for _ in range(8)))
    assert len({(answer.status_code, answer.content) for answer in answers}) == 1


async def test_without_a_decision_in_time_the_answer_is_where_to_ask(world: World) -> None:
    """202 names the address of the command and carries the position to read from; the same request later is answered."""
    world.decider_is_held = True
    pending = await post(world, TOP_UPS, {"amount_fen": 5_000})
    command_id = world.commands()[-1]["command_id"]
    assert (pending.status_code, pending.json()) == (202, {"id": command_id, "status": "pending"})
    assert pending.headers["Location"] == f"/bidding/commands/{command_id}"
    assert pending.headers["Loanstream-Position"].endswith("=2")
    world.decider_is_held = False
    world.decide()
    assert (await post(world, TOP_UPS, {"amount_fen": 5_000})).status_code == 201


async def test_commands_that_nobody_decides_are_503_before_sending(world: World) -> None:
    """After a while without progress nothing more is sent: 503 with Retry-After, and it goes on when the decider does."""
    world.decider_is_held = True
    assert (await post(world, TOP_UPS, {"amount_fen": 5_000})).status_code == 202
    partition = world.app.state.edge.commands.partition("acc_ada")
    await world.until_stalled(partition, "commands_waiting")
    sent = len(world.commands())
    refused = await post(world, TOP_UPS, {"amount_fen": 7_000}, key="k2")
    assert (refused.status_code, refused.json()["type"]) == (503, "urn:loanstream:problem:commands_waiting")
    assert int(refused.headers["Retry-After"]) > 0
    assert len(world.commands()) == sent
    world.decider_is_held = False
    world.decide()
    await world.until_stalled(partition, None)
    assert (await post(world, TOP_UPS, {"amount_fen": 7_000}, key="k2")).status_code == 201


async def test_a_log_that_is_gone_is_503(world: World) -> None:
    """A broker that does not answer is told at once, and is no reason to lose the request's key."""
    world.log.is_down = True
    await world.until_stalled(0, "log_unavailable")
    refused = await post(world, TOP_UPS, {"amount_fen": 5_000})
    assert (refused.status_code, refused.json()["type"]) == (503, "urn:loanstream:problem:log_unavailable")
    world.log.is_down = False
    await world.until_stalled(0, None)
    async with asyncio.timeout(5):
        while (answer := await post(world, TOP_UPS, {"amount_fen": 5_000})).status_code != 201:
            assert answer.status_code == 202  # the tail may come back a moment after the log


@pytest.mark.parametrize("what_happened", ["lost", "stored"])
async def test_a_send_of_unknown_outcome_may_be_repeated(world: World, what_happened: str) -> None:
    """Stored or lost, the client is told 503 and to use the same key; the retry has one effect, through a new writer."""
    world.next_send_fails = what_happened
    before = world.connected
    unknown = await post(world, TOP_UPS, {"amount_fen": 5_000})
    assert (unknown.status_code, unknown.json()["type"]) == (503, "urn:loanstream:problem:outcome_unknown")
    assert "Retry-After" in unknown.headers
    answer = await post(world, TOP_UPS, {"amount_fen": 5_000})
    assert answer.status_code == 201
    assert world.connected == before + 1
    ids = {command["command_id"] for command in world.commands()[1:]}
    assert ids == {str(UUID(answer.json()["id"].removeprefix("top_")))}


async def test_ids_of_one_call_share_their_suffix(world: World) -> None:
    """A listing and its loan, a bid and its hold, follow from one command id."""
    listing = await post(
        world,
        "/bidding/listings",
        {
            "borrower": "usr_bob",
            "amount_fen": 100_000,
            "annual_rate": "0.12",
            "tenor_months": 12,
            "grade": "B",
        },
        subject="stf_op",
    )
    assert listing.status_code == 201
    assert listing.json()["id"].removeprefix("lst_") == listing.json()["loan_id"].removeprefix("loan_")
    assert listing.json()["closes_on"] == "2024-03-25"


async def test_an_answer_carries_what_the_request_had_seen(world: World) -> None:
    """The token grows: what came with the request stays in it, beside the new position."""
    answer = await post(world, TOP_UPS, {"amount_fen": 5_000}, **{"Loanstream-Position": "repayment/3=17"})
    token = answer.headers["Loanstream-Position"].split(",")
    assert token[-1] == "repayment/3=17"
    assert len(token) == 2


async def test_before_the_process_is_connected_it_says_so(world: World) -> None:
    """A request that comes too early is 503, not an error."""
    world.app.state.edge = None
    early = await post(world, TOP_UPS, {"amount_fen": 5_000})
    assert (early.status_code, early.json()["type"]) == (503, "urn:loanstream:problem:starting")


# --- what the log and its decider cannot do ------------------------------------------------------------------------


def problem(answer: httpx.Response) -> tuple[int, str]:
    """The status and the stable code of a problem that tells when to come again."""
    assert int(answer.headers["Retry-After"]) > 0
    return answer.status_code, answer.json()["type"].removeprefix("urn:loanstream:problem:")


async def test_two_bodies_under_one_key_at_once_get_each_their_own_answer(world: World) -> None:
    """Both wait while nothing is decided: the first body's effect goes to the first, the second is told of its key."""
    world.decider_is_held = True
    before = len(world.commands())
    first = asyncio.create_task(post(world, TOP_UPS, {"amount_fen": 5_000}))
    await until(lambda: len(world.commands()) == before + 1)
    second = asyncio.create_task(post(world, TOP_UPS, {"amount_fen": 6_000}))
    await until(lambda: len(world.commands()) == before + 2)
    world.decider_is_held = False
    world.decide()
    granted, refused = await first, await second
    assert (granted.status_code, granted.json()["amount_fen"]) == (201, 5_000)
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:loanstream:problem:key_reused")


async def test_too_many_waiting_is_a_problem_of_its_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that holds as many requests as it can says too_many_waiting, and sends nothing."""
    monkeypatch.setattr("libs.runtime.outcomes.WAITING_MAX", 0)
    sent = len(world.commands())
    with world.app.state.edge.outcomes.expect("id", "fp"):
        refused = await post(world, TOP_UPS, {"amount_fen": 5_000})
    assert problem(refused) == (503, "too_many_waiting")
    assert len(world.commands()) == sent


@pytest.mark.parametrize(
    ("what_stops", "code"), [("decider", "commands_waiting"), ("log", "log_unavailable")]
)
async def test_who_waited_for_a_decider_that_stopped_is_told_so(
    keys: Path, what_stops: str, code: str
) -> None:
    """After the wait, too: a stored command that nobody decides is 503, and not an address to ask at for ever."""
    async with running(build("demo"), keys, decision_wait_s=2.0, stall_s=0.6) as world:
        world.open_day(DAY)
        world.decider_is_held = True
        asked = asyncio.create_task(post(world, "/bidding/accounts", key="open"))
        await until(lambda: len(world.commands()) == 1)
        world.log.is_down = what_stops == "log"
        assert problem(await asked) == (503, code)


async def test_lost_commands_are_503_until_they_are_restored(world: World) -> None:
    """Fewer commands than decisions: a new command would take the place of a decided one, so none is taken."""
    partition = world.app.state.edge.commands.partition("acc_ada")
    place = Place(commands_topic("bidding"), partition)
    kept = list(world.log.records[place])
    with capture_logs() as logged:
        del world.log.records[place][1:]
        await world.until_stalled(partition, "commands_lost")
        refused = await post(world, TOP_UPS, {"amount_fen": 5_000})
        assert problem(refused) == (503, "commands_lost")
        assert len(world.log.records[place]) == 1
        assert lost_gauge(partition) == 1
        world.log.records[place][:] = kept
        await world.until_stalled(partition, None)
    assert lost_gauge(partition) == 0
    told = {"service": "bidding", "partition": partition, "next_position": 2}
    assert logged == [
        {"event": "commands_lost", "log_level": "error", "commands_end": 1, **told},
        {"event": "commands_restored", "log_level": "warning", "commands_end": 2, **told},
    ]
    assert (await post(world, TOP_UPS, {"amount_fen": 5_000})).status_code == 201


def lost_gauge(partition: int) -> float | None:
    """What the metric says of a partition of bidding."""
    return REGISTRY.get_sample_value(
        "loanstream_commands_lost", {"service": "bidding", "partition": str(partition)}
    )
