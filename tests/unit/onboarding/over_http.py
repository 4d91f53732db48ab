"""Onboarding asked over HTTP by the tests of its routes: who asks, with which body, and what a refusal is called."""

from uuid import uuid4

import httpx

from tests.unit.runtime.edge_world import World

ADA = {"kind": "person", "region": "CN-31", "name": "Ada Lo", "phone": "13800138000"}
NUMBER, CARD = "110101199003070011", "6217000010000000128"


async def post(
    world: World, path: str, body: object, subject: str, *scopes: str, key: str = ""
) -> httpx.Response:
    """A POST of somebody with a key of its own."""
    headers = world.token(subject, *scopes) if subject else {}
    return await world.http.post(
        f"/onboarding/{path}", json=body, headers=headers | {"Idempotency-Key": key or str(uuid4())}
    )


async def registered(world: World, **other: str) -> str:
    """Somebody registers; his id."""
    answer = await post(world, "users", ADA | other, "")
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["type"].removeprefix("urn:loanstream:problem:")


async def verify(world: World, user: str, identity: str = NUMBER, **more: str) -> httpx.Response:
    """A user has himself verified."""
    body = {"identity": identity, "card": CARD} | more
    return await post(world, f"users/{user}/verification", body, user, "user:own")
