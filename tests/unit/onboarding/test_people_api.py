"""People over HTTP: registered, verified and forgotten, with personal data that never leave the vault."""

from typing import Any
from uuid import uuid4

from libs.runtime.vault import Vault
from tests.unit.onboarding.over_http import ADA, CARD, NUMBER, post, problem, registered, verify
from tests.unit.onboarding.vault_double import memory
from tests.unit.runtime.edge_world import World


async def test_who_registers_is_in_the_vault_and_not_on_the_log(world: World, vault: Vault) -> None:
    """The command carries an id and codes; the name and the phone stand in the vault alone, before the command."""
    user = await registered(world)
    assert await vault.read(user) == {"name": "Ada Lo", "phone": "13800138000", "kind": "person"}
    for records in world.log.records.values():
        for record in records:
            for secret in (b"Ada", b"13800138000"):
                assert secret not in record.value
                assert all(secret not in value for value in record.headers.values())


async def test_without_a_token_the_key_is_a_uuid_and_a_retry_is_the_same_user(world: World) -> None:
    """The same key gives the same bytes and one user; another body under it is refused; a word is no key."""
    key = str(uuid4())
    first = await post(world, "users", ADA, "", key=key)
    again = await post(world, "users", ADA, "", key=key)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert problem(await post(world, "users", ADA | {"name": "Eve"}, "", key=key)) == (422, "key_reused")
    assert problem(await post(world, "users", ADA, "", key="mine")) == (400, "malformed_idempotency_key")


async def test_a_phone_registers_once(world: World) -> None:
    """Somebody else with the same phone, however he writes it, is refused before any command."""
    await registered(world)
    sent = len(world.commands())
    for phone in ("13800138000", "+8613800138000"):
        assert problem(await post(world, "users", ADA | {"phone": phone}, "")) == (409, "phone_taken")
    assert len(world.commands()) == sent


async def test_the_handler_of_an_assisted_intake_owns_the_customer(world: World) -> None:
    """The owner is the token's staff id; whoever was not appointed handles nobody, whatever his token says."""
    answer = await post(world, "assisted-users", ADA, "stf_max", "customer_manager")
    assert answer.status_code == 201
    assert world.commands()[-1]["data"]["owner"] == "stf_max"
    refused = await post(world, "assisted-users", ADA | {"phone": "13900139000"}, "usr_x", "customer_manager")
    assert problem(refused) == (403, "forbidden_post")


async def test_verification_asks_the_provider_and_keeps_the_number_in_the_vault(
    world: World, vault: Vault
) -> None:
    """Confirmed: the log says by whom under which reference, the vault has the numbers, and they are unique."""
    user, other = await registered(world), await registered(world, phone="13900139000")
    answer = await verify(world, user)
    assert (answer.status_code, answer.json()["status"]) == (201, "verified")
    [command] = [each for each in world.commands() if each["type"] == "onboarding.VerifyUser"]
    assert set(command["data"]) == {"user_id", "provider", "reference", "card_ref"}
    person = await vault.read(user)
    assert person is not None
    assert person[command["data"]["card_ref"]] == CARD
    assert (person["identity"], person["card"]) == (NUMBER, CARD)
    assert problem(await verify(world, other)) == (409, "identity_taken")
    assert problem(await verify(world, user, "110101199003079016")) == (409, "already_verified")


async def test_a_refused_number_is_free_again(world: World, vault: Vault) -> None:
    """The provider's refusal is an event with its code, and nothing stays reserved; a timeout may be asked again."""
    user = await registered(world)
    answer = await verify(world, user, "110101199003079016")
    assert (answer.json()["status"], answer.json()["code"]) == ("not_verified", "name_differs")
    assert problem(await verify(world, user, "110101199003079032")) == (503, "provider_unavailable")
    assert {name.split(":")[0] for name in memory(vault.index).documents} == {"phone"}


async def test_a_wrong_number_never_reaches_the_provider(world: World) -> None:
    """Check digits and age are looked at first."""
    user = await registered(world)
    assert problem(await verify(world, user, "110101199003070012")) == (422, "invalid_identity")
    assert problem(await verify(world, user, "110101201003070011")) == (422, "invalid_age")
    assert problem(await verify(world, user, card="6217000010000000129")) == (422, "invalid_card")


