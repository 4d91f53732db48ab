"""The kernel of projections: what a view is shown, what stops it, and the views that every service has."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events import upcast
from libs.events.bidding import AccountOpened, HoldReleased
from libs.events.chain import ChainReader, Reading, genesis, seal
from libs.events.records import RawRecord, RecordedEvent, encode_decision, encode_event
from libs.events.repayment import LoanRepaid
from libs.events.sagas import Saga
from libs.events.system import CommandHadNoEffect, CommandRefused, CommandRepeated, PolicyFailed
from libs.events.topics import events_topic
from libs.events.views import Add, Op, Set, View
from libs.runtime.fed import EVENTS_MAX, transactions
from libs.runtime.folding import field_name
from libs.runtime.kafka import Place
from libs.runtime.projecting import (
    AcceptedRecord,
    AnyView,
    Failure,
    MemoryViews,
    Partition,
    Projection,
    fold_records,
)
from libs.runtime.projector import Lag
from libs.runtime.service import Service
from libs.runtime.system_views import all_views, commands_view, parked_view, sagas_view

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


def test_a_view_sees_only_the_types_it_reads() -> None:
    """An event of another type, even one that nobody can decode, is not decoded for it."""
    chain = Chain()
    unknown = (
        b'{"at":null,"business_date":null,"principal":"","correlation_id":"","causation_id":null,"events":'
    )
    unknown += b'[{"type":"bidding.FromTheFuture.v9","stream":"acc_1","sequence":1,"data":{"no":"schema"}}]}'
    found = documents(OPENINGS, (chain, chain.sealed(unknown)), (chain, chain.decided(opened("acc_1"))))
    assert found == {"all": {"count": 1}, "acc_1": {"owner": "usr_1", "src": {"acc_1": "bidding/0/1/0"}}}


def test_an_older_version_of_a_type_is_read_as_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A view names the newest version; what the log holds in older ones reaches it upcast."""
    step = ("bidding.AccountOpened.v1", lambda data: {"account_id": data["id"], "owner": data["owner"]})
    monkeypatch.setitem(upcast.STEPS, "bidding.AccountOpened.v0", step)
    chain = Chain()
    value = chain.decided(opened("acc_1")).value
    old = value.replace(b"AccountOpened.v1", b"AccountOpened.v0").replace(b'"account_id"', b'"id"')
    chain = Chain()
    assert documents(OPENINGS, (chain, chain.sealed(old)))["acc_1"]["owner"] == "usr_1"


def test_an_accepted_record_that_nobody_can_read_stops_every_view_that_would() -> None:
    """What the chain holds is never skipped in silence: it may carry events for the view."""
    chain = Chain()
    views = MemoryViews([OPENINGS], log_id=LOG_ID)
    views.feed("bidding", 0, chain.sealed(b"not json"))
    assert views.broken == {"bidding.openings": Failure("bidding/0/0", "Undecodable")}


def test_records_that_do_not_fit_the_chain_change_nothing() -> None:
    """A repeat and a foreign record are told apart, and neither reaches a view."""
    chain = Chain()
    views = MemoryViews([OPENINGS], log_id=LOG_ID)
    first = chain.decided(opened("acc_1"))
    assert views.feed("bidding", 0, first) is Reading.ACCEPTED
    assert views.feed("bidding", 0, first) is Reading.REPEAT
    assert views.feed("bidding", 0, RawRecord(2, b"", b"\xff", {}, 0)) is Reading.FOREIGN
    assert views.documents["bidding.openings"]["all"] == {"count": 1}
    assert views.position("bidding", 0) == 0


@pytest.mark.parametrize(("bad", "error"), [("acc_bad", "KeyError"), ("acc_half", "TypeError")])
def test_a_view_that_raises_keeps_what_came_before(bad: str, error: str) -> None:
    """The records before the one it raised on count whole, that one not even by half."""
    chain = Chain()
    records = [chain.accepted(opened(account)) for account in ("acc_1", "acc_2", bad, "acc_3")]
    fold = fold_records(Projection(OPENINGS), records)
    assert fold.failure == Failure("bidding/0/2", error)
    assert fold.heads == {Partition("bidding", 0): records[1].checkpoint}
    assert set(fold.changes) == {"all", "acc_1", "acc_2"}
    assert fold.changes["all"].stages[0].adds == {"count": 2}
    assert fold.events == 2


def test_one_views_fault_is_not_anothers() -> None:
    """Views that read the same record go on without the one that raised."""
    chain = Chain()
    other = View(
        name="bidding.other", version=1, reads=(AccountOpened,), project=lambda _: [Add("all", "n", 1)]
    )
    views = MemoryViews([OPENINGS, other], log_id=LOG_ID)
    for account in ("acc_1", "acc_bad", "acc_2"):
        views.feed("bidding", 0, chain.decided(opened(account)))
    assert views.broken == {"bidding.openings": Failure("bidding/0/1", "KeyError")}
    assert views.documents["bidding.openings"]["all"] == {"count": 1}
    assert views.documents["bidding.other"]["all"] == {"n": 3}


