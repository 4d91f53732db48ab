"""Folding a view's changes: many ops on one document become one write that never reads it. Pure.

Two forms of the same meaning. Where the document is known (a rebuild into an empty collection, the simulation, after a
Delete) the ops change a plain dict. Where it is not (live), they are merged into stages that one MongoDB update carries
out on the server. `apply_op` on a dict is the meaning; a property test holds every batch size of the other form to it.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from libs.events.views import Add, Delete, Op, Set, SetOnce, Unset

Document = dict[str, Any]

#: Integers stay inside what MongoDB stores exactly.
_INT_MAX = 2**63 - 1


@dataclass(slots=True)
class Stage:
    """Changes of one document that can be made in one step: no path in it lies below another one.

    A path may stand in `onces` and `adds` together: first the value if there is none, then the sum.
    """

    onces: dict[str, Any] = field(default_factory=dict)
    adds: dict[str, int] = field(default_factory=dict)
    sets: dict[str, Any] = field(default_factory=dict)
    unsets: list[str] = field(default_factory=list)
    """Paths that are removed: such a stage does nothing else."""
    parents: set[str] = field(default_factory=set)
    """Every path that lies above one in here (or did): lets the search for paths below be left out."""

    def below(self, path: str) -> bool:
        """Whether this stage assigns something below `path`, which therefore is an object afterwards."""
        if path not in self.parents:
            return False
        start = path + "."
        return any(name.startswith(start) for part in (self.onces, self.adds, self.sets) for name in part)

    def assign(self, path: str, value: Any) -> None:
        """Set."""
        if path in self.parents:
            start = path + "."
            for part in (self.onces, self.adds, self.sets):
                for name in [name for name in part if name.startswith(start)]:
                    del part[name]
        if self.onces:
            self.onces.pop(path, None)
        if self.adds:
            self.adds.pop(path, None)
        self.sets[path] = value

    def assign_once(self, path: str, value: Any) -> None:
        """SetOnce."""
        if path in self.sets:
            if self.sets[path] is None:
                self.sets[path] = value
        elif path not in self.onces and path not in self.adds and not self.below(path):
            self.onces[path] = value

    def add(self, path: str, amount: int) -> None:
        """Add. Raises TypeError where the path is no number."""
        if path in self.sets:
            self.sets[path] = _sum(path, self.sets[path], amount)
        elif self.below(path):
            raise TypeError(f"{path} is an object and cannot be added to")
        else:
            self.adds[path] = self.adds.get(path, 0) + amount

    def above(self, parents: tuple[str, ...]) -> str | None:
        """The first of these paths that stands in this stage, if one does."""
        for parent in parents:
            if parent in self.sets or parent in self.onces or parent in self.adds:
                return parent
        return None


@dataclass(slots=True)
class DocumentChange:
    """What a batch does to one document. `known` documents are folded as dicts, others as stages."""

    known: bool
    document: Document | None = None
    stages: list[Stage] = field(default_factory=list)

    def fold(self, op: Op) -> None:
        """Add one op. Raises TypeError or ValueError for an op that no document can take."""
        if self.document is not None and not isinstance(op, Delete):
            _change(self.document, op)  # known and there: nearly every op of a rebuild
            return
        if isinstance(op, Delete):
            self.known, self.document, self.stages = True, None, []
            return
        if self.known:
            self.document = apply_op(None, op)
            return
        path = op.field
        parents = _parents(path)
        if isinstance(op, Unset):
            self._unset(path)
            return
        stage = self._stage(parents) if parents else self._last_stage()
        if stage is None:
            self._fold_into_value(op, parents)
        elif isinstance(op, Set):
            stage.assign(path, json_value(op.value))
        elif isinstance(op, Add):
            stage.add(path, _integer(op.amount))
        else:
            stage.assign_once(path, _first_value(op))

    def _stage(self, parents: tuple[str, ...]) -> Stage | None:
        """The stage for a path below these parents; None where a value that the last stage assigns holds the path."""
        stage = self._last_stage()
        parent = stage.above(parents)
        if parent is not None:
            if parent in stage.sets:
                return None
            if parent in stage.adds:
                raise TypeError(f"{parent} is a number and holds no fields")
            stage = self._next_stage()
        if parents[-1] not in stage.parents:
            stage.parents.update(parents)
        return stage

    def _fold_into_value(self, op: Set | SetOnce | Add, parents: tuple[str, ...]) -> None:
        sets = self.stages[-1].sets
        parent = next(parent for parent in parents if parent in sets)
        _change({parent: sets[parent]}, op, (parent, *_segments(op.field)[parent.count(".") + 1 :]))

    def _unset(self, path: str) -> None:
        if not self.stages or not self.stages[-1].unsets:
            self._next_stage()
        if path not in self.stages[-1].unsets:
            self.stages[-1].unsets.append(path)

    def _last_stage(self) -> Stage:
        if not self.stages or self.stages[-1].unsets:
            return self._next_stage()
        return self.stages[-1]

    def _next_stage(self) -> Stage:
        stage = Stage()
        self.stages.append(stage)
        return stage


def apply_op(document: Document | None, op: Op) -> Document | None:
    """The meaning of one op: the document after it, changed in place; None where there is none.

    Raises TypeError where a path leads through or adds to something else than it needs, ValueError for a malformed path.
    """
    if isinstance(op, Delete):
        return None
    document = {} if document is None else document
    _change(document, op)
    return document


def _change(document: Document, op: Set | SetOnce | Add | Unset, segments: tuple[str, ...] = ()) -> None:
    """Carry out one op, along its path or along `segments`. The hottest place of a rebuild: what is plain takes no further call."""
    name = op.field
    if isinstance(op, Unset):
        _remove(document, segments or _segments(name))
        return
    if name not in document:  # a field that is there was looked at when it came
        segments = segments or _segments(name)
        document, name = _object_at(document, segments), segments[-1]
    if isinstance(op, Set):
        value = op.value
        document[name] = value if type(value) is str else json_value(value)
    elif isinstance(op, Add):
        before, amount = document.get(name, 0), op.amount
        plain = type(before) is int and type(amount) is int and -_INT_MAX <= amount <= _INT_MAX
        document[name] = before + amount if plain else _sum(op.field, before, amount)
    else:
        value = _first_value(op)
        if document.get(name) is None:
            document[name] = value


def _remove(document: Document, segments: tuple[str, ...]) -> None:
    found: Any = document
    for segment in segments[:-1]:
        found = found.get(segment) if isinstance(found, dict) else None
    if isinstance(found, dict):
        found.pop(segments[-1], None)


def _object_at(document: Document, segments: tuple[str, ...]) -> Document:
    """The object that holds the last of these segments, made where there is none."""
    for segment in segments[:-1]:
        document = document.setdefault(segment, {})
        if not isinstance(document, dict):
            raise TypeError(f"{'.'.join(segments)} leads through {segment}, which is not an object")
    return document


def _first_value(op: SetOnce) -> Any:
    if op.value is None:
        raise ValueError(f"{op.field} cannot be set once to nothing")
    return json_value(op.value)


def _sum(path: str, value: Any, amount: int) -> int:
    if type(value) is not int:
        raise TypeError(f"{path} is {type(value).__name__} and cannot be added to")
    return value + _integer(amount)


def _integer(value: Any) -> int:
    if type(value) is not int or not -_INT_MAX <= value <= _INT_MAX:
        raise TypeError("a view may add integers of 64 bits only")
    return value


def json_value(value: Any) -> Any:
    """A copy of a JSON value as the database will give it back (tuples become lists).

    Raises TypeError for anything else, floats included: what is exact in the log stays exact in the views.
    """
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int:
        return _integer(value)
    if kind is dict:
        return {_key(name): json_value(item) for name, item in value.items()}
    if kind is list or kind is tuple:
        return [json_value(item) for item in value]
    if isinstance(value, str):
        return str.__str__(value)  # an enumeration's member
    raise TypeError(f"a view may store JSON without floats, not {kind.__name__}")


@lru_cache(maxsize=16_384)
def _key(name: Any) -> str:
    if not isinstance(name, str) or not name or "." in name or "\0" in name or name.startswith("$"):
        raise ValueError(f"{name!r} cannot be a field's name")
    return str.__str__(name)


@lru_cache(maxsize=16_384)
def _segments(path: str) -> tuple[str, ...]:
    segments = tuple(path.split("."))
    if segments[0] == "_id":
        raise ValueError("_id is the document's name and cannot be changed")
    for segment in segments:
        _key(segment)
    return segments


@lru_cache(maxsize=16_384)
def _parents(path: str) -> tuple[str, ...]:
    """The paths that a path lies below. Raises ValueError for a malformed path."""
    segments = _segments(path)
    return tuple(".".join(segments[:length]) for length in range(1, len(segments)))


@lru_cache(maxsize=16_384)
def field_name(text: str) -> str:
    """`text` as one field's name: dots, percent signs, zeros and a leading dollar are written %2E, %25, %00, %24, no text %."""
    safe = text.replace("%", "%25").replace(".", "%2E").replace("\0", "%00")
    return "%24" + safe[1:] if safe.startswith("$") else safe or "%"


