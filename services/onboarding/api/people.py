"""A user's routes. Personal data goes to the vault before the command that needs it, and never further (design.md 2.10)."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Depends, Request

from libs.events import onboarding as events
from libs.runtime.http import (
    Call,
    NoFields,
    Order,
    ThisCall,
    ThisPrincipal,
    ViewReader,
    edge_of,
    id_path,
    not_found,
    scopes,
    view_reader,
)
from libs.runtime.http.access import Anybody
from libs.runtime.http.problems import Problem, try_again
from libs.runtime.mongo import DatabaseError
from libs.runtime.vault import Differs, Taken, Vault
from services.onboarding import commands
from services.onboarding.api.posts import CustomerManager
from services.onboarding.api.router import router
from services.onboarding.api.shapes import (
    AnswersIn,
    IdentityPersonIn,
    PersonOut,
    RegistrationPersonIn,
    RelationIn,
    UserDone,
    UserOut,
)
from services.onboarding.verification import (
    InvalidNumber,
    Person,
    ProviderUnavailable,
    TestNumbersProvider,
    VerificationProvider,
    check_card,
    check_identity,
)

#: Replaced by a real provider where there is a contract with one; this one follows documented test numbers.
PROVIDER: VerificationProvider = TestNumbersProvider()

Users = Annotated[ViewReader, Depends(view_reader("onboarding.users"))]


async def _vault(request: Request) -> Vault:
    vault = edge_of(request).vault
    if vault is None:
        raise _away()
    return vault


ThisVault = Annotated[Vault, Depends(_vault)]


def _away() -> Problem:
    return try_again("vault_unavailable", "Personal data cannot be kept at the moment. Send the same again.")


@asynccontextmanager
async def _problems() -> AsyncIterator[None]:
    """What the vault says, as a caller can act on it."""
    try:
        yield
    except Taken as taken:
        raise Problem(409, f"{taken.field}_taken") from None
    except Differs:
        raise Problem(422, "key_reused") from None
    except DatabaseError:
        raise _away() from None


async def _own_user(user: Annotated[str, id_path("usr")], principal: ThisPrincipal) -> str:
    """The user in the path, if he is the caller: other people do not exist for him."""
    if user != principal.subject:
        raise not_found("unknown_user")
    return user


OwnUser = Annotated[str, Depends(_own_user)]


# --- registration --------------------------------------------------------------------------------------------------


async def _register(body: RegistrationPersonIn, call: Call, vault: Vault, owner: str | None) -> Order:
    user = call.mint("usr")
    person = {"name": body.name, "phone": body.phone, "kind": body.kind}
    async with _problems():
        await vault.put(user, person, ("phone",), time.time())
    return Order(
        user,
        commands.RegisterUser(
            user_id=user, kind=body.kind, region=body.region, referrer=body.referrer, owner=owner
        ),
    )


@router.command(
    "/users",
    Anybody(),
    answer=UserDone,
    answers={events.UserRegistered: UserDone.registered},
)
async def register(body: RegistrationPersonIn, call: ThisCall, vault: ThisVault) -> Order:
    """Register. Without a token the Idempotency-Key must be a UUID; the user's id follows from it."""
    return await _register(body, call, vault, None)


@router.command(
    "/assisted-users",
    scopes("customer_manager"),
    answer=UserDone,
    answers={events.UserRegistered: UserDone.registered},
)
async def register_assisted(
    body: RegistrationPersonIn, call: ThisCall, vault: ThisVault, _: CustomerManager
) -> Order:
    """Register a customer who came to the desk: the handler who signs owns him (domain.md section 2)."""
    return await _register(body, call, vault, call.principal.subject)


# --- oneself -------------------------------------------------------------------------------------------------------


@router.read("/users/{user}", scopes("user:own"), answer=UserOut)
async def read_user(user: OwnUser, users: Users) -> UserOut:
    """What is known of the caller by codes."""
    return UserOut.of(await users.get(user, missing="unknown_user"))


@router.read("/users/{user}/person", scopes("user:own"), answer=PersonOut)
async def read_person(user: OwnUser, vault: ThisVault, users: Users) -> PersonOut:
    """The caller's own personal data, until he is forgotten; the sweep that destroys them may come a little later."""
    known = await users.find(user)
    if known is not None and known["state"] == "erased":
        raise not_found("unknown_user")
    async with _problems():
        person = await vault.read(user)
    if person is None:
        raise not_found("unknown_user")
    return PersonOut(**{field: person.get(field) for field in PersonOut.model_fields})