def test_a_failure_of_the_machine_is_no_views_fault() -> None:
    """Out of memory ends the process; the view is not blamed for it."""

    def exhausted(event: RecordedEvent) -> Sequence[Op]:
        raise MemoryError

    chain = Chain()
    view = View(name="bidding.greedy", version=1, reads=(AccountOpened,), project=exhausted)
    with pytest.raises(MemoryError):
        fold_records(Projection(view), [chain.accepted(opened("acc_1"))])


def test_a_view_reads_the_services_whose_types_it_names() -> None:
    """Its topics follow from its types; events of every service's system are those of the view's own."""

    def nothing(event: RecordedEvent) -> Sequence[Op]:
        return ()

    mixed = View(name="reporting.x", version=1, reads=(AccountOpened, LoanRepaid), project=nothing)
    system = View(name="repayment.x", version=1, reads=(CommandRefused,), project=nothing)
    assert Projection(mixed).sources == ("bidding", "repayment")
    assert Projection(system).sources == ("repayment",)


# --- the views that every service has ------------------------------------------------------------------------------


def refusal(code: str, command_type: str = "bidding.PlaceBid") -> tuple[None, CommandRefused]:
    """A refusal outside any stream."""
    about = {"hold_id": "hold_1"}
    return None, CommandRefused(command_type=command_type, code=code, stream_id="acc_1", about=about)


def person(command_id: bytes) -> dict[str, bytes]:
    """The headers of a person's command."""
    return {"command_id": command_id, "type": b"bidding.PlaceBid"}


def policy(command_id: bytes) -> dict[str, bytes]:
    """The headers of a policy's command."""
    return person(command_id) | {"source": b"bidding-reads-bidding|bidding.events|0|4"}


def retried(command_id: bytes) -> dict[str, bytes]:
    """The headers of a policy's command that somebody has sent once more."""
    return person(command_id) | {"fingerprint": b"retry"}


def test_a_command_keeps_its_first_answer() -> None:
    """Decided, refused or without effect; a repeat and a reused key change nothing; a policy's command is no person's."""
    chain = Chain()
    repeated = CommandRepeated(first_position=0, first=[])
    found = documents(
        commands_view("bidding"),
        (chain, chain.decided(opened("acc_1"), **person(b"one"))),
        (chain, chain.decided(refusal("insufficient_available"), **person(b"two"))),
        (
            chain,
            chain.decided((None, CommandHadNoEffect(command_type="t", stream_id="s")), **person(b"three")),
        ),
        (chain, chain.decided((None, repeated), **person(b"one"))),
        (chain, chain.decided(refusal("key_reused"), **person(b"one"))),
        (chain, chain.decided(opened("acc_2"), **policy(b"four"))),
        (chain, chain.decided(opened("acc_3"), **retried(b"five"))),
        (chain, chain.decided(refusal("malformed"))),
    )
    assert set(found) == {"one", "two", "three"}
    assert found["one"] == {
        "owner": "usr_a",
        "type": "bidding.PlaceBid",
        "outcome": "decided",
        "code": None,
        "position": "bidding/0/0",
        "at": AT.isoformat(),
        "events": [
            {
                "type": "bidding.AccountOpened.v1",
                "stream": "acc_1",
                "sequence": 1,
                "data": {"account_id": "acc_1", "owner": "usr_1"},
            }
        ],
    }
    assert (found["two"]["outcome"], found["two"]["code"]) == ("refused", "insufficient_available")
    assert (found["three"]["outcome"], found["three"]["code"]) == ("no_effect", None)


def test_only_refusals_that_nobody_expected_are_parked() -> None:
    """A person's refusal is his answer; what could not be decided, and money that would stop in silence, is parked."""
    saga = Saga("s", "why", opened_by={}, closed_by={}, steps=(), expected_refusals=(AccountOpened,))
    view = parked_view(Service(name="bidding", sagas=(saga,)))
    chain = Chain()
    failed = PolicyFailed(group="bidding-reads-bidding", event_address="bidding/0/1/0", error="KeyError")
    found = documents(
        view,
        (chain, chain.decided(refusal("insufficient_available"), **person(b"one"))),
        (chain, chain.decided(refusal("malformed"), **person(b"two"))),
        (chain, chain.decided(refusal("unknown_hold"), **policy(b"three"))),
        (chain, chain.decided(refusal("unknown_hold", "bidding.AccountOpened.v1"), **policy(b"four"))),
        (chain, chain.decided(("~p0", failed), **policy(b"five"))),
        (chain, chain.decided(refusal("unknown_hold"), **retried(b"six"))),
    )
    assert {ref: (each["kind"], each["code"]) for ref, each in found.items()} == {
        "bidding/0/1/0": ("refused", "malformed"),
        "bidding/0/2/0": ("refused", "unknown_hold"),
        "bidding/0/4/0": ("policy_failed", "KeyError"),
        "bidding/0/5/0": ("refused", "unknown_hold"),
    }
    assert found["bidding/0/2/0"] == {
        "kind": "refused",
        "code": "unknown_hold",
        "command_type": "bidding.PlaceBid",
        "stream": "acc_1",
        "about": {"hold_id": "hold_1"},
        "position": "bidding/0/2",
        "at": AT.isoformat(),
        "from_policy": True,
    }


