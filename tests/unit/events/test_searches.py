"""Lists in any order: what their pages say together is the list, and a place in it is never misread."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.searches import OneOf, Sorting, Span, fits, page_of, place_of, read_place
from libs.events.views import OtherThan

DOCUMENTS = st.dictionaries(
    st.text("ab/1 ", min_size=1, max_size=4),
    st.fixed_dictionaries({"kind": st.sampled_from("xyz")}, optional={"size": st.integers(-3, 3)}),
    max_size=12,
)


@given(DOCUMENTS, st.integers(1, 5), st.booleans(), st.sampled_from([None, "size", "kind"]))
def test_every_document_of_a_list_comes_once_and_in_order(
    documents: dict[str, dict[str, Any]], limit: int, descending: bool, field: str | None
) -> None:
    """Whatever a page holds; what lacks the field of the order is not listed, equal values are ordered by name."""
    named = {name: {"_id": name} | document for name, document in documents.items()}
    where, order = {"kind": OneOf(("x", "y"))}, Sorting(field, descending)
    found: list[dict[str, Any]] = []
    after = None
    while True:
        page, after = page_of(named, where, after, limit, order)
        found += page
        if after is None:
            break
        assert len(page) == limit
    listed = [each for each in named.values() if each["kind"] != "z" and (not field or field in each)]
    listed.sort(key=lambda each: (each[field] if field else 0, each["_id"]), reverse=descending)
    assert found == listed


@given(st.one_of(st.integers(-(10**15), 10**15), st.text()), st.text())
def test_a_place_survives_as_text(value: int | str, name: str) -> None:
    """Whatever stands in the field and in the name."""
    order = Sorting("size")
    assert read_place(order, place_of(order, (value, name))) == (value, name)


@pytest.mark.parametrize("text", ["", "x", "i", "i1e3 a", "s9 ab", "s-1 ab", f"i{10**16} a"])
def test_what_is_no_place_is_refused(text: str) -> None:
    """A cursor's checksum is no secret, so whoever makes one up is told so."""
    with pytest.raises(ValueError, match=r"no place|invalid literal"):
        read_place(Sorting("size"), text)


@pytest.mark.parametrize(
    ("asked", "fitting"),
    [
        (Span(2), [2, 3]),
        (Span(None, 2), [1, 2]),
        (Span(2, 2), [2]),
        (Span(), [1, 2, 3]),
        (OneOf((1, 3)), [1, 3]),
        (OtherThan(2), [1, 3, None]),
        (None, [None]),
        (2, [2]),
    ],
)
def test_a_field_is_what_is_asked_for(asked: Any, fitting: list[int | None]) -> None:
    """Both ends of a span are in it, and what is not there is in none."""
    assert [size for size in (1, 2, 3, None) if fits({"size": size}, {"size": asked})] == fitting
    assert fits({"roles": ["cashier", "legal"]}, {"roles": "legal"})
