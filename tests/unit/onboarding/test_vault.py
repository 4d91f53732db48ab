"""The vault keeps what the log must not: sealed per person, unique by a keyed hash, and gone for good when erased."""

import pytest
from pymongo.errors import ConnectionFailure

from libs.runtime.vault import RESERVED_S, Differs, Fate, Taken, Tampered, Vault
from tests.unit.onboarding.vault_double import MemoryCollection, memory

ANN = {"name": "Ann Ng", "phone": "13800138000"}
NOW = 1_700_000_000.0


async def everything(vault: Vault) -> str:
    """All that the vault's collections hold, as text."""
    return repr([memory(each).documents for each in (vault.rows, vault.keys, vault.index)])


async def kept(vault: Vault, user: str = "usr_ann", phone: str = "13800138000") -> None:
    """Ann is in."""
    await vault.put(user, ANN | {"phone": phone}, ("phone",), NOW)


def fate(**fates: Fate) -> object:
    """What the log says of users; of others nothing is known."""

    async def of(user: str) -> Fate:
        return fates.get(user, "unknown")

    return of


async def test_a_person_is_read_as_put_and_stands_nowhere_in_clear(vault: Vault) -> None:
    """Neither name nor phone can be seen in any collection, the index included."""
    await kept(vault)
    assert await vault.read("usr_ann") == ANN
    assert "Ann" not in await everything(vault)
    assert "13800138000" not in await everything(vault)


async def test_the_same_again_changes_nothing_and_other_data_is_refused(vault: Vault) -> None:
    """A retry is harmless; an id that stands for somebody is not given other data."""
    await kept(vault)
    before = await everything(vault)
    await kept(vault)
    assert await everything(vault) == before
    with pytest.raises(Differs):
        await vault.put("usr_ann", ANN | {"name": "Eve"}, ("phone",), NOW)


async def test_a_phone_has_one_owner(vault: Vault) -> None:
    """Another user with the same phone is refused, and nothing of him stays."""
    await kept(vault)
    with pytest.raises(Taken, match="phone"):
        await kept(vault, "usr_eve")
    assert await vault.read("usr_eve") is None
    assert "usr_eve" not in await everything(vault)


async def test_what_was_reserved_in_a_call_that_fails_is_free_again(vault: Vault) -> None:
    """Of two unique fields the second is taken: the first one goes back."""
    await vault.reserve("usr_ann", {"identity": "1"}, NOW)
    with pytest.raises(Taken, match="identity"):
        await vault.reserve("usr_eve", {"phone": "2", "identity": "1"}, NOW)
    await vault.reserve("usr_bob", {"phone": "2"}, NOW)


async def test_released_is_free_but_not_by_others(vault: Vault) -> None:
    """Only who holds a field gives it back."""
    await vault.reserve("usr_ann", {"identity": "1"}, NOW)
    await vault.release("usr_eve", {"identity": "1"})
    with pytest.raises(Taken):
        await vault.reserve("usr_eve", {"identity": "1"}, NOW)
    await vault.release("usr_ann", {"identity": "1"})
    await vault.reserve("usr_eve", {"identity": "1"}, NOW)


async def test_fields_are_added_under_the_same_key(vault: Vault) -> None:
    """What is added later is read with the rest; nobody is made by adding."""
    await kept(vault)
    assert await vault.add("usr_ann", {"card": "6217"})
    assert await vault.read("usr_ann") == ANN | {"card": "6217"}
    assert not await vault.add("usr_nobody", {"card": "6217"})


async def test_an_addition_that_met_another_is_made_on_top_of_it(vault: Vault) -> None:
    """Two additions at once both stay: the later one starts again from what the earlier one wrote."""
    await kept(vault)
    rows = memory(vault.rows)
    replace_one = rows.replace_one
    met: list[bool] = []

    async def overtaken(where: dict[str, object], document: dict[str, object]) -> object:
        if not met:
            met.append(True)
            await vault.add("usr_ann", {"address": "x"})
        return await replace_one(where, document)

    rows.replace_one = overtaken  # type: ignore[method-assign,assignment]
    await vault.add("usr_ann", {"card": "6217"})
    assert await vault.read("usr_ann") == ANN | {"address": "x", "card": "6217"}


