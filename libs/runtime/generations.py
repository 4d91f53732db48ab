"""Words of the views' storage: a view has generations, a generation has a collection and one triple per partition.

`views/<name>` points to the generation that is read. A generation is *built* by one builder, then *joined*: from there on
whoever feeds it moves its triples by compare-and-set in the transaction that changes its documents. It ends *retired*.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from libs.events.chain import Checkpoint
from libs.runtime.folding import DocumentChange
from libs.runtime.kafka import Place
from libs.runtime.projecting import Failure, Partition

State = Literal["building", "joined", "retired"]


@dataclass(frozen=True, slots=True)
class Generation:
    """One edition of a view: its number counts up for ever, its version is that of the code that fills it."""

    view: str
    number: int
    version: int
    collection: str
    state: State
    failure: Failure | None = None

    @property
    def key(self) -> str:
        """Its name in the collections `generations` and `positions`."""
        return generation_key(self.view, self.number)


@dataclass(frozen=True, slots=True)
class Pointer:
    """The document `views/<name>`: which generation is read."""

    view: str
    collection: str
    generation: int
    version: int

    @property
    def key(self) -> str:
        """The name of the generation it points to."""
        return generation_key(self.view, self.generation)


def generation_key(view: str, number: int) -> str:
    """`<view>#<number>`."""
    return f"{view}#{number}"


@dataclass(frozen=True, slots=True)
class Move:
    """A generation's triple of one partition, from what it must be to what it becomes."""

    partition: Partition
    before: Checkpoint
    after: Checkpoint


@dataclass(frozen=True, slots=True)
class GenerationWrite:
    """What one transaction does to one generation."""

    generation: Generation
    moves: Sequence[Move]
    changes: Mapping[str, DocumentChange] = field(default_factory=dict)
    failure: Failure | None = None


class Overtaken(Exception):
    """Somebody else moved a triple: the transaction was not carried out. `keys` name the generations."""

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__(f"the position of {', '.join(keys)} was moved by somebody else")
        self.keys = tuple(keys)


class ChangeRefused(Exception):
    """MongoDB refuses a change for what it says, and would again; nothing of the transaction was carried out."""

    def __init__(self, generation: Generation, doc: str | None, reason: str) -> None:
        super().__init__(f"{generation.key}: {reason}")
        self.generation = generation
        self.doc = doc


class DatabaseUnavailable(Exception):
    """MongoDB did not answer for longer than a batch may wait: the outcome of the last write is unknown."""


class HistoryLost(Exception):
    """A reader of changes cannot go on from where he was."""


@dataclass(frozen=True, slots=True)
class DocumentChanged:
    """One change that a collection's readers are told of; `document` is None when it is gone.

    `before` is what it was, where the view keeps that (View.keeps_before)."""

    token: str
    doc: str
    document: dict[str, Any] | None
    at: datetime
    before: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two generations compared document by document at equal triples."""

    documents: int
    differences: int
    examples: tuple[str, ...]
    """Names of the first documents that differ or that only one of the two has."""
    hash_before: str
    hash_after: str


def position_id(key: str, where: Partition) -> str:
    """The name of the document that keeps a generation's triple of one partition."""
    return f"{key}/{where.service}/{where.partition}"


def position_document(key: str, where: Partition, triple: Checkpoint) -> dict[str, Any]:
    """The document that keeps a generation's triple of one partition."""
    return {"_id": position_id(key, where), "of": key, **where._asdict(), **triple_document(triple)}


def read_partition(found: Mapping[str, Any]) -> Partition:
    """Whose triple such a document keeps."""
    return Partition(found["service"], int(found["partition"]))


def anchor_id(name: str, place: Place) -> str:
    """The name of the document that keeps a reader's triple of one partition."""
    return f"{name}/{place.topic}/{place.partition}"


def triple_document(checkpoint: Checkpoint) -> dict[str, Any]:
    """A triple as it is stored."""
    return {"offset": checkpoint.offset, "position": checkpoint.position, "hash": checkpoint.hash.hex()}


def read_triple(found: Mapping[str, Any]) -> Checkpoint:
    """What `triple_document` wrote."""
    return Checkpoint(int(found["offset"]), int(found["position"]), bytes.fromhex(found["hash"]))


def read_pointer(found: Mapping[str, Any]) -> Pointer:
    """The document `views/<name>`."""
    return Pointer(found["_id"], found["collection"], int(found["generation"]), int(found["version"]))


def read_generation(found: Mapping[str, Any]) -> Generation:
    """A document of the collection `generations`."""
    failure = found.get("failure")
    return Generation(
        view=found["view"],
        number=int(found["generation"]),
        version=int(found["version"]),
        collection=found["collection"],
        state=found["state"],
        failure=Failure(failure["address"], failure["error"]) if failure else None,
    )


def pointer_document(generation: Generation) -> dict[str, Any]:
    """The document `views/<name>` that points to this generation."""
    return {
        "_id": generation.view,
        "collection": generation.collection,
        "generation": generation.number,
        "version": generation.version,
    }


def generation_document(generation: Generation) -> dict[str, Any]:
    """What `read_generation` reads."""
    return {
        "_id": generation.key,
        "view": generation.view,
        "generation": generation.number,
        "version": generation.version,
        "collection": generation.collection,
        "state": generation.state,
        "failure": failure_document(generation.failure),
    }


def failure_document(failure: Failure | None) -> dict[str, Any] | None:
    """Where and with what a view raised."""
    return None if failure is None else {"address": failure.address, "error": failure.error}


def plain(value: Any) -> Any:
    """A document with Python's own integers instead of BSON's."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value
