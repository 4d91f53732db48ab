"""What the vault asks of MongoDB itself: names that are unique across writers, bytes that come back as bytes, exact replaces.

The double in tests/unit/onboarding says the rest; here stands what only a server can show.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest

from deploy.local.parts import Parts
from libs.events.searches import BY_NAME
from libs.runtime.mongo import Database
from libs.runtime.vault import RESERVED_S, Fate, Taken, Vault
from tests.conftest import MakeSettings
from tests.integration.chained_log import LOG_ID

ANN = {"name": "Ann Ng", "phone": "13800138000"}
NOW = 1_700_000_000.0


@pytest.fixture
async def database(parts: Parts, make_settings: MakeSettings) -> AsyncIterator[Database]:
    """A database of this test's own."""
    opened = Database.connect(make_settings(kafka=parts.kafka, mongo=parts.mongo, log_id=LOG_ID))
    yield opened
    await opened.close()


@pytest.fixture
def vault(database: Database) -> Vault:
    """The vault on it."""
    return Vault.of(database, b"s" * 32)


async def test_sealed_bytes_come_back_from_the_server(vault: Vault) -> None:
    """Key and row survive the way through BSON, and additions stand on what was there."""
    await vault.put("usr_ann", ANN, ("phone",), NOW)
    assert await vault.add("usr_ann", {"card": "6217"})
    assert await vault.read("usr_ann") == ANN | {"card": "6217"}


async def test_of_twenty_who_bring_one_phone_at_once_one_gets_it(vault: Vault) -> None:
    """The index is unique on the server, not by looking first; nothing of the others stays."""
    done = await asyncio.gather(
        *(vault.put(f"usr_{number}", ANN, ("phone",), NOW) for number in range(20)), return_exceptions=True
    )
    assert sum(error is None for error in done) == 1
    assert all(isinstance(error, Taken) for error in done if error is not None)
    [winner] = [number for number, error in enumerate(done) if error is None]
    readers = [await vault.read(f"usr_{number}") for number in range(20)]
    assert [number for number, person in enumerate(readers) if person is not None] == [winner]


async def test_one_registration_sent_ten_times_at_once_is_one_person(vault: Vault) -> None:
    """Retries that meet each other use one key, so the row that stays is the row that opens."""
    await asyncio.gather(*(vault.put("usr_ann", ANN, ("phone",), NOW) for _ in range(10)))
    assert await vault.read("usr_ann") == ANN


async def test_additions_at_once_all_stay(vault: Vault) -> None:
    """A replace counts only on the revision it was made from."""
    await vault.put("usr_ann", ANN, ("phone",), NOW)
    await asyncio.gather(*(vault.add("usr_ann", {f"field{number}": "x"}) for number in range(8)))
    person = await vault.read("usr_ann")
    assert person is not None
    assert {f"field{number}" for number in range(8)} <= person.keys()


async def test_the_erase_drill_on_the_server(vault: Vault, database: Database) -> None:
    """Key, row and reservations are gone from the collections, a restored row opens for nobody, the phone is free."""
    await vault.put("usr_ann", ANN, ("phone",), NOW)
    backup = await database.find("vault", "usr_ann")
    assert backup is not None
    await vault.erase("usr_ann")
    for collection in ("vault", "vault_keys", "vault_index"):
        assert await database.find_page(collection, {}, None, 10, BY_NAME) == []
    await vault.rows.insert_one(backup)
    assert await vault.read("usr_ann") is None
    await vault.put("usr_bob", ANN, ("phone",), NOW)


async def test_the_sweep_walks_the_servers_collections(vault: Vault) -> None:
    """An orphan goes after its time, a known user stays, an erased one goes at once."""
    for number, name in enumerate(("ann", "bob", "cem")):
        await vault.put(f"usr_{name}", {"name": name, "phone": str(number)}, ("phone",), NOW)

    async def fate(user: str) -> Fate:
        fates: dict[str, Fate] = {"usr_bob": "known", "usr_cem": "erased"}
        return fates.get(user, "unknown")

    assert await vault.sweep(fate, NOW + 1) == 1
    assert await vault.sweep(fate, NOW + RESERVED_S + 1) == 1
    assert [await vault.read(f"usr_{name}") is None for name in ("ann", "bob", "cem")] == [True, False, True]
