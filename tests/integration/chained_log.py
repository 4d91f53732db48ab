"""A decision log written by hand, sealed like a decider's, and a toy service whose views show every kind of change.

Also a process of its own (`python -m tests.integration.chained_log`): the projector of the toy service, to be killed.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from libs.events.bidding import AccountOpened, FundsDeposited, Posting, WithdrawalFailed
from libs.events.chain import Checkpoint, genesis, seal
from libs.events.records import RecordedEvent, encode_decision, encode_event
from libs.events.sagas import Saga
from libs.events.system import CommandRefused
from libs.events.topics import commands_topic, events_topic
from libs.events.views import Add, Delete, Op, Set, SetOnce, View
from libs.runtime.kafka import LogWriter, Place, create_topics, stored_offset
from libs.runtime.projector import ProjectorRole
from libs.runtime.service import Service
from libs.runtime.settings import Settings, load_settings

AT = datetime(2024, 3, 15, 10, 30, tzinfo=UTC)
LOG_ID = "0" * 32
ACCOUNTS = 40
#: An account of this name makes the view `bidding.fragile` raise.
POISON = "acc_poison"


def deposit(account: str, amount_fen: int, after_fen: int) -> FundsDeposited:
    """Money came in; the balance after it stands in the event."""
    return FundsDeposited(
        account_id=account,
        owner=account.replace("acc_", "usr_"),
        top_up_id="top",
        bank_reference="ref",
        amount_fen=amount_fen,
        available_after_fen=after_fen,
        held_after_fen=0,
        postings=(
            Posting(account="bank:custody", amount_fen=-amount_fen),
            Posting(account=f"available:{account}", amount_fen=amount_fen),
        ),
    )


def _balances(event: RecordedEvent) -> Sequence[Op]:
    match event.data:
        case AccountOpened() as opened:
            return [Set(opened.account_id, "owner", opened.owner), Set(opened.account_id, "available_fen", 0)]
        case FundsDeposited() as paid:
            return [
                Set(paid.account_id, "available_fen", paid.available_after_fen),
                SetOnce(paid.account_id, "first_fen", paid.amount_fen),
                Add(paid.account_id, "deposits", 1),
            ]
        case WithdrawalFailed() as closed:
            return [Delete(closed.account_id)]
        case _:
            raise TypeError("not read")


def _totals(event: RecordedEvent) -> Sequence[Op]:
    paid = event.data
    return [Add("all", "amount_fen", paid.amount_fen), Add("all", "count", 1)]


def _fragile(event: RecordedEvent) -> Sequence[Op]:
    if event.data.account_id == POISON:
        raise KeyError("no such thing")
    return [Add("all", "count", 1)]


def toy(version: int = 1, *extra: View) -> Service:
    """A bidding service with three views; `version` is that of its balances."""
    balances = View(
        name="bidding.balances",
        version=version,
        reads=(AccountOpened, FundsDeposited, WithdrawalFailed),
        project=_balances,
        owner_field="owner",
    )
    totals = View(name="bidding.totals", version=1, reads=(FundsDeposited,), project=_totals)
    fragile = View(name="bidding.fragile", version=1, reads=(FundsDeposited,), project=_fragile)
    saga = Saga(
        name="opening",
        why="An account is opened, then paid into.",
        opened_by={AccountOpened: lambda opened: str(opened.account_id)},
        closed_by={FundsDeposited: lambda paid: str(paid.account_id)},
        steps=(),
    )
    return Service(name="bidding", views=(balances, totals, fragile, *extra), sagas=(saga,))


class ChainedLog:
    """Appends sealed decisions to `bidding.events`, one chain per partition, and knows what they add up to."""

    def __init__(self, settings: Settings, writer: LogWriter) -> None:
        self._settings = settings
        self._writer = writer
        self._topic = events_topic("bidding", settings.topic_prefix)
        self._heads: dict[int, Checkpoint] = {}
        self._sequences: dict[str, int] = {}
        self._last: dict[int, tuple[dict[str, bytes], bytes]] = {}
        self.waiting: list[asyncio.Future[object]] = []
        self.balances: dict[str, int] = {}
        self.deposits: dict[str, int] = {}

    def place(self, partition: int) -> Place:
        """One partition of the log."""
        return Place(self._topic, partition)

    def head(self, partition: int) -> Checkpoint:
        """The last decision of a partition. Its offset is unknown here: records may stand between."""
        log_id = self._settings.require_log_id()
        return self._heads.get(partition) or genesis(log_id, self._topic, partition)

    def partition(self, account: str) -> int:
        """Where an account lives: any fixed place will do."""
        return sum(account.encode()) % self._settings.partitions

    async def decide(
        self, partition: int, events: Sequence[tuple[str | None, Any]], *, source: str | None = None
    ) -> int:
        """Append one decision and return its position."""
        before = self.head(partition)
        position = before.position + 1
        encoded = []
        for stream, data in events:
            if stream is not None:
                self._sequences[stream] = self._sequences.get(stream, 0) + 1
            encoded.append(encode_event(stream, self._sequences.get(stream) if stream else None, data))
        value = encode_decision(
            at=AT,
            business_date=date(2024, 3, 15),
            principal="usr_a",
            correlation_id="c",
            causation_id=None,
            events=encoded,
        )
        headers = {
            "position": str(position).encode(),
            "command": b"\0" * 32,
            "command-id": f"id-{partition}-{position}".encode(),
            "type": b"bidding.Test",
            "rules": b"1",
        } | ({"source": source.encode()} if source else {})
        digest = seal(before.hash, headers, value)
        self._heads[partition] = Checkpoint(-1, position, digest)
        headers |= {"prev": before.hash, "hash": digest, "by": b"r0"}
        self._last[partition] = headers, value
        await self.append(partition, value, headers)
        return position

    async def append(self, partition: int, value: bytes, headers: dict[str, bytes]) -> None:
        """Append any record."""
        place = self.place(partition)
        self.waiting.append(await self._writer.post(place, key=b"k", value=value, headers=headers))

    async def repeat(self, partition: int) -> None:
        """Append the last decision once more, as a zombie would."""
        headers, value = self._last[partition]
        await self.append(partition, value, headers)

    async def open(self, account: str) -> None:
        """Open an account."""
        data = AccountOpened(account_id=account, owner=account.replace("acc_", "usr_"))
        await self.decide(self.partition(account), [(account, data)])
        self.balances[account] = 0

    async def pay(self, account: str, amount_fen: int, times: int = 1) -> int:
        """Pay into an account, `times` events in one decision; returns its position."""
        events = []
        for _ in range(times):
            self.balances[account] = self.balances.get(account, 0) + amount_fen
            self.deposits[account] = self.deposits.get(account, 0) + 1
            events.append((account, deposit(account, amount_fen, self.balances[account])))
        return await self.decide(self.partition(account), events)

    async def pay_around(self, decisions: int) -> None:
        """Pay into one account after the other."""
        for number in range(decisions):
            await self.pay(f"acc_{number % ACCOUNTS}", 1 + number % 7, 1 + number % 3)
        await self.stored()

    async def refuse(self, partition: int, code: str, *, source: str | None = None) -> int:
        """A refusal of a person's command, or of a policy's where `source` is given."""
        refused = CommandRefused(
            command_type="bidding.Test", code=code, stream_id="acc_1", about={"hold_id": "h"}
        )
        return await self.decide(partition, [(None, refused)], source=source)

    async def stored(self) -> None:
        """Wait until the broker has everything."""
        for future in self.waiting:
            await stored_offset(future)
        self.waiting.clear()


async def make_topics(settings: Settings) -> None:
    """The toy service's two topics."""
    names = [commands_topic("bidding", settings.topic_prefix), events_topic("bidding", settings.topic_prefix)]
    config = {"message.timestamp.type": "LogAppendTime", "compression.type": "lz4"}
    await create_topics(
        settings.require_kafka(),
        names,
        partitions=settings.partitions,
        replication=1,
        configs=dict.fromkeys(names, config),
    )


if __name__ == "__main__":
    asyncio.run(ProjectorRole(load_settings(), [toy()]).run(asyncio.Event()))