async def test_a_row_belongs_to_its_person_and_its_bytes(vault: Vault) -> None:
    """A row under another's id, or with one byte changed, opens for nobody."""
    await kept(vault)
    await kept(vault, "usr_bob", "13900139000")
    rows, keys = memory(vault.rows).documents, memory(vault.keys).documents
    rows["usr_bob"]["sealed"], keys["usr_bob"]["key"] = rows["usr_ann"]["sealed"], keys["usr_ann"]["key"]
    with pytest.raises(Tampered):
        await vault.read("usr_bob")
    sealed = bytearray(rows["usr_ann"]["sealed"])
    sealed[-1] ^= 1
    rows["usr_ann"]["sealed"] = bytes(sealed)
    with pytest.raises(Tampered):
        await vault.read("usr_ann")


async def test_every_person_has_a_key_and_every_sealing_a_nonce_of_its_own(vault: Vault) -> None:
    """Equal people look different, and so does one person sealed twice."""
    await kept(vault)
    await kept(vault, "usr_bob", "13900139000")
    keys = [each["key"] for each in memory(vault.keys).documents.values()]
    assert len({*keys}) == 2
    assert {len(key) for key in keys} == {32}
    first = memory(vault.rows).documents["usr_ann"]["sealed"]
    await vault.add("usr_ann", {})
    assert memory(vault.rows).documents["usr_ann"]["sealed"][:12] != first[:12]


async def test_the_erase_drill(vault: Vault) -> None:
    """Erased: nothing is left, a backup of the row opens no more, and the phone is free for another."""
    await kept(vault)
    backup = dict(memory(vault.rows).documents)
    await vault.erase("usr_ann")
    assert "usr_ann" not in await everything(vault)
    memory(vault.rows).documents.update(backup)
    assert await vault.read("usr_ann") is None
    await kept(vault, "usr_bob")
    await vault.erase("usr_ann")
    assert await vault.read("usr_bob") == ANN


async def test_the_key_goes_first(vault: Vault) -> None:
    """If the process dies in the middle of an erasure, the row that is left opens for nobody."""
    await kept(vault)
    memory(vault.rows).dies_before = "delete_many"
    with pytest.raises(ConnectionFailure):
        await vault.erase("usr_ann")
    memory(vault.rows).dies_before = None
    assert memory(vault.rows).documents
    assert await vault.read("usr_ann") is None


@pytest.mark.parametrize("dies", ["keys", "rows"])
async def test_orphans_are_swept_after_ten_minutes(vault: Vault, dies: str) -> None:
    """Whatever a registration that died half-way left is destroyed, not before its time, and its phone is free."""
    memory(getattr(vault, dies)).dies_before = "insert_one"
    with pytest.raises(ConnectionFailure):
        await kept(vault)
    memory(getattr(vault, dies)).dies_before = None
    assert await vault.sweep(fate(), NOW + RESERVED_S) == 0  # type: ignore[arg-type]
    assert await vault.sweep(fate(), NOW + RESERVED_S + 1) == 1  # type: ignore[arg-type]
    assert "usr_ann" not in await everything(vault)
    await kept(vault, "usr_bob")


async def test_the_sweep_keeps_the_known_and_destroys_the_erased(vault: Vault) -> None:
    """Known users stay however old; erased ones go at once, however new."""
    await kept(vault)
    await kept(vault, "usr_bob", "13900139000")
    swept = await vault.sweep(fate(usr_ann="known", usr_bob="erased"), NOW + 10 * RESERVED_S)  # type: ignore[arg-type]
    assert swept == 1
    assert await vault.read("usr_ann") == ANN
    assert await vault.read("usr_bob") is None


def test_another_secret_gives_other_hashes() -> None:
    """The index tells nothing to who has no key."""
    ours, other = (
        Vault(MemoryCollection(), MemoryCollection(), MemoryCollection(), secret) for secret in (b"a", b"b")
    )
    assert ours.index_name("phone", "1") == ours.index_name("phone", "1")
    assert ours.index_name("phone", "1") != other.index_name("phone", "1")
    assert ours.index_name("phone", "1") != ours.index_name("identity", "1")
