"""One loan as the accountant keeps it: its rows, what of each is open, and penalty done once more in fractions.

Its schedule is `schedule_books`' to judge. It knows the terms that LoanOpened names and three tables of domain.md section 4; whatever the loan says about itself later
must follow from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any, Final

from tools.simulator.loan_rows import Part, Rest, Row, holds, part_of, row_of
from tools.simulator.order_books import expected, order_of, said


class WrongBooks(AssertionError):
    """Money was lost, created, or went where it does not belong."""


#: The line of an allocation that pays what was not due yet.
_UNDUE: Final = 0
_GRACE_DAYS: Final = 3
#: Days past due (domain.md section 4): a loan is in the last class, and of the profile's table in the last bucket, whose number it has reached.
_CLASSES: Final = (
    ("normal", 0),
    ("special_mention", 1),
    ("substandard", 91),
    ("doubtful", 271),
    ("loss", 361),
)


def require(holds: bool, otherwise: str) -> None:
    """Raise WrongBooks with these words unless it holds."""
    if not holds:
        raise WrongBooks(otherwise)


@dataclass(slots=True)
class LoanBook:
    """A loan's rows by number, its principal by claim, its bucket and class."""

    loan_id: str
    borrower: str
    penalty_rate: Fraction
    rows: dict[int, Row]
    claims: dict[str, int]
    holders: dict[str, str]
    bucket: str = "current"
    loan_class: str = "normal"
    unanswered: dict[str, date] = field(default_factory=dict)
    """Debits asked from the borrower's account that the loan has no answer to, and on which day."""
    asked_last: tuple[str, str] = "", ""
    """Where it asked for a debit last, and for which."""
    terms: Any = None
    prepaid_fen: int = 0
    """Principal that was prepaid and is still in the rows, until they are asked anew."""
    before: Rest | None = None
    by_measure: bool = False
    """A measure gave it a class; how good it may be then, the books of measures say."""
    written_off: bool = False
    restated_at: str = ""
    """Where it was put right last."""
    paused: set[date] = field(default_factory=set)
    """Days that do not count."""
    left_in: int = 0
    left_interest_fen: int = 0
    left_fee_fen: int = 0
    """In which row a restructuring asks for arrears, 0 for none, and how much of interest and fees were."""
    asks: list[Any] = field(default_factory=list)
    """The schedule as it stands, whatever is paid of it."""
    paid_for: list[Any] = field(default_factory=list)
    """Claims of instalments that its guarantor paid for, as the books of guarantors say."""
    late: list[Part] = field(default_factory=list)
    """What was paid late, and nobody has said so yet."""
    freed: dict[date, int] = field(default_factory=dict)
    """By its day what was there beside it, and has paid nothing that was late."""
    overdue_before_fen: int = 0
    """What was overdue when its rows were asked anew."""

    @property
    def outstanding_fen(self) -> int:
        """Principal that is not repaid."""
        return sum(row.principal_fen for row in self.rows.values()) - self.prepaid_fen

    @property
    def runs(self) -> bool:
        """Whether anything is owed."""
        return self.oldest is not None

    @property
    def penalty_fen(self) -> int:
        """Penalty that was charged and is not paid."""
        return sum(row.penalty_fen for row in self.rows.values())

    @property
    def overdue_fen(self) -> int:
        """What is open of instalments that were missed, penalty included, and of those up to the last that was charged for its days."""
        late = (number for number, row in self.rows.items() if row.missed or row.charged_to > row.due_on)
        last = max(late, default=0)
        return sum(row.asked_fen + row.penalty_fen for number, row in self.rows.items() if number <= last)

    @property
    def oldest(self) -> Row | None:
        """The first instalment that is not paid in full."""
        return next((row for row in self.rows.values() if _open_or_fined(row)), None)

    def is_open(self, number: int) -> bool:
        """Whether an instalment that there is, is not paid in full."""
        return number in self.rows and _open_or_fined(self.rows[number])

    def dpd(self, on: date) -> int:
        """Days past due."""
        oldest = self.oldest
        return self.counted(oldest.due_on, on) if oldest else 0

    def is_behind(self, on: date) -> bool:
        """Whether something is unpaid that was due before a day, whatever days count."""
        return self.oldest is not None and self.oldest.due_on < on

    def counted(self, since: date, on: date) -> int:
        """How many days after one, up to another, count."""
        return max(0, (on - since).days) - sum(since < day <= on for day in self.paused)

    # --- payments -----------------------------------------------------------------------------------------------

    def pay(self, where: str, lines: Sequence[Any], on: date) -> None:
        """What is due, in the order of the loan's terms; line 0 pays what is not: all of it, or a part, for which rows are asked anew."""
        early = next((line for line in lines if line["number"] == _UNDUE), None)
        due = [line for line in lines if line is not early]
        if early is None:
            order = order_of(self.terms, self.loan_class)
            right = expected(self.rows, sum(map(_line_fen, due)), on, order)
            for number, parts in said(due).items():
                row = self.rows[number]
                for component, fen in parts.items():
                    owed = getattr(row, f"{component}_fen")
                    require(fen <= owed, f"{where}: {self.loan_id} pays {component} of {number} twice")
            require(said(due) == right, f"{where}: {self.loan_id} pays in the wrong order: {said(due)}")
        if early is None:
            for line in due:
                self._pay_row(where, line, len(self.rows))
            return
        partial = sum(line["principal_fen"] for line in lines) < self.outstanding_fen
        # One that was asked for already is due for a part, and not for an end.
        kept = max(
            (n for n, row in self.rows.items() if row.due_on <= on or row.touched or (partial and row.asked)),
            default=0,
        )
        for line in due:
            self._pay_row(where, line, kept)
        ahead = [line for line in due if line["number"] > kept]
        self._pay_ahead(where, ahead, ends=not partial and kept < self.left_in)
        self._pay_early(where, early, kept, partial=partial)

    def _pay_row(self, where: str, line: Any, kept: int) -> None:
        number, row = line["number"], self.rows[line["number"]]
        is_for_it = bool(line["fee_fen"] or line["interest_fen"] or line["principal_fen"])
        row.touched = row.touched or (is_for_it and number <= kept)
        row.penalty_fen -= line["penalty_fen"]
        row.fee_fen -= line["fee_fen"]
        row.interest_fen -= line["interest_fen"]
        row.principal_fen -= line["principal_fen"]
        parts = (row.penalty_fen, row.fee_fen, row.interest_fen, row.principal_fen)
        require(min(parts) >= 0, f"{where}: {self.loan_id} pays of {number} what is not owed")

    def _pay_ahead(self, where: str, ahead: Sequence[Any], *, ends: bool) -> None:
        """Of rows that are not due what a restructuring left in them: penalty that was charged, and with the end of all what was in arrears of fees;
        of interest, `settle_books` says it."""
        fined = [n for n, row in self.rows.items() if row.penalty_fen]
        require(not fined, f"{where}: {self.loan_id} is paid early, penalty of {fined} is not")
        fee = sum(line["fee_fen"] for line in ahead)
        asks = next((row["fee_fen"] for row in self.asks if row["number"] == self.left_in), 0)
        owed = min(self.left_fee_fen, asks) if ends else 0
        right = fee == owed and not any(line["principal_fen"] for line in ahead)
        require(
            right, f"{where}: {self.loan_id} pays {[*ahead]}, which is not due, in arrears are {owed} of fees"
        )

    def _pay_early(self, where: str, line: Any, kept: int, *, partial: bool) -> None:
        left = [number for number in range(1, kept + 1) if _open_or_fined(self.rows[number])]
        require(not left, f"{where}: {self.loan_id} pays early while {left} are open")
        rest = [row for number, row in self.rows.items() if number > kept]
        self.before = Rest(kept, [row.due_on for row in self.rows.values()], rest)
        if partial:
            self.prepaid_fen = line["principal_fen"]
            return
        require(
            line["principal_fen"] == self.outstanding_fen,
            f"{where}: {self.loan_id} is settled with {line['principal_fen']} of {self.outstanding_fen}",
        )
        scheduled = next((row.interest_fen for row in self.rows.values() if row.interest_fen), 0)
        require(line["interest_fen"] <= scheduled, f"{where}: {self.loan_id} costs more early than in time")
        for row in self.rows.values():
            row.principal_fen = row.interest_fen = row.fee_fen = 0

    def reschedule(self, where: str, data: Any, rows: Sequence[Any]) -> None:
        """Rows in place of those that are not due; all principal that is owed stands in them."""
        owed, first, outstanding_fen = self.outstanding_fen, rows[0]["number"], data["outstanding_fen"]
        self.overdue_before_fen = self.overdue_fen
        if data["reason"] == "restructured":
            on = date.fromisoformat(data["changed_on"])
            due = [row for number, row in self.rows.items() if number >= first and row.due_on <= on]
            self.left_in, self.left_fee_fen = first, sum(row.fee_fen for row in due)
            self.left_interest_fen = sum(row.interest_fen for row in due)
        fined = {number: row.penalty_fen for number, row in self.rows.items() if number >= first}
        self.late = [part for part in self.late if part.number < first]
        for number in [number for number in self.rows if number >= first]:
            del self.rows[number]
        self.rows |= {row["number"]: row_of(row) for row in rows}
        for number, penalty_fen in fined.items():
            if penalty_fen:
                require(number in self.rows, f"{where}: {self.loan_id} loses the penalty of {number}")
                self.rows[number].penalty_fen = penalty_fen
        self.asks = [row for row in self.asks if row["number"] < first] + list(rows)
        self.prepaid_fen = 0
        numbered = list(self.rows) == list(range(1, len(self.rows) + 1))
        require(numbered, f"{where}: {self.loan_id} has the instalments {list(self.rows)}")
        dues = [row.due_on for row in self.rows.values()]
        require(dues == sorted(dues), f"{where}: {self.loan_id} is asked {dues}")
        same = self.outstanding_fen == owed == outstanding_fen
        require(same, f"{where}: {self.loan_id} owes {owed}, asked anew is {self.outstanding_fen}")

    def _is_his(self, number: int) -> bool:
        return any(holds(claim, number) for claim in self.paid_for)

    def waive(self, where: str, lines: Sequence[Any]) -> None:
        """Penalty that was charged, the oldest first, and never more than is owed."""
        for line in lines:
            row = self.rows[line["number"]]
            require(
                not self._is_his(line["number"]),
                f"{where}: {self.loan_id} is forgiven what its guarantor is owed",
            )
            theirs = [n for n in self.rows if n < line["number"] and not self._is_his(n)]
            older = [n for n in theirs if self.rows[n].penalty_fen]
            require(not older, f"{where}: {self.loan_id} is forgiven {line['number']} before {older}")
            row.penalty_fen -= line["waived_fen"]
            require(row.penalty_fen >= 0, f"{where}: {self.loan_id} is forgiven more than is owed")

    def write_off(self, where: str, data: Any) -> None:
        """What is owed is what was due, or touched by a payment dated to its day, also where a restructuring asks for it anew; nothing is added
        to it from here on."""
        require(not self.written_off, f"{where}: {self.loan_id} is written off again")
        on = date.fromisoformat(data["written_off_on"])
        through = max((n for n, row in self.rows.items() if row.due_on <= on or row.touched), default=0)
        due = [row for number, row in self.rows.items() if number <= through]
        interest_fen, fee_fen = (0, 0) if self.left_in <= through else self.left_on(on)
        owed = {
            "principal_fen": self.outstanding_fen,
            "interest_fen": sum(row.interest_fen for row in due) + interest_fen,
            "fee_fen": sum(row.fee_fen for row in due) + fee_fen,
            "penalty_fen": self.penalty_fen,
        }
        said = {name: data[name] for name in owed}
        require(said == owed, f"{where}: {self.loan_id} is written off with {said}, owed is {owed}")
        self.written_off, self.bucket, self.penalty_rate = True, "written_off", Fraction(0)

    def left_on(self, on: date) -> tuple[int, int]:
        """Interest and fees that a restructuring left, until the row is due that asks for them."""
        is_due = self.left_in not in self.rows or self.rows[self.left_in].due_on <= on
        return (0, 0) if is_due else (self.left_interest_fen, self.left_fee_fen)

    def restate(self, where: str, data: Any) -> None:
        """Where it stands by a correction: each row as asked less what the correction says was paid; claims are what is owed."""
        standing, paid = data["standing"], {row["number"]: row for row in data["rows"]}
        if standing["measured"] is not None:
            self.left_fee_fen = standing["measured"]["arrears_fee_fen"] or 0
            self.left_interest_fen = standing["measured"]["arrears_interest_fen"] or 0
        self.restated_at = where
        self.asks = standing["rows"] or self.asks
        self.rows = {row["number"]: row_of(row) for row in self.asks}
        older = dict.fromkeys(self.rows, 0)
        older |= {each["number"]: each.get("before_fen", 0) for each in standing["penalties"]}
        for number, row in self.rows.items():
            got = paid.get(number)
            row.asked, row.missed = number < standing["next_due"], number < standing["next_missed"]
            if got is not None:
                row.principal_fen -= got["principal_fen"]
                row.interest_fen -= got["interest_fen"]
                row.fee_fen -= got["fee_fen"]
                row.penalty_fen = got["penalty_fen"] - got["paid_penalty_fen"]
                row.missed = row.missed and (got["missed"] or not row.asked_fen)
                # What was charged before a restructuring is older than the row's day.
                row.charged_to = max(
                    row.due_on, date.fromisoformat(got["penalty_to"] or row.due_on.isoformat())
                )
                row.since_fen = row.penalty_fen - older[number] if row.charged_to > row.due_on else 0
                row.touched = bool(got["principal_fen"] or got["interest_fen"] or got["fee_fen"])
            parts = (row.principal_fen, row.interest_fen, row.fee_fen, row.penalty_fen)
            require(min(parts) >= 0, f"{where}: {self.loan_id} was paid more on {number} than it asks")
        if not data["principal_after_fen"] and paid[_UNDUE]["principal_fen"]:
            for row in self.rows.values():  # settled early: the rest of the schedule asks nothing
                row.principal_fen = row.interest_fen = row.fee_fen = row.penalty_fen = 0
        self.late = [part_of(each) for each in standing.get("unjudged", ())]
        self.freed = {date.fromisoformat(each["on"]): each["fen"] for each in standing.get("freed", ())}
        for claim in standing["claims"]:
            self.claims[claim["claim_id"]] = claim["principal_fen"]

    # --- the day ------------------------------------------------------------------------------------------------

    def charge(self, where: str, charged_on: date, lines: Sequence[Any]) -> None:
        """Penalty on what is open and overdue for longer than the grace, recomputed from the contract; of no day of which nobody knows yet
        what was paid."""
        known = charged_on <= min(self.unanswered.values(), default=charged_on)
        require(known, f"{where}: {self.loan_id} is charged before {[*self.unanswered]} is answered")
        for line in lines:
            row = self.rows[line["number"]]
            require(
                line["open_fen"] == row.open_fen > 0,
                f"{where}: penalty on {line['open_fen']} of {self.loan_id}, open is {row.open_fen}",
            )
            late = self.counted(row.due_on, charged_on)
            require(late > _GRACE_DAYS, f"{where}: {self.loan_id} is charged {late} days after its due date")
            days = self.counted(row.charged_to, charged_on)
            owed = _rounded(row.open_fen * self.penalty_rate * days / 365)
            require(
                line["penalty_fen"] == owed,
                f"{where}: {self.loan_id} is charged {line['penalty_fen']} for {days} days, the contract says {owed}",
            )
            row.charged_to = charged_on
            row.fine(owed)

    def ask(self, where: str, number: int) -> None:
        """An instalment fell due."""
        row = self.rows[number]
        require(not row.asked and _open_or_fined(row), f"{where}: {self.loan_id} asks for {number} again")
        row.asked = True

    def ask_account(self, where: str, data: Any) -> None:
        """A debit is asked for."""
        self.unanswered[data["debit_id"]] = date.fromisoformat(data["value_date"])
        self.asked_last = where, data["debit_id"]

    def waits_for(self, where: str) -> list[str]:
        """Debits without an answer that it cannot be judged before: not today's, where the same record judges the evening before."""
        return [debit for debit in self.unanswered if (where, debit) != self.asked_last]

    def miss(self, where: str, number: int, open_fen: int | None) -> None:
        """An instalment was missed; None: it has been paid since."""
        row = self.rows[number]
        require(
            open_fen is None or (row.asked_fen or row.penalty_fen) == open_fen > 0,
            f"{where}: {self.loan_id} misses {open_fen} of {number}, open is {row.asked_fen}",
        )
        row.missed = True
        waits = self.waits_for(where) if self.restated_at != where else []
        require(not waits, f"{where}: {self.loan_id} is judged before {waits} is answered")

    def closed(self, where: str, day: date, buckets: Sequence[tuple[str, int]]) -> None:
        """The misses phase of a day is over on the loan's partition: all that the day had to say has been said, by this table of buckets."""
        for number, row in self.rows.items():
            if _open_or_fined(row):
                require(row.asked or row.due_on > day, f"{where}: {self.loan_id} was not asked for {number}")
                silent = not row.missed and self.counted(row.due_on, day) > 0
                require(not silent, f"{where}: {self.loan_id} missed {number} in silence")
        late = [part.number for part in self.late]
        require(not late, f"{where}: {self.loan_id} was late with {late} in silence")
        dpd = self.dpd(day)
        bucket, least = _reached(buckets, dpd), _reached(_CLASSES, dpd)
        bucket = "written_off" if self.written_off and self.runs else bucket
        require(
            self.bucket == bucket, f"{where}: {self.loan_id} is in {self.bucket}, {dpd} days are {bucket}"
        )
        names = [name for name, _ in _CLASSES]
        is_plain = not self.is_behind(day) and not self.by_measure
        right = self.loan_class == least if is_plain else names.index(self.loan_class) >= names.index(least)
        require(right, f"{where}: {self.loan_id} is {self.loan_class} after {dpd} days")


