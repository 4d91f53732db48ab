"""Random ops whose order matters, and a small reading of MongoDB's updates to check folded ones against."""

from typing import Any

from hypothesis import strategies as st

from libs.events.views import Add, Delete, Op, Set, SetOnce, Unset
from libs.runtime.folding import Removal, Replacement, Statement

DOCS = ("x", "y")

_numbers = st.integers(-5, 5)
_objects = st.fixed_dictionaries({"n": _numbers, "v": st.none() | st.text("ab$.", max_size=2)})
_values = st.none() | st.booleans() | st.text("ab$.", max_size=3) | st.lists(_numbers, max_size=2)

_by_field = [
    *((field, _numbers) for field in ("n", "o.n", "p.q.n", "rows.1.n")),
    *((field, _values) for field in ("v", "o.v", "p.q.v")),
    *((field, _objects) for field in ("o", "p.q", "rows.1")),
    ("p", _objects.map(lambda inner: {"q": inner})),
]
_numeric = [field for field, values in _by_field if values is _numbers]


def _assignments(doc: str) -> st.SearchStrategy[Op]:
    return st.one_of(
        *(st.builds(Set, st.just(doc), st.just(field), values) for field, values in _by_field),
        *(
            st.builds(SetOnce, st.just(doc), st.just(field), values.filter(lambda value: value is not None))
            for field, values in _by_field
        ),
    )


def _ops(doc: str) -> st.SearchStrategy[Op]:
    sums = st.builds(Add, st.just(doc), st.sampled_from(_numeric), _numbers)
    removed = st.builds(Unset, st.just(doc), st.sampled_from([field for field, _ in _by_field]))
    return st.one_of(_assignments(doc), sums, removed, st.builds(Delete, st.just(doc)))


ops = st.lists(st.one_of(*(_ops(doc) for doc in DOCS)), max_size=14)
"""Ops on two documents that any document can take: paths that lie below each other always meet objects."""


def carried_out(document: dict[str, Any] | None, statement: Statement) -> dict[str, Any] | None:
    """What MongoDB makes of a document: operators at once, pipeline stages one after the other."""
    if isinstance(statement, Removal):
        return None
    if isinstance(statement, Replacement):
        return dict(statement.document)
    found = {} if document is None else document
    if isinstance(statement.change, list):
        for stage in statement.change:
            before = found
            found = _copied(found)
            for path in stage.get("$unset", ()):
                _removed(found, path)
            for path, expression in stage.get("$set", {}).items():
                _assign(found, path, _evaluated(expression, before))
        return found
    found = dict(_copied(found))
    for path, value in statement.change.get("$set", {}).items():
        _assign(found, path, value)
    for path, amount in statement.change.get("$inc", {}).items():
        _assign(found, path, (_read(found, path) or 0) + amount)
    for path in statement.change.get("$unset", {}):
        _removed(found, path)
    return found


def _evaluated(expression: Any, document: dict[str, Any]) -> Any:
    match expression:
        case {"$literal": value}:
            return value
        case {"$ifNull": [first, second]}:
            value = _evaluated(first, document)
            return _evaluated(second, document) if value is None else value
        case {"$add": [first, second]}:
            return _evaluated(first, document) + _evaluated(second, document)
        case str():
            return _read(document, expression.removeprefix("$"))
        case _:
            return expression


def _read(document: Any, path: str) -> Any:
    for segment in path.split("."):
        document = document.get(segment) if isinstance(document, dict) else None
    return document


def _assign(document: dict[str, Any], path: str, value: Any) -> None:
    *parents, name = path.split(".")
    for segment in parents:
        document = document.setdefault(segment, {})
    document[name] = value


def _removed(document: dict[str, Any], path: str) -> None:
    *parents, name = path.split(".")
    holder = _read(document, ".".join(parents)) if parents else document
    if isinstance(holder, dict):
        holder.pop(name, None)


def _copied(value: Any) -> Any:
    return {name: _copied(inner) for name, inner in value.items()} if isinstance(value, dict) else value