async def test_a_person_is_compared_by_his_card_and_a_company_by_its_representative(
    world: World, vault: Vault
) -> None:
    """What the other kind has is asked for by nobody; the representative's name is personal and stays in the vault."""
    person, firm = await registered(world), await registered(world, phone="13900139000", kind="organisation")
    named = {"identity": "91110000802100433B", "representative": "Lo Ada"}
    wrong = [
        (person, {"identity": NUMBER}, "card_required"),
        (person, {"identity": NUMBER, "card": CARD, "representative": "Lo"}, "representative_not_compared"),
        (firm, {"identity": named["identity"]}, "representative_required"),
        (firm, named | {"representative": "\n"}, "invalid_request"),
    ]
    for user, body, code in wrong:
        answer = await post(world, f"users/{user}/verification", body, user, "user:own")
        assert problem(answer) == (422, code)
    answer = await post(world, f"users/{firm}/verification", named, firm, "user:own")
    assert answer.json()["status"] == "verified"
    [command] = [each for each in world.commands() if each["type"] == "onboarding.VerifyUser"]
    assert command["data"].get("card_ref") is None
    kept = await vault.read(firm)
    assert kept is not None
    assert kept["representative"] == "Lo Ada"
    assert "Lo Ada" not in str(world.commands())


async def test_other_people_do_not_exist(world: World) -> None:
    """Somebody else's id gives what an id that is nobody's gives, on every route of a user."""
    user = await registered(world)
    for method, path in (("GET", ""), ("GET", "/person"), ("POST", "/erasure")):
        answers = [
            await world.http.request(
                method,
                f"/onboarding/users/{name}{path}",
                headers=world.token("usr_eve", "user:own") | {"Idempotency-Key": "k"},
            )
            for name in (user, "usr_nobody")
        ]
        assert problem(answers[0]) == (404, "unknown_user")
        assert answers[0].content == answers[1].content


async def test_without_the_vault_nobody_registers(world: World, vault: Vault) -> None:
    """No MongoDB, no command: 503, and the same request later works."""
    memory(vault.rows).is_down = True
    assert problem(await post(world, "users", ADA, "")) == (503, "vault_unavailable")
    assert world.commands() == []


async def test_one_reads_ones_own_person_until_one_is_forgotten(world: World, vault: Vault) -> None:
    """The vault's data come back to their owner; from the erasure on there is nothing to see, after the sweep nothing at all."""
    user = await registered(world)
    users = world.views.documents["onboarding.users"] = {user: {"state": "registered"}}
    headers = world.token(user, "user:own")
    shown = await world.http.get(f"/onboarding/users/{user}/person", headers=headers)
    nothing = dict.fromkeys(("identity", "card", "representative"))
    assert shown.json() == {"name": "Ada Lo", "phone": "13800138000"} | nothing
    leaving = await post(world, f"users/{user}/erasure", {}, user, "user:own")
    assert leaving.json()["status"] == "erasure_requested"
    users[user]["state"] = "erased"
    early = await world.http.get(f"/onboarding/users/{user}/person", headers=headers)
    assert problem(early) == (404, "unknown_user")
    users[user]["state"] = "registered"

    async def fate(_user: str) -> Any:
        return "erased"

    await vault.sweep(fate, 0.0)
    gone = await world.http.get(f"/onboarding/users/{user}/person", headers=headers)
    assert problem(gone) == (404, "unknown_user")


async def test_a_card_has_one_name_and_another_card_has_another(world: World, vault: Vault) -> None:
    """The log knows a card by an opaque name whose number the vault keeps, also of the card before; a company brings its own."""
    user, firm = await registered(world), await registered(world, phone="13900139000", kind="organisation")
    other = "6217000010000000136"
    statuses = [(await verify(world, user, card=card)).status_code for card in (CARD, CARD, other, CARD)]
    assert statuses == [201, 200, 201, 201]
    named = {"identity": "91110000802100433B", "representative": "Lo Ada", "card": CARD}
    assert (await post(world, f"users/{firm}/verification", named, firm, "user:own")).status_code == 201
    asked = [each["data"] for each in world.commands() if each["type"] == "onboarding.VerifyUser"]
    refs = [each["card_ref"] for each in asked if each["user_id"] == user]
    assert refs == [refs[0], refs[0], refs[2], refs[0]]
    [firms] = [each["card_ref"] for each in asked if each["user_id"] == firm]
    assert len({refs[0], refs[2], firms}) == 3
    person = await vault.read(user)
    assert person is not None
    assert (person[refs[0]], person[refs[2]], person["card"]) == (CARD, other, CARD)
    assert CARD not in str(world.commands())