def opened(where: str, data: Any) -> LoanBook:
    """The book of a new loan, whose claims and schedule must be its principal and its contract."""
    claims = {claim["claim_id"]: claim["principal_fen"] for claim in data["claims"]}
    require(sum(claims.values()) == data["principal_fen"], f"{where}: claims are not the principal")
    rows = {row["number"]: row_of(row) for row in data["rows"]}
    total = sum(row.principal_fen for row in rows.values())
    require(total == data["principal_fen"], f"{where}: the schedule is not the principal")
    rate = Fraction(data["penalty_rate"])
    holders = {claim["claim_id"]: claim["account_id"] for claim in data["claims"]}
    terms = data["repayment"]
    asks = list(data["rows"])
    return LoanBook(data["loan_id"], data["borrower"], rate, rows, claims, holders, terms=terms, asks=asks)


def _rounded(exact: Fraction) -> int:
    """Half-up, to the fen."""
    return int(exact + Fraction(1, 2))


def _reached(table: Sequence[tuple[str, int]], dpd: int) -> str:
    return [name for name, start in table if start <= dpd][-1]


def _line_fen(line: Any) -> int:
    return int(line["penalty_fen"] + line["fee_fen"] + line["interest_fen"] + line["principal_fen"])


def _open_or_fined(row: Row) -> bool:
    return bool(row.asked_fen or row.penalty_fen)
