"""What was paid of an instalment after an evening on which it was open and nobody said so: late, known or not, until the loan says it.

Kept from the dates of the payments alone. A debit has no answer for days; whatever it finds was there on the day of the asking. Once all have
one, the loan says which instalments were missed, and owes the penalty of those days (domain.md section 4; no rule of the loan is asked).
"""

from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from tools.simulator.loan_books import LoanBook, require
from tools.simulator.loan_rows import Part, holds

if TYPE_CHECKING:  # the accountant of all loans
    from tools.simulator.books import Books

_DAY: Final = timedelta(days=1)
_GRACE_DAYS: Final = 3


def comes(loan: LoanBook, data: Any) -> None:
    """Money comes to a loan, before it pays rows of it; or goes back, and a debit's is not needed any more."""
    if "allocation" in data:
        _pays(loan, data)
    elif "code" in data and (asked_on := loan.unanswered.get(data["payment_id"])):
        _was_there(loan, asked_on, data["amount_fen"])


def _pays(loan: LoanBook, data: Any) -> None:
    arrival, value_date = data.get("arrival"), date.fromisoformat(data["value_date"])
    booked_on = date.fromisoformat(arrival["booked_on"]) if arrival else value_date
    asked_on = loan.unanswered.get(data["payment_id"])
    if asked_on is not None and arrival and loan.late:
        _pays_late(loan, data, asked_on)
        return
    evening = min(value_date, booked_on) - _DAY
    others = (day for name, day in loan.unanswered.items() if name != data["payment_id"])
    is_held = any(day < booked_on for day in others)
    for line in data["allocation"]:
        row, open_fen = loan.rows.get(line["number"]), line["interest_fen"] + line["principal_fen"]
        if row is None or not open_fen + line["fee_fen"] or loan.counted(row.due_on, evening) < 1:
            continue
        if not row.missed or (is_held and row.charged_to < value_date):
            fen = open_fen + line["fee_fen"]
            part = Part(line["number"], row.due_on, row.charged_to, value_date, fen, open_fen)
            loan.late.append(part)
    _was_there(loan, value_date, 0)


def _pays_late(loan: LoanBook, data: Any, asked_on: date) -> None:
    """A debit's late money was there on its day, and pays the oldest of all that has been paid since and of what it pays now."""
    for line in (line for line in data["allocation"] if line["number"] in loan.rows):
        row, open_fen = loan.rows[line["number"]], line["interest_fen"] + line["principal_fen"]
        fen = open_fen + line["fee_fen"]
        if fen:
            loan.late.append(Part(line["number"], row.due_on, row.charged_to, date.max, fen, open_fen))
    _was_there(loan, asked_on, data["arrival"]["received_fen"])
    loan.late = [part for part in loan.late if not loan.rows[part.number].missed or part.since < part.paid_on]


def _was_there(loan: LoanBook, asked_on: date, fen: int) -> None:
    """So the oldest of what has been paid since was there on that day, fee first; and what had paid it, for what was paid later still."""
    there, loan.freed = {**loan.freed, asked_on: loan.freed.get(asked_on, 0) + fen}, {}
    while there:
        on = min(there)
        fen = there.pop(on)
        for part in sorted(loan.late, key=lambda part: (part.number, part.paid_on)):
            used = min(fen, part.fen) if part.due_on <= on < part.paid_on else 0
            if not used:
                continue
            fen -= used
            there[part.paid_on] = there.get(part.paid_on, 0) + used
            of_open = max(0, used - (part.fen - part.open_fen))
            loan.late.append(Part(part.number, part.due_on, part.since, on, used, of_open))
            part.fen, part.open_fen = part.fen - used, part.open_fen - of_open
        loan.late = [part for part in loan.late if part.fen]
        if fen and on < date.max:
            loan.freed[on] = fen
    loan.late = [part for part in loan.late if loan.counted(part.due_on, part.paid_on - _DAY) > 0]


def missed(books: "Books", where: str, data: Any) -> None:
    """An instalment was missed, and is open or has been paid since."""
    books.once(where, f"{data['loan_id']} misses {data['number']} of {data['due_on']}")
    loan = books.loans[data["loan_id"]]
    if data.get("paid_on") is None:
        loan.miss(where, data["number"], data["open_fen"])
        return
    paid = [part for part in loan.late if part.number == data["number"]]
    fen, last = sum(part.fen for part in paid), max((part.paid_on for part in paid), default=None)
    is_right = (fen, str(last)) == (data["open_fen"], data["paid_on"]) and not loan.is_open(data["number"])
    require(is_right, f"{where}: {loan.loan_id} missed {data['number']}, of which {fen} were paid on {last}")
    loan.miss(where, data["number"], None)


def judged(books: "Books", where: str, data: Any) -> None:
    """All of it is said, with the penalty of its days; what a guarantor has paid for apart from the rest."""
    loan = books.loans[data["loan_id"]]
    waits = loan.waits_for(where)
    require(not waits, f"{where}: {loan.loan_id} is judged before {waits} is answered")
    owner = _owner(loan, data["lines"][0]["number"])
    parts = [part for part in loan.late if _owner(loan, part.number) == owner]
    first = next(
        (number for number in loan.rows if loan.is_open(number) and _owner(loan, number) == owner), 0
    )
    fen = sum(_penalty_fen(loan, part) for part in parts)
    said = sum(line["penalty_fen"] for line in data["lines"])
    owed, given_up = (fen, 0) if loan.runs and first else (0, fen)
    require(
        (said, data["penalty_fen"], data["given_up_fen"]) == (fen, owed, given_up),
        f"{where}: {loan.loan_id} was late for {fen}, it says {said}",
    )
    worst = max((loan.counted(part.due_on, part.paid_on - _DAY) for part in parts), default=0)
    require(worst == data["reached_dpd"], f"{where}: {loan.loan_id} was {worst} days late")
    silent = [part.number for part in parts if not loan.rows[part.number].missed]
    require(not silent, f"{where}: {loan.loan_id} does not say that it missed {silent}")
    loan.late, loan.freed = [part for part in loan.late if part not in parts], {}
    if owed:
        require(data["number"] == first, f"{where}: the penalty of {loan.loan_id} is owed with {first}")
        loan.rows[first].fine(owed)
    require(loan.penalty_fen == data["penalty_after_fen"], f"{where}: penalty after is wrong")


def _owner(loan: LoanBook, number: int) -> str | None:
    """Whose claim alone an instalment is, None where all others share it."""
    return next((str(claim["claim_id"]) for claim in loan.paid_for if holds(claim, number)), None)


def _penalty_fen(loan: LoanBook, part: Part) -> int:
    """Half-up, to the fen; none for what was paid within the grace."""
    if loan.counted(part.due_on, part.paid_on) <= _GRACE_DAYS:
        return 0
    days = loan.counted(part.since, part.paid_on)
    return int(part.open_fen * loan.penalty_rate * days / 365 + Fraction(1, 2))
