"""Two hundred clients race for the last money: of a listing that all want, and of accounts that each try to spend twice."""

import asyncio
from functools import partial
from typing import Final

from tools.faults.history import Told
from tools.faults.log_copy import LogCopy
from tools.faults.people import Person
from tools.faults.scenario import Fault, Injected
from tools.faults.scene import Scene

CLIENTS: Final = 200
_BID_FEN: Final = 50_000
#: A fifth of what the clients offer: four of five bids must be declined.
_HOT_FEN: Final = CLIENTS * _BID_FEN // 5
_ACCOUNTS: Final = 4
_PLACED, _DECLINED = "bidding.BidPlaced.v1", "bidding.BidDeclined.v1"


async def overfund(scene: Scene) -> Injected:
    """All bid at once on a listing that can take a fifth of it."""
    crowd, rounds = scene.crowd, scene.times(1, 3)
    people = await _rich(scene, CLIENTS, _BID_FEN * rounds)
    done = Injected(rounds, figures={"bids": 0, "accepted": 0})
    for _ in range(rounds):
        hot, mark = await crowd.open_listing(_HOT_FEN), scene.log.ends()
        bids = [crowd.bid(person, hot, _BID_FEN) for person in people]
        await asyncio.gather(*(crowd.ask(person, bid) for person, bid in zip(people, bids, strict=True)))
        for bid in bids:
            await crowd.until_answered(bid, 30)
        await scene.follower.until(partial(_all_judged, scene.log, mark, hot, len(bids)), 60)
        accepted = sum(kind == _PLACED for kind in _judged(scene.log, mark, hot))
        done.figures["bids"] = int(done.figures["bids"]) + len(bids)
        done.figures["accepted"] = int(done.figures["accepted"]) + accepted
        if accepted * _BID_FEN != _HOT_FEN:
            done.broken.append(f"a listing of {_HOT_FEN} fen took {accepted} bids of {_BID_FEN}")
    return done


def _judged(log: LogCopy, mark: dict[tuple[str, int], int], listing: str) -> list[str]:
    """What became of each bid on a listing since a mark."""
    return [
        event["type"]
        for each in log.since(mark)
        for event in each.events
        if event["type"] in (_PLACED, _DECLINED) and event["data"]["listing_id"] == listing
    ]


def _all_judged(log: LogCopy, mark: dict[tuple[str, int], int], listing: str, bids: int) -> bool:
    return len(_judged(log, mark, listing)) == bids


async def overdraw(scene: Scene) -> Injected:
    """A few accounts are asked for their money by fifty requests each at once, withdrawals and bids: a fifth can have it."""
    crowd, rounds = scene.crowd, scene.times(1, 3)
    done = Injected(rounds, figures={"attempts": 0, "accepted": 0})
    listing = await crowd.open_listing(10_000_000)
    each = CLIENTS // _ACCOUNTS
    for _ in range(rounds):
        people = await _rich(scene, _ACCOUNTS, _BID_FEN * each // 5)
        wishes = [
            (
                person,
                crowd.bid(person, listing, _BID_FEN) if number % 2 else crowd.withdrawal(person, _BID_FEN),
            )
            for person in people
            for number in range(each)
        ]
        await asyncio.gather(*(crowd.ask(person, wish) for person, wish in wishes))
        for _, wish in wishes:
            await crowd.until_answered(wish, 30)
        accepted = sum(wish.told is Told.OK for _, wish in wishes)
        done.figures["attempts"] = int(done.figures["attempts"]) + len(wishes)
        done.figures["accepted"] = int(done.figures["accepted"]) + accepted
        if accepted != _ACCOUNTS * (each // 5):
            done.broken.append(
                f"{accepted} of {len(wishes)} were accepted, there was money for {_ACCOUNTS * (each // 5)}"
            )
    return done


async def _rich(scene: Scene, count: int, amount_fen: int) -> list[Person]:
    """People with so much money each."""
    crowd = scene.crowd
    people = [crowd.newcomer() for _ in range(count)]
    slots = asyncio.Semaphore(24)

    async def equip(person: Person) -> None:
        async with slots:
            await crowd.until_answered(crowd.opening(person), 30)
            asked = crowd.top_up(person, amount_fen)
            await crowd.until_answered(asked, 30)
            person.to_confirm.append(asked)
            await crowd.until_answered(crowd.confirmation(person), 30)

    await asyncio.gather(*(equip(person) for person in people))
    return people


FAULTS = (
    Fault(
        "race-overfund",
        "Two hundred bids at once on one listing: it is filled to the fen, the rest is declined and its money free again.",
        overfund,
        quick=True,
        rate_per_s=0,
        limit_s=120,
    ),
    Fault(
        "race-overdraw",
        "Two hundred requests at once on four accounts: exactly what is there is spent, the rest is refused.",
        overdraw,
        quick=True,
        rate_per_s=0,
        limit_s=120,
    ),
)
