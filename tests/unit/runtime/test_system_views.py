"""The views that every service has: commands with their answers, what is parked, sagas that are open."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.bidding import AccountOpened, HoldReleased
from libs.events.chain import Reading
from libs.events.repayment import LoanRepaid
from libs.events.sagas import Saga
from libs.events.system import CommandHadNoEffect, CommandRefused, CommandRepeated, PolicyFailed
from libs.runtime.folding import field_name
from libs.runtime.projecting import (
    MemoryViews,
    Projection,
)
from libs.runtime.service import Service
from libs.runtime.system_views import all_views, commands_view, parked_view, sagas_view
from tests.unit.runtime.chains import AT, LOG_ID, OPENINGS, Chain, documents, opened, released

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