def stored_json(value: Any) -> Any:
    """JSON of the log as a document can hold it, whatever its fields are called: names as `field_name` writes them."""
    if isinstance(value, dict):
        return {field_name(name): stored_json(item) for name, item in value.items()}
    if isinstance(value, list):
        return [stored_json(item) for item in value]
    return value


@dataclass(frozen=True, slots=True)
class Removal:
    """The document is gone."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """The document is exactly this."""

    document: Document


@dataclass(frozen=True, slots=True)
class Update:
    """A MongoDB update, an operator document or a pipeline, that also makes the document if it is missing."""

    change: dict[str, Any] | list[dict[str, Any]]


Statement = Removal | Replacement | Update


def statement(change: DocumentChange) -> Statement:
    """The one write that carries a folded change out.

    Only a SetOnce on a document that is not known needs a pipeline; plain operators are faster and read better.
    """
    if change.known:
        return Removal() if change.document is None else Replacement(change.document)
    if len(change.stages) == 1 and not change.stages[0].onces:
        stage = change.stages[0]
        operators = {
            "$set": stage.sets,
            "$inc": stage.adds,
            "$unset": dict.fromkeys(_outermost(stage.unsets), ""),
        }
        return Update({name: fields for name, fields in operators.items() if fields})
    return Update([step for stage in change.stages for step in _steps(stage)])


def _steps(stage: Stage) -> list[dict[str, Any]]:
    if stage.unsets:
        return [{"$unset": _outermost(stage.unsets)}]
    onces = {path: {"$ifNull": [f"${path}", {"$literal": value}]} for path, value in stage.onces.items()}
    adds = {path: {"$add": [{"$ifNull": [f"${path}", 0]}, amount]} for path, amount in stage.adds.items()}
    sets = {path: {"$literal": value} for path, value in stage.sets.items()}
    return [{"$set": fields} for fields in (onces, adds | sets) if fields]


def _outermost(paths: list[str]) -> list[str]:
    """Those of which none lies below another: MongoDB takes no two that do."""
    return [path for path in paths if not set(_parents(path)) & set(paths)]
