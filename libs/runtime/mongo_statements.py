"""What we mean, in MongoDB's words: comparisons of a search, writes of a document, the compare-and-set of a triple."""

from collections.abc import Mapping
from typing import Any

from pymongo import DeleteOne, ReplaceOne, UpdateOne

from libs.events.views import AtLeast, AtMost, OtherThan
from libs.runtime.folding import DocumentChange, Removal, Replacement, Update, statement
from libs.runtime.generations import Generation, Move, position_document, triple_document

Write = UpdateOne | ReplaceOne[dict[str, Any]] | DeleteOne


def compared(value: Any) -> dict[str, Any]:
    """What a field of a search must be: a value is compared, never understood."""
    match value:
        case OtherThan(other):
            return {"$ne": other}
        case AtLeast(least):
            return {"$gte": least}
        case AtMost(most):
            return {"$lte": most}
        case _:
            return {"$eq": value}


def searched(where: Mapping[str, Any]) -> dict[str, Any]:
    """What all fields of a search must be."""
    return {name: compared(value) for name, value in where.items()}


def write_of(doc: str, change: DocumentChange) -> Write:
    """The one write that carries out everything folded into a change."""
    match statement(change):
        case Removal():
            return DeleteOne({"_id": doc})
        case Replacement(document):
            return ReplaceOne({"_id": doc}, document, upsert=True)
        case Update(update):
            return UpdateOne({"_id": doc}, update, upsert=True)


def move_of(generation: Generation, move: Move) -> UpdateOne:
    """A triple's move, which matches nothing where the triple is not what it must be."""
    before = position_document(generation.key, move.partition, move.before)
    return UpdateOne(before, {"$set": triple_document(move.after)})
