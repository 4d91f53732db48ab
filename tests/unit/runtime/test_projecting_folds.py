"""Folding: any batch size gives the documents that the ops give one by one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.views import Add, Delete, Op, Set, SetOnce, Unset
from libs.runtime.folding import (
    Document,
    DocumentChange,
    Removal,
    Replacement,
    Update,
    apply_op,
    field_name,
    json_value,
    statement,
    stored_json,
)
from tests.unit.runtime.view_ops import carried_out, ops


def one_by_one(changes: list[Op]) -> dict[str, Document]:
    """The documents by the meaning of each op."""
    documents: dict[str, Document | None] = {}
    for op in changes:
        documents[op.doc] = apply_op(documents.get(op.doc), op)
    return {doc: document for doc, document in documents.items() if document is not None}


def in_batches(changes: list[Op], sizes: list[int]) -> dict[str, Document]:
    """The documents after folded batches, each carried out as one write per document."""
    documents: dict[str, Document | None] = {}
    rest = list(changes)
    for size in [*sizes, len(rest)]:
        batch, rest = rest[:size], rest[size:]
        folded: dict[str, DocumentChange] = {}
        for op in batch:
            folded.setdefault(op.doc, DocumentChange(known=False)).fold(op)
        for doc, change in folded.items():
            documents[doc] = carried_out(documents.get(doc), statement(change))
    return {doc: document for doc, document in documents.items() if document is not None}


@given(ops, st.lists(st.integers(0, 6), max_size=6))
def test_a_batch_of_any_size_folds_to_what_its_ops_give_one_by_one(
    changes: list[Op], sizes: list[int]
) -> None:
    """One write per document and batch means the same as one write per op."""
    assert in_batches(changes, sizes) == one_by_one(changes)


@given(ops)
def test_a_rebuild_folds_a_whole_log_in_memory_to_the_same_documents(changes: list[Op]) -> None:
    """Where a document is known, folding it as a dict gives the documents of the live view."""
    folded: dict[str, DocumentChange] = {}
    for op in changes:
        folded.setdefault(op.doc, DocumentChange(known=True)).fold(op)
    found = {doc: carried_out(None, statement(change)) for doc, change in folded.items()}
    assert {doc: document for doc, document in found.items() if document is not None} == one_by_one(changes)


def folded(*changes: Op) -> Any:
    """The one write of these ops on an unknown document."""
    change = DocumentChange(known=False)
    for op in changes:
        change.fold(op)
    return statement(change)


def test_assignments_and_sums_become_plain_operators() -> None:
    """The usual case stays the fastest and most readable update."""
    assert Update({"$set": {"a": 1}, "$inc": {"b": 5}}) == folded(
        Set("d", "a", 1), Add("d", "b", 2), Add("d", "b", 3)
    )


def test_a_field_is_removed_with_all_below_it() -> None:
    """Alone it is a plain operator, and of two of which one lies below the other the upper one is named; after it the field is new."""
    assert Update({"$unset": {"a": ""}}) == folded(Unset("d", "a.b"), Unset("d", "a"))
    sum_after = {"a.b": {"$add": [{"$ifNull": ["$a.b", 0]}, 2]}}
    assert Update([{"$unset": ["a"]}, {"$set": sum_after}]) == folded(Unset("d", "a"), Add("d", "a.b", 2))


def test_set_once_needs_no_read() -> None:
    """The server itself keeps the value that is there; a text that begins with a dollar stays a text."""
    expected = Update([{"$set": {"a": {"$ifNull": ["$a", {"$literal": "$5"}]}}}])
    assert expected == folded(SetOnce("d", "a", "$5"))


def test_delete_then_set_replaces_the_document() -> None:
    """What stood in a document before its removal never comes back."""
    assert Replacement({"a": 1}) == folded(Set("d", "b", 2), Delete("d"), Set("d", "a", 1))


def test_set_then_delete_removes_the_document() -> None:
    """The last word counts."""
    assert Removal() == folded(Set("d", "b", 2), Delete("d"))


@pytest.mark.parametrize(
    "value",
    [1.5, {1, 2}, b"x", object(), 2**63, {"a": 0.1}, {1: 2}, {"a.b": 1}, {"$a": 1}, {"": 1}, {"a\0": 1}],
)
def test_what_is_not_exact_json_is_refused(value: Any) -> None:
    """A float, a set, bytes or a number that the database cannot hold never reaches a document."""
    with pytest.raises((TypeError, ValueError)):
        json_value(value)


@pytest.mark.parametrize(
    "op",
    [
        Set("d", "", 1),
        Set("d", "a..b", 1),
        Set("d", "$a", 1),
        Set("d", "_id", 1),
        SetOnce("d", "a", None),
        Add("d", "a", True),
        Add("d", "a", 2**63),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_a_malformed_op_is_refused_in_both_forms(op: Op, known: bool) -> None:
    """A view that writes nonsense breaks at once, not at the database."""
    with pytest.raises((TypeError, ValueError)):
        DocumentChange(known).fold(op)


@pytest.mark.parametrize("known", [True, False])
def test_a_sum_is_never_taken_of_a_text(known: bool) -> None:
    """Adding to a field that was assigned a text breaks the view instead of losing the text."""
    change = DocumentChange(known)
    change.fold(Set("d", "a", "text"))
    with pytest.raises(TypeError):
        change.fold(Add("d", "a", 1))


def test_any_text_can_name_a_field() -> None:
    """Stream ids that a bank's reference found its way into keep apart and stay one field."""
    texts = ("bankref_a.b", "bankref_a%2Eb", "$x", "%24x", "plain", "", "%", "a\0")
    names = [field_name(text) for text in texts]
    assert names == ["bankref_a%2Eb", "bankref_a%252Eb", "%24x", "%2524x", "plain", "%", "%25", "a%00"]


@given(st.dictionaries(st.text(max_size=4), st.text(max_size=2), max_size=4))
def test_any_json_of_the_log_can_stand_in_a_document(data: dict[str, str]) -> None:
    """Whatever its fields are called, they keep apart and what they hold is untouched, at any depth."""
    stored = stored_json({"deep": [data, 1, None]})
    assert json_value(stored) == stored
    assert list(stored["deep"][0].values()) == list(data.values())
