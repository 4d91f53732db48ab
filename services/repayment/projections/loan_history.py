"""The view of a loan's history: one document per event that moved an amount of its page, and what is outstanding beside them.

It is taken from the page's own projection (loans.project): whatever changes an amount there stands here with the event that
changed it, so any amount shown can be followed down to its events, also those of events that are written later. `told` are the
amounts that an event assigns, `moved` those that it adds, both by their place on the page: what a line changed of an amount is known
by folding the lines before it. `parts` is what needs no fold, because the event says it before and after: what is outstanding, of
which the document of the loan's own name is the sum. Who holds how much (`held`) is another page's.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from libs.events.claims import ClaimTransferred
from libs.events.records import RecordedEvent
from libs.events.repayment import RepaymentDistributed
from libs.events.views import Add, Op, Set, View
from services.repayment.projections import loans

#: The one sum that every event which moves it says before and after.
OUTSTANDING: Final = "outstanding_fen"
#: What is no amount and decides what of the amounts counts: whether the loan is owed, the last row of its schedule, and of each row
#: whether it was missed.
_STANDING: Final = ("state", "rows_to", "missed")
#: The first of these that an event has is the date on which its amounts count.
_DATES: Final = (
    "value_date",
    "restated_on",
    "charged_on",
    "changed_on",
    "rescheduled_on",
    "repaid_on",
    "funded_on",
    "due_on",
)


def line_of(loan_id: str, sequence: int | None) -> str:
    """A line's name: in the order of names a loan's lines stand as they happened."""
    return f"{loan_id}/{sequence:010}"


def project(event: RecordedEvent) -> Sequence[Op]:
    """The line of an event, and the loan's sum; nothing of an event that moves no amount. Amounts in fen."""
    moved: dict[str, int] = {}
    told: dict[str, int | str] = {}
    for op in loans.project(event):
        if isinstance(op, Add) and op.amount and _is_shown(op.field):
            moved[op.field] = moved.get(op.field, 0) + op.amount
        elif isinstance(op, Set):
            told |= dict(_amounts(op.field, op.value))
    if not moved and not told:
        return []
    loan_id: str = event.data.loan_id
    before_fen = getattr(event.data, "principal_before_fen", 0)
    after_fen = told.get(OUTSTANDING, before_fen)
    assert isinstance(after_fen, int), "amounts are whole numbers"
    parts = {OUTSTANDING: after_fen - before_fen} if after_fen != before_fen else {}
    line = {
        "loan_id": loan_id,
        "kind": type(event.data).__name__,
        "on": _date_of(event),
        "business_date": event.business_date.isoformat() if event.business_date else None,
        "payment_id": getattr(event.data, "payment_id", None),
        "event": event.address,
        "told": _nested(told),
        "moved": _nested(moved),
        "parts": parts,
    }
    return [
        *(Set(line_of(loan_id, event.sequence), name, value) for name, value in line.items()),
        Set(loan_id, "of", loan_id),
        Add(loan_id, OUTSTANDING, parts.get(OUTSTANDING, 0)),
        Set(loan_id, f"src.{event.stream}", event.address),
    ]


def _is_shown(field: str) -> bool:
    return field.endswith("_fen") and not field.startswith(("held.", "restated.", "in_kind."))


def _amounts(field: str, value: Any) -> Iterator[tuple[str, int | str]]:
    """The amounts that an assignment names, of a payment's line each, and what decides which of them count."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _amounts(f"{field}.{name}", inner)
    elif field.rpartition(".")[2] in _STANDING or (isinstance(value, int) and _is_shown(field)):
        yield field, value


def _date_of(event: RecordedEvent) -> str | None:
    days = (getattr(event.data, name, None) for name in _DATES)
    day: date | None = next((day for day in days if day is not None), event.business_date)
    return None if day is None else day.isoformat()


def _nested(fields: Mapping[str, int | str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field, value in fields.items():
        *path, last = field.split(".")
        inner = found
        for name in path:
            inner = inner.setdefault(name, {})
        inner[last] = value
    return found


VIEW = View(
    name="repayment.loan-history",
    version=6,
    # who holds what moves no amount of the page
    reads=tuple(kind for kind in loans.VIEW.reads if kind not in (RepaymentDistributed, ClaimTransferred)),
    project=project,
    indexes=("loan_id",),
)
