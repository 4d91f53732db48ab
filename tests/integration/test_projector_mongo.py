"""What the projector asks of MongoDB itself: folded writes mean what their ops mean, positions decide who writes."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from deploy.local.parts import Parts
from libs.events.chain import Checkpoint
from libs.events.searches import BY_NAME, OneOf, Sorting, Span, page_of
from libs.events.views import Add, Delete, Op, OtherThan, Set, View
from libs.runtime import mongo
from libs.runtime.folding import Document, DocumentChange, apply_op
from libs.runtime.generations import Generation, GenerationWrite, Move, Overtaken
from libs.runtime.kafka import LogWriter, Place
from libs.runtime.mongo import Database
from libs.runtime.parked import list_parked, show_parked
from libs.runtime.projecting import Failure, Partition, Projection
from libs.runtime.settings import Settings
from libs.runtime.views import Changed, Reset, Views
from tests.conftest import MakeSettings
from tests.integration.chained_log import LOG_ID, ChainedLog, toy
from tests.integration.projected import applied, projecting
from tests.unit.runtime.view_ops import ops

PLACE = Partition("bidding", 0)


def heads(position: int) -> Checkpoint:
    """Some triple."""
    return Checkpoint(position, position, bytes([position + 1]) * 32)


async def new_generation(
    database: Database, name: str = "bidding.any", *, keeps_before: bool = False
) -> Generation:
    """An empty generation that may be fed from the beginning."""
    view = View(
        name=name,
        version=1,
        reads=(),
        project=lambda _: (),
        indexes=("owner",),
        keeps_before=keeps_before,
    )
    generation = await database.begin_generation(Projection(view))
    await database.join(generation, {PLACE: heads(-1)})
    [joined] = [each for each in await database.generations([name]) if each.key == generation.key]
    return joined


def moved(generation: Generation, before: int, after: int, *changes: Op) -> GenerationWrite:
    """A write of one partition's batch."""
    folded: dict[str, DocumentChange] = {}
    for op in changes:
        folded.setdefault(op.doc, DocumentChange(known=False)).fold(op)
    return GenerationWrite(generation, [Move(PLACE, heads(before), heads(after))], folded)