@router.command(
    "/users/{user}/verification",
    scopes("user:own"),
    answer=UserDone,
    answers={
        events.UserVerified: UserDone.verified,
        events.CardBound: UserDone.verified,
        events.VerificationFailed: UserDone.failed,
    },
)
async def verify(user: OwnUser, body: IdentityPersonIn, call: ThisCall, vault: ThisVault) -> Order:
    """Have a provider compare name, number and card. A number belongs to one user; a refused one is free again. Who is verified
    brings another card in the same way."""
    async with _problems():
        person = await vault.read(user)
        if person is None:
            raise not_found("unknown_user")
        kind: Literal["person", "organisation"] = "person" if person["kind"] == "person" else "organisation"
        found = _numbers(kind, body)
        if person.get("identity", found["identity"]) != found["identity"]:
            raise Problem(409, "already_verified")
        unique = {"identity": found["identity"]}
        given_back = {} if "identity" in person else unique  # what he was verified with stays his
        await vault.reserve(user, unique, time.time())
        reference = call.mint("vrf")
        try:
            compared = Person(
                person["name"], found["identity"], found.get("card"), found.get("representative")
            )
            verdict = await PROVIDER.verify(reference, compared)
        except ProviderUnavailable:
            await vault.release(user, given_back)
            raise try_again("provider_unavailable", "The provider does not answer. Ask again.") from None
        if verdict.code is None:
            card = _card(person, found, call)
            await vault.add(user, found | card)
            verified = commands.VerifyUser(
                user_id=user,
                provider=PROVIDER.name,
                reference=verdict.reference,
                card_ref=next(iter(card), None),
            )
            return Order(user, verified)
        await vault.release(user, given_back)
    refused = commands.RefuseVerification(
        user_id=user, provider=PROVIDER.name, reference=verdict.reference, code=verdict.code
    )
    return Order(user, refused)


def _card(person: Mapping[str, str], found: Mapping[str, str], call: Call) -> dict[str, str]:
    """His card's number under the name that the log knows it by; nothing where none was compared.

    The vault keeps every card under its own name: whichever the log says is in force, its number is found.
    """
    if "card" not in found:
        return {}
    number = found["card"]
    known = (name for name, value in person.items() if name.startswith("card_") and value == number)
    return {next(known, call.mint("card")): number}


def _numbers(kind: Literal["person", "organisation"], body: IdentityPersonIn) -> dict[str, str]:
    """The numbers in their one spelling, with what else his kind is compared by. Raises Problem 422."""
    if body.card is None and kind == "person":
        raise Problem(422, "card_required")
    if (body.representative is None) == (kind == "organisation"):
        raise Problem(
            422, "representative_required" if kind == "organisation" else "representative_not_compared"
        )
    try:
        found = {"identity": check_identity(kind, body.identity, datetime.now(UTC).date())}
        if body.card is not None:
            found["card"] = check_card(body.card)
        if body.representative is not None:
            found["representative"] = body.representative
    except InvalidNumber as error:
        raise Problem(422, error.code) from None
    return found


@router.command(
    "/users/{user}/suitability",
    scopes("user:own"),
    answer=UserDone,
    answers={events.SuitabilityAssessed: UserDone.assessed},
)
async def assess(user: OwnUser, body: AnswersIn) -> Order:
    """Answer the questionnaire: a level for a year."""
    return Order(user, commands.AssessSuitability(user_id=user, answers=tuple(body.answers)))


@router.command(
    "/users/{user}/relations",
    scopes("user:own"),
    answer=UserDone,
    answers={events.RelationDeclared: UserDone.related},
)
async def relate(user: OwnUser, body: RelationIn) -> Order:
    """Declare a related user: neither lends to the other."""
    return Order(user, commands.DeclareRelation(user_id=user, related=body.related))


@router.command(
    "/users/{user}/erasure",
    scopes("user:own"),
    answer=UserDone,
    answers={events.ErasureRequested: UserDone.leaving},
)
async def erase(user: OwnUser, body: NoFields | None = None) -> Order:  # noqa: ARG001  # its shape is checked
    """Be forgotten, when nothing is owed or under way and the account is empty, which it says by itself: `erasure` of one's own
    page shows why not. The sweep then destroys key and row."""
    return Order(user, commands.EraseUser(user_id=user))
