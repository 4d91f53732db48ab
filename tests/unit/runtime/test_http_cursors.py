"""A cursor that its list never gave is refused: an empty page would look like the end of the list."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.runtime.http.cursors import cursor, read_cursor
from libs.runtime.http.problems import Problem
from services.bidding.app import build
from tests.unit.runtime.edge_world import World, running

ACCOUNTS = "/bidding/accounts"
MALFORMED = (422, "urn:loanstream:problem:malformed_cursor")


@pytest.fixture
async def world(keys: Path) -> AsyncIterator[World]:
    """Bidding with two accounts of ada and two of bob."""
    async with running(build("demo"), keys) as running_world:
        running_world.views.documents["bidding.balances"] = {
            f"acc_{number}": {
                "account_id": f"acc_{number}",
                "owner": owner,
                "available_fen": 0,
                "held_fen": 0,
            }
            for number, owner in enumerate(("usr_ada", "usr_ada", "usr_bob", "usr_bob"))
        }
        running_world.views.documents["bidding.staff"] = {"stf_fin": {"roles": ["cashier"]}}
        yield running_world


async def first_cursor(world: World, headers: dict[str, str]) -> str:
    """`next` of the first page of the accounts that the caller sees."""
    answer = await world.http.get(ACCOUNTS, params={"limit": "1"}, headers=headers)
    following = answer.json()["next"]
    assert isinstance(following, str)
    return following


async def answered(world: World, path: str, text: str, headers: dict[str, str]) -> tuple[int, str]:
    """Status and type of a list's answer to a cursor."""
    answer = await world.http.get(path, params={"cursor": text}, headers=headers)
    return answer.status_code, answer.json().get("type", "")


async def test_a_cursor_that_no_page_gave_is_422(world: World) -> None:
    """A name, a made-up text, a changed, cut or prolonged cursor."""
    ada = world.token("usr_ada", "account:own")
    real = await first_cursor(world, ada)
    changed = ("B" if real[0] == "A" else "A") + real[1:]
    made_up = ["", "acc_0", "garbage", "\0", "ü", changed, real[:-1], f"{real}A", f"{real}=", f" {real}"]
    assert await answered(world, ACCOUNTS, real, ada) == (200, "")
    found = {text: await answered(world, ACCOUNTS, text, ada) for text in [*made_up, "c" * 5000]}
    assert found == dict.fromkeys(found, MALFORMED)


async def test_the_cursor_of_another_list_is_422(world: World) -> None:
    """A list is its view and what of it is asked for: another view, and another owner's part of the same one."""
    ada, bob = world.token("usr_ada", "account:own"), world.token("usr_bob", "account:own")
    everybody, finance = world.token("stf_ole", "operator"), world.token("stf_fin", "finance")
    hers = await first_cursor(world, ada)
    assert await answered(world, ACCOUNTS, hers, ada) == (200, "")
    assert await answered(world, ACCOUNTS, hers, bob) == MALFORMED
    assert await answered(world, ACCOUNTS, hers, everybody) == MALFORMED
    assert await answered(world, "/bidding/reviews", hers, finance) == MALFORMED


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_name_survives_as_a_cursor(name: str) -> None:
    """A cursor holds only characters that a URL lets through, gives the name back, and is of one list alone."""
    text = cursor("bidding.balances", name)
    assert all(character.isascii() and (character.isalnum() or character in "_-") for character in text)
    assert read_cursor("bidding.balances", text) == name
    with pytest.raises(Problem, match="as this list gave it"):
        read_cursor("bidding.custody", text)
