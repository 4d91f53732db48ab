"""The kernel of projections: what a view is shown, what stops it, and the views that every service has."""

from collections.abc import Sequence

import pytest

from libs.events import upcast
from libs.events.bidding import AccountOpened
from libs.events.chain import Reading
from libs.events.records import RawRecord, RecordedEvent
from libs.events.repayment import LoanRepaid
from libs.events.system import CommandRefused
from libs.events.views import Add, Op, View
from libs.runtime.fed import EVENTS_MAX, transactions
from libs.runtime.kafka import Place
from libs.runtime.projecting import (
    Failure,
    MemoryViews,
    Partition,
    Projection,
    fold_records,
)
from libs.runtime.projector import Lag
from tests.unit.runtime.chains import LOG_ID, OPENINGS, Chain, documents, opened


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