@given(ops, st.lists(st.integers(0, 6), max_size=4))
@limits(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_mongodb_makes_of_folded_batches_what_the_ops_mean(
    parts: Parts, make_settings: MakeSettings, changes: list[Op], sizes: list[int]
) -> None:
    """Operators, pipelines, replacements and removals give the documents of the ops one by one, on the real server."""
    expected: dict[str, Document | None] = {}
    for op in changes:
        expected[op.doc] = apply_op(expected.get(op.doc), op)

    async def stored() -> dict[str, Document]:
        database = Database.connect(make_settings(kafka=parts.kafka, mongo=parts.mongo, log_id=LOG_ID))
        try:
            generation, rest, position = await new_generation(database), list(changes), -1
            for size in [*sizes, len(rest)]:
                batch, rest = rest[:size], rest[size:]
                await database.commit([moved(generation, position, position + 1, *batch)])
                position += 1
            found = await database.find_page(generation.collection, {}, None, 10, BY_NAME)
            return {each.pop("_id"): each for each in found}
        finally:
            await database.close()

    found = run(stored())
    assert found == {doc: document for doc, document in expected.items() if document is not None}


def run(work: Coroutine[Any, Any, dict[str, Document]]) -> dict[str, Document]:
    """Run on a loop of its own, as hypothesis knows no coroutines."""
    return asyncio.run(work)


async def test_a_position_is_moved_only_from_where_it_is(toy_database: Database) -> None:
    """Of two who write after the same position one wins; of the other nothing is written, in no view."""
    ours, other = await new_generation(toy_database), await new_generation(toy_database)
    await toy_database.commit([moved(ours, -1, 3, Set("d", "n", 1))])
    with pytest.raises(Overtaken) as overtaken:
        await toy_database.commit(
            [moved(other, -1, 4, Set("d", "n", 7)), moved(ours, -1, 4, Set("d", "n", 2), Set("e", "n", 2))]
        )
    assert overtaken.value.keys == (ours.key,)
    assert await toy_database.find(ours.collection, "d") == {"_id": "d", "n": 1}
    assert await toy_database.find(ours.collection, "e") is None
    assert await toy_database.find(other.collection, "d") is None
    assert await toy_database.positions([ours.key, other.key]) == {
        ours.key: {PLACE: heads(3)},
        other.key: {PLACE: heads(-1)},
    }


async def test_two_at_once_never_both_win(toy_database: Database) -> None:
    """However their transactions meet, exactly one of ten writers moves a position."""
    generation = await new_generation(toy_database)
    done = await asyncio.gather(
        *(
            toy_database.commit([moved(generation, -1, number, Set("d", "n", number))])
            for number in range(10)
        ),
        return_exceptions=True,
    )
    [winner] = [number for number, error in enumerate(done) if error is None]
    assert all(isinstance(error, Overtaken) for error in done if error is not None)
    document = await toy_database.find(generation.collection, "d")
    assert document == {"_id": "d", "n": winner}


@pytest.mark.parametrize("at_the_commit", [False, True])
async def test_a_transaction_that_the_server_gave_up_is_made_again(
    toy_settings: Settings, toy_database: Database, monkeypatch: pytest.MonkeyPatch, at_the_commit: bool
) -> None:
    """A projector that stood still for longer than a transaction may last (a stopped machine) goes on: at the next statement
    or at its commit the server knows nothing of it any more, and the same batch is written anew."""
    generation = await new_generation(toy_database)
    given_up = 0

    async def give_up() -> None:
        nonlocal given_up
        if not given_up:
            given_up += 1
            with MongoClient[dict[str, Any]](toy_settings.require_mongo()) as client:
                client.admin.command("killAllSessions", [])

    async def stand_still(*rest: Any) -> None:
        if not at_the_commit:
            await give_up()
        await written(*rest)
        if at_the_commit:
            await give_up()

    written = toy_database._write_documents
    monkeypatch.setattr(toy_database, "_write_documents", stand_still)
    await toy_database.commit([moved(generation, -1, 0, Set("a", "n", 1))])
    assert given_up == 1
    assert await toy_database.find(generation.collection, "a") == {"_id": "a", "n": 1}
    assert (await toy_database.positions([generation.key]))[generation.key] == {PLACE: heads(0)}


@pytest.mark.parametrize("was_carried_out", [True, False])
async def test_a_commit_of_which_the_server_remembers_nothing_is_looked_up(
    toy_database: Database, monkeypatch: pytest.MonkeyPatch, was_carried_out: bool
) -> None:
    """After half an hour's stand-still the server has forgotten the session, and its answer (251) carries no label: whether
    the commit had come through is read from the positions, and the sum is added once in either case."""
    generation = await new_generation(toy_database)
    session = vars(mongo)["AsyncIOMotorClientSession"]
    commit, asked = session.commit_transaction, []

    async def forgotten(self: Any) -> None:
        asked.append(self)
        if len(asked) > 1 or was_carried_out:
            await commit(self)
        if len(asked) == 1:
            raise OperationFailure("Given transaction number 7 does not match any in-progress", 251)

    monkeypatch.setattr(session, "commit_transaction", forgotten)
    await toy_database.commit([moved(generation, -1, 0, Add("a", "n", 5))])
    assert await toy_database.find(generation.collection, "a") == {"_id": "a", "n": 5}
    assert (await toy_database.positions([generation.key]))[generation.key] == {PLACE: heads(0)}


async def test_nobody_feeds_a_dropped_generation(toy_database: Database) -> None:
    """A projector that has not heard of the end cannot bring a dropped collection back."""
    generation = await new_generation(toy_database)
    await toy_database.retire(generation)
    await toy_database.drop(generation)
    with pytest.raises(Overtaken):
        await toy_database.commit([moved(generation, -1, 0, Set("d", "n", 1))])
    assert await toy_database.find(generation.collection, "d") is None


async def test_where_a_view_stands_still_is_kept(toy_database: Database) -> None:
    """A failure is stored with the batch before it, and forgotten when the view goes on."""
    generation = await new_generation(toy_database)
    failure = Failure("bidding/0/1", "KeyError")
    first = moved(generation, -1, 0, Set("d", "n", 1))
    await toy_database.commit([GenerationWrite(generation, first.moves, first.changes, failure)])
    [stopped] = await toy_database.generations([generation.view])
    assert stopped.failure == failure
    await toy_database.commit([moved(stopped, 0, 1, Set("d", "n", 2))])
    [going] = await toy_database.generations([generation.view])
    assert going.failure is None


async def test_a_flip_needs_the_pointer_that_was_seen(toy_database: Database) -> None:
    """Of two builders of a view the second notices that the first one was faster."""
    first, second = await new_generation(toy_database), await new_generation(toy_database)
    await toy_database.flip(first, None)
    with pytest.raises(Overtaken):
        await toy_database.flip(second, None)
    pointer = await toy_database.pointer(first.view)
    assert pointer is not None
    assert pointer.key == first.key
    await toy_database.flip(second, pointer)
    with pytest.raises(Overtaken):
        await toy_database.flip(first, pointer)


async def test_a_silent_builders_generation_is_ended(toy_database: Database) -> None:
    """What is neither read nor looked after goes; what is read stays however old it is."""
    read, left = await new_generation(toy_database), await new_generation(toy_database)
    await toy_database.flip(read, None)
    fresh = await new_generation(toy_database)
    await toy_database.retire_abandoned([read.view], 600)
    assert [each.state for each in await toy_database.generations([read.view])] == [
        "joined",
        "retired",
        "joined",
    ]
    await toy_database.retire_abandoned([read.view], -1)
    assert {each.number: each.state for each in await toy_database.generations([read.view])} == {
        read.number: "joined",
        left.number: "retired",
        fresh.number: "retired",
    }


async def test_pages_follow_each_other(toy_database: Database) -> None:
    """Every document that matches comes once, in the order of names; a value is compared, never understood."""
    generation = await new_generation(toy_database)
    names = [f"lst/{number:02}" for number in range(7)]
    changes = [Set(name, "owner", "usr_a" if name != "lst/03" else "usr_b") for name in names]
    await toy_database.commit([moved(generation, -1, 0, *changes)])
    await toy_database.flip(generation, None)
    views, found, after = Views(toy_database), list[str](), None
    while True:
        page, after = await views.page(generation.view, where={"owner": "usr_a"}, after=after, limit=2)
        found += [each["_id"] for each in page]
        if after is None:
            break
    assert found == [name for name in names if name != "lst/03"]
    assert await views.page(generation.view, where={"owner": {"$ne": ""}}, after=None, limit=9) == ([], None)


async def test_the_database_searches_as_a_search_is_meant(toy_database: Database) -> None:
    """Every comparison in every order, page by page: the same pages and places as of the documents in memory."""
    generation = await new_generation(toy_database)
    documents: dict[str, dict[str, Any]] = {
        f"lst/{number}": {"rate": rate, "grade": grade, "roles": [grade, "x"]}
        for number, (rate, grade) in enumerate(
            [(3, "A"), (1, "B"), (3, "B"), (2, "C"), (None, "A"), (1, "A")]
        )
    }
    changes = [Set(doc, field, value) for doc, fields in documents.items() for field, value in fields.items()]
    await toy_database.commit([moved(generation, -1, 0, *changes)])
    await toy_database.flip(generation, None)
    named = {doc: {"_id": doc} | fields for doc, fields in documents.items()}
    views = Views(toy_database)
    searches: list[dict[str, Any]] = [
        {},
        {"rate": Span(2)},
        {"rate": Span(1, 2)},
        {"rate": Span()},
        {"grade": OneOf(("A", "C")), "rate": Span(None, 2)},
        {"grade": OtherThan("B")},
        {"rate": None},
        {"roles": "A"},
        {"_id": OneOf(("lst/1", "lst/9"))},
    ]
    for where in searches:
        for field in (None, "rate", "grade"):
            for descending in (False, True):
                order, after = Sorting(field, descending), None
                while True:
                    expected = page_of(named, where, after, 2, order)
                    found, following = await views.page(
                        generation.view, where=where, after=after, limit=2, order=order
                    )
                    assert (found, following) == expected, (where, order)
                    if (after := following) is None:
                        break


async def test_anchors_and_the_log_id_are_kept(toy_database: Database) -> None:
    """A reader's triples are his own; the first log id stays."""
    place = Place("bidding.events", 1)
    assert await toy_database.load_anchor("api.bidding", place) is None
    await toy_database.save_anchors("api.bidding", {place: heads(4)})
    await toy_database.save_anchors("api.bidding", {place: heads(5)})
    assert await toy_database.load_anchor("api.bidding", place) == heads(5)
    assert await toy_database.load_anchor("api.repayment", place) is None
    assert await toy_database.log_id() is None
    assert await toy_database.keep_log_id("a") == "a"
    assert await toy_database.keep_log_id("b") == "a"


async def test_what_is_parked_can_be_listed_and_its_bytes_shown(
    toy_settings: Settings, toy_log: ChainedLog, toy_views: Views
) -> None:
    """The address in the list leads to the command's bytes, whether they are JSON or not."""
    writer = LogWriter(toy_settings.require_kafka(), client_id="commands")
    await writer.start()
    place = Place(f"{toy_settings.topic_prefix}bidding.commands", 0)
    for value in (b'{"type": "bidding.Test"}', b"\xff\xfe"):
        await writer.send(place, key=b"acc_1", value=value)
    await writer.stop()
    async with projecting(toy_settings, toy()):
        await toy_log.refuse(0, "unknown_hold", source="bidding-reads-bidding|bidding.events|0|4")
        await toy_log.refuse(0, "malformed")
        await toy_log.pay("acc_1", 5)
        await toy_log.stored()
        await applied(toy_views, toy_log)
    parked = await list_parked(toy_settings, [toy()])
    assert [(each.ref, each.fields["code"]) for each in parked] == [
        ("bidding/0/0/0", "unknown_hold"),
        ("bidding/0/1/0", "malformed"),
    ]
    first = await show_parked(toy_settings, parked[0].ref)
    assert (first.position, first.value, first.text) == (
        0,
        b'{"type": "bidding.Test"}',
        '{\n  "type": "bidding.Test"\n}',
    )
    second = await show_parked(toy_settings, parked[1].ref)
    assert (second.value, second.text) == (b"\xff\xfe", None)


async def test_changes_are_told_from_now_on_or_from_where_a_reader_was(toy_database: Database) -> None:
    """A new stream begins with Reset; one that goes on misses nothing; a rebuilt view begins with Reset again."""
    first = await new_generation(toy_database)
    await toy_database.flip(first, None)
    views = Views(toy_database)
    stream = views.changes(first.view, where={"owner": "usr_a"}, after=None)
    assert await anext(stream) == Reset(f"{first.number}.")
    changes = [Set("a", "owner", "usr_a"), Set("b", "owner", "usr_b"), Set("c", "owner", "usr_a")]
    await toy_database.commit([moved(first, -1, 0, *changes)])
    seen = [await anext(stream), await anext(stream)]
    assert [each.doc for each in seen if isinstance(each, Changed)] == ["a", "c"]
    assert isinstance(seen[0], Changed)
    assert seen[0].document == {"_id": "a", "owner": "usr_a"}
    await stream.aclose()

    again = views.changes(first.view, where={"owner": "usr_a"}, after=seen[0].id)
    assert await anext(again) == seen[1]
    second = await new_generation(toy_database)
    await toy_database.flip(second, await toy_database.pointer(first.view))
    assert await anext(again) == Reset(f"{second.number}.")
    await again.aclose()

    for made_up in ("x", f"{second.number}.", f"{second.number}.00", seen[0].id):
        stream = views.changes(first.view, where={}, after=made_up)
        assert await anext(stream) == Reset(f"{second.number}.")
        await stream.aclose()


@pytest.mark.parametrize("keeps_before", [True, False])
async def test_a_document_that_fits_no_more_is_told_of_by_a_view_that_keeps_what_it_was(
    toy_database: Database, keeps_before: bool
) -> None:
    """Given away or removed: told to who followed its owner, without what it has become; never to who did not."""
    generation = await new_generation(toy_database, keeps_before=keeps_before)
    await toy_database.flip(generation, None)
    stream = Views(toy_database).changes(generation.view, where={"owner": "usr_a"}, after=None)
    assert isinstance(await anext(stream), Reset)
    steps: list[list[Op]] = [
        [Set("a", "owner", "usr_a"), Set("b", "owner", "usr_a"), Set("c", "owner", "usr_b")],
        [Set("a", "owner", "usr_b")],
        [Delete("b"), Delete("c")],
        [Set("end", "owner", "usr_a")],
    ]
    for position, changes in enumerate(steps):
        await toy_database.commit([moved(generation, position - 1, position, *changes)])
    told = []
    async for change in stream:
        assert isinstance(change, Changed)
        told.append((change.doc, change.document is not None, change.before is not None))
        if change.doc == "end":
            break
    await stream.aclose()
    # a change is told with what the document is by then, so `a` and `b` may be somebody else's or gone at once
    gone = [(doc, False, True) for doc in ("a", "b")]
    assert [one for one in told if one[2]] == (gone if keeps_before else [])
    assert {doc for doc, *_ in told} <= {"a", "b", "end"}
