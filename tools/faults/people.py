"""People who use the platform while it is broken: each opens an account, tops up, bids and withdraws, one thing at a time.

The load is an open loop over the crowd: a request is begun when it is due, whatever the platform does. Whoever has no
answer yet does nothing else, so that each one's own arithmetic stays exact, and somebody new comes in his place.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final
from uuid import UUID

from pydantic_core import from_json, to_json

from tools.faults.caller import Caller
from tools.faults.history import BANK, STAFF, Attempt, History, Kind, Told, Wish

#: People of one fault beyond whom a request that is due finds nobody: then everybody waits for an answer.
CROWD_MAX: Final = 1_500
_TOP_UP_FEN: Final = 1_000_000
_BID_MIN_FEN: Final = 10_000
#: Large enough that ordinary bids never fill it: what a filled listing does has a fault of its own.
LISTING_FEN: Final = 10_000_000
#: Shares of what is done: ask again what was answered, use a key for another body, overdraw.
_ASK_AGAIN, _MISUSE, _OVERDRAW = 0.08, 0.01, 0.1


@dataclass(slots=True)
class Person:
    """Somebody with an account. `free_fen` is what is available by his own arithmetic."""

    subject: str
    opened: bool = False
    free_fen: int = 0
    to_confirm: list[Wish] = field(default_factory=list)
    """Top-ups and withdrawals that the bank has still to confirm."""
    answered: list[Wish] = field(default_factory=list)

    @property
    def account(self) -> str:
        """The id of his custody account."""
        return "acc_" + self.subject.removeprefix("usr_")


class Crowd:
    """The people of one fault. `name` keeps them apart from those of other faults."""

    def __init__(self, name: str, caller: Caller, history: History, random: Random) -> None:
        self._name = name
        self._caller = caller
        self._history = history
        self._random = random
        self.listings: list[str] = []
        self.people: list[Person] = []
        self._idle: list[Person] = []
        self._of: dict[int, Person] = {}
        """Who waits for an unanswered wish, by the wish's identity."""
        self._keys = self._new_keys()

    # --- what is asked for --------------------------------------------------------------------------------------

    async def open_listings(self, count: int) -> None:
        """The operator opens loan requests for all to bid on; they are part of the history."""
        self.listings += [await self.open_listing(LISTING_FEN) for _ in range(count)]

    async def open_listing(self, amount_fen: int) -> str:
        """One loan request, of a borrower with an account. Raises TimeoutError when nobody answers."""
        borrower = self.newcomer()
        await self.until_answered(self.opening(borrower), 30.0)
        body = {
            "borrower": borrower.subject,
            "amount_fen": amount_fen,
            "annual_rate": "0.12",
            "tenor_months": 3,
            "grade": "B",
        }
        wish = self._wish(Kind.LIST, STAFF, "/bidding/listings", body, "")
        await self.until_answered(wish, 30.0)
        return str(wish.answer["id"])

    async def send(self, _number: int) -> str:
        """Somebody who waits for nothing asks for the next thing; gives how it ended. The load calls this."""
        person = self._somebody()
        if person is None:
            return "everybody waits"
        wish = self._next(person)
        return await self.ask(person, wish)

    async def ask(self, person: Person, wish: Wish) -> str:
        """Ask once. Whoever gets no answer is busy until somebody calls `until_answered` for him."""
        self._of[id(wish)] = person
        attempt = await self._caller.ask(wish)
        self._learn(wish, attempt)
        return attempt.told

    async def ask_once(self, wish: Wish) -> None:
        """Ask without anybody waiting for it."""
        self._learn(wish, await self._caller.ask(wish))

    async def until_answered(self, wish: Wish, limit_s: float) -> None:
        """Ask again under the same key until there is an answer. Raises TimeoutError."""
        async with asyncio.timeout(limit_s):
            while wish.told is Told.UNKNOWN:
                attempt = await self._caller.ask(wish)
                self._learn(wish, attempt)
                if attempt.told is Told.UNKNOWN:
                    await asyncio.sleep(0.1)

    def newcomer(self) -> Person:
        """Somebody who has no account yet."""
        person = Person(f"usr_{self._name}p{len(self.people)}")
        self.people.append(person)
        return person

    # --- choosing -----------------------------------------------------------------------------------------------

    def _somebody(self) -> Person | None:
        """Whoever waits longest among those who wait for nothing; often somebody new while the crowd is small."""
        few = len(self.people) < 40
        if self._idle and not (few and self._random.random() < 0.3):
            return self._idle.pop(self._random.randrange(len(self._idle)))
        return self.newcomer() if len(self.people) < CROWD_MAX else None

    def _next(self, person: Person) -> Wish:
        chance = self._random.random()
        if not person.opened:
            return self.opening(person)
        if person.answered and chance < _ASK_AGAIN:
            return self._random.choice(person.answered)
        if person.answered and chance < _ASK_AGAIN + _MISUSE:
            return self._misuse(person)
        if person.to_confirm and chance < 0.6:
            return self.confirmation(person)
        if person.free_fen < _BID_MIN_FEN and self._random.random() > _OVERDRAW:
            return self.top_up(person, _TOP_UP_FEN)
        if self._random.random() < 0.7 and self.listings:
            return self.bid(
                person, self._random.choice(self.listings), _BID_MIN_FEN * self._random.randint(1, 4)
            )
        most = person.free_fen + (100_000 if self._random.random() < _OVERDRAW else 0)
        return self.withdrawal(person, self._random.randint(1, max(1, most // 2)))

    def opening(self, person: Person) -> Wish:
        """He wants an account."""
        return self._wish(Kind.OPEN, person.subject, "/bidding/accounts", {}, person.account)

    def top_up(self, person: Person, amount_fen: int) -> Wish:
        """He wants to pay in."""
        path = f"/bidding/accounts/{person.account}/top-ups"
        return self._wish(Kind.TOP_UP, person.subject, path, {"amount_fen": amount_fen}, person.account)

    def withdrawal(self, person: Person, amount_fen: int) -> Wish:
        """He wants to be paid out."""
        path = f"/bidding/accounts/{person.account}/withdrawals"
        return self._wish(Kind.WITHDRAW, person.subject, path, {"amount_fen": amount_fen}, person.account)

    def bid(self, person: Person, listing: str, amount_fen: int) -> Wish:
        """He wants to lend."""
        body = {"listing_id": listing, "amount_fen": amount_fen}
        path = f"/bidding/accounts/{person.account}/bids"
        return self._wish(Kind.BID, person.subject, path, body, person.account)

    def confirmation(self, person: Person) -> Wish:
        """The bank confirms the oldest thing that he asked of it."""
        asked = person.to_confirm.pop(0)
        name = str(asked.answer["id"])
        kind, noun = (Kind.DEPOSIT, "top-ups") if asked.kind is Kind.TOP_UP else (Kind.PAID, "withdrawals")
        body = {
            "bank_reference": f"B-{next(self._keys)[:18]}",
            "amount_fen": asked.amount_fen,
            "succeeded": True,
        }
        return self._wish(kind, BANK, f"/bidding/bank/{noun}/{person.account}/{name}", body, person.account)

    def _misuse(self, person: Person) -> Wish:
        """The key of an answered wish with another body."""
        first = self._random.choice(person.answered)
        if first.key is None or not first.amount_fen:
            return first
        body = to_json({**_fields(first), "amount_fen": first.amount_fen + 1})
        return self._history.add(
            Wish(
                first.kind,
                first.who,
                first.path,
                body,
                first.account,
                first.amount_fen + 1,
                first.key,
                misuses=first,
            )
        )

    def _wish(self, kind: Kind, who: str, path: str, body: dict[str, object], account: str) -> Wish:
        amount = body.get("amount_fen", 0)
        key = None if who == BANK else next(self._keys)
        assert isinstance(amount, int)
        return self._history.add(Wish(kind, who, path, to_json(body), account, amount, key))

    def _new_keys(self) -> Iterator[str]:
        while True:
            yield UUID(int=self._random.getrandbits(128), version=4).hex

    # --- learning -----------------------------------------------------------------------------------------------

    def _learn(self, wish: Wish, attempt: Attempt) -> None:
        """An answer frees its person for the next thing; only the first one changes his arithmetic."""
        if attempt.told is Told.UNKNOWN:
            return
        person = self._of.pop(id(wish), None)
        if person is None:
            return
        if wish.misuses is None and wish not in person.answered:
            self._count(person, wish)
            person.answered.append(wish)
        self._idle.append(person)

    @staticmethod
    def _count(person: Person, wish: Wish) -> None:
        if wish.kind is Kind.OPEN:
            person.opened = wish.told is Told.OK
        if wish.told is not Told.OK:
            return
        if wish.kind in (Kind.TOP_UP, Kind.WITHDRAW):
            person.to_confirm.append(wish)
        if wish.kind is Kind.DEPOSIT:
            person.free_fen += wish.amount_fen
        elif wish.kind in (Kind.BID, Kind.WITHDRAW):
            person.free_fen -= wish.amount_fen


def _fields(wish: Wish) -> dict[str, object]:
    found: dict[str, object] = from_json(wish.body)
    return found


async def answer_waiting(crowd: Crowd, history: History, *, limit_s: float) -> None:
    """Whoever was left without an answer asks again until he has one; those whose request is under way wait for it first."""
    waiting = [wish for wish in history.told(Told.UNKNOWN) if wish.attempts]
    await _each(lambda wish: crowd.until_answered(wish, limit_s), waiting)


async def settle(crowd: Crowd, history: History, *, limit_s: float, again: int) -> None:
    """Ask everything unanswered again until it is answered; then the bank confirms every withdrawal.

    At last whatever was unknown, and `again` others, are asked once more: the same bytes must come back. Callers who are
    not answered within the limit stay unknown.
    """
    await _each(lambda wish: crowd.until_answered(wish, limit_s), history.told(Told.UNKNOWN))
    await _confirm_all(crowd, limit_s)
    certain = [wish for wish in history.wishes if not wish.was_unknown]
    sample = certain[:: max(1, len(certain) // max(1, again))][:again]
    await _each(crowd.ask_once, [*(wish for wish in history.wishes if wish.was_unknown), *sample])


async def _confirm_all(crowd: Crowd, limit_s: float) -> None:
    wishes = [crowd.confirmation(person) for person in crowd.people for _ in list(person.to_confirm)]
    await _each(lambda wish: crowd.until_answered(wish, limit_s), wishes)


async def _each(work: Callable[[Wish], Awaitable[object]], wishes: Sequence[Wish]) -> None:
    """Work on wishes, 32 at a time; one that is not answered in time stays as it is."""
    slots = asyncio.Semaphore(32)

    async def one(wish: Wish) -> None:
        async with slots:
            try:
                await work(wish)
            except TimeoutError:
                return

    await asyncio.gather(*(one(wish) for wish in wishes))
