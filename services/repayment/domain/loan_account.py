"""A loan's account: its history added up line by line, so that every amount of its page is the sum of events that made it.

An amount is explained by telescoping: the history is folded from its first line, the amount is looked at after each, and what a
line changed of it is that line's share. So the shares sum to the amount, whatever its formula is and whatever events there will be.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

#: A loan's amounts (fen) by their place on its page, and its `state`: what the history's lines come to.
Account = dict[str, Any]
Line = Mapping[str, Any]
ValueOf = Callable[[Account], int]


#: What decides which rows count, and what of one (projections/loan_history.py).
_STANDING: Final = ("state", "rows_to", "arrears")


@dataclass(frozen=True, slots=True)
class Formula:
    """How an amount of the page comes about: in words, by which rule, and as a function of the loan's account.

    Of a row's amount the function is given the row's number, of a payment's its id.
    """

    words: str
    rule: str
    value: Callable[[Account, str], int]


@dataclass(frozen=True, slots=True)
class Share:
    """What one line of the history changed of an amount (fen), and what the amount was after it."""

    line: Line
    amount_fen: int
    after_fen: int


def shares(history: Iterable[Line], value_of: ValueOf) -> list[Share]:
    """The lines that changed an amount; their shares sum to what it is after the last line.

    An amount is a sum over rows, or has nothing to do with them: so what a line changed of it is what it changed of the rows that it
    names, unless it says which rows count. So a line costs what it says, however long the schedule is.
    """
    found: list[Share] = []
    account: Account = {}
    before_fen = 0
    for line in history:
        if any(line["told"].get(name, account.get(name)) != account.get(name) for name in _STANDING):
            _fold(account, line)
            after_fen = value_of(account)
        else:
            was_fen = value_of(_named(account, line))
            _fold(account, line)
            after_fen = before_fen + value_of(_named(account, line)) - was_fen
        if after_fen != before_fen:
            found.append(Share(line, after_fen - before_fen, after_fen))
        before_fen = after_fen
    return found


def accounts(history: Iterable[Line]) -> Iterator[tuple[Line, Account]]:
    """Each line with the account after it: one account, which the next line changes."""
    account: Account = {}
    for line in history:
        _fold(account, line)
        yield line, account


def moves(
    history: Iterable[Line], is_wanted: Callable[[Line], bool]
) -> Iterator[tuple[Line, Account, dict[str, int]]]:
    """Each line that is wanted with the account after it and what it changed of `parts_of`.

    It changed nothing of a row that it does not name, so the others are not added up: a line costs what it says, however long the
    schedule is.
    """
    account: Account = {}
    for line in history:
        if not is_wanted(line):
            _fold(account, line)
            continue
        before = parts_of(_named(account, line))
        _fold(account, line)
        after = parts_of(_named(account, line))
        yield line, account, {name: fen - before[name] for name, fen in after.items()}


def account_of(history: Iterable[Line]) -> Account:
    """The account after the last line; empty where there is none."""
    last: Account = {}
    for _, last in accounts(history):  # noqa: B007  # the one after the last line
        pass
    return last


def _fold(account: Account, line: Line) -> None:
    _assign(account, line["told"])
    _add(account, line["moved"])


def _named(account: Account, line: Line) -> Account:
    """Of the account what a line may change: of its rows those that the line names."""
    numbers = {**line["told"].get("rows", {}), **line["moved"].get("rows", {})}
    rows = account.get("rows", {})
    named = {number: rows[number] for number in numbers if number in rows}
    return {**account, "rows": named, "rows_to": account.get("rows_to", len(rows))}


def _assign(account: Account, told: Mapping[str, Any]) -> None:
    for name, value in told.items():
        if isinstance(value, Mapping):
            _assign(account.setdefault(name, {}), value)
        else:
            account[name] = value


def _add(account: Account, moved: Mapping[str, Any]) -> None:
    for name, value in moved.items():
        if isinstance(value, Mapping):
            _add(account.setdefault(name, {}), value)
        else:
            account[name] = account.get(name, 0) + value


# --- the amounts of a page -----------------------------------------------------------------------------------------

#: What an instalment asks for, and what it has received of that.
COMPONENTS: Final = ("principal", "interest", "fee", "penalty")


def left_fen(row: Mapping[str, int], component: str) -> int:
    """What of one component an instalment has not received."""
    left: int = row.get(f"{component}_fen", 0) - row.get(f"paid_{component}_fen", 0)
    return left


def open_fen(account: Account, number: str, component: str) -> int:
    """What of it is still owed: nothing once the loan is not owed any more, as after early settlement."""
    return left_fen(_row(account, number), component) if account.get("state") == "running" else 0


def paid_fen(account: Account, component: str) -> int:
    """What all payments paid of a component, early settlement included, whose part stands in no row."""
    rows = account.get("rows", {}).values()
    early: int = account.get("early", {}).get(f"{component}_fen", 0)
    in_rows: int = sum(row.get(f"paid_{component}_fen", 0) for row in rows)
    return early + in_rows


def charged_fen(account: Account) -> int:
    """What of penalty was charged on all instalments, less what was waived or lapsed."""
    rows = account.get("rows", {}).values()
    charged: int = sum(row.get("penalty_fen", 0) for row in rows)
    return charged


def parts_of(account: Account) -> dict[str, int]:
    """What all events have paid of each component, and charged of penalty: what a line of the history changed of it is the line's."""
    paid = {f"paid_{each}_fen": paid_fen(account, each) for each in COMPONENTS}
    cost_fen: int = account.get("paid_cost_fen", 0)
    return paid | {"paid_cost_fen": cost_fen, "charged_penalty_fen": charged_fen(account)}


