"""What we mean, in MongoDB's words: comparisons of a search, writes of a document, the compare-and-set of a triple."""

from collections.abc import Iterable, Mapping
from typing import Any

from pymongo import DeleteOne, ReplaceOne, UpdateMany, UpdateOne

from libs.events.chain import Checkpoint
from libs.events.searches import OneOf, Sorting, Span, read_place
from libs.events.views import OtherThan
from libs.runtime.folding import DocumentChange, Removal, Replacement, Update, statement
from libs.runtime.generations import GenerationWrite, position_id, triple_document
from libs.runtime.projecting import Partition

Write = UpdateOne | ReplaceOne[dict[str, Any]] | DeleteOne


def compared(value: Any) -> dict[str, Any]:
    """What a field of a search must be: a value is compared, never understood."""
    match value:
        case OtherThan():
            return {"$ne": value.value}
        case OneOf():
            return {"$in": list(value.values)}
        case Span():
            ends = {"$gte": value.low, "$lte": value.high}
            return {name: end for name, end in ends.items() if end is not None} or {"$ne": None}
        case _:
            return {"$eq": value}


def searched(where: Mapping[str, Any]) -> dict[str, Any]:
    """A search for documents whose fields are what `where` says."""
    return {name: compared(value) for name, value in where.items()}


def wanted(where: Mapping[str, Any], after: str | None, order: Sorting) -> dict[str, Any]:
    """Those of a search in an order, after a place in it."""
    search = searched(where)
    beyond = "$lt" if order.descending else "$gt"
    also: list[dict[str, Any]] = [] if order.field is None else [{order.field: {"$ne": None}}]
    if after is not None and order.field is None:
        also.append({"_id": {beyond: after}})
    elif after is not None:
        value, name = read_place(order, after)
        also.append(
            {"$or": [{order.field: {beyond: value}}, {order.field: {"$eq": value}, "_id": {beyond: name}}]}
        )
    return search | {"$and": also} if also else search


def sort_keys(order: Sorting) -> list[tuple[str, int]]:
    """The order as a sort."""
    way = -1 if order.descending else 1
    return [("_id", way)] if order.field is None else [(order.field, way), ("_id", way)]


def write_of(doc: str, change: DocumentChange) -> Write:
    """The one write that carries out everything folded into a change."""
    match statement(change):
        case Removal():
            return DeleteOne({"_id": doc})
        case Replacement(document):
            return ReplaceOne({"_id": doc}, document, upsert=True)
        case Update(update):
            return UpdateOne({"_id": doc}, update, upsert=True)


def moves_of(writes: Iterable[GenerationWrite]) -> list[UpdateMany]:
    """The triples' moves, which match nothing where a triple is not what it must be.

    Most views stand at the same triple and go to the same one, so a partition's move is one statement for all of them.
    """
    together: dict[tuple[Partition, Checkpoint, Checkpoint], list[str]] = {}
    for write in writes:
        for move in write.moves:
            name = position_id(write.generation.key, move.partition)
            together.setdefault((move.partition, move.before, move.after), []).append(name)
    return [
        UpdateMany({"_id": {"$in": names}, **triple_document(before)}, {"$set": triple_document(after)})
        for (_, before, after), names in together.items()
    ]