@pytest.mark.parametrize("name", ["a.b", "", "$x", "a.$b", "_id", "a\0b", "%", "about"])
def test_no_name_in_a_refusal_stops_the_views_of_commands_and_of_what_is_parked(name: str) -> None:
    """A log may hold refusals with any `about` from before it was restricted: shown, and the next record too."""
    service = Service(name="bidding")
    chain = Chain()
    told = {name: "1", "other": "2"}
    strange = CommandRefused(command_type="no.Such", code="malformed", stream_id="acc_a", about=told)
    views = MemoryViews([commands_view("bidding"), parked_view(service)], log_id=LOG_ID)
    for command_id in (b"one", b"two"):
        record = chain.decided((None, strange), **person(command_id))
        assert views.feed("bidding", 0, record) is Reading.ACCEPTED
    assert views.broken == {}
    commands, parked = (views.documents[f"bidding.{view}"] for view in ("commands", "parked"))
    shown = {field_name(name): "1", "other": "2"}
    assert [document["events"][0]["data"]["about"] for document in commands.values()] == [shown, shown]
    assert [document["about"] for document in parked.values()] == [shown, shown]


def saga_service() -> Service:
    """A saga that one service opens and another closes."""
    saga = Saga(
        name="loan",
        why="why",
        opened_by={AccountOpened: lambda event: str(event.account_id)},
        closed_by={
            LoanRepaid: lambda event: str(event.borrower),
            HoldReleased: lambda event: (event.hold_id, "acc_3"),
        },
        steps=(),
    )
    return Service(name="repayment", sagas=(saga,), policies={"bidding": lambda _: ()})


@given(st.permutations(range(4)))
def test_open_sagas_are_the_same_in_any_order_of_the_partitions(order: list[int]) -> None:
    """Opened and closed in other services, whichever is read first; only what was opened and not closed is open."""
    events = [
        ("bidding", opened("acc_1")),
        ("bidding", opened("acc_2")),
        (
            "repayment",
            (
                "loan_1",
                LoanRepaid(loan_id="loan_1", borrower="acc_1", repaid_on=date(2024, 3, 1), early=False),
            ),
        ),
        ("bidding", released("hold_9")),
    ]
    chains = [Chain(service, partition) for partition, (service, _) in enumerate(events)]
    records = [(chain, chain.decided(event)) for chain, (_, event) in zip(chains, events, strict=True)]
    found = documents(sagas_view(saga_service()), *(records[number] for number in order))
    still_open = {doc for doc, each in found.items() if "opened_at" in each and "closed_at" not in each}
    assert still_open == {"loan/acc_2"}
    assert found["loan/acc_1"] == {
        "saga": "loan",
        "key": "acc_1",
        "opened_at": {"AccountOpened": AT.isoformat()},
        "closed_at": {"LoanRepaid": AT.isoformat()},
        "src": {"acc_1": "bidding/0/0/0", "loan_1": "repayment/2/0/0"},
    }
    assert set(found) == {"loan/acc_1", "loan/acc_2", "loan/acc_3", "loan/hold_9"}


def test_a_service_that_decides_nothing_has_no_generic_views() -> None:
    """`reporting` has no commands that could be parked."""
    assert all_views(Service(name="reporting", views=(OPENINGS,))) == (OPENINGS,)
    names = [Projection(view).name for view in all_views(saga_service())]
    assert names == ["repayment.commands", "repayment.parked", "repayment.sagas"]


# --- transactions and ages -----------------------------------------------------------------------------------------


def test_a_batch_is_cut_into_transactions_of_bounded_size() -> None:
    """At most a thousand events and a mebibyte; a record that is larger stands alone; the order stays."""
    chain = Chain()
    records = [chain.accepted(opened("acc_1"), opened("acc_2")) for _ in range(EVENTS_MAX)]
    big = [chain.accepted(*(opened(f"acc_{'x' * 50}{number}") for number in range(EVENTS_MAX + 1)))]
    cut = transactions([*records[:3], *big, *records[3:]])
    assert [len(batch) for batch in cut] == [3, 1, EVENTS_MAX // 2, EVENTS_MAX - 3 - EVENTS_MAX // 2]
    assert [record for batch in cut for record in batch] == [*records[:3], *big, *records[3:]]


def test_lag_is_the_age_of_the_first_look_that_saw_more_than_is_read() -> None:
    """It grows while nothing is read, is zero when all is, and never counts the silence before a record."""
    lag, place = Lag(), Place("t", 0)
    assert not lag.knows(place)
    lag.saw_end(place, 10, now=100.0)
    assert lag.age(place, 10, now=500.0) == 0.0
    lag.saw_end(place, 12, now=500.0)
    lag.saw_end(place, 12, now=501.0)
    lag.saw_end(place, 15, now=502.0)
    assert lag.age(place, 10, now=503.0) == 3.0
    assert lag.age(place, 12, now=503.0) == 1.0
    assert lag.age(place, 15, now=503.0) == 0.0