def rows_of(account: Account) -> Mapping[str, Mapping[str, int]]:
    """The rows of the schedule that holds now: a longer one may stand behind it."""
    rows: Mapping[str, Mapping[str, int]] = account.get("rows", {})
    last = account.get("rows_to", len(rows))
    return {number: row for number, row in rows.items() if int(number) <= last}


def overdue_principal_fen(account: Account) -> int:
    """The principal that is open of missed instalments. What is not due yet stays normal, however late those are (processes.md 1.P)."""
    rows = rows_of(account)
    return sum(open_fen(account, number, "principal") for number in rows if rows[number].get("missed"))


def _row(account: Account, number: str) -> Mapping[str, int]:
    found: Mapping[str, int] = account.get("rows", {}).get(number, {})
    return found


def _of_row(name: str) -> Callable[[Account, str], int]:
    return lambda account, number: _row(account, number).get(name, 0)


def _open_of_row(*components: str) -> Callable[[Account, str], int]:
    return lambda account, number: sum(open_fen(account, number, each) for each in components)


def _told(name: str) -> Callable[[Account, str], int]:
    return lambda account, _: account.get(name, 0)


def _left(name: str) -> Callable[[Account, str], int]:
    return lambda account, _: account.get("arrears", {}).get(name, 0)


def _of_payment(name: str) -> Callable[[Account, str], int]:
    return lambda account, payment: account.get("payments", {}).get(payment, {}).get(name, 0)


def _paid(*components: str) -> Callable[[Account, str], int]:
    return lambda account, _: sum(paid_fen(account, each) for each in components)


def _contracted(component: str) -> Callable[[Account, str], int]:
    return lambda account, _: sum(row.get(f"{component}_fen", 0) for row in rows_of(account).values())


def _open(*components: str) -> Callable[[Account, str], int]:
    return lambda account, _: sum(
        open_fen(account, number, each) for number in rows_of(account) for each in components
    )


_SCHEDULE, _PENALTY, _ALLOCATION = "rules.md 1.1", "domain.md section 4, decision 5", "domain.md section 4"
_OVERDUE: Final = "processes.md 1.P, overdue transfer"
_RUNNING: Final = "; nothing once the loan is repaid"

