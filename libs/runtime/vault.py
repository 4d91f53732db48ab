"""The vault: the only place for names, numbers and addresses of people, so that the log never holds one (design.md 2.10).

Each person has a key of his own (AES-256-GCM) in a collection of its own, and one sealed row. Phone and identity are unique
by a keyed hash. A row comes before the command that makes its user; a row whose user never came is swept after ten minutes.
Forgetting somebody destroys his key first: what a backup still holds of his row is noise from then on.
"""

import hmac
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Literal, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from libs.runtime.mongo import Database, DatabaseError

#: How long a row may wait for its user's command before it is an orphan.
RESERVED_S: Final = 600
_DUPLICATE_KEY = 11000
_NONCE_BYTES = 12

Person = Mapping[str, str]
"""Personal data by field: `name`, `phone`, `identity`, `card` …"""

Fate = Literal["unknown", "known", "erased"]
"""What the log says of a user."""


class Taken(Exception):
    """A phone or identity belongs to somebody else; `field` says which."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class Differs(Exception):
    """The person is in the vault with other data: a key that was used for another request."""


class Collection(Protocol):
    """The calls of a MongoDB collection that the vault needs."""

    def insert_one(self, document: dict[str, Any]) -> Awaitable[Any]:
        """Raises DatabaseError with code 11000 for a name that exists."""

    def find_one(self, where: dict[str, Any]) -> Awaitable[dict[str, Any] | None]:
        """One document."""

    def replace_one(self, where: dict[str, Any], document: dict[str, Any]) -> Awaitable[Any]:
        """The result has `matched_count`."""

    def delete_many(self, where: dict[str, Any]) -> Awaitable[Any]:
        """Remove documents."""

    def find(self, where: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Documents, one after the other."""


@dataclass(frozen=True, slots=True)
class Vault:
    """Rows, keys and the unique index. Methods raise DatabaseError when MongoDB is away."""

    rows: Collection
    keys: Collection
    index: Collection
    secret: bytes

    @staticmethod
    def of(database: Database, secret: bytes) -> "Vault":
        """The vault of an installation. `secret` keys the index's hashes and must never change."""
        rows, keys, index = (database.collection(name) for name in ("vault", "vault_keys", "vault_index"))
        return Vault(rows, keys, index, hmac.digest(secret, b"loanstream vault index", "sha256"))

    async def put(self, user: str, person: Person, unique: tuple[str, ...], now_s: float) -> None:
        """Seal a new person under his id, his `unique` fields reserved. The same again changes nothing.

        Raises Taken, or Differs when the id stands for other data.
        """
        known = await self.read(user)
        if known is not None:
            if dict(known) != dict(person):
                raise Differs
            return
        await self.reserve(user, {field: person[field] for field in unique}, now_s)
        key = await self._key(user, now_s)
        document = {"_id": user, "sealed": _seal(key, user, person), "revision": 0, "since_s": now_s}
        if not await _inserted(self.rows, document) and await self.read(user) != dict(person):
            raise Differs

    async def reserve(self, user: str, values: Person, now_s: float) -> None:
        """Make these fields the user's alone. What he reserved in a call that fails is free again. Raises Taken."""
        ours: list[str] = []
        for field, value in values.items():
            name = self.index_name(field, value)
            if await _inserted(self.index, {"_id": name, "user": user, "since_s": now_s}):
                ours.append(name)
                continue
            holder = await self.index.find_one({"_id": name})
            if holder is None or holder["user"] != user:
                await self.index.delete_many({"_id": {"$in": ours}, "user": user})
                raise Taken(field)

    async def release(self, user: str, values: Person) -> None:
        """Give reserved fields back."""
        names = [self.index_name(field, value) for field, value in values.items()]
        await self.index.delete_many({"_id": {"$in": names}, "user": user})

    async def add(self, user: str, more: Person) -> bool:
        """Add fields to a person's row, or replace them. False when there is none (any more)."""
        while True:
            key, row = await self.keys.find_one({"_id": user}), await self.rows.find_one({"_id": user})
            if key is None or row is None:
                return False
            person = _open(key["key"], user, row["sealed"]) | dict(more)
            changed = row | {
                "sealed": _seal(key["key"], user, person),
                "revision": row["revision"] + 1,
            }
            done = await self.rows.replace_one({"_id": user, "revision": row["revision"]}, changed)
            if done.matched_count:
                return True

    async def read(self, user: str) -> dict[str, str] | None:
        """A person's data; None when there is none, or its key is destroyed."""
        key, row = await self.keys.find_one({"_id": user}), await self.rows.find_one({"_id": user})
        if key is None or row is None:
            return None
        return _open(key["key"], user, row["sealed"])

    async def holds(self, user: str) -> bool:
        """Whether anything is kept of a person, readable or not."""
        found = (
            await self.keys.find_one({"_id": user}),
            await self.rows.find_one({"_id": user}),
            await self.index.find_one({"user": user}),
        )
        return any(each is not None for each in found)

    async def erase(self, user: str) -> None:
        """Destroy a person: the key first, then row and reservations. Again is harmless."""
        await self.keys.delete_many({"_id": user})
        await self.rows.delete_many({"_id": user})
        await self.index.delete_many({"user": user})

    async def sweep(self, fate: Callable[[str], Awaitable[Fate]], now_s: float, since_s: float = 0.0) -> int:
        """Destroy whom the log has forgotten, and what waited in vain for its user. Returns how many were destroyed.

        Looks at what came after `since_s`, in every collection: a process may have died between any two of them.
        """
        waiting: dict[str, float] = {}
        for collection, field in ((self.rows, "_id"), (self.keys, "_id"), (self.index, "user")):
            async for found in collection.find({"since_s": {"$gt": since_s}}):
                user = found[field]
                waiting[user] = max(waiting.get(user, 0.0), found["since_s"])
        destroyed = 0
        for user, came_s in waiting.items():
            what = await fate(user)
            if what == "erased" or (what == "unknown" and now_s - came_s > RESERVED_S):
                await self.erase(user)
                destroyed += 1
        return destroyed

    def index_name(self, field: str, value: str) -> str:
        """The keyed hash under which a value is unique: it tells nothing to who has no key."""
        return f"{field}:{hmac.new(self.secret, value.encode(), sha256).hexdigest()}"

    async def _key(self, user: str, now_s: float) -> bytes:
        key = AESGCM.generate_key(bit_length=256)
        if await _inserted(self.keys, {"_id": user, "key": key, "since_s": now_s}):
            return key
        found = await self.keys.find_one({"_id": user})
        if found is None:
            raise Differs  # destroyed between the two calls: this person was just forgotten
        return bytes(found["key"])


async def _inserted(collection: Collection, document: dict[str, Any]) -> bool:
    """Whether the document is new; False when its name exists."""
    try:
        await collection.insert_one(document)
    except DatabaseError as error:
        if getattr(error, "code", None) == _DUPLICATE_KEY:
            return False
        raise
    return True


def _seal(key: bytes, user: str, person: Person) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, json.dumps(dict(person)).encode(), user.encode())


def _open(key: bytes, user: str, sealed: bytes) -> dict[str, str]:
    """Raises InvalidTag for a row that is not this user's, or was touched."""
    opened = AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], user.encode())
    person: dict[str, str] = json.loads(opened)
    return person


Tampered = InvalidTag
"""What reading raises for a row that is not what was sealed."""
