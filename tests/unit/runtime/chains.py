"""Decision records of a partition, sealed by hand: what views are fed with in unit tests."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from libs.events.bidding import AccountOpened, HoldReleased
from libs.events.chain import ChainReader, Reading, genesis, seal
from libs.events.records import RawRecord, RecordedEvent, encode_decision, encode_event
from libs.events.topics import events_topic
from libs.events.views import Add, Op, Set, View
from libs.runtime.projecting import (
    AcceptedRecord,
    AnyView,
    MemoryViews,
    Partition,
)

LOG_ID = "0" * 32
AT = datetime(2024, 3, 15, 10, 30, tzinfo=UTC)


class Chain:
    """Decision records of one partition, sealed by hand."""

    def __init__(self, service: str = "bidding", partition: int = 0) -> None:
        self.service, self.partition = service, partition
        self.head = genesis(LOG_ID, events_topic(service), partition)
        self._offset = -1

    def sealed(self, value: bytes, **headers: bytes) -> RawRecord:
        """The next record with this value."""
        self._offset += 1
        position = self.head.position + 1
        named = {name.replace("_", "-"): content for name, content in headers.items()}
        named["position"] = str(position).encode()
        digest = seal(self.head.hash, named, value)
        record = RawRecord(self._offset, b"k", value, named | {"prev": self.head.hash, "hash": digest}, 0)
        chain = ChainReader(self.head)
        assert chain.read(record) is Reading.ACCEPTED
        self.head = chain.head
        return record

    def decided(self, *events: tuple[str | None, Any], **headers: bytes) -> RawRecord:
        """The next decision."""
        encoded = [encode_event(stream, 1 if stream else None, data) for stream, data in events]
        value = encode_decision(
            at=AT,
            business_date=date(2024, 3, 15),
            principal="usr_a",
            correlation_id="c",
            causation_id=None,
            events=encoded,
        )
        return self.sealed(value, **headers)

    def accepted(self, *events: tuple[str | None, Any], **headers: bytes) -> AcceptedRecord:
        """The next decision as the kernel gets it."""
        raw = self.decided(*events, **headers)
        return AcceptedRecord(raw, Partition(self.service, self.partition), self.head)


def opened(account: str) -> tuple[str, AccountOpened]:
    """An account's first event in its stream."""
    return account, AccountOpened(account_id=account, owner=account.replace("acc", "usr"))


def released(hold: str) -> tuple[str, HoldReleased]:
    """A hold that ended."""
    return "acc_1", HoldReleased(
        account_id="acc_1",
        owner="usr_1",
        hold_id=hold,
        bid_id="bid",
        listing_id="lst",
        amount_fen=1,
        reason="listing_full",
        available_after_fen=1,
        held_after_fen=0,
        postings=(),
    )


def project_openings(event: RecordedEvent) -> Sequence[Op]:
    """Counts openings; an account of the name acc_bad is a fault, one of acc_half breaks half-way."""
    account = event.data.account_id
    if account == "acc_bad":
        raise KeyError(account)
    ops: list[Op] = [Add("all", "count", 1), Set(account, "owner", event.data.owner)]
    if account == "acc_half":
        ops.append(Add(account, "owner", 1))
    return ops


OPENINGS = View(name="bidding.openings", version=1, reads=(AccountOpened,), project=project_openings)


def documents(view: AnyView, *records: tuple[Chain, RawRecord]) -> dict[str, dict[str, Any]]:
    """The view's documents after records of some chains."""
    views = MemoryViews([view], log_id=LOG_ID)
    for chain, raw in records:
        assert views.feed(chain.service, chain.partition, raw) is Reading.ACCEPTED
    assert views.broken == {}
    return next(iter(views.documents.values()))