#: An amount's place on the page, numbers and ids left out -> how it comes about.
FORMULAS: Final[Mapping[str, Formula]] = {
    "principal_fen": Formula("what was lent", _SCHEDULE, _told("principal_fen")),
    "installment_fen": Formula("the instalment that the contract names", _SCHEDULE, _told("installment_fen")),
    "outstanding_fen": Formula(
        "principal lent − Σ principal paid, as each payment's event says it",
        _ALLOCATION,
        _told("outstanding_fen"),
    ),
    "overdue_fen": Formula(
        "all that is open of missed instalments, penalty charged on them included, as each event says it",
        "rules.md 1.4",
        _told("overdue_fen"),
    ),
    "overdue_principal_fen": Formula(
        f"Σ principal that is open of missed instalments{_RUNNING}",
        _OVERDUE,
        lambda account, _: overdue_principal_fen(account),
    ),
    "normal_principal_fen": Formula(
        "what is outstanding − principal that is open of missed instalments",
        _OVERDUE,
        lambda account, _: account.get("outstanding_fen", 0) - overdue_principal_fen(account),
    ),
    "penalty_fen": Formula(
        "Σ penalty charged − Σ penalty paid, waived or lapsed", _PENALTY, _told("penalty_fen")
    ),
    "waived_fen": Formula("Σ penalty waived by measures", "decision 25", _told("waived_fen")),
    "recovered_fen": Formula(
        "Σ payments since the loan was written off", "decision 25", _told("recovered_fen")
    ),
    "cost_fen": Formula(
        "Σ cost of recovery that was booked − Σ paid of it", "decision 25", _told("cost_fen")
    ),
    **{
        f"arrears.{name}_fen": Formula(
            f"{words} when the loan was restructured, as its event says it",
            "decision 25",
            _left(f"{name}_fen"),
        )
        for name, words in (
            ("interest", "interest that was due and not paid"),
            ("fee", "fees that were due and not paid"),
            ("accrued", "interest that had run on principal which was not due"),
        )
    },
    **{
        f"totals.{each}_fen": Formula(f"Σ {each} of all instalments", rule, _contracted(each))
        for each, rule in zip(COMPONENTS, (_SCHEDULE, _SCHEDULE, "decision 19", _PENALTY), strict=True)
    },
    **{
        f"totals.paid_{each}_fen": Formula(f"Σ {each} of all payments", _ALLOCATION, _paid(each))
        for each in COMPONENTS
    },
    "totals.paid_cost_fen": Formula(
        "Σ cost of recovery of all payments", "decision 25", _told("paid_cost_fen")
    ),
    "totals.paid_fen": Formula(
        "Σ all payments, what came back left out",
        _ALLOCATION,
        lambda account, _: (
            sum(paid_fen(account, each) for each in COMPONENTS) + account.get("paid_cost_fen", 0)
        ),
    ),
    "totals.open_fen": Formula(
        f"Σ instalments and penalty charged − Σ paid on them{_RUNNING}", _ALLOCATION, _open(*COMPONENTS)
    ),
    **{
        f"rows.{each}_fen": Formula(f"the {each} that the instalment asks for", rule, _of_row(f"{each}_fen"))
        for each, rule in zip(COMPONENTS, (_SCHEDULE, _SCHEDULE, "decision 19", _PENALTY), strict=True)
    },
    **{
        f"rows.paid_{each}_fen": Formula(
            f"Σ {each} that payments paid on the instalment", _ALLOCATION, _of_row(f"paid_{each}_fen")
        )
        for each in COMPONENTS
    },
    "rows.open_fen": Formula(
        f"the instalment and its penalty − Σ paid on it{_RUNNING}", _ALLOCATION, _open_of_row(*COMPONENTS)
    ),
    "next_due.open_fen": Formula(
        "all that is open of the oldest instalment that is not paid", _ALLOCATION, _open_of_row(*COMPONENTS)
    ),
    **{
        f"next_due.{each}_fen": Formula(
            f"the {each} that is open of the oldest instalment that is not paid",
            _ALLOCATION,
            _open_of_row(each),
        )
        for each in COMPONENTS
    },
    **{
        f"payments.{name}_fen": Formula(
            f"{words}, as its events say it", _ALLOCATION, _of_payment(f"{name}_fen")
        )
        for name, words in (
            ("amount", "what the loan took of the payment"),
            ("taken", "what the loan takes of the payment since another one was corrected"),
            *((each, f"the {each} in the payment") for each in COMPONENTS),
            ("cost", "the cost of recovery in the payment"),
        )
    },
}
