"""The shape of a view: pure functions from events to changes of documents they never read.

Because a change is an assignment or an addition, the same function serves the live projector, a rebuild folded in
memory and the simulation, and equal logs give equal documents in any interleaving of streams.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from libs.events.records import RecordedEvent


@dataclass(frozen=True, slots=True)
class Set:
    """Assign a JSON value to a (dotted) field of a document. A field is written by one stream only."""

    doc: str
    field: str
    value: Any


@dataclass(frozen=True, slots=True)
class SetOnce:
    """Assign a value unless the field already has one."""

    doc: str
    field: str
    value: Any


@dataclass(frozen=True, slots=True)
class Add:
    """Add an integer to a (dotted) field, which starts at zero. Any number of streams may add to it."""

    doc: str
    field: str
    amount: int


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a document. Only the stream that owns the whole document may do so."""

    doc: str


Op = Set | SetOnce | Add | Delete


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
class Figure:
    """A number that people quote: what it is, the rule it follows, where it stands, and the rows it is made of.

    It is `field` of the document `doc` in `view`; its rows are the documents of `rows_view` whose fields equal
    `rows_where`, and each row names its events in `src` or `event`.
    """

    name: str
    title: str
    unit: str
    formula: str
    rule: str
    view: str
    doc: str
    field: str
    rows_view: str
    rows_where: Mapping[str, Any]
