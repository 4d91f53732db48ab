"""The shape of a view: pure functions from events to changes of documents they never read.

Because a change is an assignment or an addition, the same function serves the live projector, a rebuild folded in
memory and the simulation, and equal logs give equal documents in any interleaving of streams.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from msgspec import Struct

from libs.events.records import RecordedEvent


class Set(Struct, frozen=True, gc=False):
    """Assign a JSON value to a (dotted) field of a document. A field is written by one stream only."""

    doc: str
    field: str
    value: Any


class SetOnce(Struct, frozen=True, gc=False):
    """Assign a value unless the field already has one."""

    doc: str
    field: str
    value: Any


class Add(Struct, frozen=True, gc=False):
    """Add an integer to a (dotted) field, which starts at zero. Any number of streams may add to it."""

    doc: str
    field: str
    amount: int


class Unset(Struct, frozen=True, gc=False):
    """Remove a (dotted) field, with all below it. Only the stream that alone writes it may do so."""

    doc: str
    field: str


class Delete(Struct, frozen=True, gc=False):
    """Remove a document. Only the stream that owns the whole document may do so."""

    doc: str


Op = Set | SetOnce | Add | Unset | Delete


@dataclass(frozen=True, slots=True)
class View:
    """One view: its name (`bidding.balances`), a version that rebuilds it when raised, and its pure function.

    `reads` are the event types it projects; events of other types are never decoded for it. `owner_field` is the
    document field that holds the owner's principal, None where documents belong to no person.
    Documents that are sums say in their module which rows they are sums of. `keeps_before`: the database keeps for a while
    what each document was, so that who follows the view live is told of documents that he sees no more; the price is a
    second write per change.
    """

    name: str
    version: int
    reads: tuple[type, ...]
    project: Callable[[RecordedEvent], Sequence[Op]]
    owner_field: str | None = None
    indexes: tuple[str, ...] = ()
    keeps_before: bool = False


@dataclass(frozen=True, slots=True)
class OtherThan:
    """In a search: any value but this one; None, whatever is there."""

    value: Any


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that people quote: what it is, the rule it follows, where it stands, and the rows it is made of.

    It is `field` of the document `doc` in `view` or, where `doc` is None, the number of documents that have that field; its
    rows are the documents of `rows_view` whose fields equal `rows_where`, and each row names its events in `src` or `event`.
    At rest it is the sum of the rows' `rows_field`, or their number where that is None. A figure of many parts names them in
    `of`: it is asked for as `name:part:part`, and `{part}` in `doc`, `field` and `rows_where` is what was asked for. Parts that
    its document knows nothing of are refused under the code `missing`; where that is None, nothing counted yet is zero.
    """

    name: str
    title: str
    unit: str
    formula: str
    rule: str
    view: str
    doc: str | None
    field: str
    rows_view: str
    rows_where: Mapping[str, Any]
    rows_field: str | None
    of: tuple[str, ...] = ()
    missing: str | None = None

    @property
    def usage(self) -> str:
        """How it is asked for: `current_principal`, `late_principal_of_region:<region>`."""
        return ":".join((self.name, *(f"<{part}>" for part in self.of)))

    def value_in(self, document: Mapping[str, Any] | None) -> int | None:
        """The figure in its document, None for parts that nothing is known of."""
        value: int | None = value_at(document or {}, self.field)
        return 0 if value is None and self.missing is None else value


def figure_named(figures: Sequence[Figure], asked: str) -> Figure | None:
    """The figure that is asked for, its parts filled in; None for a name that is none, or with other parts."""
    name, *parts = asked.split(":")
    found = next((figure for figure in figures if figure.name == name and len(figure.of) == len(parts)), None)
    if found is None or not parts:
        return found
    values = dict(zip(found.of, parts, strict=True))

    def filled(value: Any) -> Any:
        return value.format(**values) if isinstance(value, str) else value

    where = {filled(field): filled(value) for field, value in found.rows_where.items()}
    return replace(
        found, name=asked, doc=filled(found.doc), field=filled(found.field), rows_where=where, of=()
    )


def value_at(document: Mapping[str, Any], field: str) -> Any:
    """The value of a (dotted) field of a document, None where there is none."""
    value: Any = document
    for name in field.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def events_of(row: Mapping[str, Any]) -> list[str]:
    """The addresses that a row names: its one event, or the last one of each stream that has written to it."""
    return [row["event"]] if "event" in row else sorted(row.get("src", {}).values())
